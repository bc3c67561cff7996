"""`headstart rank` from data to the ranking, on small sources made on the spot."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

import headstart
import small_data
import small_sources
from headstart import past_runs
from headstart.errors import InputError, OptionError, SourceError
from headstart.features import Extracted
from headstart.ranking import baselines, heads_ahead, partial, work
from headstart.ranking.items import Items
from headstart.ranking.result import RankingStopped
from headstart.runs import RunDirectory
from headstart.sources import Source, load_source
from small_data import LETTERS, SETTINGS


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_data.digit_folder(tmp_path_factory.mktemp("digits") / "digits", n_classes=3, n_each=30)


@pytest.fixture(scope="module")
def half(tmp_path_factory: pytest.TempPathFactory) -> str:
    return small_sources.changed(tmp_path_factory.mktemp("half") / "half", small_sources.half)


@pytest.fixture(scope="module")
def noise(tmp_path_factory: pytest.TempPathFactory) -> str:
    return small_sources.changed(tmp_path_factory.mktemp("noise") / "noise", small_sources.shuffled)


def test_the_first_source_is_the_one_to_fit(data: Path, half: str, noise: str, tmp_path: Path) -> None:
    ranking = headstart.rank(
        data, [noise, LETTERS, half, f"{half}/no-such", str(data)], out=tmp_path / "r", **SETTINGS
    )
    assert ranking.facts.sources[0].name == LETTERS
    assert ranking.best in (LETTERS, noise)  # the fastest, if they cannot be told apart
    rows = {row.name: row for row in ranking.facts.ranked}
    assert rows[LETTERS].same_as == (half,) and half not in rows  # equal features are scored once
    assert set(ranking.facts.failed) == {f"{half}/no-such", str(data)}
    assert rows[noise].not_better_than or rows[noise].unclear  # named beside the baselines
    assert {row.role for row in rows.values()} == {"source", "random", "classical"}
    assert [row.name for row in rows.values() if row.advised_cut is not None] == [LETTERS, noise]

    table = ranking.table
    assert table["source"].tolist()[0] == LETTERS and (table["predicted"].diff().dropna() <= 0.05).all()
    record = RunDirectory.open(ranking.path).record
    assert record.kind == "rank" and record.extra["ranking"]["advice"] == ranking.facts.advice
    assert "<html" in ranking.report.read_text()
    for words in ("letters", Path(noise).name, f"headstart fit {data} --source {ranking.best}"):
        assert words in ranking.summary

    run = headstart.fit(data, LETTERS, out=tmp_path / "fit", **SETTINGS)
    found = run.metrics["test"]["accuracy"]["value"]
    predicted = rows[LETTERS].predicted
    assert predicted.low is not None and predicted.high is not None
    assert predicted.low <= found <= predicted.high
    assert run.metrics["chosen"]["head_stages"] == list(rows[LETTERS].stages)


def test_nothing_of_the_held_out_part_enters(data: Path, noise: str, tmp_path: Path) -> None:
    """Other labels of the test items change no number of a ranking."""
    rows = {"train": [], "test": []}  # type: dict[str, list[tuple[str, str]]]
    for index, path in enumerate(sorted(data.rglob("*.png"))):
        rows["test" if index % 4 == 0 else "train"].append((str(path), path.parent.name))
    labels = [label for _, label in rows["test"]]
    tables = []
    for name, order in (("one", labels), ("other", labels[::-1])):
        lines = [f"{path},{label},train" for path, label in rows["train"]]
        lines += [f"{path},{label},test" for (path, _), label in zip(rows["test"], order)]
        table = small_data.write(tmp_path / f"{name}.csv", "\n".join(["file,label,split", *lines]))
        found = headstart.rank(
            table, [LETTERS, noise], out=tmp_path / name, follow_outside=True, **SETTINGS
        ).metrics["ranking"]
        for row in found["ranked"]:
            row["milliseconds"] = None
        tables.append(json.dumps(found))
    assert tables[0] == tables[1]


def test_no_source_that_can_be_used(data: Path, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"none of the sources can be ranked:\n.*no-such"):
        headstart.rank(data, ["./no-such", "bundled:nothing"], out=tmp_path / "r", **SETTINGS)
    assert not (tmp_path / "r").exists()


def test_stopped_midway_keeps_what_was_ranked(
    data: Path,
    noise: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    extract = Items.extract

    def stopped(self: Items, sources: Sequence[Source]) -> Iterator[Extracted]:
        yield next(extract(self, sources))
        raise KeyboardInterrupt

    monkeypatch.setattr(Items, "extract", stopped)
    with pytest.raises(RankingStopped) as told:
        headstart.rank(data, [noise, LETTERS], out=tmp_path / "r", **SETTINGS)
    assert str(tmp_path / "r") in told.value.__notes__[0]
    ranking = RunDirectory.open(tmp_path / "r").record.extra["ranking"]
    assert [row["name"] for row in ranking["ranked"]] == [noise]
    assert "not reached" in ranking["failed"][LETTERS]
    assert "was stopped before" in told.value.ranking.summary


@pytest.mark.parametrize("where", ["milliseconds", "classical_quality", "with_partial"])
def test_stopped_late_keeps_the_ranking(
    data: Path, noise: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    home = {"milliseconds": work, "classical_quality": baselines, "with_partial": partial}[where]

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(home, where, stop)
    with pytest.raises(RankingStopped) as told:
        headstart.rank(data, [noise, LETTERS], partial=True, out=tmp_path / "r", **SETTINGS)
    assert {row.name for row in told.value.ranking.facts.sources} == {noise, LETTERS}
    assert RunDirectory.open(tmp_path / "r").record.kind == "rank"


def test_one_source_that_breaks_does_not_take_the_others_down(
    data: Path, noise: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measure = heads_ahead.measure

    def broken(source: Source, *rest: Any, **options: Any) -> object:
        if source.uri == noise:
            raise RuntimeError("outputs of 1e30")
        return measure(source, *rest, **options)

    monkeypatch.setattr(heads_ahead, "measure", broken)
    ranking = headstart.rank(data, [noise, LETTERS], out=tmp_path / "r", **SETTINGS)
    assert "outputs of 1e30" in ranking.facts.failed[noise] and ranking.best == LETTERS


def test_a_budget(data: Path, noise: str, tmp_path: Path) -> None:
    """All sources are ranked if they fit; a budget that not even one fits in is refused."""
    many = small_data.digit_folder(tmp_path / "digits", n_classes=3, n_each=70)
    ranking = headstart.rank(many, [noise, LETTERS], out=tmp_path / "r", budget="10m", **SETTINGS)
    assert len(ranking.facts.sources) == 2 and not ranking.facts.failed
    with pytest.raises(
        OptionError,
        match=r"the budget (is too small for one source|was spent before a source could be tried)",
    ):
        headstart.rank(
            many, [noise, LETTERS], out=tmp_path / "s", store=tmp_path / "empty", budget="0.001s", **SETTINGS
        )
    assert not (tmp_path / "s").exists()


def test_two_items_per_class_name_no_winner(noise: str, tmp_path: Path) -> None:
    few = _splits(tmp_path / "few", n_train=2)
    ranking = headstart.rank(few, [noise, LETTERS], out=tmp_path / "r", **SETTINGS)
    assert "label more items" in ranking.facts.advice and "Start from" not in ranking.facts.advice
    assert all(row.places[0] == 1 for row in ranking.facts.ranked)
    best = ranking.facts.sources[0].predicted
    assert best.low is None or best.high is None or best.high - best.low > 0.3


def test_one_item_per_class_is_too_few(noise: str, tmp_path: Path) -> None:
    few = _splits(tmp_path / "few", n_train=1)
    with pytest.raises(InputError, match="leaves nothing to compare sources by: label more items"):
        headstart.rank(few, [noise, LETTERS], out=tmp_path / "r", **SETTINGS)


def _splits(root: Path, n_train: int) -> Path:
    """Digits in given parts: so many of each class to learn from, four held out."""
    digits = small_data.digit_folder(root / "all", n_classes=3, n_each=12)
    for folder in sorted(digits.iterdir()):
        for index, path in enumerate(sorted(folder.iterdir())[: n_train + 4]):
            part = root / "split" / ("train" if index < n_train else "test") / folder.name
            part.mkdir(parents=True, exist_ok=True)
            path.rename(part / path.name)
    return root / "split"


@pytest.mark.parametrize("noise_is_better", [True, False])
def test_earlier_runs_order_what_cannot_be_told_apart(
    noise: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, noise_is_better: bool
) -> None:
    monkeypatch.setenv("HEADSTART_RECORD", str(tmp_path / "record.sqlite"))
    scores = {noise: 0.95, LETTERS: 0.5} if noise_is_better else {noise: 0.5, LETTERS: 0.95}
    for number in range(3):
        for uri, score in scores.items():
            past_runs.add(_finished(f"set {number}", uri, score))
    few = _splits(tmp_path / "few", n_train=2)
    ranking = headstart.rank(few, [noise, LETTERS], out=tmp_path / "r", **SETTINGS)
    assert ranking.facts.sources[0].name == max(scores, key=scores.__getitem__)
    assert "finished runs on 3 other data sets" in ranking.facts.notes[0]


def _finished(data: str, uri: str, score: float) -> past_runs.FinishedRun:
    source = load_source(uri)
    numbers = {"n_items": 500, "n_classes": 3, "n_parameters": 9, "n_train": 400, "n_test": 100}
    ends = {
        "value": score,
        "low": None,
        "high": None,
        "head_alone": score,
        "head_alone_low": None,
        "head_alone_high": None,
    }
    return past_runs.FinishedRun(
        finished="2026-01-01T00:00:00",
        headstart="0",
        data_digest=data,
        modality="image",
        task="classification",
        item_size=None,
        source=uri,
        source_digest=source.digest,
        preprocessing_digest=source.preprocessing.digest(),
        policy="all",
        metric="accuracy",
        **numbers,
        **ends,
    )


def test_a_ranking_is_no_model(data: Path, noise: str, tmp_path: Path) -> None:
    ranking = headstart.rank(
        data, [noise, LETTERS, "./no-such"], out=tmp_path / "r", report=False, **SETTINGS
    )
    assert not ranking.report.exists()
    for use in (
        lambda: headstart.predict(ranking.path, data),
        lambda: headstart.load_source(f"run:{ranking.path}"),
        lambda: headstart.load_source(str(ranking.path)),
    ):
        with pytest.raises(InputError, match="is a ranking, which holds no model: fit one of the sources"):
            use()


def test_one_source_that_can_be_ranked(data: Path, tmp_path: Path) -> None:
    ranking = headstart.rank(data, ["./no-such", LETTERS], out=tmp_path / "r", **SETTINGS)
    assert ranking.best == LETTERS and "Only one source could be ranked" in ranking.summary
    first = ranking.facts.sources[0].difference
    assert (first.value, first.low, first.high) == (0.0, 0.0, 0.0)
