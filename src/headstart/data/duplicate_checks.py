"""Findings on items that occur more than once: identical or nearly identical, within a part or across the split."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from headstart.data.duplicates import equal_groups, near_pairs
from headstart.data.examples import Examples
from headstart.data.findings import Finding, Severity, about
from headstart.data.scanning import Scan
from headstart.units import UNITS, counted

# Calibrated on real sets: the closest different pictures reach .985 (chest X-rays), copies re-encoded at JPEG
# quality 40 stay above .995; the closest different recordings (one speaker, one word) reach .990.
_NEAR = {"image": 0.988, "audio": 0.995}


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


def nearly_repeated(examples: Examples, scan: Scan) -> list[Finding]:
    """Pictures and recordings that look or sound alike without being the same file.

    Args:
        examples: N items, with the split they will be used in.
        scan: what one pass over them found.
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
    return _by_crossing(
        examples, list(pairs), "near_duplicate", "pairs", across=f"{what} across the split", within=what
    )


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
