"""A data set is read once, and many plans can share it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import tiny
from headstart.clock import Clock
from headstart.data import DataSet
from headstart.errors import DataError, SourceError
from headstart.features import Setting
from headstart.fitting.learning import learn
from headstart.fitting.options import fit_options
from headstart.fitting.plan import Plan, load, policy_of, read_and_plan
from headstart.fitting.preflight import check_learnable
from headstart.fitting.workspace import Workspace
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
