"""The benchmark on skada-bench's stored results: what it reads, and that a data set left out has no say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from benchmarks.adapt_rule import cells, simulate, table
from benchmarks.skadabench import (
    SELECTORS,
    WITH_LABELS,
    Stored,
    candidate_set,
    left_out,
    measure,
    read,
    summary,
    text,
)


@pytest.mark.real
def test_the_stored_table(shared: Path) -> None:
    stored = read(shared / "golden" / "skadabench_shallow.csv")
    assert stored.gains["circular_validation"].shape == (42, 20) and len(stored.sets) == 7
    found = measure(stored)
    assert found["default"]["selector"] == "circular_validation"
    assert found["default"]["candidates"][:2] == ["LinOT", "CORAL"]
    assert all(row["selector"] == "circular_validation" for row in found["left_out"])
    assert "cannot be measured" in text(found)


def made_up() -> Stored:
    """Four shifts of two sets: "safe" gains a little, "bold" gains much in one set and harms the other."""
    gain = np.array([[0.02, 0.3, np.nan], [0.02, 0.3, 0.9], [0.03, -0.2, np.nan], [0.02, -0.2, np.nan]])
    others = dict.fromkeys(SELECTORS, gain - 0.1)
    return Stored(
        ("a", "a", "b", "b"),
        ("safe", "bold", "rare"),
        {**others, WITH_LABELS: gain, "circular_validation": gain},
    )


def test_candidates_harm_seldom_and_finish() -> None:
    stored = made_up()
    assert candidate_set(stored, "circular_validation", np.ones(4, dtype=bool)) == [0, 1]
    assert summary(stored, stored.filled("circular_validation")[:, 1]) == pytest.approx(
        {"gain": 0.05, "harmed": 0.5, "worst": -0.2}
    )


def test_the_set_left_out_has_no_say() -> None:
    without_a, without_b = left_out(made_up())
    assert without_a["candidates"] == ["safe"] and without_a["first"] == pytest.approx([0.02, 0.02])
    assert without_b["candidates"] == ["bold", "safe"]
    assert without_b["worst"] == pytest.approx([-0.2, -0.2]) and without_b["best"] == pytest.approx(
        [0.03, 0.02]
    )


def test_the_simulation_of_the_rule() -> None:
    cell = {"world": "moved", "n_classes": 7, "n_items": 40}
    assert cell in cells()
    found = simulate(cell, 3)
    rules = found["rules"]
    assert rules["always"]["replaced"] == 1 >= rules["veto at 2 points"]["replaced"]
    assert rules["always"]["gain"] > 0.03
    assert "| moved, 7, 40 |" in table([{**cell, **found}])
