"""What to know about the data before anything is trained: one `Finding` for each thing worth a sentence."""

from __future__ import annotations

from collections import Counter

import numpy as np

from headstart.data.duplicate_checks import nearly_repeated, repeated
from headstart.data.examples import Examples
from headstart.data.findings import Finding, about, listed
from headstart.data.preprocessing import (
    AudioPreprocessing,
    Preprocessing,
    TextPreprocessing,
    with_window,
)
from headstart.data.scanning import Scan
from headstart.data.target_checks import check_labels, check_values
from headstart.data.texts import n_cut_texts
from headstart.errors import DataError
from headstart.units import UNITS, counted

MAX_UNREADABLE = 0.05
_FEW = 5
_UNEVEN = 10
_MUCH_PADDING = 0.75
_FEW_LONG = 0.05

__all__ = ["MAX_UNREADABLE", "Finding", "check", "check_lengths", "check_unreadable", "drop_unreadable"]


def check(examples: Examples, scan: Scan) -> list[Finding]:
    """All findings, the worst first.

    Args:
        examples: N items, with the split they will be used in.
        scan: what the pass over them saw.
    """
    found = [
        *check_unreadable(examples, scan),
        *_targets(examples),
        *repeated(examples, scan),
        *nearly_repeated(examples, scan),
        *_leaking_groups(examples),
        *_domains(examples),
        *_item_notes(examples, scan),
        *(Finding("note", "note", note) for note in examples.notes),
    ]
    order = {"error": 0, "warning": 1, "note": 2}
    return sorted(found, key=lambda finding: order[finding.severity])


def drop_unreadable(
    examples: Examples, scan: Scan, max_share: float = MAX_UNREADABLE
) -> tuple[Examples, Scan]:
    """Leave out what cannot be read, if it is little.

    Args:
        examples: N items.
        scan: what the pass over them saw.
        max_share: of the items that may be left out.

    Returns:
        Examples and scan of the readable items.

    Raises:
        DataError: more than the share cannot be read, or a class vanishes with it.
    """
    if not scan.problems:
        return examples, scan
    if len(scan.problems) > max_share * len(examples):
        raise DataError(check_unreadable(examples, scan, max_share)[0].message)
    keep = np.setdiff1d(np.arange(len(examples)), np.fromiter(scan.problems, dtype=np.int64))
    kept = examples.take(keep)
    gone = sorted(set(examples.classes) - set(kept.classes))
    if gone:
        raise DataError(f"no item of class {', '.join(gone)} can be read: {_problems(examples, scan)}.")
    return kept, scan.take(keep)


def _problems(examples: Examples, scan: Scan) -> str:
    shown = [f"{examples.names[i]} ({text})" for i, text in list(scan.problems.items())[:3]]
    return "; ".join(shown) + (f" and {len(scan.problems) - 3:,} more" if len(scan.problems) > 3 else "")


def check_unreadable(examples: Examples, scan: Scan, max_share: float = MAX_UNREADABLE) -> list[Finding]:
    """What cannot be read: an error where it is more than a share, else a warning; none where all can.

    Args:
        examples: N items.
        scan: what the pass over them saw.
        max_share: of the items that may be left out.
    """
    n_bad = len(scan.problems)
    if not n_bad:
        return []
    fatal = n_bad > max_share * len(examples)
    message = f"{n_bad:,} of {len(examples):,} {UNITS[examples.modality]} cannot be read: "
    message += f"{_problems(examples, scan)}. "
    message += f"More than {max_share:.0%}: mend them or take them out." if fatal else "They are left out."
    names = [str(examples.names[i]) for i in scan.problems]
    return [about("unreadable", "error" if fatal else "warning", message, names)]


def _targets(examples: Examples) -> list[Finding]:
    """What the labels themselves show, for the items that have one."""
    if examples.labels is None or not examples.labelled.any():
        return []
    if not examples.labelled.all():
        known = examples.take(examples.labelled)
        learnable = known.splits is None or (known.splits == "train").any()
        return [_unlabelled(examples), *(_targets(known) if learnable else [])]
    if not examples.task.has_classes:
        return check_values(examples)
    if examples.task.many_per_item:
        return [*check_labels(examples), *_like_names(examples.classes)]
    return _classes(examples, examples.labels)


def _unlabelled(examples: Examples) -> Finding:
    names = examples.names[~examples.labelled]
    message = f"{len(names):,} of {len(examples):,} items have no label in column '{examples.target}': "
    return about("unlabelled", "note", message + "their label is taken as unknown.", names)


def _classes(examples: Examples, labels: np.ndarray) -> list[Finding]:
    """Classes that are missing or rare where the learning happens."""
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
        message = (
            f"Fewer than {_FEW} items{where} for the class {shown}: what is learned of it is mostly luck."
        )
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
    """Classes whose names differ only in case or outer spaces: nearly always one class, mistyped."""
    plain: dict[str, list[str]] = {}
    for name in classes:
        plain.setdefault(name.strip().casefold(), []).append(name)
    alike = [names for names in plain.values() if len(names) > 1]
    if not alike:
        return []
    shown = listed([" / ".join(repr(name) for name in names) for names in alike], 3)
    message = f"Some classes differ only in upper and lower case or spaces ({shown}): are they one?"
    return [about("like_classes", "warning", message, [name for names in alike for name in names])]


def _leaking_groups(examples: Examples) -> list[Finding]:
    if examples.groups is None or examples.splits is None:
        return []
    pairs = set(zip(examples.groups.tolist(), examples.splits.tolist()))
    leaking = sorted(name for name, count in Counter(group for group, _ in pairs).items() if count > 1)
    if not leaking:
        return []
    name = examples.group or "group"
    n_groups = len(set(examples.groups))
    message = f"In more than one part of the split: {len(leaking):,} of {n_groups:,} values of '{name}' "
    message += f"({listed(leaking, 3)}). The held-out result says little about an unseen {name}."
    return [about("group_leak", "warning", message, leaking)]


def _domains(examples: Examples) -> list[Finding]:
    """How many items each domain has."""
    if examples.domains is None:
        return []
    counts = Counter(examples.domains.tolist())
    shown = listed([f"{name or '(empty)'} {count:,}" for name, count in sorted(counts.items())], 10)
    message = f"Items per domain in '{examples.domain or 'domain'}': {shown}."
    return [about("domains", "note", message, sorted(counts))]


def _item_notes(examples: Examples, scan: Scan) -> list[Finding]:
    found: list[Finding] = []
    silent = [str(examples.names[i]) for i, note in scan.notes.items() if note == "silent"]
    animated = [i for i, note in scan.notes.items() if note != "silent"]
    if silent:
        message = f"Only silence in {len(silent):,} of {len(examples):,} recordings ({listed(silent, 3)})."
        found.append(about("silent", "warning", message, silent))
    if animated:
        names = [str(examples.names[i]) for i in animated]
        message = (
            f"{counted(len(names), 'files')} with several pictures ({names[0]}: {scan.notes[animated[0]]})."
        )
        found.append(about("animated", "note", message, names))
    return found


def check_lengths(examples: Examples, scan: Scan, preprocessing: Preprocessing) -> list[Finding]:
    """What the source will not see of long items, and what a few long ones cost all others.

    Args:
        examples: N items.
        scan: for the durations.
        preprocessing: the source's, with its longest window or text; for audio with the data set's window.

    Returns:
        Findings where recordings or texts are cut, or most of what is computed is padding; else none.
    """
    if isinstance(preprocessing, AudioPreprocessing) and scan.seconds is not None:
        return [
            *_long_recordings(examples, scan.seconds, preprocessing.max_seconds),
            *_padded_recordings(examples, scan.seconds, preprocessing),
        ]
    if isinstance(preprocessing, TextPreprocessing):
        n_cut = n_cut_texts([str(item) for item in examples.items], preprocessing)
        if n_cut:
            share = n_cut / len(examples)
            message = f"Longer than the source's {preprocessing.max_length} tokens: {n_cut:,} of "
            message += f"{len(examples):,} texts ({share:.1%}). Only their beginning is used."
            return [Finding("cut", "warning" if share > 0.05 else "note", message, (), n_cut)]
    return []


def _long_recordings(examples: Examples, seconds: np.ndarray, limit: float | None) -> list[Finding]:
    if limit is None or not (seconds > limit + 1e-3).any():
        return []
    names = examples.names[np.flatnonzero(seconds > limit + 1e-3)]
    message = f"Longer than {limit:g} s: {len(names):,} of {len(examples):,} recordings (the longest "
    message += f"{np.nanmax(seconds):,.0f} s). Only their first {limit:g} s are used."
    return [about("cut", "warning", message, names)]


def _padded_recordings(
    examples: Examples, seconds: np.ndarray, preprocessing: AudioPreprocessing
) -> list[Finding]:
    """A warning where a few long recordings give all others a window that is mostly padding."""
    if preprocessing.window_samples is None:
        return []
    window = preprocessing.window_samples / preprocessing.rate_hz
    padding = 1.0 - float(np.nanmean(np.minimum(seconds, window))) / window
    n_few = max(1, int(_FEW_LONG * len(seconds)))
    others = with_window(preprocessing, np.sort(seconds)[:-n_few]).window_samples or 0
    needed = others / preprocessing.rate_hz
    if padding <= _MUCH_PADDING or needed > window / 2:
        return []
    long = np.flatnonzero(seconds > needed)
    long = long[np.argsort(-seconds[long], kind="stable")]
    message = (
        f"The longest of {len(examples):,} recordings lasts {seconds[long[0]]:,.1f} s, so all of them are "
    )
    message += (
        f"computed in a window of {window:g} s: {padding:.0%} of that is padding. {needed:g} s would do "
    )
    message += f"without {listed(examples.names[long], 3)}: cut the long ones, or leave them out."
    return [about("padding", "warning", message, examples.names[long])]
