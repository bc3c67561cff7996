"""A DataFrame, a set of `datasets` and pairs are read by the rules of a table on disk."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pandas as pd
import pytest
import soundfile
from PIL import Image

import small_data
from headstart.data import Examples, scan
from headstart.data.in_memory_data import as_data
from headstart.data.read import read_examples, read_like
from headstart.errors import DataError

TEXTS = ["a first long text of many words", "another text that is long too", "the third one, just as long"]


def read(held: Any, **how: Any) -> Examples:
    return read_examples(as_data(held), **how)


def png(picture: np.ndarray) -> bytes:
    held = io.BytesIO()
    Image.fromarray(picture).save(held, "PNG")
    return held.getvalue()


def pictures(n_items: int = 3) -> list[np.ndarray]:
    return list(np.random.default_rng(0).integers(0, 256, (n_items, 9, 7, 3), dtype=np.uint8))


def tone(path: Path) -> dict[str, Any]:
    times = np.arange(4_000) / 8_000
    samples = (0.3 * np.sin(2 * np.pi * 300 * times)).astype(np.float32)
    soundfile.write(path, samples, 8_000, subtype="FLOAT")
    return {"array": samples, "sampling_rate": 8_000}


def message(call: Any, *given: Any, **named: Any) -> str:
    with pytest.raises(DataError) as error:
        call(*given, **named)
    return str(error.value)


def test_a_frame_is_read_as_its_table_on_disk(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "review": TEXTS, "diagnosis": ["03", "1", "03"], "patient": [7, 8, 9], "site": ["a", None, "b"],
            "split": ["train", "train", "test"], "count": [1.0, 2.5, 2.0],
            "year": pd.array([1, None, 3], dtype="Int64"),
        },
        index=[40, 7, -2],
    )  # fmt: skip
    frame.to_csv(tmp_path / "table.csv", index=False)
    how: dict[str, Any] = {"target": "diagnosis", "domain": "site", "weight": "count"}
    held, on_disk = read(frame, **how), read_examples(tmp_path / "table.csv", **how)
    assert list(held.items) == list(on_disk.items) == TEXTS
    assert held.labels is not None and held.labels.tolist() == ["03", "1", "03"]
    for name in ("names", "labels", "groups", "domains", "splits", "weights"):
        np.testing.assert_array_equal(getattr(held, name), getattr(on_disk, name), err_msg=name)
    assert {key: list(values) for key, values in held.columns.items()} == {"year": ["1", "", "3"]}
    assert (held.target, held.group, held.domain, held.weight) == ("diagnosis", "patient", "site", "count")
    assert held.text_columns == ("review",) and held.where == "DataFrame in memory"


def test_faults_of_a_frame_are_told_as_those_of_a_table(tmp_path: Path) -> None:
    frame = pd.DataFrame({"text": TEXTS, "label": ["x", "y", "x"]})
    path = tmp_path / "table.csv"
    frame.to_csv(path, index=False)
    for how in ({"target": "lable"}, {"group": "patient"}, {"weight": "w"}, {"text": "body"}):
        told = message(read_examples, path, **how).replace(str(path), "DataFrame in memory")
        assert message(read, frame, **how) == told
    for empty in (frame[:0], pd.DataFrame(index=[1, 2])):
        assert "DataFrame in memory holds no rows" in message(read, empty)
    twice = pd.concat([frame, frame[["label"]]], axis=1)
    assert "has more than one column label" in message(read, twice)
    assert "column 'label' is empty for 2 of 3 items (row 2, row 3)" in message(
        read, frame.assign(label=["x", None, np.nan])
    )


def test_pictures_of_a_frame_may_be_objects_arrays_or_files(tmp_path: Path) -> None:
    raw = pictures()
    files = [{"bytes": png(each), "path": "any.png"} for each in raw]
    forms: dict[str, list[Any]] = {
        "objects": [Image.fromarray(each) for each in raw], "arrays": raw, "bytes": [png(each) for each in raw],
        "files": files,
    }  # fmt: skip
    digests = {}
    for form, cells in forms.items():
        found = read(
            pd.DataFrame({"note": ["u", "v", "w"], "shot": cells, "label": list("aba")}, index=[9, 9, 9])
        )
        assert found.modality == "image" and found.names.tolist() == ["row 1", "row 2", "row 3"], form
        assert list(found.columns) == ["note"] and found.classes == ("a", "b")
        looked_at = scan(found.items, "image", threads=1)
        assert not looked_at.problems, form
        digests[form] = looked_at.digests.tolist()
    assert digests["objects"] == digests["arrays"] and digests["files"] == digests["bytes"]
    mixed = read(pd.DataFrame({"shot": [raw[0], None, {"bytes": None, "path": None}], "label": list("aba")}))
    assert set(scan(mixed.items, "image", threads=1).problems) == {1, 2}
    wrong = message(read, pd.DataFrame({"shot": [raw[0], 3, raw[1]], "label": list("aba")}))
    assert "DataFrame in memory, column 'shot', row 2 is of type int" in wrong


def test_paths_start_from_the_current_folder_and_stay_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_data.digit_folder(tmp_path / "here" / "digits")
    small_data.digit_folder(tmp_path / "there")
    monkeypatch.chdir(tmp_path / "here")
    own = sorted(str(path) for path in Path("digits").rglob("*.png"))
    frame = pd.DataFrame({"file": own, "label": [Path(path).parent.name for path in own]})
    for held in (frame, datasets.Dataset.from_pandas(frame)):
        found = read(held)
        assert found.modality == "image" and found.names.tolist() == own
        assert not scan(found.items, "image", threads=1).problems
    assert (
        read(pd.DataFrame({"file": [Path(path) for path in own], "label": frame.label})).names.tolist() == own
    )
    outside = [str(path) for path in sorted((tmp_path / "there").rglob("*.png"))]
    frame["file"] = outside
    assert "lie outside of" in message(read, frame) and len(read(frame, follow_outside=True)) == len(outside)
    cells = [{"bytes": None, "path": path} for path in outside]
    inside_cells = read(frame.assign(file=cells))
    assert "leads out of" in message(list, inside_cells.items)
    pairs = list(zip(outside, frame.label))
    assert not scan(read(pairs).items, "image", threads=1).problems


def test_recordings_of_a_frame_are_samples_or_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    samples = tone(tmp_path / "a.wav")
    frame = pd.DataFrame({"take": [samples, {"bytes": None, "path": "a.wav"}], "label": ["x", "y"]})
    found = read(frame)
    assert found.modality == "audio"
    looked_at = scan(found.items, "audio", threads=1)
    assert not looked_at.problems and looked_at.seconds is not None
    assert looked_at.seconds.tolist() == [0.5, 0.5]
    both = frame.assign(shot=pictures(2))
    assert (
        read(both, modality="image").modality == "image" and read(both, modality="audio").modality == "audio"
    )


def test_a_named_column_of_texts_is_read_beside_pictures() -> None:
    frame = pd.DataFrame(
        {"image": [Image.fromarray(each) for each in pictures()], "caption": TEXTS, "label": list("aba")}
    )
    assert list(read(frame, text="caption").items) == TEXTS
    held = datasets.Dataset.from_dict({name: list(values) for name, values in frame.items()})
    held = held.cast_column("image", datasets.Image())
    assert list(read(held, text="caption").items) == TEXTS and read(held).modality == "image"


def test_lists_of_names_are_labels_and_other_nested_columns_are_left_out() -> None:
    frame = pd.DataFrame(
        {
            "text": TEXTS, "label": [["a", "b"], np.array(["b"], dtype=object), ("a",)],
            "embedding": list(np.zeros((3, 8), dtype=np.float32)), "tokens": [list(range(500))] * 3,
            "about": [{"year": 1}] * 3,
        }
    )  # fmt: skip
    found = read(frame)
    assert found.task.name == "multilabel" and found.classes == ("a", "b") and not found.columns


def test_a_set_of_datasets_gives_names_and_undecoded_files(tmp_path: Path) -> None:
    tone(tmp_path / "a.wav")
    names = datasets.ClassLabel(names=["no", "yes"])
    features = datasets.Features({"audio": datasets.Audio(), "label": names})
    stored = datasets.Features({"audio": datasets.Audio(decode=False), "label": names})
    encoded = {"bytes": (tmp_path / "a.wav").read_bytes(), "path": None}
    held = (
        datasets.Dataset.from_dict({"audio": [encoded] * 3, "label": [1, 0, -1]}).cast(stored).cast(features)
    )
    for view in (held, held.with_format("numpy")):
        found = read(view, labels="optional")
        assert found.modality == "audio" and isinstance(found.items[0], bytes)
        assert found.labels is not None and found.labels.tolist() == ["yes", "no", ""]
    raw = datasets.Dataset.from_dict({"take": [tone(tmp_path / "b.wav")] * 2, "label": ["x", "y"]})
    found = read(raw)
    assert found.modality == "audio" and not scan(found.items, "audio", threads=1).problems
    frame = held.cast_column("audio", datasets.Audio(decode=False)).to_pandas()
    assert read(frame).modality == "audio"


def test_parts_of_a_dictionary_are_the_split() -> None:
    part = datasets.Dataset.from_dict({"text": TEXTS, "label": ["x", "y", "x"]})
    found = read(datasets.DatasetDict({"train": part, "test": part.select([0])}))
    assert found.splits is not None and found.splits.tolist() == ["train"] * 3 + ["test"]
    assert list(found.items) == [*TEXTS, TEXTS[0]] and "parts" in found.split_origin
    assert "Dataset in memory holds no rows" in message(read, part.select([]))
    assert "has no column 'lable' (--target)" in message(read, part, target="lable")


def test_pairs_are_items_with_labels() -> None:
    found = read([(TEXTS[0], "x"), [TEXTS[1], None], (TEXTS[2], True)], labels="optional")
    assert (
        found.modality == "text" and found.labels is not None and found.labels.tolist() == ["x", "", "true"]
    )
    assert read(list(zip(pictures(), [1, 2, 2]))).modality == "image"
    assert read([(TEXTS[0], ["a", "b"]), (TEXTS[1], ["b"])]).task.name == "multilabel"
    pairs = [(TEXTS[0], "x"), (TEXTS[1], "y")]
    for option in ("target", "group", "domain", "text", "weight"):
        wrong = message(read, pairs, **{option: "c"})
        assert wrong == f"list in memory has no columns, and so no column 'c' (--{option})."
    like = read_like(as_data(pairs), {"target": None, "text": None}, {"target": "kind", "text": ("body",)})
    assert like.classes == ("x", "y")
    assert "data[1] is missing" in message(read, [(TEXTS[0], "x"), (None, "y")])


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ([], "pairs \\(item, label\\), and it is empty"),
        (["a", "b"], "pairs \\(item, label\\), and \\[0\\] is of type str"),
        ([("a", "b"), ("a", "b", "c")], "and \\[1\\] is of type tuple"),
        (pd.Series(["a"]), "must be a path, the id of a data set, a pandas DataFrame"),
        (datasets.Dataset.from_dict({"a": [1]}).to_iterable_dataset(), "must be a path"),
        (np.zeros((2, 8, 8), np.uint8), "must be a path"),
    ],
)
def test_what_holds_no_data_is_refused(value: Any, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        as_data(value)
