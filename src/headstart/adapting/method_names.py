"""Names of the parts of a method, for options and help, which must not import what the parts need."""

from __future__ import annotations

AUTO = "auto"
PARTS = (
    *("none", "standardise", "coral", "linear-ot", "subspace", "class-ot"),
    *("infomax", "mcc"),
    *("label-shift", "bbse", "balanced", "rebalanced"),
    "bn",
)


def usages() -> str:
    """The parts of a method's text, for help."""
    return f"{', '.join(PARTS)}; parts are joined by +, as in standardise+infomax"
