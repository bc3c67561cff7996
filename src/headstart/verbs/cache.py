"""cache: list the stored features, or prune them."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headstart.errors import OptionError
from headstart.files import named_path
from headstart.units import counted

if TYPE_CHECKING:
    from headstart.features import Entry

_UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}


@dataclass(frozen=True)
class Listing:
    """The store as it is now.

    Attributes:
        root: its folder.
        entries: what it holds, those unused longest first.
        removed: what was pruned just now.
    """

    root: Path
    entries: Sequence[Entry]
    removed: Sequence[Entry] = ()

    def to_json(self) -> dict[str, Any]:
        """The listing as a dictionary that JSON can hold."""
        return {
            "root": str(self.root),
            "entries": [asdict(entry) for entry in self.entries],
            "removed": [asdict(entry) for entry in self.removed],
        }

    @property
    def text(self) -> str:
        """The listing as lines of plain text."""
        total = sum(entry.n_bytes for entry in self.entries)
        lines = [f"{self.root}: {total / 1e6:,.1f} MB of features"]
        for entry in self.entries:
            hours = (time.time() - entry.used) / 3600
            lines.append(
                f"  {entry.n_bytes / 1e6:>10,.1f} MB  used {hours:,.1f} h ago  {entry.label}  {entry.what}"
            )
        if self.removed:
            freed = sum(entry.n_bytes for entry in self.removed)
            lines.append(f"removed {counted(len(self.removed), 'keys')}, {freed / 1e6:,.1f} MB")
        elif self.entries:
            lines.append("prune with: headstart cache --prune --keep 5GB")
        return "\n".join(lines)


def cache(store: str | Path | None = None, *, prune_to: str | None = None) -> Listing:
    """List the stored features, or remove those unused longest.

    Args:
        store: the store's folder; None: $HEADSTART_CACHE, else the user's cache folder.
        prune_to: how much to keep, such as "5GB" or "0"; None removes nothing.
    """
    from headstart.features import Store

    if store is not None and not (store := named_path(store, "--store")).is_dir():
        raise OptionError(
            f"--store {store} is not a folder: name the one that `headstart fit --store` was given"
        )
    features = Store(store)
    removed = () if prune_to is None else features.prune(limit_bytes=bytes_of(prune_to))
    return Listing(features.root, features.list(), removed)


def bytes_of(size: str) -> int:
    """Turn "5GB", "200 MB" or "0" into bytes.

    Raises:
        OptionError: the text is not a size.
    """
    match = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([KMGT]?B?)\s*", size.upper())
    if match is None or match.group(2) not in _UNITS:
        raise OptionError(f"a size is written like 5GB, 200MB or 0, got '{size}'")
    return int(float(match.group(1)) * _UNITS[match.group(2)])
