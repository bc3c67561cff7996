"""Findings on items that occur more than once: copies and near copies, within a part or across the split."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from headstart.data.duplicates import equal_groups
from headstart.data.examples import Examples
from headstart.data.findings import Finding, Severity, about
from headstart.data.near_copies import MOST, NearCopies
from headstart.data.scanning import Scan
from headstart.units import UNITS, counted


def identity(examples: Examples, scan: Scan) -> np.ndarray:
    """What makes two items the same: the content's digest, for texts that of the normalised text.

    Args:
        examples: N items.
        scan: what one pass over them found.

    Returns:
        (N,) strings, "" where unreadable.
    """
    if examples.modality != "text":
        return scan.digests
    keys = np.full(len(examples), "", dtype=object)
    readable = np.flatnonzero(scan.digests != "")
    keys[readable] = [row.tobytes().hex() for row in scan.fingerprints[readable]]
    return keys


def repeated(examples: Examples, scan: Scan) -> list[Finding]:
    """Identical items: within a part, across parts, and with labels that contradict each other.

    Args:
        examples: N items, with the split they will be used in.
        scan: what one pass over them found.
    """
    units = UNITS[examples.modality]
    groups = equal_groups(identity(examples, scan))
    aside = " (ignoring case, punctuation and spaces)" if examples.modality == "text" else ""
    found = _by_crossing(
        examples,
        groups,
        "duplicate",
        units,
        across=f"in more than one part of the split{aside}",
        within=f"more than once in the data{aside}",
        so=": the held-out result is slightly too good",
    )
    labels = examples.labels
    conflicting = [] if labels is None else [group for group in groups if len(set(labels[group]) - {""}) > 1]
    if labels is not None and conflicting:
        given = " / ".join(dict.fromkeys(str(label) for label in labels[conflicting[0]] if label))
        what = examples.task.words.labels
        message = f"{counted(len(conflicting), units)} with different {what}, such as "
        message += f"{_example(examples, conflicting[0])}: {given}."
        found.append(about("conflicting_labels", "warning", message, _names(examples, conflicting)))
    return found


def nearly_repeated(examples: Examples, near: NearCopies) -> list[Finding]:
    """Near copies, within a part or across the split, and patterns.

    Args:
        examples: N items, with the split they will be used in.
        near: which of them are near copies.
    """
    what = f"of {UNITS[examples.modality]} that are near copies"
    found = _by_crossing(
        examples, near.sets, "near_duplicate", "sets", across=f"{what} across the split", within=what
    )
    return [*found, *_patterns(examples, near)]


def _patterns(examples: Examples, near: NearCopies) -> list[Finding]:
    if not near.patterns:
        return []
    units = UNITS[examples.modality]
    n_items = sum(len(members) for members in near.patterns)
    sets = counted(len(near.patterns), "sets")
    message = f"{counted(n_items, units)} in {sets} are as alike as near copies, such as "
    message += f"{_example(examples, near.patterns[0])}: too many for copies (over {MOST}, or over half of the data), "
    message += f"so they count as different {units} that follow a pattern. If they are copies, the held-out result is "
    message += "too good: give them one value of a column that --group names."
    return [about("near_duplicate_pattern", "warning", message, _names(examples, near.patterns))]


def _by_crossing(
    examples: Examples,
    groups: Sequence[np.ndarray],
    kind: str,
    units: str,
    *,
    across: str,
    within: str,
    so: str = "",
) -> list[Finding]:
    """A warning on groups that lie in more than one part of the split, a note on the others."""
    splits = examples.splits
    crosses = [splits is not None and len(set(splits[group])) > 1 for group in groups]
    found: list[Finding] = []
    for place, how, end in (("across", across, so), ("within", within, "")):
        own = [group for group, crossing in zip(groups, crosses) if crossing == (place == "across")]
        if own:
            message = f"{counted(len(own), units)} {how}, such as {_example(examples, own[0])}{end}."
            severity: Severity = "warning" if place == "across" else "note"
            found.append(about(f"{kind}_{place}", severity, message, _names(examples, own)))
    return found


def _names(examples: Examples, groups: Sequence[np.ndarray]) -> list[str]:
    return [" = ".join(str(examples.names[index]) for index in group[:4]) for group in groups]


def _example(examples: Examples, group: np.ndarray) -> str:
    names = " = ".join(str(examples.names[index]) for index in group[:3])
    if examples.modality != "text":
        return names
    text = str(examples.items[int(group[0])])
    return f"{names} '{text[:60]}{'...' if len(text) > 60 else ''}'"
