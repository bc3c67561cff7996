"""Cross-validation of the whole procedure."""

from __future__ import annotations

import numpy as np

from headstart.choose import ArrayFeatures, cross_validate


def test_every_item_is_predicted_without_its_group() -> None:
    rng = np.random.default_rng(0)
    labels = np.array(["a", "b"] * 40, dtype=object)
    groups = np.array([f"g{i // 4}" for i in range(80)], dtype=object)
    signal = rng.normal(size=(80, 6)).astype(np.float32)
    signal[:, 0] += 4 * (labels == "b")
    features = ArrayFeatures(("early", "last"), (signal, rng.normal(size=(80, 3)).astype(np.float32)))
    found = cross_validate(features, labels, groups, 4)
    assert found.probabilities.shape == (80, 2) and len(found.choices) == 4
    assert all("early" in choice.stages for choice in found.choices)
    assert (np.array(found.classes)[found.probabilities.argmax(axis=1)] == labels).mean() > 0.9
    for group in set(groups):
        assert len(set(found.folds[groups == group])) == 1


def test_features_that_know_nothing_do_no_better_than_chance() -> None:
    rng = np.random.default_rng(0)
    labels = np.array(["a", "b"] * 60, dtype=object)
    features = ArrayFeatures(
        ("one", "two"), tuple(rng.normal(size=(120, 30)).astype(np.float32) for _ in "12")
    )
    found = cross_validate(features, labels, None, 5)
    assert 0.3 < (np.array(found.classes)[found.probabilities.argmax(axis=1)] == labels).mean() < 0.7
