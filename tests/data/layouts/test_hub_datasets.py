"""Saved sets of `datasets`, read without decoding."""

from __future__ import annotations

import io
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from headstart.data.images import decode_image
from headstart.data.loaded_sets import require_valid
from headstart.data.preprocessing import ImagePreprocessing
from headstart.data.read import read_examples
from headstart.errors import DataError

datasets = pytest.importorskip("datasets")


def encoded(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def test_saved_texts_with_class_names(tmp_path: Path) -> None:
    features = datasets.Features(
        text=datasets.Value("string"), label=datasets.ClassLabel(names=["neg", "pos"])
    )
    parts = {
        "train": datasets.Dataset.from_dict({"text": ["so", "la"], "label": [1, 0]}, features=features),
        "test": datasets.Dataset.from_dict({"text": ["mi"], "label": [1]}, features=features),
    }
    datasets.DatasetDict(parts).save_to_disk(tmp_path / "set")
    examples = read_examples(tmp_path / "set")
    assert list(examples.items) == ["so", "la", "mi"]
    assert examples.labels is not None and examples.labels.tolist() == ["pos", "neg", "pos"]
    assert examples.splits is not None and examples.splits.tolist() == ["train", "train", "test"]


def test_saved_pictures_stay_encoded_until_asked_for(
    tmp_path: Path, picture: Callable[..., Image.Image]
) -> None:
    features = datasets.Features(image=datasets.Image(), label=datasets.ClassLabel(names=["a", "b"]))
    rows = {"image": [{"bytes": encoded(picture(i)), "path": None} for i in range(4)], "label": [0, 1, 0, 1]}
    datasets.Dataset.from_dict(rows, features=features).save_to_disk(tmp_path / "set")
    examples = read_examples(tmp_path / "set")
    assert examples.modality == "image"
    assert examples.items[2] == encoded(picture(2))
    assert examples.take([3]).items[0] == encoded(picture(3))
    assert decode_image(examples.items[0], ImagePreprocessing(size=(8, 8))).shape == (3, 8, 8)


def test_saved_recordings_stay_encoded(tmp_path: Path, recording: Callable[..., Path]) -> None:
    paths = [recording(f"{i}.wav", pitch_hz=200 + i) for i in range(2)]
    storage = {"bytes": datasets.Value("binary"), "path": datasets.Value("string")}
    features = datasets.Features(audio=storage, label=datasets.Value("string"))
    rows = {"audio": [{"bytes": p.read_bytes(), "path": p.name} for p in paths], "label": ["a", "b"]}
    made = datasets.Dataset.from_dict(rows, features=features).cast_column("audio", datasets.Audio())
    made.save_to_disk(tmp_path / "set")
    examples = read_examples(tmp_path / "set")
    assert examples.modality == "audio"
    assert examples.items[1] == paths[1].read_bytes()


@pytest.fixture
def reachable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headstart.data.layouts.hub_datasets._reachable", lambda name: True)


def test_a_hub_that_is_not_there_is_asked_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from huggingface_hub import HfApi

    def unreachable(*_: object, **__: object) -> None:
        raise OSError("no route")

    monkeypatch.setattr(HfApi, "dataset_info", unreachable)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "flowers").mkdir()
    with pytest.raises(DataError, match=r"hub cannot be reached: check the path\. Did you mean 'flowers'"):
        read_examples("flowerz")


def test_what_cannot_be_loaded_is_one_error(monkeypatch: pytest.MonkeyPatch, reachable: None) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise ConnectionError("no route to the hub\nmore")

    monkeypatch.setattr(datasets, "load_dataset", refuse)
    with pytest.raises(DataError, match=r"neither a file or folder here.*no route to the hub$"):
        read_examples("owner/name")


def test_hidden_test_labels_are_left_out(monkeypatch: pytest.MonkeyPatch, reachable: None) -> None:
    features = datasets.Features(
        sentence=datasets.Value("string"), label=datasets.ClassLabel(names=["n", "p"])
    )
    part = {"sentence": ["so", "la"], "label": [1, 0]}
    hidden = {"sentence": ["x", "y"], "label": [-1, -1]}
    loaded = datasets.DatasetDict(
        train=datasets.Dataset.from_dict(part, features=features),
        validation=datasets.Dataset.from_dict(part, features=features),
        test=datasets.Dataset.from_dict(hidden, features=features),
    )
    monkeypatch.setattr(datasets, "load_dataset", lambda *_, **__: loaded)
    examples = read_examples("glue:sst2")
    assert examples.splits is not None and examples.splits.tolist() == ["train"] * 2 + ["test"] * 2
    assert np.array_equal(examples.labels, np.array(["p", "n", "p", "n"], dtype=object))


@pytest.mark.parametrize("damaged", ["text", "rows"])
def test_a_damaged_arrow_file_is_an_error_and_no_crash(tmp_path: Path, damaged: str) -> None:
    saved = datasets.Dataset.from_dict(
        {"text": [f"words of text {i}" for i in range(100)], "label": ["a", "b"] * 50}
    )
    (saved.shuffle(seed=0) if damaged == "rows" else saved).save_to_disk(tmp_path / "set")
    file = next((tmp_path / "set").glob("data*.arrow"))
    data = bytearray(file.read_bytes())
    if damaged == "text":
        data[data.find(struct.pack("<iii", 0, 15, 30)) + 7] ^= 0x40  # an offset of a gigabyte
        file.write_bytes(data)
        with pytest.raises(DataError, match=r"set cannot be read as a data set in Arrow files"):
            read_examples(tmp_path / "set")
        return
    assert len(read_examples(tmp_path / "set")) == 100
    loaded = datasets.load_from_disk(str(tmp_path / "set"))
    wrong = {"indices": pa.array([0, 5_000], pa.uint64())}
    loaded._indices = datasets.table.InMemoryTable.from_pydict(wrong)
    with pytest.raises(DataError, match="outside of the table"):
        require_valid(tmp_path / "set", loaded)


def save_cells(folder: Path, cells: list[Any]) -> None:
    """Save a set with these cells of pictures as they are; `save_to_disk` would embed the files that they name."""
    features = datasets.Features(image=datasets.Image(), label=datasets.Value("string"))
    labels = ["ab"[row % 2] for row in range(len(cells))]
    rows = {"image": [None] * len(cells), "label": labels}
    datasets.Dataset.from_dict(rows, features=features).save_to_disk(folder)
    column = pa.array(cells, features.arrow_schema.field("image").type)
    content = pa.table([column, labels], schema=features.arrow_schema)
    with pa.ipc.new_stream(next(folder.glob("data*.arrow")), content.schema) as stream:
        stream.write_table(content)


def test_files_outside_of_the_set_are_read_only_if_asked_for(
    tmp_path: Path, picture: Callable[..., Image.Image]
) -> None:
    outside = tmp_path / "outside.png"
    picture(0).save(outside)
    save_cells(tmp_path / "set", [{"bytes": None, "path": str(outside)}] * 2)
    with pytest.raises(DataError, match=r"its path leads out of .*set$"):
        read_examples(tmp_path / "set").items[0]
    assert read_examples(tmp_path / "set", follow_outside=True).items[0] == outside


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_named_pipe_in_a_saved_set_is_refused(tmp_path: Path) -> None:
    datasets.Dataset.from_dict({"text": ["a", "b"], "label": ["x", "y"]}).save_to_disk(tmp_path / "set")
    file = next((tmp_path / "set").glob("data*.arrow"))
    file.unlink()
    os.mkfifo(file)
    with pytest.raises(DataError, match=r"arrow cannot be read: it is a named pipe, not a file"):
        read_examples(tmp_path / "set")


def test_a_cell_without_bytes_and_path_is_an_empty_file(tmp_path: Path) -> None:
    save_cells(tmp_path / "set", [{"bytes": b"x", "path": None}, {"bytes": None, "path": None}, None])
    assert list(read_examples(tmp_path / "set").items) == [b"x", b"", b""]
