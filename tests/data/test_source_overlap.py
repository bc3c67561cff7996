"""Items that a source was trained on: copies and near copies, of every modality, with bounded work."""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from headstart.data import DataSet
from headstart.data import source_overlap as module
from headstart.data.source_overlap import SourceOverlap, source_overlap
from headstart.errors import DataError
from small_data import tone_folder

LONG = "this one is a text of many words, about {}, so that it stays a near copy with a prefix"
TOPICS = [
    "horses",
    "cathedrals",
    "thermodynamics",
    "breakfast",
    "a river in spring",
    "insurance",
    "jazz",
    "tyres",
]


def write_texts(path: Path, items: list[str], labels: str = "") -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label"] if labels else ["text"])
        writer.writerows(zip(items, labels, strict=True) if labels else [[item] for item in items])
    return path


def overlap_of(data: DataSet, place: Path, positions: list[int] | None = None) -> SourceOverlap:
    wanted = np.arange(len(data)) if positions is None else np.array(positions)
    return source_overlap(data.examples, data.scan, wanted, place, threads=1)


def jpeg(image: Image.Image, quality: int) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


@pytest.mark.parametrize("n_at_once", [3, 2048])
def test_texts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, n_at_once: int) -> None:
    monkeypatch.setattr(module, "_PART", n_at_once)
    items = [LONG.format(topic) for topic in TOPICS]
    data = DataSet.read(write_texts(tmp_path / "a.csv", items, "abababab"), threads=1)
    theirs = [
        "what else",
        f"RT: {items[5]}",
        items[1].upper(),
        "",
        *(f"sentence {n}" for n in range(9)),
        items[1],
        items[7],
    ]
    found = overlap_of(data, write_texts(tmp_path / "b.csv", theirs), [1, 2, 5, 7])
    assert found.copies.tolist() == [True, False, False, True]
    assert found.near.tolist() == [False, False, True, False]
    assert found.matches.tolist() == ["row 3", "", "row 2", "row 15"]
    assert (found.n_items, found.n_unreadable) == (14, 1)
    finding = found.finding(data.examples)
    assert finding.severity == "warning" and finding.n_items == 3
    assert finding.message.startswith("3 of 4 held-out texts are in the source's own training data")
    assert (
        "14 texts, 1 more cannot be read): 2 copies and 1 near copy, such as row 2 = row 3" in finding.message
    )


def test_a_copy_after_a_near_copy_counts_as_a_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PART", 1)
    items = [LONG.format(topic) for topic in TOPICS]
    data = DataSet.read(write_texts(tmp_path / "a.csv", items, "abababab"), threads=1)
    found = overlap_of(data, write_texts(tmp_path / "b.csv", [f"RT: {items[0]}", items[0]]))
    assert found.copies[0] and not found.near[0] and found.matches[0] == "row 2"
    assert int(found.seen.sum()) == 1


def test_nothing_seen(tmp_path: Path) -> None:
    data = DataSet.read(write_texts(tmp_path / "a.csv", TOPICS, "abababab"), threads=1)
    found = overlap_of(data, write_texts(tmp_path / "b.csv", ["other", "texts"]))
    assert not found.seen.any()
    finding = found.finding(data.examples)
    assert finding.severity == "note" and finding.message.startswith(
        "0 of 8 held-out texts are in the source's"
    )


def test_images(tmp_path: Path, picture: Callable[..., Image.Image]) -> None:
    for number in range(8):
        folder = tmp_path / "a" / "ab"[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number}.jpg").write_bytes(jpeg(picture(number, 200, 150), 95))
    data = DataSet.read(tmp_path / "a", threads=1)
    theirs = tmp_path / "b"
    theirs.mkdir()
    (theirs / "bad.jpg").write_bytes(b"no picture")
    for number in (0, 3, 20, 21):
        (theirs / f"{number}.jpg").write_bytes(jpeg(picture(number, 200, 150), 95 if number else 40))
    found = overlap_of(data, theirs)
    names = data.examples.names
    assert names[found.copies].tolist() == ["b/3.jpg"] and names[found.near].tolist() == ["a/0.jpg"]
    assert sorted(found.matches[found.seen]) == ["0.jpg", "3.jpg"]
    assert (found.n_items, found.n_unreadable) == (4, 1)


def test_recordings(tmp_path: Path) -> None:
    data = DataSet.read(tone_folder(tmp_path / "a"), threads=1)
    theirs = tmp_path / "b"
    theirs.mkdir()
    shutil.copy(tmp_path / "a" / "low" / "0.wav", theirs / "copy.wav")
    waveform, rate_hz = soundfile.read(tmp_path / "a" / "high" / "3.wav")
    soundfile.write(theirs / "quieter.flac", 0.5 * waveform, rate_hz)
    soundfile.write(theirs / "longer.flac", np.tile(waveform, 2), rate_hz)
    found = overlap_of(data, theirs)
    names = data.examples.names
    assert names[found.copies].tolist() == ["low/0.wav"]
    assert "high/3.wav" in names[found.near].tolist()
    (theirs / "quieter.flac").unlink()
    assert (
        "high/3.wav" not in names[overlap_of(data, theirs).near].tolist()
    )  # the longer one is another recording


def test_bad_source_data(tmp_path: Path, class_folders: Callable[..., Path]) -> None:
    data = DataSet.read(write_texts(tmp_path / "a.csv", TOPICS, "abababab"), threads=1)
    pictures = class_folders({"cat": 3, "dog": 3})
    with pytest.raises(DataError, match=r"^--source-data: .* does not exist"):
        overlap_of(data, tmp_path / "nowhere")
    with pytest.raises(DataError, match=r"^--source-data: .* holds no texts.*It holds 6 x image files"):
        overlap_of(data, pictures)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"^--source-data: .* is empty"):
        overlap_of(data, tmp_path / "empty")
    seen = DataSet.read(pictures, threads=1)
    with pytest.raises(
        DataError, match=r"^--source-data: .*a\.csv holds texts, and the data images: give the images"
    ):
        overlap_of(seen, tmp_path / "a.csv")


@pytest.mark.real
def test_real_pictures_of_one_set_have_not_seen_another(shared: Path) -> None:
    data = DataSet.read(shared / "data" / "hymenoptera")
    found = source_overlap(
        data.examples, data.scan, data.positions("test"), shared / "data" / "chest_xray", threads=2
    )
    assert not found.seen.any() and found.n_items == 1200
    again = source_overlap(
        data.examples, data.scan, data.positions("test"), shared / "data" / "hymenoptera", threads=2
    )
    assert again.copies.all()
