"""Tables give back exactly the strings that were written."""

from __future__ import annotations

import csv
import json
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from headstart.data.tables import as_text, read_table

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12)
ROWS = st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=6)


@settings(deadline=None, max_examples=80)
@given(ROWS, st.sampled_from(["csv", "tsv"]), st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
def test_delimited_round_trip(rows: list[tuple[str, str]], kind: str, encoding: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"table.{kind}"
        with path.open("w", encoding=encoding, newline="") as file:
            writer = csv.writer(file, delimiter="\t" if kind == "tsv" else ",", quoting=csv.QUOTE_ALL)
            writer.writerows([("text", "label"), *rows])
        columns = read_table(path).columns
    assert columns["text"].tolist() == [text for text, _ in rows]
    assert columns["label"].tolist() == [label for _, label in rows]


@settings(deadline=None, max_examples=60)
@given(ROWS)
def test_json_lines_and_parquet_round_trip(rows: list[tuple[str, str]]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    records = [{"text": text, "label": label} for text, label in rows]
    with tempfile.TemporaryDirectory() as folder:
        lines = Path(folder) / "table.jsonl"
        lines.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
        parquet = Path(folder) / "table.parquet"
        pq.write_table(pa.Table.from_pylist(records), parquet)
        for path in (lines, parquet):
            columns = read_table(path).columns
            assert list(zip(columns["text"], columns["label"])) == rows


def test_typed_values_as_a_user_writes_them() -> None:
    assert [as_text(value) for value in (None, True, False, 3, 1.5, "03", [1])] == [
        "", "true", "false", "3", "1.5", "03", "[1]",
    ]  # fmt: skip


def test_numbers_in_json_keep_their_digits(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "a", "label": 1.50}\n{"text": "b", "label": 12345678901234567890}\n')
    assert read_table(path).columns["label"].tolist() == ["1.50", "12345678901234567890"]


def test_pictures_inside_parquet(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from headstart.data.read import read_examples

    records = [{"image": {"bytes": bytes([i]), "path": None}, "label": "ab"[i % 2]} for i in range(4)]
    pq.write_table(pa.Table.from_pylist(records), tmp_path / "a.parquet")
    examples = read_examples(tmp_path / "a.parquet")
    assert examples.modality == "image"
    assert examples.take([2]).items[0] == b"\x02"
