"""What `--freeze` means: a policy is read once, against the stages of one backbone, and becomes a cut.

all            every stage is frozen, only the head trains      cut = n_stages
none           every stage trains                               cut = 0
first:k        the first k stages are frozen                    cut = k
until:STAGE    STAGE and everything before it is frozen         cut = index of STAGE + 1
auto           the best of these within a budget                cut unknown until it is chosen
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from headstart.errors import OptionError, did_you_mean

_NAMES = ("all", "none", "auto")
_WITH_VALUE = ("first", "until")
_PLANNED = ("last", "only", "norm", "bias", "lora", "gradual", "lp-ft")
_WORDING = "all, none, first:K, until:STAGE or auto"


@dataclass(frozen=True)
class Policy:
    """A freeze policy read against the stages of a backbone.

    Args:
        text: what was asked for, such as "first:3".
        stages: names of the stages, in order.
        cut: number of frozen stages; None for `auto`.
    """

    text: str
    stages: tuple[str, ...]
    cut: int | None

    @classmethod
    def parse(cls, text: str, stages: Sequence[str]) -> Policy:
        """Read a policy.

        Args:
            text: `all`, `none`, `first:K`, `until:STAGE` or `auto`.
            stages: names of the backbone's stages, in order.

        Raises:
            OptionError: the policy is unknown, not there yet, or does not fit the stages.
        """
        name, colon, value = text.strip().partition(":")
        name, stages = name.lower(), tuple(stages)
        _check_name(name, text)
        if name in _NAMES:
            if colon:
                raise OptionError(f"the freeze policy '{name}' takes no value, got '{text}'")
            return cls(name, stages, {"all": len(stages), "none": 0, "auto": None}[name])
        if not value:
            raise OptionError(
                f"the freeze policy '{name}' needs a value: "
                + ("first:K, K the number of frozen stages" if name == "first" else "until:STAGE")
            )
        cut = _first(value, stages) if name == "first" else _until(value, stages)
        return cls(f"{name}:{value}", stages, cut)

    @classmethod
    def at(cls, cut: int, stages: Sequence[str]) -> Policy:
        """The policy that freezes the first `cut` stages, under its shortest name."""
        text = {0: "none", len(stages): "all"}.get(cut, f"first:{cut}")
        return cls.parse(text, stages)

    @property
    def frozen(self) -> tuple[str, ...]:
        """Names of the frozen stages."""
        return self.stages[: self.resolved_cut]

    @property
    def trained(self) -> tuple[str, ...]:
        """Names of the trained stages; the head trains in any case."""
        return self.stages[self.resolved_cut :]

    @property
    def resolved_cut(self) -> int:
        """The cut.

        Raises:
            OptionError: the policy is `auto`, which has no cut before it has chosen.
        """
        if self.cut is None:
            raise OptionError("the policy 'auto' has no cut of its own: it chooses one on validation")
        return self.cut

    def table(self, n_parameters: Sequence[int]) -> str:
        """The policy as a table of stage, parameters, and frozen or trained.

        Args:
            n_parameters: number of parameters of each stage, in order.
        """
        rows = [("stage", "parameters", "")]
        for index, (stage, n) in enumerate(zip(self.stages, n_parameters, strict=True)):
            rows.append((stage, f"{n:,}", self._state_of(index)))
        rows.append(("head", "", "trained"))
        width, number_width = (max(len(row[column]) for row in rows) for column in (0, 1))
        return "\n".join(f"{a:<{width}}  {b:>{number_width}}  {c}".rstrip() for a, b, c in rows)

    def cautions(self, *, pretrained: bool) -> list[str]:
        """What a user should be told before training under this policy.

        Args:
            pretrained: whether the source's weights were pretrained.
        """
        if self.cut is None:
            return []
        said = []
        if self.cut and not pretrained:
            named = f"stage {self.frozen[0]}" if self.cut == 1 else f"{self.frozen[0]} to {self.frozen[-1]}"
            said.append(
                f"'{self.text}' freezes {named}, whose weights were never pretrained: they stay random. "
                "Take a pretrained source, or freeze none"
            )
        if self.cut == 0 and self.text != "none":
            said.append(f"'{self.text}' freezes nothing: it is the same as 'none'")
        return said

    def _state_of(self, index: int) -> str:
        if self.cut is None:
            return "chosen on validation"
        return "frozen" if index < self.cut else "trained"


def _check_name(name: str, text: str) -> None:
    if name in _NAMES or name in _WITH_VALUE:
        return
    if name in _PLANNED:
        raise OptionError(f"the freeze policy '{name}' is not there yet; there are {_WORDING}")
    guess = did_you_mean(name, (*_NAMES, *_WITH_VALUE))
    raise OptionError(f"there is no freeze policy '{text}'; there are {_WORDING}.{guess}")


def _first(value: str, stages: tuple[str, ...]) -> int:
    n_stages = len(stages)
    try:
        cut = int(value)
    except ValueError:
        guess = f" Did you mean 'until:{value}'?" if value in stages else ""
        raise OptionError(f"K of first:K must be a whole number, got '{value}'.{guess}") from None
    if not 0 <= cut <= n_stages:
        raise OptionError(
            f"0 <= K <= n_stages must hold for first:K, got K={cut} and n_stages={n_stages} "
            f"({', '.join(stages)})"
        )
    return cut


def _until(value: str, stages: tuple[str, ...]) -> int:
    if value not in stages:
        guess = did_you_mean(value, stages)
        raise OptionError(f"there is no stage '{value}'; the stages are {', '.join(stages)}.{guess}")
    return stages.index(value) + 1
