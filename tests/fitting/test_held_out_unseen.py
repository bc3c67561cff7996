"""Nothing that is learned or chosen depends on the held-out part: its labels are permuted and its items replaced.

Every case is one in which a training is returned, on pictures made for it: the class is whether two spots are equal,
which a linear head on the frozen network's features tells badly and a training learns.
"""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from headstart.clock import Clock
from headstart.features import Setting
from headstart.fitting.evaluation import Evaluation, learn_and_evaluate
from headstart.fitting.learning import learn
from headstart.fitting.options import fit_options
from headstart.fitting.result import Result
from headstart.fitting.workspace import Workspace
from headstart.tune import Policy
from headstart.tune.averaging.averages import greedy_soup
from headstart.tune.race.candidates import Candidate
from plans import read_and_plan
from small_data import LETTERS

N_TRAIN, N_TEST, NOISE = 240, 60, 30.0
AS_IT_IS, PERMUTED, OTHER_ITEMS, A_FOLD = "as it is", "labels permuted", "other items", "a fold permuted"
RECIPE = "epochs: 8\nlr: 0.002\nhead_lr: 0.004\nbatch_size: 16\naugment: none\npatience: 20\n"


@pytest.fixture(autouse=True)
def easily_better(monkeypatch: pytest.MonkeyPatch) -> None:
    """A training is returned as soon as it looks better on the few validation items."""
    for name in ("RACE", "ASKED"):
        monkeypatch.setattr(f"headstart.tune.race.comparison.{name}", 0.5)


def spots(n_items: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Noisy pictures with a bright or dark spot in two corners, and whether the spots differ."""
    random = np.random.default_rng(seed)
    signs = random.choice([-1, 1], size=(n_items, 2))
    pictures = 128 + random.normal(0, NOISE, (n_items, 8, 8))
    pictures[:, :3, :3] += 60 * signs[:, 0, None, None]
    pictures[:, 5:, 5:] += 60 * signs[:, 1, None, None]
    return np.clip(pictures, 0, 255).astype(np.uint8), (signs[:, 0] != signs[:, 1]).astype(int)


def written(path: Path, held_out: str) -> Path:
    """The pictures with the held-out part as it is, with its labels permuted, or with other items besides.

    "a fold permuted": the labels of every third of all items are permuted.
    """
    pictures, labels = spots(N_TRAIN + N_TEST, seed=0)
    if held_out == A_FOLD:
        labels[1::3] = np.random.default_rng(1).permutation(labels[1::3])
    train, test = slice(N_TRAIN), slice(N_TRAIN, None)
    test_pictures, test_labels = pictures[test], labels[test]
    if held_out in (PERMUTED, OTHER_ITEMS):
        test_labels = np.random.default_rng(1).permutation(test_labels)
        assert (test_labels != labels[test]).sum() > N_TEST / 4
    if held_out == OTHER_ITEMS:
        test_pictures = np.random.default_rng(2).integers(0, 256, test_pictures.shape).astype(np.uint8)
    arrays: dict[str, Any] = {"train_images": pictures[train], "train_labels": labels[train]}
    np.savez(path, **arrays, test_images=test_pictures, test_labels=test_labels)
    return path


def learned(folder: Path, held_out: str, **options: Any) -> tuple[Result, Evaluation, Workspace]:
    """Learn from the training part and evaluate on the held-out part."""
    folder.mkdir()
    (folder / "recipe.yaml").write_text(options.pop("recipe", RECIPE))
    kept = {name: options.pop(name) for name in ("folds", "refit_all") if name in options}
    given = fit_options(
        data=written(folder / "spots.npz", held_out),
        source=LETTERS,
        recipe=str(folder / "recipe.yaml"),
        precision="fp32",
        threads=1,
        store=str(folder / "store"),
        **options,
        **kept,
    )
    workspace = Workspace(
        read_and_plan(given, Clock()), Setting.choose("cpu", "fp32", 1), given.store, Clock()
    )
    result, evaluation = learn_and_evaluate(
        workspace,
        folder / "training",
        False,
        n_folds=kept.get("folds"),
        refit_all=kept.get("refit_all", False),
    )
    return result, evaluation, workspace


def assert_same(first: Result, second: Result) -> None:
    """The same network, head, temperature and choices, bit for bit."""
    for own, other in ((first.head, second.head), (first.choice.head, second.choice.head)):
        assert own.temperature == other.temperature
        tensors = other.tensors()
        for name, tensor in own.tensors().items():
            np.testing.assert_array_equal(np.asarray(tensor), np.asarray(tensors[name]), err_msg=name)
    weights = second.source.network.state_dict()
    for name, tensor in first.source.network.state_dict().items():
        np.testing.assert_array_equal(tensor.numpy(), weights[name].numpy(), err_msg=name)
    assert (first.policy, first.cut, first.reason) == (second.policy, second.cut, second.reason)
    assert first.choice.profile == second.choice.profile and first.choice.stages == second.choice.stages
    np.testing.assert_array_equal(first.choice.out_of_fold, second.choice.out_of_fold)
    assert first.trained is not None and second.trained is not None
    assert first.trained.best_epoch == second.trained.best_epoch
    assert first.trained.share == second.trained.share
    assert first.trained.validation == second.trained.validation


def right(evaluation: Evaluation, workspace: Workspace) -> tuple[float, float]:
    """The accuracy of the result and of the head alone."""
    truth = workspace.codes[evaluation.positions]
    result, alone = (
        float((outputs.argmax(axis=1) == truth).mean())
        for outputs in (evaluation.probabilities, evaluation.head_alone)
    )
    return result, alone


@pytest.mark.parametrize(
    "options",
    [
        {"freeze": "first:1", "recipe": f"{RECIPE}wise_ft: true\n"},
        {"freeze": "none", "lr": "auto", "epochs": 12, "recipe": f"{RECIPE}wise_ft: true\n"},
    ],
    ids=["a prefix and wise_ft", "lr auto and wise_ft"],
)
def test_a_training(options: dict[str, Any], tmp_path: Path) -> None:
    (first, evaluation, workspace), (second, *_) = (
        learned(tmp_path / held_out, held_out, **options) for held_out in (AS_IT_IS, OTHER_ITEMS)
    )
    assert first.is_trained and first.trained is not None and first.trained.share
    accuracy, alone = right(evaluation, workspace)
    assert accuracy > alone + 0.1
    assert_same(first, second)


@pytest.mark.parametrize("averaged", [False, True], ids=["retrained", "soup"])
def test_a_race(averaged: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not averaged:
        monkeypatch.setattr("headstart.tune.race.race.soup_of", lambda *_: None)
    else:  # the average of two is taken whatever validation says: rounding decides which of nearly equal ones is better
        steps = itertools.count()
        monkeypatch.setattr(
            "headstart.tune.race.soup.greedy_soup",
            lambda members, measure: greedy_soup(members[:2], lambda state: (next(steps), 0.0)),
        )
    monkeypatch.setattr(
        "headstart.tune.suggest_candidates", lambda _, stages: [Candidate(Policy.at(0, stages))]
    )
    monkeypatch.setattr("headstart.tune.from_scratch", lambda _: None)
    (first, evaluation, workspace), (second, *_) = (
        learned(tmp_path / held_out, held_out, freeze="auto", budget="30m")
        for held_out in (AS_IT_IS, OTHER_ITEMS)
    )
    assert first.is_trained and first.race is not None and second.race is not None
    assert (first.race.averaged, first.race.refitted) == (averaged, not averaged)
    accuracy, alone = right(evaluation, workspace)
    assert accuracy > alone + 0.1
    assert_same(first, second)


@pytest.mark.usefixtures("training_returned")
def test_each_fold_of_a_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The outputs for the items of a fold do not depend on their labels, bit for bit; the other outputs do."""
    trained: list[Result] = []

    def learn_and_keep(*arguments: Any, **more: Any) -> Result:
        trained.append(learn(*arguments, **more))
        return trained[-1]

    monkeypatch.setattr("headstart.data.fold_indices", lambda strata, *_: np.arange(len(strata)) % 3)
    monkeypatch.setattr("headstart.fitting.evaluation.learn", learn_and_keep)
    (_, first, workspace), (_, second, other) = (
        learned(tmp_path / held_out, held_out, freeze="none", folds=3) for held_out in (AS_IT_IS, A_FOLD)
    )
    inside = first.positions % 3 == 1
    changed = workspace.codes != other.codes
    assert changed.sum() > 20 and (changed <= inside).all()
    assert len(trained) == 8 and all(result.is_trained for result in trained)
    accuracy, alone = right(first, workspace)
    assert accuracy > alone + 0.1
    for name in ("probabilities", "head_alone", "temperatures"):
        own, others = getattr(first, name), getattr(second, name)
        np.testing.assert_array_equal(own[inside], others[inside], err_msg=name)
        assert not np.array_equal(own[~inside], others[~inside])


def test_the_evaluation_before_all_labels_are_learned(tmp_path: Path) -> None:
    options: dict[str, Any] = {"freeze": "none", "refit_all": True}
    (first, evaluation, workspace), (second, again, _) = (
        learned(tmp_path / held_out, held_out, **options) for held_out in (AS_IT_IS, PERMUTED)
    )
    _, same, _ = learned(tmp_path / "plain", AS_IT_IS, freeze="none")
    assert first.is_trained and right(evaluation, workspace)[0] > right(evaluation, workspace)[1] + 0.1
    for name in ("probabilities", "head_alone", "temperatures"):
        np.testing.assert_array_equal(getattr(evaluation, name), getattr(again, name), err_msg=name)
        np.testing.assert_array_equal(getattr(evaluation, name), getattr(same, name), err_msg=name)
    assert_same(first, second)
    assert first.refit is not None and second.refit is not None
    again_of_each = [
        each.source.network.state_dict()["model.block4.0.weight"].numpy()
        for each in (first.refit, second.refit)
    ]
    assert not np.array_equal(*again_of_each), "what is learned again has learned from the held-out labels"
