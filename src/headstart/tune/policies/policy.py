"""What `--freeze` means: a policy is read once, against the stages of one backbone.

`Policy.parse("first:2,lora:8", stages)` looks its terms up in the catalogue (catalogue.py), which says of every
policy what it freezes and trains. A cut and what trains after it may be joined by a comma; `auto` and
`only:auto` choose for themselves, so their cut is not known before they have chosen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from headstart.errors import OptionError, did_you_mean, nearest
from headstart.tune.adapters.kinds import DEFAULT_RANK, Adapter
from headstart.tune.policies.catalogue import CATALOGUE, PolicyKind, find_kind, usages
from headstart.tune.policies.selections import WHOLE, Selection

NEEDS_FITTED_HEAD = (
    "only:auto reads the gradients of the loss, which mean nothing with a random head: "
    "set head_start: probe in the recipe, or name the stage (--freeze only:STAGE)"
)


@dataclass(frozen=True)
class Policy:
    """A freeze policy read against the stages of a backbone.

    Args:
        text: the policy as written, such as "first:3" or "first:2,lora:8".
        stages: names of the stages, in order.
        cut: number of leading stages frozen from beginning to end, whose output can be stored; None if the
            policy has not chosen yet (`auto`, `only:auto`).
        trained: names of the stages in which something trains, sooner or later.
        kind: the row of the catalogue that says what trains in them.
        adapter: the adapter on their layers.
    """

    text: str
    stages: tuple[str, ...]
    cut: int | None
    trained: tuple[str, ...]
    kind: PolicyKind
    adapter: Adapter | None = None

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
        cuts, trainers = _read_terms(text)
        name = ",".join(term.text for term in (*cuts, *trainers))
        opened = cuts[0].opened(stages) if cuts else range(len(stages))
        kind, trained = (trainers or cuts)[0].kind, stages[opened.start : opened.stop]
        if trainers and cuts and not trained:
            raise OptionError(
                f"'{name}' freezes every stage, so nothing is left for '{trainers[0].text}' to train"
            )
        adapter = Adapter(kind.adapter, trainers[0].rank) if kind.adapter is not None else None
        return cls(name, stages, None if kind.chooses else opened.start, trained, kind, adapter)

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
    def selection(self) -> Selection:
        """Which parameters of the trained stages train."""
        return self.kind.selection

    @property
    def what(self) -> str:
        """The name of that selection: "whole", "norm", "bias", "adapter"."""
        return self.kind.selection.name

    @property
    def gradual(self) -> bool:
        """Whether the stages start to train one by one, from the last."""
        return self.kind.gradual

    @property
    def from_probe(self) -> bool:
        """Whether the head must start at the linear probe."""
        return self.kind.from_probe

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
        """Whether stages are frozen below others that train, so that their output is stored; unknown for `auto`."""
        return self.cut is not None and 0 < self.cut < len(self.stages)

    @property
    def trains_stages(self) -> bool:
        """Whether anything besides the head trains, or may be chosen to train."""
        return self.cut is None or bool(self.trained)

    @property
    def rate(self) -> float:
        """What the usual rate is multiplied by: a few parameters of a stage need larger steps than the whole stage."""
        return self.kind.selection.rate

    def cautions(self, *, pretrained: bool) -> list[str]:
        """What a user should know before training under this policy.

        Args:
            pretrained: whether the source's weights were pretrained.
        """
        if self.cut is None:
            return []
        cautions = []
        held = self.frozen if self.selection == WHOLE and not self.gradual else self.stages
        if held and not pretrained:
            named = f"stage {held[0]}" if len(held) == 1 else f"{held[0]} to {held[-1]}"
            cautions.append(
                f"'{self.text}' freezes {named}, whose weights were never pretrained: they stay random. Use "
                "a pretrained source, or --freeze none"
            )
        if self.kind.value == "K" and self.cut == 0:
            cautions.append(f"'{self.text}' freezes nothing: it is the same as 'none'")
        if not self.trained and self.kind.name != "all":
            cautions.append(f"'{self.text}' freezes every stage: it is the same as 'all'")
        return cautions


@dataclass(frozen=True)
class _Term:
    """One part of a policy: a row of the catalogue, and a value after a colon if it takes one."""

    kind: PolicyKind
    value: str

    @property
    def text(self) -> str:
        return f"{self.kind.name}:{self.value}" if self.value else self.kind.name

    @classmethod
    def read(cls, term: str, whole: str) -> _Term:
        kind = find_kind(term)
        name, colon, value = term.strip().partition(":")
        if kind is None:
            guess = _guess(name.lower(), value)
            raise OptionError(f"there is no freeze policy '{whole}'; there are {usages()}.{guess}")
        if kind.value == "" and ":" in kind.name:  # the value is part of the name, as in only:auto
            return cls(kind, "")
        if kind.value in ("K", "STAGE") and not value:
            raise OptionError(
                f"the freeze policy '{kind.name}' needs a value: {kind.usage}"
                + (", K a number of stages" if kind.value == "K" else "")
            )
        if colon and kind.value and not value.strip():
            raise OptionError(f"the freeze policy '{term.strip()}' has nothing after the colon: {kind.usage}")
        if colon and not kind.value:
            raise OptionError(f"the freeze policy '{kind.name}' takes no value, got '{term.strip()}'")
        return cls(kind, value.strip())

    def opened(self, stages: tuple[str, ...]) -> range:
        """Indices of the stages that train."""
        assert self.kind.opens is not None  # only cuts have `opens`
        value = 0
        if self.kind.value == "K":
            value = _number_of_stages(self, stages)
        elif self.kind.value == "STAGE":
            value = _index_of(self.value, stages)
        return self.kind.opens(value, len(stages))

    @property
    def rank(self) -> int:
        """The rank of an adapter."""
        try:
            rank = int(self.value) if self.value else DEFAULT_RANK
        except ValueError:
            rank = 0
        if rank < 1:
            raise OptionError(
                f"the rank of {self.kind.name}:RANK must be a whole number of 1 or more, got '{self.value}'"
            )
        return rank


def check_policy_text(text: str) -> None:
    """Check what can be checked of a policy before any stage is known: its names, values and what is joined.

    Args:
        text: a policy, or a cut and what trains after it joined by a comma.

    Raises:
        OptionError: the policy is unknown or badly written.
    """
    _read_terms(text)


def _read_terms(text: str) -> tuple[list[_Term], list[_Term]]:
    """The cuts of a policy, and what trains after them."""
    terms = [_Term.read(term, text) for term in text.split(",")]
    cuts = [term for term in terms if term.kind.opens is not None]
    trainers = [term for term in terms if term.kind.opens is None]
    _check_together(cuts, trainers, text)
    return cuts, trainers


def _check_together(cuts: list[_Term], trainers: list[_Term], text: str) -> None:
    terms = [*cuts, *trainers]
    alone = next((term for term in terms if term.kind.alone), None)
    if alone is not None and len(terms) > 1:
        other = next(term for term in terms if term is not alone)
        raise OptionError(f"'{alone.text}' already says what trains: remove '{other.text}'")
    if len(cuts) > 1 or len(trainers) > 1:
        joined = [kind for kind in CATALOGUE.values() if not kind.alone]
        raise OptionError(
            f"'{text}': at most one cut ({', '.join(k.name for k in joined if k.opens)}) and one of "
            f"{', '.join(k.name for k in joined if not k.opens)} may be joined"
        )


def _guess(name: str, value: str) -> str:
    """The nearest policy as it can be written, with the value that was given: " Did you mean 'last:1'?"."""
    bare = name.rstrip("0123456789")
    near = nearest(bare, CATALOGUE)
    if not near:
        return ""
    value, written = value.strip() or name.removeprefix(bare), near
    if CATALOGUE[near].value:
        usage = CATALOGUE[near].usage
        written = f"{near}:{value}" if value else near if "[" in usage else usage  # a rank may be left out
    return f" Did you mean '{written}'?"


def _number_of_stages(term: _Term, stages: tuple[str, ...]) -> int:
    n_stages, name = len(stages), term.kind.name
    try:
        k = int(term.value)
    except ValueError:
        guess = f" Did you mean '{term.kind.by_stage}:{term.value}'?" if term.value in stages else ""
        raise OptionError(f"K of {name}:K must be a whole number, got '{term.value}'.{guess}") from None
    if not 0 <= k <= n_stages:
        raise OptionError(
            f"0 <= K <= n_stages must hold for {name}:K, got K={k} and n_stages={n_stages} "
            f"({', '.join(stages)})"
        )
    return k


def _index_of(stage: str, stages: tuple[str, ...]) -> int:
    if stage not in stages:
        guess = did_you_mean(stage, stages)
        raise OptionError(f"there is no stage '{stage}'; the stages are {', '.join(stages)}.{guess}")
    return stages.index(stage)
