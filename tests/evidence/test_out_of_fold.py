"""What baselines give for training items left out, and the choice among baselines."""

from __future__ import annotations

import numpy as np

from headstart.evidence import (
    ClassicalFeatures,
    OutOfFold,
    best_on_folds,
    extract_classical,
    fit_classical,
    judge,
    majority_on_folds,
)
from headstart.evidence.out_of_fold import majority_out_of_fold, training_folds
from headstart.tasks import CLASSIFICATION, MULTILABEL, REGRESSION, Targets


def test_the_constant_of_a_fold_does_not_know_its_items() -> None:
    encoded, folds = np.array([0, 0, 0, 1, 1]), np.array([0, 0, 0, 1, 1])
    found = majority_out_of_fold(encoded, 2, folds, CLASSIFICATION)
    np.testing.assert_array_equal(found.argmax(axis=1), [1, 1, 1, 0, 0])
    values = np.array([[1.0], [3.0], [8.0]])
    means = majority_out_of_fold(values, 1, np.array([0, 0, 1]), REGRESSION)
    np.testing.assert_allclose(means[:, 0], [8, 8, 2])


def test_folds_keep_groups_together_and_exist_where_none_can_be_made() -> None:
    groups = np.repeat(np.arange(6), 5)
    folds = training_folds(np.arange(30) % 2, groups, CLASSIFICATION)
    assert all(len(set(folds[groups == group])) == 1 for group in range(6)) and len(set(folds)) == 5
    assert set(training_folds(np.arange(3), None, CLASSIFICATION)) == {0, 1}


def test_the_majority_is_judged_by_the_other_folds() -> None:
    codes = np.array([0, 1, 1] * 20)
    found = majority_on_folds(codes, np.arange(60) // 3, 2, CLASSIFICATION)
    np.testing.assert_array_equal(found.rows, np.arange(60))
    assert len(set(found.folds)) == 5 and all(len(set(found.folds[k : k + 3])) == 1 for k in range(0, 60, 3))
    np.testing.assert_array_equal(found.quality(codes, CLASSIFICATION), codes)
    assert found.mean_quality(codes, CLASSIFICATION) == 2 / 3
    part = OutOfFold(found.rows[1::3], found.folds[1::3], found.outputs[1::3])
    assert part.mean_quality(codes, CLASSIFICATION) == 1.0


def test_labels_out_of_fold_are_those_of_models_that_did_not_see_them() -> None:
    """Labels are noise: a model knows those of its training items by heart, and nothing of the others."""
    rng = np.random.default_rng(0)
    labels = rng.choice(np.array(["a", "b"], dtype=object), 200)
    truth = (labels == "b").astype(int)
    texts = [" ".join(f"w{k}" for k in rng.choice(400, 12)) for _ in labels]
    forms = {"noise": rng.normal(size=(200, 300)).astype(np.float32)}
    for features in (extract_classical(texts, "text"), ClassicalFeatures("image", forms)):
        model = fit_classical(features, np.arange(200), labels, None, classes=("a", "b"))
        found = model.out_of_fold
        np.testing.assert_array_equal(found.rows, np.arange(200))
        assert found.outputs.shape == (200, 2) and len(set(found.folds)) == 5
        assert 0.35 < (found.outputs.argmax(axis=1) == truth).mean() < 0.65, features.modality


def test_given_folds_are_used_and_every_task_has_outputs() -> None:
    rng = np.random.default_rng(0)
    has = rng.random((120, 3)) < [0.5, 0.4, 0.2]
    texts = [" ".join(["thing", *(f"word{k}" for k in np.flatnonzero(row))]) for row in has]
    forms = {"plain": (has + 0.3 * rng.normal(size=has.shape)).astype(np.float32)}
    folds = np.arange(120) // 30
    values = (5.0 * has[:, 0] - 3.0 * has[:, 1]).astype(str).astype(object)
    several = Targets(MULTILABEL, ("x", "y", "z")).decode(has.astype(float))
    for features in (extract_classical(texts, "text"), ClassicalFeatures("audio", forms)):
        for task, labels, classes in (
            (MULTILABEL, several, ("x", "y", "z")),
            (REGRESSION, values, ("cost",)),
        ):
            model = fit_classical(
                features, np.arange(120), labels, None, classes=classes, task=task, folds=folds
            )
            found = model.out_of_fold
            np.testing.assert_array_equal(found.folds, folds)
            codes = Targets(task, classes).encode(labels)
            constant = majority_out_of_fold(codes, len(classes), folds, task)
            better = (
                task.item_quality(found.outputs, codes).mean() - task.item_quality(constant, codes).mean()
            )
            assert better > 0.3, (features.modality, task.name)


def test_a_class_that_only_one_fold_has() -> None:
    labels = np.array(["a", "b"] * 10 + ["c"] * 2, dtype=object)
    texts = ["x one", "y two"] * 10 + ["z three"] * 2
    folds = np.array([0, 0, 1, 1] * 5 + [2, 2])
    model = fit_classical(
        extract_classical(texts, "text"), np.arange(22), labels, None, classes=("a", "b", "c"), folds=folds
    )
    assert np.isfinite(model.out_of_fold.outputs).all() and (model.out_of_fold.outputs[20:, 2] == 0).all()
    one = np.array([0] * 10 + [1] * 10)
    alone = np.array(["a"] * 10 + ["b"] * 10, dtype=object)
    model = fit_classical(
        extract_classical(texts[:20], "text"), np.arange(20), alone, None, classes=("a", "b"), folds=one
    )
    assert (model.out_of_fold.outputs.argmax(axis=1) == [1] * 10 + [0] * 10).all()


def test_the_best_of_equal_baselines_is_ahead_where_it_was_chosen() -> None:
    """A result as good as six baselines: called worse too often if it is compared with their best on the same items."""
    rng = np.random.default_rng(0)
    told: dict[str, list[str]] = {"held out": [], "in training": []}
    for _ in range(400):
        parts = {name: rng.random((7, 150)) < 0.8 for name in told}
        result, *baselines = (np.eye(2)[1 - row.astype(int)] for row in parts["held out"])
        for name, right in parts.items():
            best = best_on_folds({str(k): right[k + 1].mean() for k in range(6)})
            verdict = judge(np.zeros(150, dtype=int), result, baselines[int(best)], against=best)
            told[name].append(verdict.outcome)
    negative = {name: np.mean([outcome == "negative" for outcome in each]) for name, each in told.items()}
    assert negative["in training"] < 0.05 < 0.07 < negative["held out"]
    assert best_on_folds({"majority": 0.5, "classical": 0.5}) == "majority"
