"""The classical baseline on dense features: what it says of items left out holds for the head that is returned."""

from __future__ import annotations

import numpy as np

from headstart.evidence import ClassicalFeatures, fit_classical


def test_scores_left_out_are_those_of_a_head_fitted_without_the_fold() -> None:
    """Same form and penalty: a head fitted on four folds gives the outputs of the fifth."""
    rng = np.random.default_rng(0)
    labels = np.array([str(k) for k in rng.integers(0, 3, 120)], dtype=object)
    x_ND = (
        rng.normal(size=(120, 40)) + np.array([int(k) for k in labels])[:, None] * rng.normal(size=40) * 0.3
    )
    features, folds = ClassicalFeatures("image", {"plain": x_ND.astype(np.float32)}), np.arange(120) % 5
    whole = fit_classical(features, np.arange(120), labels, None, classes=("0", "1", "2"), folds=folds)
    agreeing = []
    for fold in range(5):
        inside, outside = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        part = fit_classical(features, inside, labels[inside], None, classes=("0", "1", "2"))
        agreeing += (
            part.probabilities(features, outside).argmax(axis=1)
            == whole.out_of_fold.outputs[outside].argmax(axis=1)
        ).tolist()
    assert np.mean(agreeing) > 0.9


def test_the_form_that_tells_is_chosen() -> None:
    rng = np.random.default_rng(0)
    labels = np.array(["a", "b"] * 40, dtype=object)
    noise = rng.normal(size=(80, 6)).astype(np.float32)
    forms = {"noise": noise, "signal": noise + 3 * (labels == "b")[:, None].astype(np.float32)}
    model = fit_classical(ClassicalFeatures("audio", forms), np.arange(80), labels, None, classes=("a", "b"))
    truth = (labels == "b").astype(int)
    assert (model.out_of_fold.outputs.argmax(axis=1) == truth).mean() > 0.95
