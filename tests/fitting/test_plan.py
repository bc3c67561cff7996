"""A data set is read once, and many plans can share it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

import tiny
from headstart.clock import Clock
from headstart.data import DataSet
from headstart.errors import DataError, SourceError
from headstart.features import Setting
from headstart.fitting.evaluation import learn_and_evaluate
from headstart.fitting.learning import learn
from headstart.fitting.options import fit_options
from headstart.fitting.plan import Plan, load, policy_of
from headstart.fitting.preflight import check_learnable
from headstart.fitting.workspace import Workspace
from plans import read_and_plan
from small_data import LETTERS


def plan_of(data: DataSet, source: str, freeze: str = "all") -> Plan:
    options = fit_options(data="digits", source=source, freeze=freeze, threads=1)
    loaded = load(options, data.examples.modality)
    return Plan.of(data, loaded, policy_of(options, loaded), options)


def test_many_sources_learn_from_one_data_set(
    digit_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny.save_timm(tmp_path / "resnet")
    data = DataSet.read(digit_folder, threads=1)
    monkeypatch.setattr("headstart.data.scanning.scan", lambda *_, **__: pytest.fail("scanned again"))
    found = {}
    for source in (LETTERS, str(tmp_path / "resnet")):
        plan = plan_of(data, source)
        assert plan.data is data
        workspace = Workspace(plan, Setting.choose("cpu", "fp32", 1), tmp_path / "store", Clock())
        result = learn(workspace, data.positions("train"), np.zeros(0, np.int64), None, False)
        found[plan.source.digest] = result.choice.profile
    assert len(found) == 2 and len({len(profile) for profile in found.values()}) == 2


def test_a_plan_has_the_rate_of_each_policy(digit_folder: Path) -> None:
    data = DataSet.read(digit_folder, threads=1)
    norm, whole = plan_of(data, LETTERS, "norm"), plan_of(data, LETTERS, "none")
    assert norm.recipe.lr == pytest.approx(10 * float(whole.recipe.lr))  # type: ignore[arg-type]
    assert norm.recipe_for(whole.policy) == whole.recipe


def test_a_wrong_source_is_found_before_the_data_is_scanned(
    digit_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("headstart.data.dataset.scan", lambda *_, **__: pytest.fail("scanned"))
    with pytest.raises(SourceError, match="lettres"):
        read_and_plan(fit_options(data=digit_folder, source="bundled:lettres"), Clock())


def test_fit_refuses_rows_without_a_label_by_name(tmp_path: Path) -> None:
    table = tmp_path / "texts.csv"
    table.write_text("text,label\ngood,1\nbad,0\nwho knows,\nfine,1\n")
    with pytest.raises(DataError, match=r"texts\.csv.*row 3"):
        read_and_plan(fit_options(data=table, source="bundled:letters"), Clock())
    assert not DataSet.read(table, labels="optional", threads=1).examples.labelled.all()


def test_what_cannot_be_learned_or_measured(digit_folder: Path) -> None:
    data = DataSet.read(digit_folder, threads=1, folds=3)
    check_learnable(data, "digits", held_out=False)
    with pytest.raises(DataError, match="holds no test part"):
        check_learnable(data, "digits", held_out=True)


def recordings(folder: Path, seconds: list[float], parts: list[str]) -> DataSet:
    """Tones of these lengths, in these parts."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    rows = ["file,label,split"]
    for index, (length, part) in enumerate(zip(seconds, parts, strict=True)):
        times = np.arange(round(8_000 * length)) / 8_000
        tone = 0.3 * np.sin(2 * np.pi * (200 if index % 2 else 900) * times) + 0.02 * rng.normal(
            size=len(times)
        )
        soundfile.write(folder / f"{index}.wav", tone.astype(np.float32), 8_000)
        rows.append(f"{index}.wav,{'low' if index % 2 else 'high'},{part}")
    (folder / "table.csv").write_text("\n".join(rows))
    return DataSet.read(folder / "table.csv", threads=1)


def test_a_longer_held_out_recording_changes_no_training_feature(tmp_path: Path, audio_source: Path) -> None:
    parts = ["train"] * 8 + ["test"] * 4
    features = []
    for name, last in (("a", 0.9), ("b", 2.6)):
        data = recordings(tmp_path / name, [0.5, 0.9] * 5 + [0.5, last], parts)
        plan = plan_of(data, str(audio_source))
        assert plan.source.preprocessing.window_samples == plan.source.preprocessing.rate_hz  # type: ignore[union-attr]
        workspace = Workspace(plan, Setting.choose("cpu", "fp32", 1), tmp_path / "store", Clock())
        features.append(workspace.features.take(data.positions("train")).stage(-1))
        cut = [finding for finding in plan.findings if finding.kind == "cut"]
        assert len(cut) == (name == "b")
    np.testing.assert_array_equal(*features)


def test_a_fold_has_the_window_of_the_items_that_it_learns_from(tmp_path: Path, audio_source: Path) -> None:
    data = recordings(tmp_path / "a", [0.5, 0.9] * 5 + [0.5, 2.6], ["train"] * 12)
    workspace = Workspace(
        plan_of(data, str(audio_source)), Setting.choose("cpu", "fp32", 1), tmp_path / "store", Clock()
    )
    everything = np.arange(12)
    assert workspace.in_window_of(everything) is workspace
    assert workspace.in_window_of(everything[1:]) is workspace
    without = workspace.in_window_of(everything[:-1])
    window = without.plan.source.preprocessing
    assert window.window_samples == window.rate_hz  # type: ignore[union-attr]
    assert not np.allclose(without.features.stage(-1)[11], workspace.features.stage(-1)[11], atol=1e-4), (
        "not cut"
    )


def test_recordings_that_a_fold_cuts_are_reported(tmp_path: Path, audio_source: Path) -> None:
    data = recordings(tmp_path / "a", [0.5, 0.9] * 5 + [0.5, 2.6], ["train"] * 12)
    plan = plan_of(data, str(audio_source))
    workspace = Workspace(plan, Setting.choose("cpu", "fp32", 1), tmp_path / "store", Clock())
    _, evaluation = learn_and_evaluate(workspace, tmp_path, False, n_folds=3)
    (told,) = evaluation.findings
    assert "Longer than 1 s, the window of the recordings learned from: 1 of 3 held-out" in told.message
    assert len({id(each.features) for each in evaluation.rounds}) == 2, "one fold has features of its own"
