"""Reading folders, tables, arrays and single files."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from headstart.data.checks import check
from headstart.data.examples import Examples
from headstart.data.read import read_examples
from headstart.data.scanning import scan
from headstart.data.splits import fold_indices, with_splits
from headstart.errors import DataError


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode(encoding))
    return path


def test_class_folders_without_parts(class_folders: Callable[..., Path]) -> None:
    examples = read_examples(class_folders({"cat": 2, "dog": 3}))
    assert examples.modality == "image"
    assert examples.classes == ("cat", "dog")
    assert examples.labels is not None and examples.labels.tolist() == ["cat"] * 2 + ["dog"] * 3
    assert examples.splits is None
    assert examples.names[0] == "cat/000.png"


@pytest.mark.parametrize("part", ["val", "valid", "validation", "dev", "test", "VAL"])
def test_one_part_beside_train_is_the_test_part(class_folders: Callable[..., Path], part: str) -> None:
    counts = {"train/cat": 2, "train/dog": 2, f"{part}/cat": 1, f"{part}/dog": 1}
    examples = read_examples(class_folders(counts))
    assert examples.splits is not None
    assert sorted(set(examples.splits)) == ["test", "train"]
    assert (examples.splits == "test").sum() == 2
    assert "folders" in examples.split_origin


def test_with_test_given_the_other_part_is_validation(class_folders: Callable[..., Path]) -> None:
    counts = {f"{part}/{name}": 1 for part in ("train", "dev", "test") for name in ("cat", "dog")}
    examples = read_examples(class_folders(counts))
    assert examples.splits is not None
    assert sorted(set(examples.splits)) == ["test", "train", "validation"]


@pytest.mark.parametrize("given", ["the folders", "column 'split'", "the arrays' names"])
def test_a_train_part_alone_is_split_and_said(
    given: str, class_folders: Callable[..., Path], tmp_path: Path
) -> None:
    if given == "the folders":
        data = class_folders({"train/cat": 10, "train/dog": 10})
    elif given == "column 'split'":
        rows = "".join(f"word {i},{'ab'[i % 2]},train\n" for i in range(20))
        data = write(tmp_path / "a.csv", "text,label,split\n" + rows)
    else:
        data = tmp_path / "a.npz"
        np.savez(
            data, train_images=np.arange(20 * 64, dtype=np.uint8).reshape(20, 8, 8), train_labels=[0, 1] * 10
        )
    examples = with_splits(read_examples(data))
    assert examples.split_origin == (
        f"The split given by {given} has a train part only. So 4 of 20 items are held out of it, stratified, "
        "seed 0."
    )


def test_parts_without_train_are_refused(class_folders: Callable[..., Path]) -> None:
    folder = class_folders({"train/cat": 1, "train/dog": 1})
    (folder / "train").rename(folder / "test")
    write(folder / "metadata.csv", "file,label,split\ntest/cat/000.png,a,test\ntest/dog/000.png,b,test\n")
    with pytest.raises(DataError, match="no train part"):
        read_examples(folder)


def test_two_levels_of_the_same_names_are_asked_about(class_folders: Callable[..., Path]) -> None:
    counts = {f"{domain}/{name}": 1 for domain in ("photo", "sketch") for name in ("cat", "dog")}
    folder = class_folders(counts)
    with pytest.raises(DataError, match=r"look like domains.*metadata\.csv"):
        read_examples(folder)
    assert read_examples(folder / "photo").classes == ("cat", "dog")


def test_deeper_folders_of_one_name_are_fine(class_folders: Callable[..., Path]) -> None:
    examples = read_examples(class_folders({"cat/images": 2, "dog/images": 2}))
    assert examples.classes == ("cat", "dog")


def test_a_wrapping_folder_is_looked_into(class_folders: Callable[..., Path]) -> None:
    examples = read_examples(class_folders({"set/cat": 1, "set/dog": 1}))
    assert examples.classes == ("cat", "dog")


def test_one_class_empty_folder_loose_files(class_folders: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.raises(DataError, match="At least two classes"):
        read_examples(class_folders({"cat": 2}, "one"))
    (tmp_path / "none").mkdir()
    with pytest.raises(DataError, match="is empty"):
        read_examples(tmp_path / "none")
    folder = class_folders({"cat": 1, "dog": 1, ".": 1}, "loose")
    with pytest.raises(DataError, match="lie in no class folder"):
        read_examples(folder)
    write(tmp_path / "odd" / "a" / "x.docx", "no")
    with pytest.raises(DataError, match=r"holds no images.*docx"):
        read_examples(tmp_path / "odd")


def test_hidden_and_other_files_are_left_out_and_said(class_folders: Callable[..., Path]) -> None:
    folder = class_folders({"cat": 1, "dog": 1})
    write(folder / "cat" / ".DS_Store", "x")
    write(folder / "cat" / "Thumbs.db", "x")
    examples = read_examples(folder)
    assert len(examples) == 2
    assert "1 file of other kinds" in examples.notes[0]


def test_metadata_columns_win_over_folders(class_folders: Callable[..., Path]) -> None:
    folder = class_folders({"train/cat": 2, "train/dog": 2})
    rows = [f"train/{name}/00{i}.png,{i},0{i},train" for name in ("cat", "dog") for i in (0, 1)]
    rows[-1] = rows[-1].replace(",train", ",test")
    write(folder / "metadata.csv", "file_name,label,speaker,split\n" + "\n".join(rows) + "\n")
    examples = read_examples(folder)
    assert examples.classes == ("0", "1")
    assert examples.group == "speaker"
    assert examples.groups is not None and examples.groups.tolist() == ["00", "01", "00", "01"]
    assert examples.splits is not None and examples.splits.tolist() == ["train"] * 3 + ["test"]
    by_speaker = read_examples(folder, target="speaker")
    assert by_speaker.classes == ("00", "01")
    assert by_speaker.group is None
    assert by_speaker.columns["label"].tolist() == ["0", "1", "0", "1"]


def test_metadata_without_labels_takes_folder_names(class_folders: Callable[..., Path]) -> None:
    folder = class_folders({"cat": 1, "dog": 1})
    write(folder / "metadata.csv", "image,patient\ncat/000.png,p1\ndog/000.png,p2\n")
    examples = read_examples(folder)
    assert examples.classes == ("cat", "dog")
    assert examples.group == "patient"


def test_metadata_faults_are_named(class_folders: Callable[..., Path]) -> None:
    folder = class_folders({"cat": 1, "dog": 1})
    write(folder / "metadata.csv", "file,label\ncat/000.png,a\ncow/9.png,b\n")
    with pytest.raises(DataError, match=r"1 of 2 files are not there \(row 2 'cow/9.png'\)"):
        read_examples(folder)
    write(folder / "metadata.csv", "picture,label\ncat/000.png,a\n")
    with pytest.raises(DataError, match="no column of paths"):
        read_examples(folder)
    write(folder / "metadata.csv", "file,label\ncat/000.png,a\ndog/000.png,b\n")
    with pytest.raises(
        DataError, match=r"no column 'lable' \(--target\)\. Did you mean 'label'\?.*file, label"
    ):
        read_examples(folder, target="lable")
    with pytest.raises(DataError, match="both target and group"):
        read_examples(folder, target="label", group="label")


def test_texts_in_class_folders(tmp_path: Path) -> None:
    for name, text in (("pos/1.txt", "so good"), ("neg/1.txt", "so bad"), ("neg/2.txt", "worse")):
        write(tmp_path / "reviews" / "train" / name, text)
    examples = read_examples(tmp_path / "reviews")
    assert examples.modality == "text"
    assert sorted(map(str, examples.items)) == ["so bad", "so good", "worse"]
    assert examples.classes == ("neg", "pos")


def test_mixed_modalities_are_asked_about(
    class_folders: Callable[..., Path], recording: Callable[..., Path]
) -> None:
    folder = class_folders({"cat": 1, "dog": 1})
    for index in range(2):
        recording(f"pictures/cat/{index}.wav")
    with pytest.raises(DataError, match="--modality"):
        read_examples(folder)
    assert read_examples(folder, modality="image").modality == "image"


def check_table(examples: Examples) -> None:
    assert examples.modality == "text"
    assert list(examples.items) == ["a b", "c d", "e f", "g h"]
    assert examples.labels is not None and examples.labels.tolist() == ["03", "3", "03", "3"]
    assert examples.splits is not None and examples.splits.tolist() == ["train", "train", "test", "test"]
    assert examples.columns["extra"].tolist() == ["1.50", "", "x", "y"]
    assert examples.names[0] == "row 1"


def test_every_table_format_gives_the_same(tmp_path: Path) -> None:
    header = ["text", "label", "split", "extra"]
    rows = [
        ["a b", "03", "train", "1.50"],
        ["c d", "3", "train", ""],
        ["e f", "03", "dev", "x"],
        ["g h", "3", "dev", "y"],
    ]
    lines = [header, *rows]
    check_table(read_examples(write(tmp_path / "a.csv", "\n".join(map(",".join, lines)))))
    check_table(read_examples(write(tmp_path / "b.tsv", "\r\n".join(map("\t".join, lines)))))
    check_table(read_examples(write(tmp_path / "c.csv", "\n".join(map(";".join, lines)))))
    records = [dict(zip(header, row)) for row in rows]
    check_table(read_examples(write(tmp_path / "d.jsonl", "\n".join(map(json.dumps, records)))))
    check_table(read_examples(write(tmp_path / "e.json", json.dumps(records))))
    check_table(read_examples(write(tmp_path / "f.csv", "\n".join(map(",".join, lines)), "utf-8-sig")))
    check_table(read_examples(write(tmp_path / "g.csv", "\n".join(map(",".join, lines)), "utf-16")))
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.Table.from_pylist(records), tmp_path / "h.parquet")
    check_table(read_examples(tmp_path / "h.parquet"))


def test_a_folder_with_one_table_or_tables_of_parts(tmp_path: Path) -> None:
    write(tmp_path / "one" / "set.csv", "text,label\nso,a\nla,b\n")
    assert len(read_examples(tmp_path / "one")) == 2
    for part in ("train", "test"):
        write(tmp_path / "parts" / f"{part}.csv", f"text,label\n{part} so,a\n{part} la,b\n")
    examples = read_examples(tmp_path / "parts")
    assert examples.splits is not None and examples.splits.tolist() == ["train"] * 2 + ["test"] * 2
    assert examples.names[2] == "test.csv row 1"
    write(tmp_path / "parts" / "more.csv", "text,label\nx,a\n")
    with pytest.raises(DataError, match="holds 3 tables"):
        read_examples(tmp_path / "parts")


def test_text_column_by_name_or_as_the_only_long_one(tmp_path: Path) -> None:
    named = read_examples(write(tmp_path / "a.csv", "Sentence,label,id\nso,a,1\nla,b,2\n"))
    assert list(named.items) == ["so", "la"]
    assert "'Sentence'" in named.notes[0]
    long = "a rather long piece of text"
    found = read_examples(write(tmp_path / "b.csv", f"what,label\n{long} one,a\n{long} two,b\n"))
    assert "'what'" in found.notes[0]
    with pytest.raises(DataError, match="which column holds the texts"):
        read_examples(write(tmp_path / "c.csv", f"p,q,label\n{long} 1,{long} 2,a\n{long} 3,{long} 4,b\n"))
    with pytest.raises(DataError, match="none looks like text"):
        read_examples(write(tmp_path / "d.csv", "p,label\n1,a\n2,b\n"))


def test_table_of_paths(class_folders: Callable[..., Path]) -> None:
    folder = class_folders({"cat": 1, "dog": 1})
    table = write(folder / "list.csv", "path,label\ncat/000.png,a\ndog/000.png,b\n")
    examples = read_examples(table)
    assert examples.modality == "image"
    assert examples.items[0] == folder / "cat" / "000.png"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("text,label\nso,a\n", "At least two classes"),
        ("text,label\nso,a\nla,\nfa,\n", r"empty for 2 of 3 items \(row 2, row 3\)"),
        ("text,sentiment\nso,a\nla,b\n", r"no column label, target or class.*Columns: sentiment"),
        ("text,label\nso,a\nla\n", r"row 2 \(line 3\): 1 values for 2 columns"),
        ('text,label\n"so,a\nla,b\n', r"row 1 \(line 2\): a quote in this row is not closed"),
        ('text,label\nso,a\n"la" x,b\n', r"row 2 \(line 3\): a quote"),
        ("text,text\nso,a\n", "names text more than once"),
        ("text,label\nso,a\nla\x00la,b\n", r"bad\.csv, row 2 \(line 3\): holds a NUL byte.*tr -d"),
        ("te\x00xt,label\nso,a\nla,b\n", r"bad\.csv, header \(line 1\): holds a NUL byte"),
        ("text,label\n", "holds no rows"),
        ("", "is empty"),
        ("text,label,split\nso,a,train\nla,b,tset\n", r"row 2: split 'tset'.*Did you mean 'test'"),
    ],
)
def test_faults_of_tables_are_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_examples(write(tmp_path / "bad.csv", text))


def test_other_encodings_are_refused_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"byte 0xE9 on line 3 .*iconv"):
        read_examples(write(tmp_path / "old.csv", "text,label\nso,a\nétude,b\n", "cp1252"))
    with pytest.raises(DataError, match="UTF-16 without"):
        read_examples(write(tmp_path / "wide.csv", "text,label\nso,a\nla,b\n", "utf-16-le"))


def test_unbalanced_quotes_in_tsv_are_text(tmp_path: Path) -> None:
    examples = read_examples(write(tmp_path / "a.tsv", 'text\tlabel\n"so it goes\ta\nla\tb\n'))
    assert examples.items[0] == '"so it goes'
    assert "quotes" in examples.notes[0]


def test_whole_numbers_are_classes_unless_nearly_every_item_has_its_own(tmp_path: Path) -> None:
    rows = "\n".join(f"word {i},{1900 + i}" for i in range(60))
    with pytest.raises(DataError, match="--task regression"):
        read_examples(write(tmp_path / "a.csv", "text,label\n" + rows))
    rows = "\n".join(f"word {i},{i % 30}" for i in range(90))
    classes = read_examples(write(tmp_path / "b.csv", "text,label\n" + rows)).classes
    assert classes == tuple(str(i) for i in range(30))


def test_a_long_text_is_no_error(tmp_path: Path) -> None:
    limit = csv.field_size_limit()
    long = "word " * 100_000
    examples = read_examples(write(tmp_path / "a.csv", f"text,label\n{long},a\nso,b\n"))
    assert examples.items[0] == long
    assert csv.field_size_limit() == limit


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


def test_without_labels_bare_files_are_fine(class_folders: Callable[..., Path], tmp_path: Path) -> None:
    bare = read_examples(class_folders({".": 3}, "bare"), labels="optional")
    assert len(bare) == 3 and bare.labels is None
    one = read_examples(tmp_path / "bare" / "000.png", labels="optional")
    assert one.modality == "image" and len(one) == 1
    lines = read_examples(write(tmp_path / "a.txt", "so\n\nla\n"), labels="optional")
    assert list(lines.items) == ["so", "la"]
    table = read_examples(write(tmp_path / "b.csv", "text\nso\nla\n"), labels="optional")
    assert list(table.items) == ["so", "la"] and table.labels is None
    parts = read_examples(write(tmp_path / "c.csv", "text,split\nso,test\nla,test\n"), labels="optional")
    assert parts.splits is None


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not exist"):
        read_examples(tmp_path / "nowhere.csv")
    with pytest.raises(DataError, match="is no table"):
        read_examples(write(tmp_path / "a.docx", "x"))


@pytest.mark.real
def test_real_sets_read_as_described(shared: Path) -> None:
    expected = {
        "chest_xray": ("image", 1200, 2, {"train": 800, "test": 400}),
        "hymenoptera": ("image", 397, 2, {"train": 244, "test": 153}),
        "pneumoniamnist": ("image", 3166, 2, {"train": 2428, "validation": 270, "test": 468}),
        "sst2": ("text", 9613, 2, {"train": 6920, "validation": 872, "test": 1821}),
        "trec": ("text", 5952, 6, {"train": 5452, "test": 500}),
        "fsdd": ("audio", 3000, 10, {"train": 2700, "test": 300}),
        "emodb": ("audio", 535, 7, None),
    }
    for name, (modality, n_items, n_classes, parts) in expected.items():
        examples = read_examples(shared / "data" / name)
        assert (examples.modality, len(examples), len(examples.classes)) == (modality, n_items, n_classes)
        counts = None
        if examples.splits is not None:
            counts = {part: int((examples.splits == part).sum()) for part in parts or {}}
        assert counts == parts
    speakers = read_examples(shared / "data" / "emodb", target="speaker", group="sentence")
    assert "03" in speakers.classes and speakers.group == "sentence"
    with pytest.raises(DataError, match="domains"):
        read_examples(shared / "data" / "pacs")


def test_linked_folders_are_followed_once(class_folders: Callable[..., Path]) -> None:
    folder = class_folders({"cat": 2, "dog": 2})
    (folder / "dog" / "loop").symlink_to(folder, target_is_directory=True)
    assert len(read_examples(folder)) == 4


def test_metadata_of_mixed_files_takes_the_modality_asked_for(
    class_folders: Callable[..., Path], recording: Callable[..., Path]
) -> None:
    folder = class_folders({"cat": 2})
    recording("pictures/cat/a.wav")
    recording("pictures/cat/b.wav")
    rows = "file,label\ncat/000.png,a\ncat/a.wav,a\ncat/001.png,b\ncat/b.wav,b\n"
    write(folder / "metadata.csv", rows)
    sounds = read_examples(folder, modality="audio")
    assert sounds.names.tolist() == ["cat/a.wav", "cat/b.wav"]
    assert sounds.labels is not None and sounds.labels.tolist() == ["a", "b"]


def test_metadata_of_text_files(tmp_path: Path) -> None:
    write(tmp_path / "one.txt", "so it goes")
    write(tmp_path / "two.txt", "la la")
    write(tmp_path / "metadata.csv", "file,label\none.txt,a\ntwo.txt,b\n")
    examples = read_examples(tmp_path)
    assert examples.modality == "text" and list(examples.items) == ["so it goes", "la la"]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.json", '{"text": "so"}', "must hold a list"),
        ("b.jsonl", '{"text": "so"}\n{"text"', "line 2: not valid JSON"),
        ("c.jsonl", "[1]\n", "line 1: must be an object"),
        ("d.parquet", "no", "cannot be read as parquet"),
    ],
)
def test_faults_of_json_and_parquet(tmp_path: Path, name: str, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_examples(write(tmp_path / name, text))


def test_options_that_need_columns(class_folders: Callable[..., Path], tmp_path: Path) -> None:
    folder = class_folders({"cat": 1, "dog": 1})
    with pytest.raises(DataError, match=r"no column 'speaker' \(--target\)"):
        read_examples(folder, target="speaker")
    with pytest.raises(DataError, match="--group"):
        read_examples(folder, group="patient")
    np.savez(tmp_path / "a.npz", images=np.zeros((2, 4, 4), np.uint8), labels=np.arange(2))
    with pytest.raises(DataError, match="--group"):
        read_examples(tmp_path / "a.npz", group="patient")


def test_metadata_in_each_part(class_folders: Callable[..., Path]) -> None:
    folder = class_folders({"train/.": 2, "test/.": 2})
    for part in ("train", "test"):
        write(folder / part / "metadata.csv", "file_name,label\n000.png,a\n001.png,b\n")
    examples = read_examples(folder)
    assert examples.names.tolist() == ["test/000.png", "test/001.png", "train/000.png", "train/001.png"]
    assert examples.splits is not None and examples.splits.tolist() == ["test", "test", "train", "train"]
    assert examples.labels is not None and examples.labels.tolist() == ["a", "b", "a", "b"]


def test_a_table_of_paths_beside_the_files(class_folders: Callable[..., Path]) -> None:
    folder = class_folders({"files": 2})
    write(folder / "labels.csv", "path,label\nfiles/000.png,a\nfiles/001.png,b\n")
    examples = read_examples(folder)
    assert examples.classes == ("a", "b")
    assert any("labels.csv" in note for note in examples.notes)


def test_texts_win_over_paths_that_are_not_there(tmp_path: Path) -> None:
    table = write(tmp_path / "a.csv", "text,file,label\nso,x.txt,a\nla,y.txt,b\n")
    assert list(read_examples(table).items) == ["so", "la"]


def test_nested_columns_are_left_out(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = [
        {"text": "so", "label": "a", "vector": [0.1] * 3},
        {"text": "la", "label": "b", "vector": [0.2] * 3},
    ]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    assert not read_examples(tmp_path / "a.parquet").columns


def test_a_readme_beside_a_wrapping_folder(class_folders: Callable[..., Path]) -> None:
    folder = class_folders({"set/cat": 1, "set/dog": 1})
    write(folder / "README.md", "x")
    assert read_examples(folder).classes == ("cat", "dog")


def test_names_that_are_no_utf8_can_be_printed(class_folders: Callable[..., Path]) -> None:
    folder = class_folders({"cat": 1, "dog": 1})
    odd = os.fsencode(folder / "cat") + b"/\xe9.png"
    os.rename(folder / "cat" / "000.png", odd)
    examples = read_examples(folder)
    assert examples.names[0].encode() and len(examples) == 2
    assert os.fsencode(examples.items[0]) == odd  # type: ignore[arg-type]


def test_a_class_with_one_item_is_read_split_and_told(class_folders: Callable[..., Path]) -> None:
    examples = with_splits(read_examples(class_folders({"cat": 10, "dog": 1})))
    assert examples.splits is not None and examples.splits[-1] == "train"
    findings = check(examples, scan(examples.items, "image", threads=1))
    assert any(finding.kind == "few_items" and "dog (1)" in finding.message for finding in findings)
    assert len(set(fold_indices(examples.labels, None))) == 5  # type: ignore[arg-type]
