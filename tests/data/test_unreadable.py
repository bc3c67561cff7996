"""Items that cannot be read are dropped if they are few."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from headstart.data.checks import check
from headstart.data.preprocessing import (
    AudioPreprocessing,
)
from headstart.data.read import read_examples
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


def test_the_remedy_for_paths_that_lead_outside_is_given_once(
    tmp_path: Path, picture: Callable[..., Image.Image]
) -> None:
    for number in range(2):
        picture(number).save(tmp_path / f"{number}.png")
    folder = tmp_path / "set"
    folder.mkdir()
    cells = [{"bytes": None, "path": str(tmp_path / f"{number}.png")} for number in range(2)]
    pq.write_table(pa.table({"image": cells, "label": ["a", "b"]}), folder / "table.parquet")
    examples = read_examples(folder / "table.parquet")
    with pytest.raises(DataError) as error:
        drop_unreadable(examples, scan(examples.items, "image", threads=1))
    reason = f"its path leads out of {folder}"
    assert str(error.value) == (
        f"2 of 2 images cannot be read: row 1 ({reason}); row 2 ({reason}). More than 5%: move files that lie "
        "outside into the data folder, or, if this is meant, pass --follow-outside (in Python: follow_outside=True)."
    )
    examples = read_examples(folder / "table.parquet", follow_outside=True)
    assert not scan(examples.items, "image", threads=1).problems
