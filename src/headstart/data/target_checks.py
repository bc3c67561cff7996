"""What to know of labels and quantities before training: rare labels, outliers, ranges that are not covered."""

from __future__ import annotations

import numpy as np

from headstart.data.examples import Examples
from headstart.data.findings import Finding, about, listed

_FEW = 5
_FAR = 5.0  # interquartile ranges beyond the quartiles


def check_labels(examples: Examples) -> list[Finding]:
    """Labels that are missing, rare or everywhere where the learning happens, and items without any.

    Args:
        examples: N items that have any number of labels each.
    """
    y_NC, names = examples.targets.encode(np.asarray(examples.labels)), examples.classes
    inside, where = _learned_from(examples)
    counts = y_NC[inside].sum(axis=0).astype(int)
    n_items = int(inside.sum())
    found: list[Finding] = []
    unseen = [name for name, count in zip(names, counts) if count == 0]
    few = [f"{name} ({count})" for name, count in zip(names, counts) if 0 < count < _FEW]
    always = [name for name, count in zip(names, counts) if count == n_items]
    if unseen:
        message = f"No item{where} has the label {listed(unseen)}: it can never be predicted."
        found.append(about("unseen_class", "warning", message, unseen))
    if always:
        message = f"Every item{where} has the label {listed(always)}: nothing can be learned of it."
        found.append(about("unseen_class", "warning", message, always))
    if few:
        message = f"Fewer than {_FEW} items{where} have the label {listed(few)}: what is learned of it is "
        found.append(about("few_items", "warning", message + "mostly luck.", few))
    without = examples.names[(y_NC.sum(axis=1) == 0)]
    if len(without):
        message = f"{len(without):,} of {len(y_NC):,} items have none of the labels."
        found.append(about("no_label", "note", message, without))
    return found


def check_values(examples: Examples) -> list[Finding]:
    """The range of a quantity, values far outside, and held-out values beyond what is learned from.

    Args:
        examples: N items with a number each.
    """
    values = np.array([float(label) for label in np.asarray(examples.labels)])
    inside, where = _learned_from(examples)
    own = values[inside]
    low, middle, high = np.quantile(own, [0.25, 0.5, 0.75])
    message = f"'{examples.target}' runs from {own.min():g} to {own.max():g}{where}, half of it between "
    found = [Finding("range", "note", f"{message}{low:g} and {high:g} (median {middle:g}).")]
    spread = high - low
    far = (values < low - _FAR * spread) | (values > high + _FAR * spread)
    if spread > 0 and far.any():
        extreme = np.flatnonzero(far)[np.argsort(-np.abs(values[far] - middle), kind="stable")]
        shown = listed([f"{examples.names[i]} ({values[i]:g})" for i in extreme[:3]])
        message = f"{len(extreme):,} values of '{examples.target}' lie far from all others, such as {shown}: "
        message += "squared errors are ruled by them. Are they right?"
        found.append(about("outliers", "warning", message, examples.names[extreme]))
    beyond = ~inside & ((values < own.min()) | (values > own.max()))
    if beyond.any():
        message = (
            f"{int(beyond.sum()):,} held-out values of '{examples.target}' lie outside the range that is "
        )
        message += "learned from: the model must go beyond what it saw."
        found.append(about("beyond_range", "note", message, examples.names[beyond]))
    return found


def _learned_from(examples: Examples) -> tuple[np.ndarray, str]:
    """Which items are learned from, and the words for it."""
    if examples.splits is None:
        return np.ones(len(examples), dtype=bool), ""
    return examples.splits == "train", " in the training part"
