"""What to know about labels and quantities before training: rare classes, outliers, ranges not covered."""

from __future__ import annotations

import unicodedata
from collections import Counter

import numpy as np

from headstart.data.examples import Examples
from headstart.data.findings import Finding, about, listed
from headstart.tasks import plain_name
from headstart.units import agreeing, counted

_FEW = 5
_UNEVEN = 10
_FAR = 5.0  # interquartile ranges beyond the quartiles


def check_targets(examples: Examples) -> list[Finding]:
    """What the labels themselves show, for the items that have one.

    Args:
        examples: N items, with the split they will be used in.
    """
    if examples.labels is None or not examples.labelled.any():
        return []
    if not examples.labelled.all():
        known = examples.take(examples.labelled)
        learnable = known.splits is None or (known.splits == "train").any()
        return [_unlabelled(examples), *(check_targets(known) if learnable else [])]
    if not examples.task.has_classes:
        return _check_values(examples)
    if examples.task.many_per_item:
        return [*_check_label_sets(examples), *_like_names(examples.classes)]
    return _check_classes(examples, examples.labels)


def _unlabelled(examples: Examples) -> Finding:
    names = examples.names[~examples.labelled]
    have = agreeing(len(names), "has", "have")
    message = (
        f"{len(names):,} of {counted(len(examples), 'items')} {have} no label in column '{examples.target}': "
    )
    return about("unlabelled", "note", f"{message}it is taken as unknown.", names)


def _check_classes(examples: Examples, labels: np.ndarray) -> list[Finding]:
    """Classes that no training item or few training items have."""
    inside = labels if examples.splits is None else labels[examples.splits == "train"]
    where = "" if examples.splits is None else " in the training part"
    counts = Counter(inside.tolist())
    unseen = [name for name in examples.classes if counts[name] == 0]
    few = [name for name in examples.classes if 0 < counts[name] < _FEW]
    found: list[Finding] = []
    if unseen:
        message = f"No item{where} has the class {listed(unseen)}: it can never be predicted."
        found.append(about("unseen_class", "warning", message, unseen))
    if few:
        shown = listed([f"{name} ({counts[name]})" for name in few])
        message = f"Fewer than {_FEW} items{where} for the class {shown}: results for it are mostly chance."
        found.append(about("few_items", "warning", message, few))
    found += _like_names(examples.classes)
    if len(counts) > 1:
        (big, most), (small, least) = counts.most_common()[0], counts.most_common()[-1]
        if most >= _UNEVEN * least:
            message = f"Classes are uneven: '{big}' has {most:,} items{where}, '{small}' {least:,}. "
            message += "Look at balanced accuracy and macro F1 rather than accuracy."
            found.append(about("imbalance", "note", message, [big, small]))
    return found


def _like_names(classes: tuple[str, ...]) -> list[Finding]:
    """Classes whose names hardly differ to the eye: nearly always one class, mistyped."""
    plain: dict[str, list[str]] = {}
    for name in classes:
        plain.setdefault(plain_name(name), []).append(name)
    alike = [names for names in plain.values() if len(names) > 1]
    if not alike:
        return []
    shown = listed([" / ".join(_with_escapes(name) for name in names) for names in alike], 3)
    message = (
        f"Some classes differ only in case, spaces, accents' encoding or invisible characters ({shown}). Each is "
        "learned as a class of its own: if they are the same class, write them alike."
    )
    return [about("like_classes", "warning", message, [name for names in alike for name in names])]


def _with_escapes(name: str) -> str:
    """A name in quotes, in ASCII escapes if it would look like the same name in the usual form."""
    usual = unicodedata.is_normalized("NFC", name) and name.isprintable()
    return repr(name) if usual else ascii(name)


def _check_label_sets(examples: Examples) -> list[Finding]:
    """Labels that no training item has, few have or all have, and items without any label.

    Args:
        examples: N items with any number of labels each.
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
        message = f"Every item{where} has the label {listed(always)}: it cannot be learned."
        found.append(about("unseen_class", "warning", message, always))
    if few:
        message = f"Fewer than {_FEW} items{where} have the label {listed(few)}: results for it are "
        found.append(about("few_items", "warning", message + "mostly luck.", few))
    without = examples.names[(y_NC.sum(axis=1) == 0)]
    if len(without):
        have = agreeing(len(without), "has", "have")
        message = f"{len(without):,} of {counted(len(y_NC), 'items')} {have} none of the labels."
        found.append(about("no_label", "note", message, without))
    return found


def _check_values(examples: Examples) -> list[Finding]:
    """The range of a quantity, values far outside, and held-out values beyond those of the training part.

    Args:
        examples: N items with a number each.
    """
    values = np.array([float(label) for label in np.asarray(examples.labels)])
    inside, where = _learned_from(examples)
    own = values[inside]
    low, middle, high = np.quantile(own, [0.25, 0.5, 0.75])
    message = (
        f"'{examples.target}' runs from {own.min():g} to {own.max():g}{where}, half of the values between "
    )
    found = [Finding("range", "note", f"{message}{low:g} and {high:g} (median {middle:g}).")]
    spread = high - low
    far = (values < low - _FAR * spread) | (values > high + _FAR * spread)
    if spread > 0 and far.any():
        extreme = np.flatnonzero(far)[np.argsort(-np.abs(values[far] - middle), kind="stable")]
        shown = listed([f"{examples.names[i]} ({values[i]:g})" for i in extreme[:3]])
        these = f"{counted(len(extreme), 'values')} of '{examples.target}'"
        message = agreeing(
            len(extreme),
            f"{these} is far from all others, such as {shown}: it dominates the squared error. Is it right?",
            f"{these} are far from all others, such as {shown}: they dominate the squared error. Are they right?",
        )
        found.append(about("outliers", "warning", message, examples.names[extreme]))
    beyond = ~inside & ((values < own.min()) | (values > own.max()))
    if beyond.any():
        message = (
            f"{int(beyond.sum()):,} held-out values of '{examples.target}' lie outside the range of the "
        )
        message += "training items: the model must extrapolate."
        found.append(about("beyond_range", "note", message, examples.names[beyond]))
    return found


def _learned_from(examples: Examples) -> tuple[np.ndarray, str]:
    """Which items are in the training part, and the words for it."""
    if examples.splits is None:
        return np.ones(len(examples), dtype=bool), ""
    return examples.splits == "train", " in the training part"
