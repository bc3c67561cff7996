"""The explanation points to what decides, the deletion test shows it, and it fails for shuffled attributions."""

from __future__ import annotations

import csv
import html
import json
import re
import shlex
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

import headstart
from headstart.errors import DataError, InputError, OptionError
from headstart.explaining.assembling import deletion_facts
from headstart.explaining.attribution import Outputs
from headstart.explaining.explained import Explained, explain_item
from headstart.explaining.parts.recordings import RecordingParts
from headstart.explaining.result import Explanations
from headstart.explaining.sentence import sentence
from headstart.memory import Halving
from headstart.runs.model import Model
from headstart.runs.run import Run

from .conftest import BURST_HZ, DECIDING, RATE_HZ, burst_recordings, corner_pictures, word_table

N_ITEMS = 8


@pytest.fixture(scope="session")
def corners(corner_run: Run, work: Path) -> Explanations:
    items = corner_pictures(work / "new corners", N_ITEMS, 1) / "marked"
    return headstart.explain(corner_run.path, items, out=work / "runs" / "of corners", threads=1)


@pytest.fixture(scope="session")
def words(word_run: Run, work: Path) -> Explanations:
    items = word_table(work / "new words.csv", N_ITEMS, 1)
    return headstart.explain(word_run.path, items, out=work / "runs" / "of words", threads=1)


@pytest.fixture(scope="session")
def bursts(burst_run: Run, work: Path) -> Explanations:
    items = burst_recordings(work / "new bursts", 5, 1) / "burst"
    return headstart.explain(burst_run.path, items, out=work / "runs" / "of bursts", threads=1)


def test_the_corner_that_decides_is_named(corners: Explanations) -> None:
    assert len(corners.items) == N_ITEMS
    for each in corners.items:
        assert corners.classes[each.column] == "marked"
        grid = each.attributions.reshape(7, 7)
        assert grid[:2, :2].sum() > np.abs(grid).sum() / 2, each.name
    assert corners.facts.deletion.outcome == "informative"
    assert "the explanations carry information" in corners.summary.replace("\n", " ")


def test_the_word_that_decides_is_named(words: Explanations) -> None:
    for each in words.items:
        assert each.parts.places[int(each.attributions.argmax())] in DECIDING
    assert words.facts.deletion.outcome == "informative"


def test_the_sound_that_decides_is_named(bursts: Explanations) -> None:
    """The tone fills one band for the first four of ten spans of time."""
    for each in bursts.items:
        assert isinstance(each.parts, RecordingParts) and each.parts.n_times == 10
        band = int(np.searchsorted(each.parts.edges_hz, BURST_HZ)) - 1
        largest = np.argsort(-each.attributions)[:4]
        assert set(largest) == {10 * band + time for time in range(4)}, each.name
    assert bursts.facts.deletion.outcome == "informative"


@pytest.mark.parametrize("modality", ["corners", "words", "bursts"])
def test_shuffled_attributions_carry_no_information(modality: str, request: pytest.FixtureRequest) -> None:
    """The same run, items and test; only the attributions are put on other parts. One test of 40 errs by chance."""
    found: Explanations = request.getfixturevalue(modality)
    model, halving, generator = Model.open(found.facts.run), Halving("Explaining"), np.random.default_rng(0)
    outcomes = []
    for shuffle in range(3):
        again = []
        for place, each in enumerate(found.items):
            values = generator.permutation(each.attributions)
            explainer = partial(_given, values)
            again.append(
                explain_item(
                    model, each.item, each.name, each.column, halving, 8 * shuffle + place, explainer
                )
            )
        facts = deletion_facts([each for each in again if each is not None], np.arange(len(again)))
        outcomes.append(facts.outcome)
        if facts.outcome == "none":
            assert "that they carry information is not shown" in sentence(facts, "8 items", "probability")
    assert outcomes.count("none") >= 2, outcomes


def _given(values: np.ndarray, outputs: Outputs, n_parts: int, seed: int) -> np.ndarray:
    assert len(values) == n_parts
    return values


def test_files_and_json(words: Explanations) -> None:
    with (words.path / "explanations.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 7 * N_ITEMS == len(words.table) and rows[0]["item"] == "row 1"
    strongest = max(
        (row for row in rows if row["item"] == "row 1"), key=lambda row: float(row["attribution"])
    )
    assert strongest["where"] in DECIDING
    facts = json.loads((words.path / "metrics.json").read_text())
    assert facts["kind"] == "explain" and facts["explanation"]["deletion"]["outcome"] == "informative"
    page = words.report.read_text(encoding="utf-8")
    assert "The explanations carry information" in page and '<mark class="raises" style="--s:1.0"' in page
    with pytest.raises(InputError, match="explanations, which holds no model"):
        Model.open(words.path)


def test_at_most_so_many_items_evenly_spread(
    word_run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = word_table(tmp_path / "many.csv", 20, 2)
    found = headstart.explain(word_run.path, data, most=2, out=tmp_path / "out", report=False, threads=1)
    assert [each.name for each in found.items] == ["row 6", "row 16"]
    assert found.facts.deletion.outcome == "" and found.facts.deletion.gain.why.startswith("2 items, 3 are")
    assert "2 of 20 texts are explained" in capsys.readouterr().err
    assert not found.report.exists()


def test_a_class_by_name(word_run: Run, tmp_path: Path) -> None:
    both = [
        headstart.explain(
            word_run.path,
            ["red dog saw the old house"],
            class_name=name,
            out=tmp_path / name,
            report=False,
            threads=1,
        )
        for name in ("warm", "cold")
    ]
    first, second = (found.items[0].attributions for found in both)
    np.testing.assert_allclose(first, -second, atol=1e-5)  # of two classes one gains what the other loses
    assert both[0].facts.output == "warm" and both[0].metrics["data"]["name"] == "list in memory"
    with pytest.raises(OptionError, match=r"--class wram: .* does not know it. Did you mean 'warm'"):
        headstart.explain(word_run.path, ["red"], class_name="wram", out=tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_the_same_seed_gives_the_same_numbers(word_run: Run, tmp_path: Path) -> None:
    items = ["red dog saw the old house", "blue car near the small trees"]
    how: dict[str, Any] = {"report": False, "threads": 1}
    found = [headstart.explain(word_run.path, items, out=tmp_path / str(k), **how) for k in range(2)]
    assert found[0].table.equals(found[1].table)
    assert found[0].facts.deletion == found[1].facts.deletion


def test_items_without_parts_have_no_explanation(
    word_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here a run that reads two tokens, which are those that the tokenizer adds."""
    opened = Model.open(word_run.path)
    blind = replace(opened, preprocessing=replace(opened.preprocessing, max_length=2))  # type: ignore[call-arg]
    assert explain_item(blind, "red dog", "row 1", None, Halving("Explaining"), 0) is None

    def some(model: Model, item: str, name: str, *more: Any) -> Explained | None:
        return None if item == "red" else explain_item(model, item, name, *more)

    monkeypatch.setattr("headstart.explaining.explained.explain_item", some)
    found = headstart.explain(word_run.path, ["red dog", "red", "blue car"], out=tmp_path / "out", threads=1)
    assert [each.item for each in found.items] == ["red dog", "blue car"]
    assert found.facts.warnings == ("1 text has no part that could be removed, and no explanation.",)
    with pytest.raises(DataError, match="none of the items has a part that could be removed"):
        headstart.explain(word_run.path, ["red"], out=tmp_path / "none", threads=1)
    assert not (tmp_path / "none").exists()


def test_only_the_window_of_a_long_recording_is_explained(burst_run: Run, tmp_path: Path) -> None:
    samples = np.random.default_rng(0).normal(size=3 * RATE_HZ).astype(np.float32) * 0.05
    soundfile.write(tmp_path / "long.wav", samples, RATE_HZ)
    found = headstart.explain(
        burst_run.path, tmp_path / "long.wav", out=tmp_path / "out", report=False, threads=1
    )
    assert found.facts.warnings == (
        "1 of 1 recording is longer than the window of the run: only the first 1 s are explained.",
    )
    assert found.items[0].parts.places[-1].startswith("0.90 to 1.00 s")


def test_the_report_of_a_fit_offers_it(digit_run: Run) -> None:
    found = re.search(r"headstart explain [^<]*", digit_run.report.read_text(encoding="utf-8"))
    assert found is not None
    _, verb, _, item = shlex.split(html.unescape(found[0]))
    assert verb == "explain" and Path(item).is_file()
