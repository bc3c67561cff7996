"""Items that cannot be read are dropped if they are few."""

from __future__ import annotations

import pytest

from headstart.data.checks import check
from headstart.data.preprocessing import (
    AudioPreprocessing,
)
from headstart.data.scanning import scan
from headstart.data.unreadable import drop_unreadable
from headstart.errors import DataError
from small_data import texts

WHISPER = AudioPreprocessing(max_seconds=30.0)


def test_unreadable_items_are_dropped_up_to_a_share() -> None:
    few = texts([f"word {i}" for i in range(39)] + [""], "ab" * 20)
    seen = scan(few.items, "text", threads=1)
    kept, kept_scan = drop_unreadable(few, seen)
    assert len(kept) == 39 == len(kept_scan.digests)
    assert check(few, seen)[0].kind == "unreadable" and check(few, seen)[0].severity == "warning"
    many = texts(["x", "y", ""], "aba")
    with pytest.raises(DataError, match=r"1 of 3 texts cannot be read: row 3 \(the text is empty\)"):
        drop_unreadable(many, scan(many.items, "text", threads=1))
    gone = texts([f"word {i}" for i in range(39)] + [""], "a" * 39 + "b")
    with pytest.raises(DataError, match="no item of class b"):
        drop_unreadable(gone, scan(gone.items, "text", threads=1))
