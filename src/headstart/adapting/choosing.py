"""Which method is returned: the one that was asked for, or the choice without labels of the target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from headstart.adapting.trying import Tried
from headstart.errors import InputError
from headstart.runs.adaptation import SOURCE_ONLY


@dataclass(frozen=True, eq=False)
class Decision:
    """The method that is returned.

    Attributes:
        chosen: the method.
        reason: why, in one sentence.
        scores: name of a method to what each selector says of it.
    """

    chosen: Tried
    reason: str
    scores: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


def as_asked(tried: Sequence[Tried]) -> Decision:
    """The last method, which the user named.

    Args:
        tried: source only, then the method.

    Raises:
        InputError: it could not be fitted.
    """
    chosen = tried[-1]
    if chosen.classifier is None:
        raise InputError(f"--method {chosen.name}: {chosen.why}")
    words = "Source only was asked for." if chosen.name == SOURCE_ONLY else f"{chosen.name} was asked for."
    return Decision(chosen, words)
