"""Target items far from every class: none without a shift, many with a class that the source lacks."""

from __future__ import annotations

import numpy as np

from headstart.adapt.domains import Domains
from headstart.adapt.shift.new_classes import new_classes


def domains(n_classes: int, seen: list[int], seed: int) -> Domains:
    rng = np.random.default_rng(seed)
    means = 2.0 * rng.normal(size=(n_classes, 40))
    of_source, of_target = rng.choice(seen, 200), rng.integers(0, n_classes, 200)
    source = means[of_source] + rng.normal(size=(200, 40))
    target = means[of_target] + rng.normal(size=(200, 40))
    codes = np.searchsorted(seen, of_source).astype(np.int64)
    return Domains(source, codes, target, len(seen), seed=seed)


def test_false_alarms() -> None:
    found = [new_classes(domains(5, [0, 1, 2, 3, 4], seed)).beyond_95.value or 0 for seed in range(8)]
    assert 0.01 < np.mean(found) < 0.12
    assert max(found) < 0.2


def test_new_classes_are_found() -> None:
    """Four of six classes are new: most target items are far from both known ones."""
    found = [new_classes(domains(6, [0, 1], seed)) for seed in range(5)]
    assert all(each.is_likely for each in found)
    assert found[0].to_json()["is_likely"] is True


def test_too_few_items_of_a_class() -> None:
    x = np.random.default_rng(0).normal(size=(20, 3))
    codes = np.array([0] * 18 + [1] * 2)
    assert "under" in new_classes(Domains(x, codes, x, 2)).beyond_95.why
