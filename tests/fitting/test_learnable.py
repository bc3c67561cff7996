"""Small sets in groups are refused or divided before anything is computed, and nothing fails midway."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headstart.choose import ArrayFeatures, choose_head
from headstart.data import DataSet, Examples, fold_indices
from headstart.errors import DataError
from headstart.fitting.learnable import check_parts, evaluation_folds, why_not_learnable
from headstart.fitting.plan import Plan
from headstart.tasks import CLASSIFICATION, REGRESSION, Task
from headstart.tune import Policy, Recipe

NOTHING: Any = None
STAGES = ("embeddings", "layer.0", "layer.1")
SMALL = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 4)), min_size=4, max_size=16)


def plan(
    labels: list[str], groups: list[str] | None, freeze: str = "all", task: Task = CLASSIFICATION
) -> Plan:
    """A plan of texts that are all different."""
    items = [f"text number {index}" for index in range(len(labels))]
    examples = Examples.from_lists(items, labels, groups, modality="text", task=task)
    data = DataSet.of(examples, folds=5, threads=1)
    return Plan(data, NOTHING, Policy.parse(freeze, STAGES), Recipe(), NOTHING)


def choose(made: Plan, items: np.ndarray) -> None:
    """Choose a head on some items of noise."""
    rng = np.random.default_rng(0)
    arrays = tuple(rng.normal(size=(len(items), 4)).astype(np.float32) for _ in STAGES[:2])
    units = None if made.data.units is None else made.data.units[items]
    labels = np.asarray(made.data.labels)[items]
    targets = made.data.examples.targets
    choose_head(ArrayFeatures(STAGES[:2], arrays), labels, units, classes=targets.classes, task=targets.task)


def test_folds_that_leave_one_class_are_drawn_again() -> None:
    """Groups of which the usual draw puts both that hold class b into one fold."""
    found = 0
    for seed in range(50):
        rng = np.random.default_rng(seed)
        groups = rng.integers(0, 4, 10)
        labels = np.where(np.isin(groups, (0, 1)) & (rng.random(10) < 0.5), "b", "a")
        made = plan(labels.tolist(), [f"g{group}" for group in groups])
        items = np.arange(10)
        try:
            usual = fold_indices(np.asarray(made.data.strata), made.data.units, 5, 0)
            folds = evaluation_folds(made, items, 5)
        except DataError:
            continue
        one_class = [fold for fold in set(usual) if len(set(labels[usual != fold])) < 2]
        assert all(len(set(labels[folds.numbers != fold])) > 1 for fold in set(folds.numbers))
        assert bool(folds.note) == bool((folds.numbers != usual).any() or usual.max() < 4)
        found += bool(one_class)
    assert found, "no set needed other folds"


def test_the_error_names_what_is_left_and_the_remedy() -> None:
    made = plan(["a"] * 6 + ["b"], None)
    with pytest.raises(
        DataError, match=r"fold . of 5 held out, all . training items have the class 'a'.*without --folds"
    ):
        check_parts(made, "texts.csv", n_folds=5, refit_all=False)
    check_parts(made, "texts.csv", n_folds=None, refit_all=True)


def test_a_policy_that_trains_needs_no_part_to_compare_on() -> None:
    labels, groups = ["a", "b", "a", "b", "a", "a"], ["x", "x", "y", "y", "z", "z"]
    check_parts(plan(labels, groups), "t", n_folds=None, refit_all=False)
    check_parts(plan(labels, groups, "none"), "t", n_folds=None, refit_all=False)
    assert "all 2 training items" in why_not_learnable(plan(labels, groups), np.array([0, 2]))


@settings(deadline=None, max_examples=40)
@given(SMALL, st.integers(2, 6), st.booleans(), st.sampled_from(["all", "none"]), st.booleans())
def test_nothing_fails_midway(
    pairs: list[tuple[int, int]], n_folds: int, grouped: bool, freeze: str, quantity: bool
) -> None:
    labels = [str(label) for label, _ in pairs]
    groups = [f"g{group}" for _, group in pairs] if grouped else None
    task = REGRESSION if quantity else CLASSIFICATION
    try:
        made = plan(labels, groups, freeze, task)
        check_parts(made, "t", n_folds=n_folds, refit_all=False)
    except DataError as error:
        assert any(word in str(error) for word in ("--folds", "--group", "t: ", "classes")), error
        return
    items = np.arange(len(labels))
    folds = evaluation_folds(made, items, n_folds).numbers
    assert 2 <= len(set(folds)) <= n_folds
    for inside in (items, *(items[folds != fold] for fold in set(folds))):
        choose(made, inside)
