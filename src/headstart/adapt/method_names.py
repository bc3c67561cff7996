"""Names of the parts of a method, for options and help, which must not import what the parts need."""

from __future__ import annotations

from dataclasses import dataclass

from headstart.errors import OptionError, did_you_mean

AUTO = "auto"
BATCH_NORM = "bn"  # each domain's own batch-norm statistics
KINDS = {
    "alignment": ("none", "standardise", "coral", "linear-ot", "subspace", "class-ot"),
    "learner": ("infomax", "mcc"),
    "correction": ("label-shift", "bbse", "balanced", "rebalanced"),
}
PARTS = (*(name for names in KINDS.values() for name in names), BATCH_NORM)


def usages() -> str:
    """The parts of a method's text, for help."""
    return f"{', '.join(PARTS)}; parts are joined by +, as in standardise+infomax"


@dataclass(frozen=True)
class Parts:
    """The parts that a method's text names.

    Attributes:
        alignment: its name; "" if the text names none.
        learner: the same.
        correction: the same.
        batch_norm: whether each domain has its own batch-norm statistics.
    """

    alignment: str = ""
    learner: str = ""
    correction: str = ""
    batch_norm: bool = False

    @classmethod
    def of(cls, text: str) -> Parts:
        """Read the text of a method, such as "bn+standardise+infomax".

        Raises:
            OptionError: a part is unknown, or two parts are of one kind.
        """
        names = text.split("+")
        for name in names:
            if name not in PARTS:
                raise OptionError(
                    f"there is no method '{name}'.{did_you_mean(name.lower(), (AUTO, *PARTS))} auto stands alone; "
                    f"parts to join by + are {', '.join(PARTS)}"
                )
        found = {}
        for kind, known in KINDS.items():
            named = [name for name in names if name in known]
            if len(named) > 1:
                raise OptionError(
                    f"method {text}: {' and '.join(named)} are {len(named)} {kind}s, and at most one alignment, one "
                    "learner and one correction can be joined by +"
                )
            found[kind] = "".join(named)
        return cls(**found, batch_norm=BATCH_NORM in names)
