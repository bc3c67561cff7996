"""Findings on items that occur more than once: identical or nearly, within a part or across the split."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from headstart.data.duplicates import equal_groups, near_pairs
from headstart.data.examples import Examples
from headstart.data.findings import Finding, about
from headstart.data.scanning import Scan
from headstart.units import UNITS, counted

# Calibrated on real sets: the closest different pictures reach .985 (chest X-rays), copies re-encoded at JPEG
# quality 40 stay above .995; the closest different recordings (one speaker, one word) reach .990.
_NEAR = {"image": 0.988, "audio": 0.995}


def identity(examples: Examples, scan: Scan) -> np.ndarray:
    """What makes two items the same: the content's digest, for texts that of the normalised text.

    Args:
        examples: N items.
        scan: what the pass over them saw.

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
        scan: what the pass over them saw.
    """
    units = UNITS[examples.modality]
    groups = equal_groups(identity(examples, scan))
    aside = " (case, punctuation and spaces aside)" if examples.modality == "text" else ""
    across, within = _by_crossing(examples, groups)
    found: list[Finding] = []
    if across:
        message = f"{counted(len(across), units)} in more than one part of the split{aside}, such as "
        message += f"{_example(examples, across[0])}: the held-out result is a little too good."
        found.append(about("duplicate_across", "warning", message, _names(examples, across)))
    if within:
        message = f"{counted(len(within), units)} more than once in the data{aside}, such as "
        message += f"{_example(examples, within[0])}."
        found.append(about("duplicate_within", "note", message, _names(examples, within)))
    labels = examples.labels
    conflicting = [] if labels is None else [group for group in groups if len(set(labels[group])) > 1]
    if labels is not None and conflicting:
        given = " / ".join(dict.fromkeys(str(label) for label in labels[conflicting[0]]))
        what = "values" if examples.task == "regression" else "labels"
        message = f"{counted(len(conflicting), units)} with different {what}, such as "
        message += f"{_example(examples, conflicting[0])}: {given}."
        found.append(about("conflicting_labels", "warning", message, _names(examples, conflicting)))
    return found


def nearly_repeated(examples: Examples, scan: Scan) -> list[Finding]:
    """Pictures and recordings that look or sound alike without being the same file.

    Args:
        examples: N items, with the split they will be used in.
        scan: what the pass over them saw.
    """
    readable = np.flatnonzero(scan.digests != "")
    if len(readable) < 2 or examples.modality == "text":
        return []
    first = readable[np.sort(np.unique(scan.digests[readable].astype(str), return_index=True)[1])]
    pairs = first[near_pairs(scan.fingerprints[first], _NEAR[examples.modality])]
    if scan.seconds is not None and len(pairs):
        pairs = pairs[np.abs(scan.seconds[pairs[:, 0]] / scan.seconds[pairs[:, 1]] - 1.0) < 0.02]
    how = "look nearly the same" if examples.modality == "image" else "sound nearly the same"
    what = f"of {UNITS[examples.modality]} that {how}"
    across, within = _by_crossing(examples, list(pairs))
    found: list[Finding] = []
    if across:
        message = f"{counted(len(across), 'pairs')} {what} across the split, such as "
        message += f"{_example(examples, across[0])}."
        found.append(about("near_duplicate_across", "warning", message, _names(examples, across)))
    if within:
        message = f"{counted(len(within), 'pairs')} {what}, such as {_example(examples, within[0])}."
        found.append(about("near_duplicate_within", "note", message, _names(examples, within)))
    return found


def _by_crossing(
    examples: Examples, groups: Sequence[np.ndarray]
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Groups that lie in more than one part of the split, and those that do not."""
    across: list[np.ndarray] = []
    within: list[np.ndarray] = []
    for group in groups:
        crosses = examples.splits is not None and len(set(examples.splits[group])) > 1
        (across if crosses else within).append(group)
    return across, within


def _names(examples: Examples, groups: Sequence[np.ndarray]) -> list[str]:
    return [" = ".join(str(examples.names[index]) for index in group[:4]) for group in groups]


def _example(examples: Examples, group: np.ndarray) -> str:
    names = " = ".join(str(examples.names[index]) for index in group[:3])
    if examples.modality != "text":
        return names
    text = str(examples.items[int(group[0])])
    return f"{names} '{text[:60]}{'...' if len(text) > 60 else ''}'"
