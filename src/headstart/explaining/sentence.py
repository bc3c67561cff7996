"""The result of explaining, in one sentence."""

from __future__ import annotations

from headstart.metrics.interval import decimals
from headstart.runs.explanation import DeletionFacts


def sentence(deletion: DeletionFacts, items: str, output: str) -> str:
    """Whether the explanations carry information.

    Args:
        deletion: the test.
        items: how many were explained, in words.
        output: "probability" or "value".
    """
    gain, test = deletion.gain, "than removing as many random parts"
    value = float(gain)
    first = (
        f"On {items}, removing the parts that the explanations name first lowers the {output} by "
        f"{decimals(abs(value))} {'more' if value >= 0 else 'less'} {test}"
    )
    if gain.low is None or gain.high is None:
        return (
            f"{first}. Whether the explanations carry information is not known: {gain.why or 'no interval'}."
        )
    between = f" (95% interval of the difference {_signed(gain.low)} to {_signed(gain.high)})"
    words = {
        "informative": "the explanations carry information.",
        "none": "that they carry information is not shown.",
        "misleading": "the explanations mislead.",
    }[deletion.outcome]
    return f"{first}{between}: {words}"


def _signed(value: float) -> str:
    return decimals(value, "+").replace("-", "−")
