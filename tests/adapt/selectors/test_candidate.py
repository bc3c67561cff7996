"""No source item is scored by what has learned from its label, and no selector needs labels of the target."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from headstart.adapt import Affine, Domains, Method
from headstart.adapt.alignments import ALIGNMENTS, Alignment
from headstart.adapt.learners import LOGISTIC
from headstart.adapt.selectors import SELECTORS, Comparison
from headstart.adapt.selectors.candidate import held_out
from headstart.errors import DataError


def domains(
    n_items: int = 60, n_classes: int = 3, n_features: int = 5, seed: int = 0, **more: object
) -> Domains:
    rng = np.random.default_rng(seed)
    centres = 1.5 * rng.normal(size=(n_classes, n_features))
    codes = np.arange(n_items) % n_classes
    source = centres[codes] + rng.normal(size=(n_items, n_features))
    target = centres[codes] + rng.normal(size=(n_items, n_features)) + 1
    return Domains(source.astype("f4"), codes, target.astype("f4"), n_classes, seed=seed, **more)  # type: ignore[arg-type]


def _told_by_labels(given: Domains) -> tuple[Domains, Affine]:
    """An alignment that leaks whatever labels it is given: a feature of the source is the class."""
    source = np.concatenate([given.source_ND, 100.0 * given.codes_N[:, None]], axis=1)
    target = np.concatenate([given.target_MD, np.zeros((len(given.target_MD), 1))], axis=1)
    n_features = given.target_MD.shape[1]
    matrix = np.eye(n_features, n_features + 1)
    return given.with_features(source, target), Affine(np.zeros(n_features), np.ones(n_features), matrix)


@pytest.mark.parametrize("text", ["none", "standardise"])
def test_the_own_label_has_no_effect_on_held_out_scores(text: str) -> None:
    given = domains()
    folds = np.arange(60) % 4 // 2
    wrong = given.codes_N.copy()
    wrong[folds == 0] = (wrong[folds == 0] + 1) % 3
    fitted = [
        held_out(Method.parse(text), replace(given, codes_N=codes), given.codes_N, folds)
        for codes in (given.codes_N, wrong)
    ]
    np.testing.assert_array_equal(fitted[0].source_NC[folds == 0], fitted[1].source_NC[folds == 0])
    assert not np.allclose(fitted[0].source_NC[folds == 1], fitted[1].source_NC[folds == 1])


def test_held_out_scores_are_those_of_a_fit_without_the_fold() -> None:
    given = domains()
    folds = np.arange(60) % 4 // 2
    found = held_out(Method(), given, given.codes_N, folds)
    aligned, _ = ALIGNMENTS["none"].align(given)
    weight, bias = LOGISTIC.learn(
        replace(aligned, source_ND=aligned.source_ND[folds == 0], codes_N=given.codes_N[folds == 0])
    )
    np.testing.assert_allclose(
        found.source_NC[folds == 1], aligned.source_ND[folds == 1] @ weight.T + bias, rtol=1e-6
    )


def test_an_alignment_is_not_given_the_labels() -> None:
    rng = np.random.default_rng(3)
    noise = replace(
        domains(), source_ND=rng.normal(size=(60, 5)), codes_N=rng.integers(0, 2, 60), n_classes=2
    )
    candidate = Comparison(noise).candidate(Method(Alignment("leaks", "", _told_by_labels), LOGISTIC))
    right = (candidate.held_out.predicted_N == noise.codes_N).mean()
    assert right < 0.7  # 1 if the labels were given


def test_folds_keep_groups_together() -> None:
    groups = np.repeat(np.arange(20), 3).astype(object)
    folds = Comparison(domains(groups_N=groups)).folds_N
    assert all(len(set(folds[groups == group])) == 1 for group in range(20))
    assert len(set(folds)) == 2


def test_a_set_without_folds_is_refused_by_those_that_need_them() -> None:
    candidate = Comparison(domains(groups_N=np.full(60, "same", dtype=object))).candidate(Method())
    assert np.isfinite(SELECTORS["circular"].score(candidate))
    for name in ("importance", "dev"):
        with pytest.raises(DataError, match="belong together"):
            SELECTORS[name].score(candidate)


@pytest.mark.parametrize("name", SELECTORS)
@pytest.mark.parametrize("n_items, n_classes, n_features", [(8, 2, 30), (60, 3, 5), (40, 7, 100)])
def test_scores_are_finite_and_the_same_again(
    name: str, n_items: int, n_classes: int, n_features: int
) -> None:
    given = domains(n_items, n_classes, n_features)
    scores = [
        SELECTORS[name].score(Comparison(given).candidate(Method.parse("standardise"))) for _ in range(2)
    ]
    assert np.isfinite(scores[0]) and scores[0] == scores[1]


@pytest.mark.parametrize("name", SELECTORS)
@pytest.mark.parametrize("what", ["constant target", "one class predicted", "one target item", "identical"])
def test_degenerate_targets(name: str, what: str) -> None:
    given = domains()
    target = {
        "constant target": np.ones((60, 5)),
        "one class predicted": np.repeat(given.source_ND[:1], 9, axis=0) + np.arange(9)[:, None] * 1e-3,
        "one target item": given.target_MD[:1],
        "identical": given.source_ND,
    }[what]
    candidate = Comparison(replace(given, target_MD=target)).candidate(Method())
    assert np.isfinite(SELECTORS[name].score(candidate))


@pytest.mark.parametrize("name", SELECTORS)
def test_a_random_classifier_scores_below_the_right_one(name: str) -> None:
    given = domains(300, 3, 8, seed=1)
    given = replace(given, target_MD=given.target_MD - 1)
    comparison = Comparison(given)
    flat = replace(
        LOGISTIC,
        learn=lambda d: (
            np.random.default_rng(0).normal(size=(d.n_classes, 8)) * 0.01,
            np.zeros(d.n_classes),
        ),
    )
    right, random = (comparison.candidate(method) for method in (Method(), Method(learner=flat)))
    assert SELECTORS[name].score(right) > SELECTORS[name].score(random) + 0.1
