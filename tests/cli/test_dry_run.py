"""The dry run: what a fit would do, as text or JSON, and every refusal that a fit makes before it computes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from small_data import LETTERS

from .conftest import Command, refused

TEXTS = "text,label\n" + "".join(f"text {i},{'ab'[i > 0]}\n" for i in range(9))


def test_it_is_printed_as_json(command: Command, digit_folder: Path) -> None:
    done = command("fit", digit_folder, "--source", LETTERS, "--freeze", "first:2", "--dry-run", "--json")
    told = json.loads(done.out)
    assert told["data"]["n_items"] == 42 and set(told["data"]["parts"]) == {"train", "test"}
    assert (
        sum(told["data"]["parts"]["train"]["classes"].values()) == told["data"]["parts"]["train"]["n_items"]
    )
    assert [row["stage"] for row in told["stages"]][-1] == "head" and told["policy"] == "first:2"
    assert told["cost"]["seconds_epoch"] > 0 and told["cost"]["n_bytes_prefix"] > 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--store", "{file}/store"), "is a file, not a folder"),
        (("--device", "cpu:9"), "no device 'cpu:9'"),
        (("--out", "/"), "not the name of a new folder"),
        (("--folds", 3), "leave enough to learn from"),
    ],
)
def test_what_a_fit_refuses_is_refused(
    words: tuple[str, ...], told: str, command: Command, text_source: Path, tmp_path: Path
) -> None:
    data = tmp_path / "texts.csv"
    data.write_text(TEXTS)
    given = [str(word).format(file=data) for word in words]
    refused(command("fit", data, "--source", text_source, "--dry-run", *given), told)


def test_the_list_of_recipes_has_a_name(command: Command) -> None:
    assert command("recipes", "list").out == command("recipes").out
    assert "bit-small" in command("recipes", "list").out


def test_a_class_may_be_in_one_part_only(command: Command, text_source: Path, tmp_path: Path) -> None:
    rows = [f"text {i},{'abc'[i // 10]},{'test' if i >= 20 or i % 5 == 0 else 'train'}\n" for i in range(30)]
    data = tmp_path / "texts.csv"
    data.write_text("text,label,split\n" + "".join(rows))
    done = command("fit", data, "--source", text_source, "--dry-run", "--precision", "fp32")
    assert done.code == 0, done.err
    only = next(line.split() for line in done.out.splitlines() if line.split()[:1] == ["c"])
    assert only == ["c", "0", "10"]
