"""What a user should know about the data before anything is trained: one `Finding` per problem or fact."""

from __future__ import annotations

from collections import Counter

from headstart.data.duplicate_checks import identity, nearly_repeated, repeated
from headstart.data.examples import Examples
from headstart.data.findings import Finding, about, listed
from headstart.data.label_checks import check_targets
from headstart.data.near_copies import NearCopies, near_copies
from headstart.data.scanning import Scan
from headstart.data.unreadable import check_unreadable
from headstart.units import counted


def check(examples: Examples, scan: Scan, near: NearCopies | None = None) -> list[Finding]:
    """All findings, the worst first.

    Args:
        examples: N items, with the split they will be used in.
        scan: what one pass over them found.
        near: which items are near copies; None: looked for here.
    """
    if near is None:
        near = near_copies(examples, scan, identity(examples, scan))
    found = [
        *check_unreadable(examples, scan),
        *check_targets(examples),
        *repeated(examples, scan),
        *nearly_repeated(examples, near),
        *_leaking_groups(examples),
        *_without_group(examples),
        *_domains(examples),
        *_item_notes(examples, scan),
        *(Finding("note", "note", note) for note in examples.notes),
    ]
    order = {"error": 0, "warning": 1, "note": 2}
    return sorted(found, key=lambda finding: order[finding.severity])


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
    message += f"({listed(leaking, 3)}). The held-out result says little about other values."
    return [about("group_leak", "warning", message, leaking)]


def _without_group(examples: Examples) -> list[Finding]:
    """Items whose group is not known, so that a split cannot keep it together."""
    if examples.groups is None:
        return []
    names = examples.names[[not group.strip() for group in examples.groups]]
    if not len(names):
        return []
    name = examples.group or "group"
    message = f"Column '{name}' is empty for {len(names):,} of {len(examples):,} items ({listed(names, 3)}): they are "
    message += (
        f"kept together as one {name}. If another {name} is among them, the held-out result is too good."
    )
    return [about("no_group", "warning", message, names)]


def _domains(examples: Examples) -> list[Finding]:
    """How many items each domain has, if there are several."""
    counts = Counter(() if examples.domains is None else examples.domains.tolist())
    if len(counts) < 2:
        return []
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
