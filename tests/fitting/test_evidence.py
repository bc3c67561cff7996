"""Baselines learn from the items of the result, intervals count units, and the temperature is judged by logits."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from headstart.clock import Clock
from headstart.data import DataSet, Examples
from headstart.data.examples import string_array
from headstart.evidence import baselines as classical_baseline
from headstart.evidence import extract_classical, fit_classical
from headstart.features import Setting
from headstart.fitting.classical import Classical
from headstart.fitting.evaluation import Evaluation, Round
from headstart.fitting.evidence import Evidence, gather
from headstart.fitting.head_alone import choose
from headstart.fitting.learning import learn
from headstart.fitting.options import fit_options
from headstart.fitting.plan import Plan, load, policy_of
from headstart.fitting.race import race
from headstart.fitting.workspace import Workspace
from headstart.tune.race.result import RaceResult, head_alone
from small_data import LETTERS

NOTHING: Any = None
N_EACH = 20  # texts of a part that have the words of one group


def text_workspace(items: list[str], labels: list[str], parts: list[str]) -> Any:
    """What the evidence needs of a workspace, with texts."""
    names, splits = string_array(f"row {i}" for i in range(len(items))), string_array(parts)
    examples = Examples("text", items, names, string_array(labels), splits=splits)
    data = DataSet.of(examples, threads=1)
    return SimpleNamespace(
        plan=SimpleNamespace(data=data, seed=0, overlap=None),
        labels=data.labels,
        codes=data.codes,
        targets=data.examples.targets,
        classes=data.classes,
        setting=SimpleNamespace(n_threads=1),
        clock=Clock(),
        classical=Classical(data, 1, 0),
        units=lambda positions: None if data.units is None else data.units[positions],
        weights=lambda positions: None,
    )


def measured(
    workspace: Any, learned_from: np.ndarray, scores: np.ndarray, temperature: float = 1.0
) -> Evidence:
    """The evidence of a result with these scores for the test part."""
    test = workspace.plan.data.positions("test")
    outputs = workspace.targets.task.activated(scores, temperature)
    rounds = [Round(learned_from, np.arange(len(test)), temperature, True, NOTHING)]
    return gather(workspace, Evaluation(test, scores, outputs, outputs, rounds), classical=True)


def words_of(part: str) -> tuple[list[str], list[str], list[str]]:
    """Texts with the words of two groups; those of the second are rare in the training part."""
    rng, items, labels = np.random.default_rng(len(part)), [], []
    counts = {"train": (2 * N_EACH, 1), "validation": (2, 2 * N_EACH), "test": (N_EACH, 2 * N_EACH)}[part]
    for group, n_items in zip("ab", counts, strict=True):
        for label in ("yes", "no"):
            for index in range(n_items):
                words = [f"{group}{label}{k}" for k in rng.choice(6, 2, replace=False)]
                items.append(
                    " ".join([*words, f"filler{rng.integers(1000)}", f"{part}{index}{group}{label}"])
                )
                labels.append(label)
    return items, labels, [part] * len(items)


def test_a_result_that_is_as_good_as_the_classical_baseline_on_equal_items_is_not_called_better() -> None:
    """The result is the classical baseline itself, learned from training and validation items."""
    parts = [words_of(part) for part in ("train", "validation", "test")]
    items, labels, splits = ([each for part in parts for each in part[k]] for k in range(3))
    workspace = text_workspace(items, labels, splits)
    data = workspace.plan.data
    both, test = data.learnable, data.positions("test")
    features = extract_classical(data.examples.items, "text")

    def outputs(rows: np.ndarray) -> np.ndarray:
        model = fit_classical(features, rows, data.labels[rows], None, classes=data.classes)
        return model.probabilities(features, test)

    scores = np.log(outputs(both))
    found = measured(workspace, both, scores)
    assert found.verdict.outcome == "undecided" and found.differences["classical"].value == 0
    assert found.learned_from == {name: len(both) for name in ("result", "majority", "classical", "probe")}
    fewer = outputs(data.positions("train"))
    truth = data.codes[test]
    lost = (scores.argmax(1) == truth).mean() - (fewer.argmax(1) == truth).mean()
    assert lost > 0.1, "learned from the training part alone, the same baseline would have lost"


def test_a_sample_is_reported_and_the_result_is_not_judged_by_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    items = [f"{'early' if i % 2 else 'late'} {i} {i * 7 % 11}" for i in range(60)]
    labels = ["ab"[i % 2] for i in range(60)]
    workspace = text_workspace(items, labels, ["train"] * 40 + ["test"] * 20)
    monkeypatch.setattr(classical_baseline, "MAX_ITEMS", 16)
    found = measured(workspace, np.arange(40), np.zeros((20, 2), np.float32))
    assert found.learned_from == {"result": 40, "majority": 40, "classical": 16, "probe": 40}


def test_copies_of_an_item_count_once() -> None:
    """20 different texts, five copies of each: the result is wrong on two of the texts, the baseline on none."""
    items, labels, parts = [], [], []
    for index in range(80):
        label = "ab"[index % 2]
        items.append(f"{'early' if label == 'a' else 'late'} number{index}")
        labels.append(label)
        parts.append("train")
    for index in range(20):
        label = "ab"[index % 2]
        items += [f"{'early' if label == 'a' else 'late'} test{index}"] * 5
        labels += [label] * 5
        parts += ["test"] * 5
    workspace = text_workspace(items, labels, parts)
    test = workspace.plan.data.positions("test")
    assert len(set(workspace.units(test))) == 20
    scores = np.eye(2, dtype=np.float32)[workspace.codes[test]] * 4
    scores[:10] = scores[:10, ::-1]
    found = measured(workspace, np.arange(80), scores)
    difference = found.differences["classical"]
    assert difference.value == pytest.approx(-0.1)
    assert found.verdict.outcome == "undecided"
    accuracy = found.test["accuracy"]
    assert accuracy.low is not None and accuracy.high is not None and accuracy.high - accuracy.low > 0.2


def test_the_log_loss_before_the_temperature_comes_from_scores() -> None:
    """Confident scores at T = 5: probabilities in float32 round to 1, and their logarithm to 0."""
    rng = np.random.default_rng(0)
    items = [f"word{i}" for i in range(60)]
    labels = ["ab"[i % 2] for i in range(60)]
    workspace = text_workspace(items, labels, ["train"] * 20 + ["test"] * 40)
    truth = workspace.codes[20:]
    scores = np.zeros((40, 2), np.float32)
    scores[np.arange(40), np.where(rng.random(40) < 0.2, 1 - truth, truth)] = 60
    found = measured(workspace, np.arange(20), scores, temperature=5.0).calibration
    wrong = (scores.argmax(1) != truth).mean()
    assert found["before"]["log_loss"] == pytest.approx(60 * wrong)
    assert found["after"]["log_loss"] == pytest.approx(12 * wrong, rel=1e-4)
    change = found["change"]["log_loss"]
    assert change["low"] < change["value"] == pytest.approx(-48 * wrong, rel=1e-4) and change["high"] < 0


def test_intervals_of_a_cross_validation_are_wider() -> None:
    """By the factor of `evidence.folds`: the models of the folds share items."""
    items, labels = (
        [f"{'early' if i % 2 else 'late'} {i}" for i in range(60)],
        ["ab"[i % 2] for i in range(60)],
    )
    workspace = text_workspace(items, labels, ["test"] * 60)
    scores = np.random.default_rng(0).normal(size=(60, 2)).astype(np.float32)
    outputs, folds = workspace.targets.task.activated(scores), np.arange(60) // 2 % 5
    rounds = [
        Round(np.flatnonzero(folds != fold), np.flatnonzero(folds == fold), 1.0, True, NOTHING)
        for fold in range(5)
    ]
    held_out = gather(workspace, Evaluation(np.arange(60), scores, outputs, outputs, rounds), classical=True)
    crossed = gather(
        workspace, Evaluation(np.arange(60), scores, outputs, outputs, rounds, folds), classical=True
    )
    assert set(crossed.learned_from.values()) == {48}
    for one, other in ((held_out.test, crossed.test), (held_out.differences, crossed.differences)):
        name = "log_loss" if "log_loss" in one else "majority"
        narrow, wide = one[name], other[name]
        assert narrow.high is not None and wide.high is not None
        assert wide.value == pytest.approx(narrow.value) and wide.high > narrow.high


def digit_workspace(digit_folder: Path, store: str, freeze: str) -> Workspace:
    data = DataSet.read(digit_folder, threads=1)
    options = fit_options(data="digits", source=LETTERS, freeze=freeze, budget="1m", threads=1, epochs=1)
    source = load(options, "image")
    plan = Plan.of(data, source, policy_of(options, source), options)
    return Workspace(plan, Setting.choose("cpu", "fp32", 1), store, Clock())


def test_after_a_race_the_head_alone_is_learned_from_the_items_of_the_winner(
    digit_folder: Path, store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = digit_workspace(digit_folder, store, "auto")
    train = workspace.plan.data.positions("train")
    inside, aside = train[:-6], train[-6:]

    class Contest:
        """A race whose winner was trained again on all items."""

        validation = SimpleNamespace(cannot_tell="")

        def __init__(self, made: Any, *_: Any) -> None:
            from headstart.tune import Policy

            policy = Policy.parse("last:1", workspace.plan.policy.stages)
            recipe = workspace.plan.recipe_for(policy)
            training = workspace.training(policy, recipe, train, train[:0], None, probe=made.choice.head)
            self.trained = training.run(resume=False)

        def run(self, *_: Any) -> RaceResult:
            alone = SimpleNamespace(head_alone=SimpleNamespace(quality=0.5, loss=1.0))
            row = head_alone(alone)  # type: ignore[arg-type]
            rows = (row, replace(row, policy="last:1", name="last:1", chosen=True))
            return RaceResult("last:1", self.trained, rows, "it won", refitted=True)

    monkeypatch.setattr("headstart.fitting.race._contest", Contest)
    found = race(workspace, choose(workspace, inside), inside, aside, None, False)
    np.testing.assert_array_equal(found.learned_from, train)
    np.testing.assert_array_equal(found.choice.head.weight, choose(workspace, train).head.weight)  # type: ignore[attr-defined]


def test_a_training_and_its_head_alone_are_learned_from_the_same_items(
    digit_folder: Path, store: str
) -> None:
    workspace = digit_workspace(digit_folder, store, "last:1")
    train = workspace.plan.data.positions("train")
    found = learn(workspace, train, train[:0], None, False)
    assert len(found.learned_from) + found.n_validation == len(train)
    alone = choose(workspace, found.learned_from)
    np.testing.assert_array_equal(found.choice.head.weight, alone.head.weight)  # type: ignore[attr-defined]
