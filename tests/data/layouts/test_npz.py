"""Arrays of pictures in an npz."""

from __future__ import annotations

from pathlib import Path

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
    with pytest.raises(DataError, match="cannot be read as npz"):
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
