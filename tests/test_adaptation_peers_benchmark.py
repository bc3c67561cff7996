"""The table of skada's methods: which hyperparameters a selector takes, what is missing, the interval over pairs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from benchmarks.adaptation.peers_report import (
    ORACLE,
    SOURCE_ONLY,
    best_selector,
    chosen_score,
    common_keys,
    compare,
    interval,
    missing,
    plain_score,
    text,
)


def rows(*found: tuple[float, float | None, float | None]) -> dict[str, Any]:
    """A method with a row per (score, value of the first selector, value of the second)."""
    return {"rows": [{"score": score, "selectors": {"one": one, "two": two}} for score, one, two in found]}


def case(score: float, source_only: float = 0.5) -> dict[str, Any]:
    """What headstart has of a case."""
    return {
        "score": score,
        "source_only": source_only,
        "auto": "default",
        "kind": "covariate",
        "methods": {},
        "seconds": 1.0,
    }


KEYS = ("set | network | a > b | 0", "set | network | b > a | 0")
AUTO = {KEYS[0]: case(0.9), KEYS[1]: case(0.7), "set | other | a > b | 0": case(0.6, source_only=0.4)}
PEERS = {
    KEYS[0]: {
        "methods": {
            SOURCE_ONLY: rows((0.5, 0.1, 0.1)),
            "method": rows((0.6, 0.9, 0.2), (0.8, 0.3, 0.4), (0.2, None, None)),
        }
    },
    KEYS[1]: {"methods": {SOURCE_ONLY: rows((0.55, 0.1, 0.1)), "method": rows()}},
    "set | other | a > b | 0": {"methods": {SOURCE_ONLY: rows((0.1, 0.1, 0.1))}},
}


def test_a_selector_takes_the_row_of_its_highest_value() -> None:
    found = PEERS[KEYS[0]]["methods"]["method"]
    assert [chosen_score(found, name) for name in ("one", "two", ORACLE)] == [0.6, 0.8, 0.8]
    assert chosen_score(found, "unknown") == 0.6, "without a value the first hyperparameters"
    assert chosen_score(rows(), "one") is None


def test_the_better_source_of_a_pair_counts_and_a_method_without_result_is_source_only() -> None:
    assert common_keys(PEERS, AUTO) == list(KEYS)
    found = compare("method", "two", PEERS, AUTO)
    assert found is not None and (found.n_missing, found.n_cases) == (1, 2)
    assert found.score_P == pytest.approx([0.8, 0.55])
    assert found.auto_P == pytest.approx([0.9, 0.7])
    best = best_selector("method", PEERS, AUTO)
    assert best is not None and best.selector == "two"
    assert best.interval[0] == pytest.approx(0.125)
    assert compare("unknown", "two", PEERS, AUTO) is None


def test_interval_of_the_mean() -> None:
    mean, low, high = interval(np.array([0.1, 0.2, 0.3]))
    assert (mean, mean - low) == pytest.approx((0.2, 4.3027 * 0.1 / 3**0.5), abs=1e-4)
    assert high - mean == pytest.approx(mean - low)
    assert interval(np.array([0.1])) == (0.1, -np.inf, np.inf)


def test_table_and_what_is_left() -> None:
    report = text(PEERS, AUTO)
    assert "| method | two | 2 | 67.5 | 67.5 | 80.0 | +12.5 (" in report and "| 1 of 2 |" in report
    assert f"| {SOURCE_ONLY} |  | 2 | 52.5 |" in report
    assert report.startswith("Pairs measured: set 2; seeds 0.")
    assert missing(KEYS, [SOURCE_ONLY, "method", "new"], PEERS) == [(key, ["new"]) for key in KEYS]


def test_auto_on_the_features_that_skada_reads() -> None:
    found = case(0.9) | {
        "auto": "bn+align",
        "methods": {name: {"score": 0.7} for name in ("bn+align", "align")},
    }
    assert [plain_score(case(0.9)), plain_score(found)] == [0.9, 0.7]
    assert plain_score(found | {"methods": {}}) == 0.5
