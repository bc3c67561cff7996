"""Which items of a data set occur in a source's own training data: copies, and near copies.

A score on items that the source was trained on may be memory. The source's data is read once, part by part: of it
only the hashes of one part are held at a time, so that memory grows with the items that are looked for, not with the
source's data. What is a copy, and what a near copy, is decided as inside of one data set.

Legend: M items that are looked for, N items of a part of the source's data.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from headstart.data.duplicate_checks import identity
from headstart.data.duplicates import near_between
from headstart.data.examples import Examples
from headstart.data.findings import Finding, about
from headstart.data.items import Item, take_items
from headstart.data.near_copies import NEAR, equally_long
from headstart.data.read import read_examples
from headstart.data.scanning import Scan, scan
from headstart.data.text_index import TextIndex
from headstart.errors import DataError
from headstart.progress import progress
from headstart.units import UNITS, agreeing, counted

_PART = 2048  # items of the source's data that are looked at together


@dataclass(frozen=True, eq=False)
class SourceOverlap:
    """Items of a data set, and which of them the source was trained on.

    Attributes:
        name: the source's data as the user named it.
        n_items: readable items of the source's data.
        n_unreadable: the others.
        positions: (M,) of the items in the data set, that were looked for.
        copies: (M,) bool: the same item is in the source's data.
        near: (M,) bool: a near copy is, and no copy.
        matches: (M,) name of one such item of the source's data, "" where there is none.
    """

    name: str
    n_items: int
    n_unreadable: int
    positions: np.ndarray
    copies: np.ndarray
    near: np.ndarray
    matches: np.ndarray

    @property
    def seen(self) -> np.ndarray:
        """(M,) bool: the source was trained on the item, or on a near copy."""
        return np.asarray(self.copies | self.near)

    def finding(self, examples: Examples) -> Finding:
        """What was found, for the data checks: a warning if the source has seen an item, else a note.

        Args:
            examples: the data set.
        """
        units, n_seen = UNITS[examples.modality], int(self.seen.sum())
        there = f"the source's own training data ({self.name}, {counted(self.n_items, units)}"
        there += f", {self.n_unreadable:,} more cannot be read)" if self.n_unreadable else ")"
        among = f"{n_seen:,} of {len(self.positions):,} held-out {units}"
        if not n_seen:
            return Finding(
                "not_seen_by_source", "note", f"{among} are in {there}, copies and near copies counted."
            )
        names = [
            f"{name} = {match}"
            for name, match in zip(examples.names[self.positions], self.matches, strict=True)
            if match
        ]
        message = f"{among} {agreeing(n_seen, 'is', 'are')} in {there}: {counted(int(self.copies.sum()), 'copies')} "
        message += f"and {counted(int(self.near.sum()), 'near copies')}, such as {names[0]}. "
        message += f"The score on {agreeing(n_seen, 'it', 'them')} may be memory."
        return about("seen_by_source", "warning", message, names)


def source_overlap(
    examples: Examples,
    found: Scan,
    positions: np.ndarray,
    source_data: str | Path,
    *,
    threads: int,
    follow_outside: bool = False,
) -> SourceOverlap:
    """Look for items of a data set in a source's own training data.

    Args:
        examples: the data set.
        found: what one pass over its items found.
        positions: (M,) of the items to look for, such as the held-out ones.
        source_data: where the source's data is, in any layout; labels are not needed.
        threads: that read and decode.
        follow_outside: links, and paths in a table, may lead out of the folder of the source's data.

    Raises:
        DataError: there is nothing at that path, or items of another modality.
    """
    theirs = read_source_data(source_data, examples, follow_outside=follow_outside)
    keys = identity(examples, found)[positions]
    copies, near = np.zeros(len(positions), dtype=bool), np.zeros(len(positions), dtype=bool)
    matches = np.full(len(positions), "", dtype=object)
    search = _search(examples, found, positions)
    n_unreadable = 0
    with progress("Reading the source's data", total=len(theirs), unit=UNITS[examples.modality]) as advance:
        for start in range(0, len(theirs), _PART):
            part = theirs.take(np.arange(start, min(start + _PART, len(theirs))))
            seen = scan(part.items, part.modality, threads=threads, advance=advance)
            n_unreadable += len(seen.problems)
            first = {key: row for row, key in reversed(list(enumerate(identity(part, seen)))) if key}
            same = np.array([first.get(key, -1) for key in keys], dtype=np.int64)
            fresh = (same >= 0) & ~copies
            copies |= fresh
            matches[fresh] = part.names[same[fresh]]
            open_rows = np.flatnonzero(~copies & ~near)
            readable = np.flatnonzero(seen.digests != "")
            for row, position in search.pairs(open_rows, part.items, seen, readable):
                if not near[row]:
                    near[row], matches[row] = True, part.names[position]
    if n_unreadable == len(theirs):
        raise DataError(
            f"--source-data: none of the {counted(len(theirs), UNITS[examples.modality])} can be read"
        )
    return SourceOverlap(
        str(source_data),
        len(theirs) - n_unreadable,
        n_unreadable,
        np.asarray(positions),
        copies,
        near & ~copies,
        matches,
    )


def read_source_data(source_data: str | Path, examples: Examples, *, follow_outside: bool) -> Examples:
    """Read a source's own training data, labelled or not.

    Args:
        source_data: where it is.
        examples: the data set that it will be compared with.
        follow_outside: see `source_overlap`.

    Raises:
        DataError: there is nothing at that path, or items of another modality.
    """
    wanted = examples.modality
    try:
        theirs = read_examples(
            source_data, modality=wanted, labels="as written", follow_outside=follow_outside
        )
    except DataError as error:
        raise DataError(f"--source-data: {error}") from None
    if theirs.modality != wanted:
        raise DataError(
            f"--source-data: {source_data} holds {UNITS[theirs.modality]}, and the data {UNITS[wanted]}: give the "
            f"{UNITS[wanted]} that the source was trained on."
        )
    return theirs


class _Search(Protocol):
    """Finds near copies of the M items in a part of the source's data."""

    def pairs(
        self, rows: np.ndarray, items: Sequence[Item], seen: Scan, readable: np.ndarray
    ) -> list[tuple[int, int]]:
        """Pairs of one of the M items and a position in the part.

        Args:
            rows: of the M items that are still looked for.
            items: N items of the part.
            seen: their scan.
            readable: positions of those that can be read.
        """


def _search(examples: Examples, found: Scan, positions: np.ndarray) -> _Search:
    if examples.modality == "text":
        return _Texts(take_items(examples.items, positions))
    seconds = None if found.seconds is None else found.seconds[positions]
    return _Fingerprints(found.fingerprints[positions], seconds, NEAR[examples.modality])


@dataclass(frozen=True, eq=False)
class _Fingerprints:
    """Search by fingerprints, and for recordings by durations."""

    own: np.ndarray
    seconds: np.ndarray | None
    threshold: float

    def pairs(
        self, rows: np.ndarray, items: Sequence[Item], seen: Scan, readable: np.ndarray
    ) -> list[tuple[int, int]]:
        found = near_between(self.own[rows], seen.fingerprints[readable], self.threshold)
        mine, theirs = rows[found[:, 0]], readable[found[:, 1]]
        if self.seconds is not None and seen.seconds is not None:
            alike = equally_long(self.seconds[mine], seen.seconds[theirs])
            mine, theirs = mine[alike], theirs[alike]
        return list(zip(mine.tolist(), theirs.tolist(), strict=True))


class _Texts:
    """Search by sketches."""

    def __init__(self, own: Sequence[Item]) -> None:
        self._index = TextIndex(own)

    def pairs(
        self, rows: np.ndarray, items: Sequence[Item], seen: Scan, readable: np.ndarray
    ) -> list[tuple[int, int]]:
        found = self._index.near(rows, take_items(items, readable))
        return [(row, int(readable[place])) for row, place in found]
