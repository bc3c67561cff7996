"""Shards that someone else wrote, with a right checksum: computed again if they hold anything but what is expected."""

from __future__ import annotations

import json
import shutil
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

from features.tiny_source import make_pictures, make_tiny_source
from fuzz.damage import with_other_value
from headstart.choose import choose_head
from headstart.errors import DataError, StoreError
from headstart.features import Features, Store, StoredStates, extract_pooled, extract_states

N_ITEMS, N_PER_SHARD = 130, 128
Header = dict[str, Any]


def extract(store: Path) -> Features:
    items, digests = make_pictures(N_ITEMS)
    return extract_pooled(
        make_tiny_source(), items, digests, Store(store), precision="fp32", threads=1, batch_size=64
    )


@pytest.fixture(scope="module")
def valid(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, np.ndarray]:
    store = tmp_path_factory.mktemp("valid") / "store"
    return store, extract(store).stacked(range(3))


def write_foreign(path: Path, edit: Callable[[Header], object], data: bytes | None = None) -> None:
    """Edit the header of a shard, or its data too, and give the shard the name that its bytes ask for."""
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    header = edit(header) or header
    text = json.dumps(header).encode()
    content = len(text).to_bytes(8, "little") + text + (content[8 + length :] if data is None else data)
    path.unlink()
    path.with_name(f"{path.name.split('-')[0]}-{zlib.crc32(content):08x}.safetensors").write_bytes(content)


def set_axes(header: Header, axes: list[int]) -> None:
    known = json.loads(header["__metadata__"]["axes"])
    header["__metadata__"]["axes"] = json.dumps({**known, "stage.000": axes})


def stage(**changes: Any) -> Callable[[Header], None]:
    return lambda header: header["stage.000"].update(changes)


def halved(header: Header) -> None:
    """Half of the rows, and half of the bytes."""
    start, end = header["stage.000"]["data_offsets"]
    n_rows, width = header["stage.000"]["shape"]
    header["stage.000"] |= {"shape": [n_rows // 2, width], "data_offsets": [start, (start + end) // 2]}


def width_moved(header: Header) -> None:
    """The first stage one number wider, at the cost of the next; only the other shards tell."""
    first, second = header["stage.000"], header["stage.001"]
    assert first["data_offsets"][1] == second["data_offsets"][0]
    first["shape"][1] += 1
    second["shape"][1] -= 1
    border = first["data_offsets"][1] + 4 * first["shape"][0]
    first["data_offsets"][1] = second["data_offsets"][0] = border


def no_items(header: Header) -> None:
    """No row of anything."""
    for name, entry in header.items():
        if name != "__metadata__":
            entry["shape"][0] = 0
            entry["data_offsets"] = [0, 0]


def without_a_stage(header: Header) -> None:
    """The last tensors of the file keep their place."""
    del header["stage.002"]


def other_width(header: Header) -> None:
    width = header["stage.000"]["shape"][1]
    header["stage.000"]["shape"] = [header["stage.000"]["shape"][0] * 2, width // 2]


EDITS: dict[str, Callable[[Header], object]] = {
    "whole numbers": stage(dtype="I32"),
    "doubles": stage(dtype="F64"),
    "a stage missing": without_a_stage,
    "a stage of another name": lambda header: header.update({"stage.003": header.pop("stage.002")}),
    "a huge shape": stage(shape=[2**40, 2**40]),
    "a negative offset": stage(data_offsets=[-8, 0]),
    "an offset with a fraction": stage(data_offsets=[0.0, 8.5]),
    "halved rows": halved,
    "twice the rows of half the width": other_width,
    "reversed axes": lambda header: set_axes(header, [1, 0]),
    "one axis": lambda header: set_axes(header, [0]),
    "a shape with a fraction": stage(shape=[64.0, 8]),
    "one row fewer": stage(shape=[N_PER_SHARD - 1, 8]),
    "half the width": stage(shape=[N_PER_SHARD, 4]),
    "no items": no_items,
    "width moved between stages": width_moved,
    "a hidden stage": lambda header: header.update({"stage.002": {**header["stage.002"], "shape": [0, 8]}}),
    "overlapping": lambda header: header["stage.001"].update(header["stage.000"]),
}


@pytest.mark.parametrize("name", EDITS)
def test_a_foreign_shard_is_computed_again(
    tmp_path: Path, valid: tuple[Path, np.ndarray], name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    store, right = valid
    shutil.copytree(store, tmp_path / "store")
    path = max((tmp_path / "store").glob("*/*.safetensors"), key=lambda path: path.stat().st_size)
    write_foreign(path, EDITS[name], b"" if name == "no items" else None)
    assert np.array_equal(extract(tmp_path / "store").stacked(range(3)), right)
    assert "Stored features are damaged and will be computed again" in capsys.readouterr().err
    extract(tmp_path / "store")
    assert "damaged" not in capsys.readouterr().err


def test_no_edit_of_a_header_gives_another_value_or_error(
    tmp_path: Path, valid: tuple[Path, np.ndarray]
) -> None:
    store, right = valid
    for number in range(40):
        place = tmp_path / str(number)
        shutil.copytree(store, place)
        chance = Random(number)
        path = chance.choice(sorted(place.glob("*/*.safetensors")))
        write_foreign(path, partial(with_other_value, chance=chance))
        assert np.array_equal(extract(place).stacked(range(3)), right), number


def test_stored_values_that_are_not_numbers_are_told_with_the_store(
    tmp_path: Path, valid: tuple[Path, np.ndarray]
) -> None:
    store, _ = valid
    shutil.copytree(store, place := tmp_path / "my store")
    path = max(place.glob("*/*.safetensors"), key=lambda path: path.stat().st_size)
    data = np.full((path.stat().st_size - _header_bytes(path)) // 4, np.nan, "<f4").tobytes()
    items = N_PER_SHARD * 32
    write_foreign(path, lambda header: None, data[:-items] + path.read_bytes()[-items:])
    features = extract(place)
    labels = np.array(["ab"[number % 2] for number in range(N_ITEMS)])
    with pytest.raises(DataError, match="not finite") as caught:
        choose_head(features, labels)
    assert f"headstart cache --prune --store '{place}'" in str(caught.value)


@pytest.mark.parametrize("dtype", ["I32", "F64"])
def test_foreign_states_are_one_clear_error(tmp_path: Path, dtype: str) -> None:
    def states() -> StoredStates:
        items, digests = make_pictures(4)
        return extract_states(
            make_tiny_source(), items, digests, 1, Store(tmp_path), precision="fp32", threads=1
        )

    def edit(header: Header) -> None:
        (entry,) = (entry for name, entry in header.items() if name not in ("__metadata__", "items"))
        *shape, last = entry["shape"]
        entry |= {"dtype": dtype, "shape": [*shape, last // 2 if dtype == "F64" else last]}

    states().batch(np.arange(4))
    (path,) = tmp_path.glob("*/*.safetensors")
    write_foreign(path, edit)
    with pytest.raises(StoreError, match=r"is not what this source gives: .*--prune --store"):
        states().batch(np.arange(4))


def _header_bytes(path: Path) -> int:
    return 8 + int.from_bytes(path.read_bytes()[:8], "little")
