"""The kept answer to whether bf16 is faster: measured once, found by every command, never trusted blindly."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch
from tiny_source import make_pictures

from headstart.features import Setting, Store, extract_pooled
from headstart.features.precision_record import FILE, kept_gain
from headstart.sources.source import Source


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The gains that are measured next, on a processor with instructions for bf16; 0.5 when there are none left."""
    gains: list[float] = []
    monkeypatch.setattr("headstart.backbone.precision._has_bf16_instructions", lambda: True)
    monkeypatch.setattr(
        "headstart.features.precision_record.gain_of_bf16", lambda: gains.pop(0) if gains else 0.5
    )
    return gains


def precision(store: Path) -> str:
    return Setting.choose("cpu", "auto", 1, store).precision


def test_a_later_command_finds_the_features_of_an_earlier_one(
    tmp_path: Path, tiny_source: Source, measured: list[float]
) -> None:
    measured += [1.3, 1.1]
    items, digests = make_pictures(4)
    for _ in range(2):
        extract_pooled(tiny_source, items, digests, Store(tmp_path), device="cpu")
    assert [entry.what for entry in Store(tmp_path).list()] == ["pooled, bf16"]
    assert measured == [1.1], "measured once"
    (tmp_path / "other").mkdir()
    assert precision(tmp_path / "other") == "fp32", "another folder has its own answer"


def test_a_store_is_not_made_to_keep_an_answer(
    tmp_path: Path, tiny_source: Source, measured: list[float]
) -> None:
    measured += [1.3, 1.1]
    root = tmp_path / "store"
    setting = Setting.choose("cpu", "auto", 1, root)
    assert setting.precision == "bf16" and not root.exists()
    items, digests = make_pictures(4)
    extract_pooled(tiny_source, items, digests, Store(root), **setting.options)
    assert kept_gain(root) == 1.3 and measured == [1.1]


def test_machines_that_share_a_store_keep_their_own_answers(
    tmp_path: Path, measured: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    measured += [1.9, 0.7, 0.8]
    assert precision(tmp_path) == "bf16"
    monkeypatch.setattr("headstart.features.precision_record._processor", lambda: "another")
    assert precision(tmp_path) == "fp32"
    monkeypatch.setattr(torch, "__version__", "99.0")
    assert precision(tmp_path) == "fp32"
    monkeypatch.undo()
    assert kept_gain(tmp_path) == 1.9


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"gain_of_bf16": 3}', '{"gain_of_bf16": {"x": "much"}}', "[" * 100_000, "\0"]
)
def test_a_damaged_or_foreign_file_is_measured_again(
    tmp_path: Path, measured: list[float], content: str
) -> None:
    (tmp_path / FILE).write_text(content, encoding="utf-8")
    measured += [1.9, 0.1]
    assert kept_gain(tmp_path) == 1.9
    assert kept_gain(tmp_path) == 1.9


@pytest.mark.parametrize("number", ["NaN", "-1", "0", "1e999"])
def test_a_gain_that_no_machine_has_is_measured_again(
    tmp_path: Path, measured: list[float], number: str
) -> None:
    kept_gain(tmp_path)
    file = tmp_path / FILE
    file.write_text(file.read_text(encoding="utf-8").replace("0.5", number), encoding="utf-8")
    measured.append(1.9)
    assert kept_gain(tmp_path) == 1.9


def test_where_nothing_can_be_written_it_is_just_measured(tmp_path: Path, measured: list[float]) -> None:
    (tmp_path / "file").write_text("not a folder")
    measured += [1.9]
    assert [kept_gain(tmp_path / "file"), kept_gain(tmp_path / "file")] == [1.9, 1.9]
    (tmp_path / FILE).mkdir()
    measured += [1.9, 0.1]
    assert [kept_gain(tmp_path), kept_gain(tmp_path)] == [1.9, 0.1]


def test_a_link_is_not_followed(tmp_path: Path, measured: list[float]) -> None:
    outside, store = tmp_path / "outside.json", tmp_path / "store"
    store.mkdir()
    measured += [1.9, 0.1]
    kept_gain(tmp_path)
    os.replace(tmp_path / FILE, outside)
    before = outside.read_bytes()
    (store / FILE).symlink_to(outside)
    assert kept_gain(store) == 0.1
    assert outside.read_bytes() == before


def test_it_is_no_entry_of_the_store(tmp_path: Path, measured: list[float]) -> None:
    kept_gain(tmp_path)
    store = Store(tmp_path)
    assert store.list() == () and store.prune(limit_bytes=0) == ()
    assert (tmp_path / FILE).exists()
