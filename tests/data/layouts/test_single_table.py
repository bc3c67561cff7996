"""One table of texts or paths, in every format."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from headstart.data.columns import MissingColumn
from headstart.data.examples import Examples
from headstart.data.read import read_examples, read_like
from headstart.data.tables import read_table
from headstart.errors import DataError
from small_data import write


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


def test_texts_in_a_column_called_domain_are_found(tmp_path: Path) -> None:
    long = "a rather long piece of text"
    only = read_examples(write(tmp_path / "a.csv", f"domain,label\n{long} one,a\n{long} two,b\n"))
    assert only.domains is None and list(only.items) == [f"{long} one", f"{long} two"]
    both = read_examples(
        write(tmp_path / "b.csv", f"p,domain,label\n{long} 1,{long} 2,a\n{long} 3,{long} 4,b\n")
    )
    assert both.domain == "domain" and list(both.items) == [f"{long} 1", f"{long} 3"]
    with pytest.raises(DataError, match="none looks like text"):
        read_examples(tmp_path / "a.csv", domain="domain")


def test_table_of_paths(class_folders: Callable[..., Path]) -> None:
    folder = class_folders({"cat": 1, "dog": 1})
    table = write(folder / "list.csv", "path,label\ncat/000.png,a\ndog/000.png,b\n")
    examples = read_examples(table)
    assert examples.modality == "image"
    assert examples.items[0] == folder / "cat" / "000.png"


def test_a_column_that_may_be_the_target_is_asked_about(class_folders: Callable[..., Path]) -> None:
    folder = class_folders({"cat": 1, "dog": 1})
    rows = "cat/000.png,{},p1\ndog/000.png,{},p2\n"
    table = write(folder / "list.csv", "path,diagnosis,patient\n" + rows.format("ill", "well"))
    with pytest.raises(DataError, match=r"no column label, target or class.*--target.*diagnosis"):
        read_examples(table)
    assert read_examples(table, target="diagnosis").classes == ("ill", "well")
    assert read_examples(table, labels="as written").labels is None
    alone = write(folder / "alone.csv", "path,patient\ncat/000.png,p1\ndog/000.png,p2\n")
    assert read_examples(alone).classes == ("cat", "dog")


def test_one_odd_ending_does_not_make_texts_of_paths(class_folders: Callable[..., Path]) -> None:
    folder = class_folders({"cat": 2, "dog": 2})
    rows = ["gone.xyz,a", "cat/000.png,a", "cat/001.png,a", "dog/000.png,b"]
    table = write(folder / "list.csv", "\n".join(["path,label", *rows]) + "\n")
    with pytest.raises(DataError, match=r"1 of 4 files are not there \(row 1 'gone.xyz'\)"):
        read_examples(table)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("text,label\nso,a\n", "At least two classes"),
        ("text,label\nso,a\nla,\nfa,\n", r"empty for 2 of 3 items \(row 2, row 3\)"),
        ("text,sentiment\nso,a\nla,b\n", r"no column label, target or class.*Columns: sentiment"),
        ("text,label\nso,a\nla\n", r"row 2 \(line 3\): 1 value for 2 columns"),
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


def test_a_long_text_is_no_error(tmp_path: Path) -> None:
    limit = csv.field_size_limit()
    long = "word " * 100_000
    examples = read_examples(write(tmp_path / "a.csv", f"text,label\n{long},a\nso,b\n"))
    assert examples.items[0] == long
    assert csv.field_size_limit() == limit


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.json", '{"text": "so"}', "must hold a list"),
        ("b.jsonl", '{"text": "so"}\n{"text"', "line 2: not valid JSON"),
        ("c.jsonl", "[1]\n", "line 1: must be an object"),
        ("d.parquet", "no", "d.parquet cannot be read as a Parquet table"),
    ],
)
def test_faults_of_json_and_parquet(tmp_path: Path, name: str, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_examples(write(tmp_path / name, text))


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


def parquet(path: Path, **columns: pa.Array) -> Path:
    rows = len(next(iter(columns.values())))
    texts = [f"some words of text {row}" for row in range(rows)]
    pq.write_table(pa.table({"text": texts, "label": ["a", "b"] * (rows // 2), **columns}), path)
    return path


def test_values_that_no_string_can_hold_are_named_with_their_column(tmp_path: Path) -> None:
    latin = pa.array([b"caf\xe9", b"tea"] * 4, pa.binary()).view(pa.string())
    with pytest.raises(DataError, match=r"a\.parquet, column 'text' cannot be read .*UTF8"):
        read_examples(parquet(tmp_path / "a.parquet", text=latin))
    far = pa.array([2**60, 0] * 4, pa.int64()).view(pa.timestamp("us"))
    with pytest.raises(DataError, match=r"b\.parquet, column 'when' cannot be read .*out of range"):
        read_examples(parquet(tmp_path / "b.parquet", when=far))
    rows = [{"text": f"some words {row}", "label": "ab"[row % 2]} for row in range(4)]
    for name, value in (("text", "x \ud800"), ("label", "\udc80")):
        content = [*rows, {**rows[0], name: value}]
        write(tmp_path / "c.jsonl", "".join(json.dumps(row) + "\n" for row in content))
        with pytest.raises(DataError, match=f"row 5, column '{name}': .* half of a surrogate pair"):
            read_examples(tmp_path / "c.jsonl")


def test_a_column_named_twice_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "b.csv", "text,label,c,c\n")
    with pytest.raises(DataError, match="the header names c more than once"):
        read_examples(tmp_path / "b.csv")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
@pytest.mark.parametrize("name", ["a.csv", "a.npz", "a"])
def test_a_named_pipe_is_refused(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / name)
    with pytest.raises(DataError, match="neither a file nor a folder"):
        read_examples(tmp_path / name)


def test_a_column_name_that_is_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"text": ["a", "b"], "labelxy": ["x", "y"]}), path, store_schema=False)
    path.write_bytes(path.read_bytes().replace(b"labelxy", b"labelx\xf4"))
    with pytest.raises(DataError, match="cannot be read as a Parquet table"):
        read_examples(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_named_pipe_in_the_place_of_a_parquet_file_is_named(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.parquet")
    with pytest.raises(DataError, match=r"a\.parquet cannot be read as a Parquet table .*it is a named pipe"):
        read_table(tmp_path / "a.parquet")


def test_several_columns_are_read_as_one_text(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("id,title,body,label\n1,A title,Its body,x\n2,,Only a body,y\n3,Only a title, ,x\n")
    examples = read_examples(path, text="title,body")
    assert list(examples.items) == ["A title\nIts body", "Only a body", "Only a title"]
    assert examples.text_columns == ("title", "body") and list(examples.columns) == ["id"]
    assert list(read_examples(path, text="Body").items) == ["Its body", "Only a body", " "]
    with pytest.raises(DataError, match=r"no column 'boddy' \(--text\)\. Did you mean 'body'"):
        read_examples(path, text="title,boddy")
    with pytest.raises(DataError, match=r"column 'label' \(--text\) is the target or the group too"):
        read_examples(path, text="title,label")


def test_a_column_whose_name_holds_a_comma_is_one_column(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text('"Comment, free text",label\nsome words of it,x\nother words here,y\n')
    examples = read_examples(path, text="Comment, free text")
    assert examples.text_columns == ("Comment, free text",)
    assert list(read_examples(path, text=examples.text_columns).items) == list(examples.items)


def test_columns_of_other_data_may_be_absent_and_named_ones_may_not(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("text,site,label\na b,s1,x\nc d,,y\n")
    none = {"target": None, "group": None, "domain": None, "text": None}
    own = {"target": "species", "group": "patient", "text": ("review",)}
    examples = read_like(path, none, own)
    assert examples.target == "label" and examples.groups is None and examples.text_columns == ("text",)
    with pytest.raises(MissingColumn, match=r"no column 'species' \(--target\)"):
        read_like(path, {**none, "target": "species"}, own)
    with pytest.raises(MissingColumn, match=r"no column 'title' \(--text\)"):
        read_like(path, none, {"text": ("title", "text")})
    with pytest.raises(DataError, match=r"column 'site' \(--group\) is empty for 1 of 2 items"):
        read_like(path, none, {"group": "site"})
