"""Sentences and cells of an adaptation, for the page and for the terminal."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from headstart.report.pages.adapt.report import AdaptReport
from headstart.report.words import interval, number
from headstart.runs.adaptation import AdaptationFacts, MethodRow

SELECTORS = {
    "circular": "circular validation",
    "importance": "importance-weighted validation",
    "dev": "DEV",
    "nuclear": "nuclear norm",
    "infomax": "InfoMax",
    "class_ami": "ClassAMI",
}
SELECTORS_SAY = {
    "circular": "a classifier learned from the predictions for the target should give the source its labels back; "
    "its balanced accuracy there, 0 to 1. The only one that decides.",
    "importance": "accuracy on held-out items of the source, 0 to 1; those that look like the target count more.",
    "dev": "deep embedded validation: accuracy on held-out items of the source, weighted by how much they look like "
    "the target, and corrected so that it varies less; at most about 1.",
    "nuclear": "how certain and how varied the answers are, by their singular values, 0 to 1. Not whether they are "
    "right.",
    "infomax": "how certain and how varied the answers are, by mutual information, from 0 to the logarithm of the "
    "number of classes. Not whether they are right.",
    "class_ami": "whether the answers agree with clusters of the target's items: 1 if they do, about 0 by chance.",
}
SHORT = {**SELECTORS, "circular": "circular", "importance": "weighted", "nuclear": "nuclear"}  # terminal

DOES = {
    "none": "the head of the source domain, as a fit there returns it",
    "standardise": "each feature gets mean 0 and deviation 1 in each domain by itself; then a head is learned from "
    "the source",
    "coral": "the source's features get the target's correlations; then a head is learned from them",
    "linear-ot": "the source is moved onto the target by the best linear map between two Gaussians",
    "class-ot": "source items are moved onto target items by optimal transport that keeps classes together",
    "subspace": "the principal axes of the source are turned to those of the target",
    "infomax": "the head is learned further so that target items get sure and varied answers",
    "mcc": "the head is learned further so that target items are less often between two classes",
    "label-shift": "source items are weighted to the target's class shares, as EM estimates them",
    "bbse": "source items are weighted to the target's class shares, as BBSE estimates them",
    "balanced": "every class of the source weighs the same",
    "rebalanced": "the method predicts the target, and aligns and learns again with the class shares that it predicted",
    "bn": "the network's batch normalisation uses the statistics of each domain",
}
HALF_WIDTH = 0.05  # of the interval that labels of random items should give the gain
LEAST_LABELS = 30
_NORMAL = 1.96
_OPTION = re.compile(
    r"(?<![\w`-])(--method [a-z][a-z+-]*[a-z]|--[a-z-]+(?: \d+(?:\.\d+)?)?|[a-z][a-z-]*(?:\+[a-z][a-z-]*)+)(?!\w)"
)


def score_words(report: AdaptReport, row: MethodRow) -> str:
    """Its score on the target's labels with the interval; "" without labels."""
    if row.truth is None or row.truth.value is None:
        return ""
    ends = interval(row.truth, report.metric.key)
    return f"{number(row.truth.value, report.metric.key)}{f' ({ends})' if ends else ''}"


def selector_words(row: MethodRow, name: str) -> str:
    """What a selector says of a method; "" if it was not asked."""
    value = row.scores.get(name)
    return "" if value is None or not math.isfinite(value) else f"{value:.3f}".replace("-", "−")


def same_words(row: MethodRow) -> str:
    """Share of the answers that are those of source only; "" if it could not be fitted."""
    return "" if row.agreement is None else f"{100 * row.agreement:.0f}%"


def does_words(row: MethodRow) -> str:
    """What a method does, or why it could not be used."""
    if row.note:
        return f"not used: {row.note}"
    parts = [DOES[part] for part in row.name.split("+") if part in DOES]
    return "; ".join(parts) or row.label


def as_code(text: str) -> str:
    """A sentence whose options and texts of methods are marked as code: "use `--method coral`"."""
    return text if "`" in text else _OPTION.sub(r"`\1`", text)


@dataclass(frozen=True)
class Labels:
    """How many labels of random target items would measure the gain.

    Attributes:
        n_items: how many.
        is_all: whether that is every item.
    """

    n_items: int
    is_all: bool


def labels_for_gain(found: AdaptationFacts) -> Labels | None:
    """How many random target items to label so that the interval of the gain ends HALF_WIDTH from it, or nearer.

    An item counts for the gain only if both answers differ, by at most 1: the variance of its gain is at most the
    share of such items, which is known without labels.

    Args:
        found: of the adaptation.

    Returns:
        None if both always answer alike, or nothing was changed: the gain is then 0.
    """
    agreement = found.returned.agreement
    if agreement is None or agreement >= 1:
        return None
    n_items = max(LEAST_LABELS, math.ceil((_NORMAL / HALF_WIDTH) ** 2 * (1 - agreement)))
    return Labels(min(n_items, found.n_target), n_items >= found.n_target)


def sentence_case(text: str) -> str:
    """A sentence with a capital letter, unless it begins with the text of a method."""
    first = text.split(" ", 1)[0].rstrip(":")
    return text if all(part in DOES for part in first.split("+")) else text[:1].upper() + text[1:]


def to_measure(report: AdaptReport) -> str:
    """What to do where no label of the target is known, in one sentence; "" if some are."""
    if report.is_scored:
        return ""
    target, labels = report.found.names[1], labels_for_gain(report.found)
    if not report.is_adapted:
        return f"To know how good it is on {target}, label some of its items, drawn at random, and run again."
    if labels is None:
        return "It gives every item the answer of source only, so there is no gain and no loss."
    some = "all items" if labels.is_all else f"{labels.n_items:,} items, drawn at random,"
    return f"To measure the gain to within {100 * HALF_WIDTH:.0f} points, label {some} of {target} and run again."
