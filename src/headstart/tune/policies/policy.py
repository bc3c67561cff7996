"""What `--freeze` means: a policy is read once, against the stages of one backbone.

What is frozen, as a cut:
all            every stage is frozen, only the head trains      cut = n_stages
none           every stage trains                               cut = 0
first:K        the first K stages are frozen                    cut = K
until:STAGE    STAGE and everything before it is frozen         cut = index of STAGE + 1
last:K         the last K stages train                          cut = n_stages - K

What trains beside the head:
only:STAGE     that stage alone (surgical); only:auto lets the relative gradient norms choose it
norm           the scales and shifts of the normalisation layers
bias           the biases (BitFit)
lora[:RANK]    adapters; dora[:RANK] and ia3 likewise

How it goes on:
gradual        the last stage first, then one stage more each epoch (ULMFiT)
lp-ft          the linear probe first, then fine-tuning from it

A cut and one of the others may be joined: `first:2,lora:8` trains adapters after the second stage. `auto`
tries several within a budget and chooses one on validation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, cast

from headstart.errors import OptionError, did_you_mean
from headstart.tune.adapters.kinds import DEFAULT_RANK, METHODS, Adapter

What = Literal["whole", "norm", "bias", "adapter"]

_CUTS = ("all", "none", "first", "until", "last")
_TRAINERS = ("only", "norm", "bias", *METHODS, "gradual", "lp-ft")
_NAMES = (*_CUTS, *_TRAINERS, "auto")
_VALUE_OF = {"first": "K", "last": "K", "until": "STAGE", "only": "STAGE"}
_WORDING = (
    "all, none, first:K, until:STAGE, last:K, only:STAGE, norm, bias, lora[:RANK], dora[:RANK], ia3, gradual, "
    "lp-ft or auto"
)
SURGICAL = "only:auto"
RATES = {"whole": 1.0, "norm": 10.0, "bias": 10.0, "adapter": 5.0}  # docs/recipes.md, Rates


@dataclass(frozen=True)
class Policy:
    """A freeze policy read against the stages of a backbone.

    Args:
        text: what was asked for, such as "first:3" or "first:2,lora:8".
        stages: names of the stages, in order.
        cut: number of leading stages frozen from beginning to end, whose output can be stored; None where it
            is yet to be chosen (`auto`, `only:auto`).
        trained: names of the stages in which something trains, sooner or later.
        what: which parameters of these stages train.
        adapter: the adapter where `what` is "adapter".
        gradual: whether the stages start to train one by one, from the last.
        from_probe: whether the head must start at the linear probe.
    """

    text: str
    stages: tuple[str, ...]
    cut: int | None
    trained: tuple[str, ...]
    what: What = "whole"
    adapter: Adapter | None = None
    gradual: bool = False
    from_probe: bool = False

    @classmethod
    def parse(cls, text: str, stages: Sequence[str]) -> Policy:
        """Read a policy.

        Args:
            text: a policy, or a cut and what trains after it joined by a comma.
            stages: names of the backbone's stages, in order.

        Raises:
            OptionError: the policy is unknown or does not fit the stages.
        """
        stages = tuple(stages)
        terms = [_Term.read(term, text) for term in text.split(",")]
        cuts = [term for term in terms if term.name in _CUTS]
        trainers = [term for term in terms if term.name not in _CUTS]
        _check_together(cuts, trainers, text)
        cut = _cut_of(cuts[0], stages) if cuts else 0
        name = ",".join(term.text for term in (*cuts, *trainers))
        if not trainers:
            return cls(name, stages, cut, stages[cut:])
        return _with_trainer(cls(name, stages, cut, stages[cut:]), trainers[0])

    @classmethod
    def at(cls, cut: int, stages: Sequence[str], then: str = "") -> Policy:
        """The policy that freezes the first `cut` stages, under its shortest name.

        Args:
            cut: number of frozen stages.
            stages: names of all stages, in order.
            then: what trains after the cut, such as "lora:8"; empty: the whole stages.
        """
        text = {0: "none", len(stages): "all"}.get(cut, f"first:{cut}")
        if then:
            text = then if cut == 0 else f"{text},{then}"
        return cls.parse(text, stages)

    @property
    def frozen(self) -> tuple[str, ...]:
        """Names of the stages that are frozen at the start."""
        if self.gradual:
            return self.stages[: self.cut_at(1)]
        return tuple(stage for stage in self.stages if stage not in self.trained)

    @property
    def resolved_cut(self) -> int:
        """The cut.

        Raises:
            OptionError: the policy is `auto` or `only:auto`, which have no cut before they have chosen.
        """
        if self.cut is None:
            raise OptionError(f"the policy '{self.text}' has no cut of its own: it chooses one on validation")
        return self.cut

    def cut_at(self, epoch: int) -> int:
        """The cut in an epoch, counted from 1: it moves only under `gradual`, down to the policy's own."""
        if not self.gradual:
            return self.resolved_cut
        return max(self.resolved_cut, len(self.stages) - max(1, epoch))

    @property
    def stores_prefix(self) -> bool:
        """Whether stages are frozen below others that train, so that their output is stored; not known of `auto`."""
        return self.cut is not None and 0 < self.cut < len(self.stages)

    @property
    def trains_stages(self) -> bool:
        """Whether anything beside the head trains, or may be chosen to."""
        return self.cut is None or bool(self.trained)

    @property
    def rate(self) -> float:
        """What the usual rate is multiplied by: a few parameters of a stage take larger steps than all of it."""
        return RATES[self.what]

    def cautions(self, *, pretrained: bool) -> list[str]:
        """What a user should be told before training under this policy.

        Args:
            pretrained: whether the source's weights were pretrained.
        """
        if self.cut is None:
            return []
        said = []
        held = self.frozen if self.what == "whole" and not self.gradual else self.stages
        if held and not pretrained:
            named = f"stage {held[0]}" if len(held) == 1 else f"{held[0]} to {held[-1]}"
            said.append(
                f"'{self.text}' freezes {named}, whose weights were never pretrained: they stay random. "
                "Take a pretrained source, or freeze none"
            )
        if self.text in ("first:0", f"last:{len(self.stages)}"):
            said.append(f"'{self.text}' freezes nothing: it is the same as 'none'")
        if not self.trained and self.text != "all":
            said.append(f"'{self.text}' freezes every stage: it is the same as 'all'")
        return said


@dataclass(frozen=True)
class _Term:
    """One part of a policy: a name, and a value after a colon where it takes one."""

    name: str
    value: str

    @property
    def text(self) -> str:
        return f"{self.name}:{self.value}" if self.value else self.name

    @classmethod
    def read(cls, term: str, whole: str) -> _Term:
        name, colon, value = term.strip().partition(":")
        name = {"lpft": "lp-ft", "lp_ft": "lp-ft"}.get(name.lower(), name.lower())
        if name not in _NAMES:
            guess = did_you_mean(name, _NAMES)
            raise OptionError(f"there is no freeze policy '{whole}'; there are {_WORDING}.{guess}")
        if name in _VALUE_OF and not value:
            raise OptionError(
                f"the freeze policy '{name}' needs a value: {name}:{_VALUE_OF[name]}"
                + (", K a number of stages" if _VALUE_OF[name] == "K" else "")
            )
        if colon and name not in _VALUE_OF and name not in ("lora", "dora"):
            raise OptionError(f"the freeze policy '{name}' takes no value, got '{term.strip()}'")
        return cls(name, value.strip())


def _check_together(cuts: list[_Term], trainers: list[_Term], text: str) -> None:
    if len(cuts) > 1 or len(trainers) > 1:
        raise OptionError(
            f"'{text}': at most one cut ({', '.join(_CUTS)}) and one of {', '.join(_TRAINERS)} may be joined"
        )
    if cuts and trainers and trainers[0].name in ("auto", "only"):
        raise OptionError(f"'{trainers[0].text}' says by itself what trains: leave '{cuts[0].text}' out")


def _with_trainer(policy: Policy, term: _Term) -> Policy:
    """A policy of a cut alone as the policy of that cut and what trains after it."""
    stages, text, cut = policy.stages, policy.text, policy.cut
    if term.name == "auto" or text == SURGICAL:
        return Policy(text, stages, None, stages)
    if term.name == "only":
        index = _index_of(term.value, stages)
        return Policy(text, stages, index, (stages[index],))
    if not policy.trained:
        raise OptionError(f"'{text}' freezes every stage, so nothing is left for '{term.text}' to train")
    if term.name == "gradual":
        return Policy(text, stages, cut, policy.trained, gradual=True)
    if term.name == "lp-ft":
        return Policy(text, stages, cut, policy.trained, from_probe=True)
    if term.name in METHODS:
        return Policy(text, stages, cut, policy.trained, "adapter", _adapter(term))
    return Policy(text, stages, cut, policy.trained, cast(What, term.name))


def _adapter(term: _Term) -> Adapter:
    try:
        rank = int(term.value) if term.value else DEFAULT_RANK
    except ValueError:
        rank = 0
    if rank < 1:
        raise OptionError(
            f"the rank of {term.name}:RANK must be a whole number of 1 or more, got '{term.value}'"
        )
    return Adapter(cast(Literal["lora", "dora", "ia3"], term.name), rank)


def _cut_of(term: _Term, stages: tuple[str, ...]) -> int:
    if term.name == "until":
        return _index_of(term.value, stages) + 1
    if term.name in ("first", "last"):
        k = _number_of_stages(term, stages)
        return k if term.name == "first" else len(stages) - k
    return {"all": len(stages), "none": 0}[term.name]


def _number_of_stages(term: _Term, stages: tuple[str, ...]) -> int:
    n_stages = len(stages)
    try:
        k = int(term.value)
    except ValueError:
        named = "until" if term.name == "first" else "only"
        guess = f" Did you mean '{named}:{term.value}'?" if term.value in stages else ""
        raise OptionError(f"K of {term.name}:K must be a whole number, got '{term.value}'.{guess}") from None
    if not 0 <= k <= n_stages:
        raise OptionError(
            f"0 <= K <= n_stages must hold for {term.name}:K, got K={k} and n_stages={n_stages} "
            f"({', '.join(stages)})"
        )
    return k


def _index_of(stage: str, stages: tuple[str, ...]) -> int:
    if stage not in stages:
        guess = did_you_mean(stage, stages)
        raise OptionError(f"there is no stage '{stage}'; the stages are {', '.join(stages)}.{guess}")
    return stages.index(stage)
