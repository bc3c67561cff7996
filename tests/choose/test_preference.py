"""Which head is better than the one on the last stage, where the truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import t

from headstart.choose.preference import LEAST_UNITS, Preference, preferred
from headstart.metrics.spread import standard_error

ALL_TRIED = np.zeros(0, dtype=bool)


def right(seed: int, n_items: int = 60, shares: tuple[float, ...] = (0.8,) * 13) -> np.ndarray:
    """Whether each item is right under each head, of shape (n_items, n_heads)."""
    return (np.random.default_rng(seed).random((n_items, len(shares))) < shares).astype(float)


def taken(quality: np.ndarray, units: np.ndarray | None = None, step: float = 1.0) -> Preference:
    return preferred(quality, np.zeros((len(quality), 0)), ALL_TRIED, units, step=step)


def test_the_best_of_thirteen_that_are_all_as_good_is_not_better() -> None:
    old = new = 0
    for seed in range(60):
        quality = right(seed)
        best = quality[:, quality.mean(axis=0).argmax()] - quality[:, 0]
        old += best.mean() > 2 * standard_error(best)
        new += taken(quality).index != 0
    assert old >= 5 and new <= 3, (old, new)


def test_one_that_is_truly_better_is_taken() -> None:
    assert taken(right(0, 200, (0.6, *(0.6,) * 10, 0.85))).index == 11


def test_a_few_items_more_prove_nothing() -> None:
    """Three net items of 20 come by chance in one case of eight (sign test), five in one of 32."""
    quality = np.zeros((20, 2))
    quality[:3, 1] = 1
    assert quality[:, 1].mean() > 1.73 * standard_error(quality[:, 1]), "a t-test at 5% would take it"
    assert taken(quality).index == 0
    quality[:5, 1] = 1
    assert taken(quality).index == 1


def test_probes_that_picked_the_heads_count_as_looks() -> None:
    quality = right(3, shares=(0.6, 0.75))
    alone = taken(quality)
    probes = right(4, shares=(0.7,) * 12) - right(5, shares=(0.7,))
    many = preferred(quality, probes, np.ones(12, dtype=bool), step=1.0)
    assert many.bound > alone.bound + 0.5


def test_cross_validated_gains_need_to_be_larger() -> None:
    quality = right(5, 200, (0.6, 0.72))
    plain, wide = (preferred(quality, quality[:, :0], ALL_TRIED, step=1.0, widen=by) for by in (1.0, 1.5))
    assert (plain.index, wide.index) == (1, 0) and wide.bound == pytest.approx(1.5 * plain.bound)


def test_with_few_units_a_gain_needs_to_be_larger() -> None:
    quality = right(2, 160)
    few, many = taken(quality, np.arange(160) % 8), taken(quality, np.arange(160) % 80)
    assert t.ppf(0.95, 7) + 0.5 < few.bound < t.ppf(1 - 0.05 / 12, 7)
    assert many.bound < few.bound


def test_few_units_prefer_nothing() -> None:
    quality = right(1, 80, (0.3, 0.9))
    for n_units, index in ((LEAST_UNITS - 1, 0), (LEAST_UNITS, 1)):
        assert taken(quality, np.arange(80) % n_units).index == index


@pytest.mark.parametrize("grouped", [False, True])
def test_what_is_expected_is_not_the_score_of_a_winner(grouped: bool) -> None:
    """Twelve heads that are all right in 85 of 100 cases, and a bad last stage: the best score is too high."""
    units = np.arange(100) % 25 if grouped else None
    found = []
    for seed in range(30):
        quality = right(seed, 100, (0.6, *(0.85,) * 12))
        choice = taken(quality, units)
        assert choice.index != 0
        found.append((quality[:, choice.index].mean(), choice.expected))
    selected, expected = np.mean(found, axis=0)
    assert selected > 0.89 and abs(expected - 0.85) < 0.012


def test_a_single_head_has_nothing_to_be_corrected_for() -> None:
    quality = right(0, shares=(0.8,))
    assert taken(quality) == Preference(0, float(quality.mean()), float("inf"))


def test_equal_means_go_to_the_smaller_rank() -> None:
    """Two heads that are right on the same items tie; one that is as good as the last stage never wins by a tie."""
    quality = right(0, 200, (0.5, 0.9))
    quality = np.concatenate([quality, quality[:, 1:], quality[:, :1]], axis=1)
    nothing = np.zeros((200, 0))
    for ties, index in (((0, 1, 2, 3), 1), ((3, 2, 1, 0), 2)):
        found = preferred(quality, nothing, ALL_TRIED, step=1.0, ties_H=np.array(ties))
        assert found.index == index
    assert preferred(quality[:, [0, 3]], nothing, ALL_TRIED, step=1.0, ties_H=np.array([1, 0])).index == 0
