"""Arrays of pictures in an npz."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from headstart.data.read import read_examples
from headstart.errors import DataError
from small_data import write


@pytest.mark.parametrize("packed", [False, True])
def test_npz_of_arrays(tmp_path: Path, packed: bool) -> None:
    generator = np.random.default_rng(0)
    arrays = {}
    for part, count in (("train", 6), ("val", 2), ("test", 4)):
        arrays[f"{part}_images"] = generator.integers(0, 256, (count, 8, 8), dtype=np.uint8)
        arrays[f"{part}_labels"] = (np.arange(count) % 2)[:, None]
    (np.savez_compressed if packed else np.savez)(tmp_path / "set.npz", **arrays)
    examples = read_examples(tmp_path / "set.npz")
    assert examples.labels is not None and examples.labels[:3].tolist() == ["0", "1", "0"]
    assert (
        examples.splits is not None
        and examples.splits.tolist() == ["train"] * 6 + ["validation"] * 2 + ["test"] * 4
    )
    assert examples.names[7] == "val_images[1]"
    np.testing.assert_array_equal(examples.items[8], arrays["test_images"][0])
    np.testing.assert_array_equal(examples.take([11, 0]).items[0], arrays["test_images"][3])


def test_npz_faults_are_named(tmp_path: Path) -> None:
    pictures = np.zeros((3, 4, 4), np.uint8)
    np.savez(tmp_path / "a.npz", stuff=pictures)
    with pytest.raises(DataError, match="Arrays: stuff"):
        read_examples(tmp_path / "a.npz")
    np.savez(tmp_path / "b.npz", images=pictures.astype(float), labels=np.arange(3))
    with pytest.raises(DataError, match="must be uint8"):
        read_examples(tmp_path / "b.npz")
    np.savez(tmp_path / "c.npz", images=pictures, labels=np.arange(2))
    with pytest.raises(DataError, match="one label for each of 3"):
        read_examples(tmp_path / "c.npz")
    np.savez(tmp_path / "d.npz", images=pictures, labels=np.array([{}, {}, {}], dtype=object))
    with pytest.raises(DataError, match="pickled"):
        read_examples(tmp_path / "d.npz")
    write(tmp_path / "e.npz", "not a zip")
    with pytest.raises(DataError, match=r"e.npz cannot be read as an npz"):
        read_examples(tmp_path / "e.npz")


def test_parts_without_labels(tmp_path: Path) -> None:
    pictures = np.arange(6 * 16, dtype=np.uint8).reshape(6, 4, 4)
    np.savez(
        tmp_path / "a.npz", train_images=pictures[:4], train_labels=[0, 1, 0, 1], test_images=pictures[4:]
    )
    with pytest.raises(DataError, match="labels of test_images are missing; expected an array test_labels"):
        read_examples(tmp_path / "a.npz")
    examples = read_examples(tmp_path / "a.npz", labels="optional")
    assert examples.labels is not None and examples.labels.tolist() == ["0", "1", "0", "1", "", ""]
    np.savez(tmp_path / "b.npz", images=pictures)
    assert read_examples(tmp_path / "b.npz", labels="optional").labels is None


def test_a_flipped_bit_is_found_by_the_checksum(tmp_path: Path) -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (40, 8, 8), dtype=np.uint8)
    np.savez(tmp_path / "a.npz", images=pictures, labels=np.arange(40) % 2)
    data = bytearray((tmp_path / "a.npz").read_bytes())
    data[data.find(pictures[7].tobytes())] ^= 8
    (tmp_path / "a.npz").write_bytes(data)
    with pytest.raises(DataError, match=r"a\.npz cannot be read as an npz \(BadZipFile: Bad CRC-32"):
        read_examples(tmp_path / "a.npz")


@pytest.mark.parametrize("change", ["cut", "written over"])
def test_an_npz_that_changes_while_it_is_used_is_an_error_and_no_crash(tmp_path: Path, change: str) -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (400, 28, 28), dtype=np.uint8)
    np.savez(tmp_path / "a.npz", images=pictures, labels=np.arange(400) % 2)
    items = read_examples(tmp_path / "a.npz").items
    if change == "cut":
        os.truncate(tmp_path / "a.npz", 5000)
    else:
        with open(tmp_path / "a.npz", "r+b") as file:
            file.write(bytes(330_000))
    with pytest.raises(DataError, match=r"a\.npz changed while it was used"):
        items[390]


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("shape", [(5, 6, 7), (5, 6, 7, 1), (5, 6, 7, 3), (5, 3, 6, 7), (5, 1, 6, 7)])
def test_every_order_of_axes_gives_the_same_pictures(
    tmp_path: Path, order: Any, shape: tuple[int, ...]
) -> None:
    pictures = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    np.savez(tmp_path / "a.npz", images=np.asarray(pictures, order=order), labels=np.arange(5))
    plain = pictures.transpose(0, 2, 3, 1) if shape[1] in (1, 3) else pictures
    if plain.ndim == 4 and plain.shape[3] == 1:
        plain = plain[..., 0]
    items = read_examples(tmp_path / "a.npz").items
    np.testing.assert_array_equal(np.stack([items[index] for index in range(5)]), plain)


def test_an_encrypted_member_is_named(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "a.npz", images=np.zeros((4, 8, 8), np.uint8), labels=np.arange(4))
    data = bytearray((tmp_path / "a.npz").read_bytes())
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.find(signature) + flags] |= 1
    (tmp_path / "a.npz").write_bytes(data)
    with pytest.raises(DataError, match=r"a\.npz cannot be read as an npz .*encrypted"):
        read_examples(tmp_path / "a.npz")
