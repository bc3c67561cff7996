"""Texts that name methods."""

from __future__ import annotations

from headstart.adapt.method import Method

AUTO = "auto"
BATCH_NORM = "bn"  # first part of a text: each domain's own batch-norm statistics


def check_method_text(text: str) -> None:
    """Refuse a method that does not exist.

    Raises:
        OptionError: naming the part that is unknown.
    """
    if text != AUTO:
        parsed(text)


def parsed(text: str) -> tuple[bool, Method]:
    """Whether each domain has its own batch-norm statistics, and the method on the features.

    Args:
        text: such as "bn+standardise".

    Raises:
        OptionError: a part is unknown.
    """
    parts = [part for part in text.split("+") if part != BATCH_NORM]
    return BATCH_NORM in text.split("+"), Method.parse("+".join(parts)) if parts else Method()
