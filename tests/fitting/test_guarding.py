"""`--guard`: classical features are returned where they are better beyond chance, as a run like any other."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

import headstart
from headstart.clock import Clock
from headstart.errors import OptionError
from headstart.features import Setting
from headstart.fitting.comparing import set_aside
from headstart.fitting.guarding import guarded
from headstart.fitting.head_alone import choose
from headstart.fitting.options import fit_options
from headstart.fitting.result import Result
from headstart.fitting.training import with_weights
from headstart.fitting.workspace import Workspace
from headstart.tasks import CLASSIFICATION, Targets
from plans import read_and_plan
from small_data import LETTERS

N_ITEMS = 120
SETTINGS = {"threads": 1, "precision": "fp32", "epochs": 1}


@pytest.fixture(scope="module")
def stripes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Fine stripes, which a source that sees 8 x 8 pixels cannot tell apart."""
    folder, rng = tmp_path_factory.mktemp("stripes"), np.random.default_rng(0)
    for index in range(N_ITEMS):
        label = ("across", "down")[index % 2]
        picture = rng.integers(90, 160, (64, 64)).astype(np.uint8)
        rows = picture if label == "across" else picture.T
        rows[index // 2 % 2 :: 2] //= 2
        (folder / label).mkdir(exist_ok=True)
        Image.fromarray(picture).save(folder / label / f"{index}.png")
    return folder


@pytest.fixture(scope="module")
def guarded_run(stripes: Path, tmp_path_factory: pytest.TempPathFactory) -> headstart.Run:
    place = tmp_path_factory.mktemp("guarded")
    return headstart.fit(stripes, LETTERS, guard=True, out=place / "run", store=place / "store", **SETTINGS)


def test_the_baseline_is_the_run(guarded_run: headstart.Run, stripes: Path) -> None:
    metrics = guarded_run.metrics
    assert metrics["chosen"]["classical"] and metrics["chosen"]["head_stages"] == []
    assert metrics["guard"]["returned"] == "classical" and metrics["foreseen"]["outcome"] == "worse"
    assert metrics["test"] == metrics["baselines"]["classical"]
    assert metrics["test"]["accuracy"]["value"] > metrics["baselines"]["probe"]["accuracy"]["value"] + 0.2
    assert metrics["verdict"] == "negative", "the verdict is about what was transferred"
    assert "classical features" in guarded_run.summary and "in place of" in guarded_run.summary
    assert "  Next" not in guarded_run.summary, "to train the source is no advice"
    card = (guarded_run.path / "README.md").read_text()
    assert "nothing of the source is in this run" in card and "| Policy |" not in card
    assert "of the best result from pretrained weights minus that of the baseline" in card
    assert "Why classical features" in (guarded_run.path / "report.html").read_text()


def test_it_is_explained_as_any_run(guarded_run: headstart.Run, stripes: Path, tmp_path: Path) -> None:
    """Classical features have no gradients; only outputs are needed."""
    found = headstart.explain(
        guarded_run.path, stripes, most=3, out=tmp_path / "out", report=False, threads=1
    )
    assert len(found.items) == 3 and found.facts.deletion.gain.value is not None
    for each in found.items:  # every cell has the stripes
        assert each.attributions.min() > -1e-3 and each.attributions.sum() > 0.05


def test_it_predicts_what_was_evaluated(guarded_run: headstart.Run, stripes: Path) -> None:
    from headstart.runs import Predictions

    evaluated = Predictions.read(guarded_run.path / "predictions.parquet")
    again = guarded_run.predict([str(stripes / name) for name in evaluated.items])
    np.testing.assert_allclose(again.probabilities, evaluated.probabilities, atol=2e-3)


def test_a_changed_program_is_refused(guarded_run: headstart.Run, stripes: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(guarded_run.path, tmp_path / "copy")
    content = bytearray((copy / "model.pt2").read_bytes())
    content[len(content) // 2] ^= 1
    (copy / "model.pt2").write_bytes(bytes(content))
    with pytest.raises(headstart.errors.InputError, match=r"model\.pt2"):
        headstart.predict(copy, stripes)


def test_it_is_a_source(guarded_run: headstart.Run, stripes: Path, tmp_path: Path) -> None:
    run = headstart.fit(
        stripes, f"run:{guarded_run.path}", out=tmp_path / "x", store=tmp_path / "s", **SETTINGS
    )
    assert run.metrics["test"]["accuracy"]["value"] > 0.9


def test_a_good_source_is_kept_and_says_so(digit_folder: Path, store: str, tmp_path: Path) -> None:
    run = headstart.fit(digit_folder, LETTERS, guard=True, out=tmp_path / "x", store=store, **SETTINGS)
    assert run.metrics["guard"]["returned"] == "result" and not run.metrics["chosen"]["classical"]
    assert run.metrics["chosen"]["head_stages"] and "--freeze auto" in run.summary


def test_folds_decide_each_for_itself_and_every_label_is_used_in_the_end(
    stripes: Path, tmp_path: Path
) -> None:
    run = headstart.fit(
        stripes,
        LETTERS,
        guard=True,
        folds=3,
        out=tmp_path / "x",
        store=tmp_path / "s",
        report=False,
        **SETTINGS,
    )
    assert run.metrics["test"]["accuracy"] == run.metrics["baselines"]["classical"]["accuracy"]
    assert run.metrics["baseline_choice"]["chosen"] == {"classical": 3}
    assert run.metrics["returned_in_folds"] == {"classical": 3}
    card = (run.path / "README.md").read_text()
    assert "Classical features in 3 of 3 folds; the run holds classical features." in card
    assert "license:" not in card and "Licence of the source" not in card, (
        "nothing of the source is in the run"
    )
    refitted = headstart.fit(
        stripes, LETTERS, guard=True, refit_all=True, out=tmp_path / "y", store=tmp_path / "s", **SETTINGS
    )
    content = json.loads((refitted.path / "metrics.json").read_text())
    assert content["refit"]["n_train"] == N_ITEMS and content["refit"]["classical"]
    assert content["learned_from"]["classical"] < N_ITEMS


def test_a_training_is_compared_on_validation_items(stripes: Path, tmp_path: Path) -> None:
    """By a baseline that learned without them; the training is taken as the result, whether it was worth it or not."""
    options = fit_options(data=stripes, source=LETTERS, freeze="last:1", **SETTINGS)
    plan = read_and_plan(options, Clock())
    workspace = Workspace(plan, Setting.choose("cpu", "fp32", 1), tmp_path / "store", Clock())
    inside, aside = set_aside(workspace, plan.data.positions("train"))
    choice = choose(workspace, inside)
    trained = workspace.training(plan.policy, plan.recipe, inside, aside, None, probe=choice.head).run()
    guard = guarded(workspace, with_weights(workspace, trained, choice, inside, aside)).guard
    assert guard is not None and guard.where == f"on {len(aside)} validation items"
    assert guard.outcome == "worse" and guard.fitted is not None
    np.testing.assert_array_equal(guard.fitted.learned_from, inside)
    assert trained.validation_logits is not None
    right = trained.validation_logits.argmax(axis=1) == workspace.codes[aside]
    baseline = workspace.classical.outputs(guard.fitted, aside).argmax(axis=1) == workspace.codes[aside]
    assert guard.difference.value == pytest.approx(right.mean() - baseline.mean())


def test_it_needs_the_baseline() -> None:
    with pytest.raises(OptionError, match="--no-baseline"):
        headstart.fit("x", LETTERS, guard=True, baseline=False)


def test_without_items_to_compare_on_the_result_is_kept() -> None:
    nothing = np.zeros(0, dtype=int)
    workspace: Any = SimpleNamespace(clock=Clock(), targets=Targets(CLASSIFICATION, ("a", "b")))
    trained: Any = SimpleNamespace(validation_logits=None)
    choice: Any = SimpleNamespace(positions=nothing)
    for policy in ("none", "all"):
        result = Result(
            *(None, None, policy, 0, choice, nothing),  # type: ignore[arg-type]
            trained=trained,
            compared_on=nothing,
        )
        found = guarded(workspace, result).guard
        assert found is not None and found.fitted is None and found.outcome == "undecided"
        assert "so the result is returned" in found.reason
