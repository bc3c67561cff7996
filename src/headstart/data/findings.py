"""`Finding`: one problem or fact found in the data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

Severity: TypeAlias = Literal["note", "warning", "error"]

N_SHOWN = 10  # names a finding carries at most


@dataclass(frozen=True)
class Finding:
    """One thing found in the data.

    Args:
        kind: "unreadable", "unlabelled", "few_items", "like_classes", "unseen_class", "imbalance", "duplicate_within",
            "duplicate_across", "near_duplicate_within", "near_duplicate_across", "near_duplicate_pattern",
            "conflicting_labels", "group_leak", "no_group", "domains", "animated", "silent", "cut", "padding",
            "seen_by_source", "not_seen_by_source", "weights", "threshold" or "note".
        severity: "note" (good to know), "warning" (may change the result) or "error" (the data cannot be used).
        message: one complete sentence, or two.
        items: names of the first items concerned.
        n_items: how many are concerned.
    """

    kind: str
    severity: Severity
    message: str
    items: tuple[str, ...] = ()
    n_items: int = 0


def listed(names: Iterable[str], n_shown: int = 5) -> str:
    """Names in a sentence: "a, b, c and 4 more".

    Args:
        names: any number.
        n_shown: of them.
    """
    all_names = list(names)
    more = f" and {len(all_names) - n_shown:,} more" if len(all_names) > n_shown else ""
    return ", ".join(all_names[:n_shown]) + more


def about(kind: str, severity: Severity, message: str, names: Iterable[str]) -> Finding:
    """A finding about some named items.

    Args:
        kind: see `Finding`.
        severity: see `Finding`.
        message: complete.
        names: of all the items concerned.
    """
    all_names = [str(name) for name in names]
    return Finding(kind, severity, message, tuple(all_names[:N_SHOWN]), len(all_names))
