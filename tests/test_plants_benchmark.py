"""The planted cases: what is drawn, how a truth is told, and what the tables count."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from benchmarks.honesty import gains
from benchmarks.plants import sources
from benchmarks.plants.__main__ import order
from benchmarks.plants.data import Population
from benchmarks.plants.measure import TRUTH, measure, truth_of
from benchmarks.plants.report import text, upper_limit
from benchmarks.plants.worlds import PERMUTED, RANDOM, REAL, WORLDS, World

USELESS = World(RANDOM, "digits", "letters/random", "no", 350, 2)
HELPER = World(REAL, "digits", "letters/real", "yes", 500, 2)
BY_LABELS = World(PERMUTED, "x-rays", "resnet20/real", "no", 400, 1, permuted=True)


def gained(value: float, half: float = 0.02) -> list[float]:
    return [value, value - half, value + half]


def audited(*outcomes: str, classical: float = 0.0, random: float = 0.0) -> dict[str, Any]:
    gains = {"classical": gained(classical), "random": gained(random)}
    rows = {str(size): {"outcome": each, "gains": gains} for size, each in zip((20, 50, 100), outcomes)}
    found = {"by": "measurement", "n_held_out": 1500, "n_seeds": 6, "methods": ["transfer", "classical"]}
    return {**found, "sizes": rows}


def test_there_are_enough_cases_of_both_kinds_in_every_modality() -> None:
    counts = {"no": 0, "yes": 0}
    for world in WORLDS:
        counts[world.helps] += world.n_slices
    assert counts["no"] >= 60 and counts["yes"] >= 30
    assert len({world.name for world in WORLDS}) == len(WORLDS)
    for helps in ("no", "yes"):
        assert {world.modality for world in WORLDS if world.helps == helps} == {"image", "text", "audio"}
    forms = {world.source for world in WORLDS if not world.source.endswith("/real")}
    assert forms == set(sources.MAKERS)


def test_a_useless_plant_is_below_one_baseline_and_a_helper_above_all() -> None:
    assert truth_of(USELESS, audited("", "", "", classical=-0.05, random=0.1), 100) == "no"
    assert truth_of(USELESS, audited("", "", "", classical=0.01, random=0.1), 100) == "unclear"
    assert truth_of(USELESS, audited("", "", "", classical=0.05, random=0.1), 100) == "yes"
    assert truth_of(BY_LABELS, {"by": "construction"}, 20) == "no"
    assert truth_of(USELESS, None, 100) == "unclear"


def test_the_upper_limit_of_no_alarm_in_sixty_cases() -> None:
    assert upper_limit(0, 60) == pytest.approx(0.0487, abs=1e-4)
    assert upper_limit(3, 3) == 1.0


def test_false_alarms_hits_and_plants_whose_truth_is_unclear() -> None:
    results = {
        USELESS.name: {
            TRUTH: audited("", "", "", classical=-0.05),
            "0": audited("positive", "undecided", "undecided"),
            "1": audited("undecided", "undecided", "positive"),
        },
        HELPER.name: {
            TRUTH: audited("", "", "", classical=0.05, random=0.1),
            "0": audited("negative", "positive", "positive"),
            "1": audited("undecided", "undecided", "undecided"),
        },
        BY_LABELS.name: {TRUTH: {"by": "construction"}, "0": audited("negative", "undecided", "negative")},
    }
    told = text(results, (USELESS, HELPER, BY_LABELS))
    assert "| no benefit, called positive | at most 5% | 1 of 3 (33.3%; at most 86.5%) | 2 of 3" in told
    assert "| benefit, called negative | at most 5% | 0 of 2 (0.0%; at most 77.6%) | 1 of 2" in told
    assert "| benefit, called positive | at least 80% | 1 of 2 (50%) | 1 of 2 (50%) |" in told
    assert told.startswith("5 of 5 cases were measured. 5 count, since their truth is known; in 0 of them")
    assert f"| yes | {REAL} | image | 2 | 1 | 1 | 0 |" in told
    results[USELESS.name][TRUTH] = audited("", "", "", classical=0.01)
    told = text(results, (USELESS, HELPER, BY_LABELS))
    assert "| no benefit, called positive | at most 5% | 0 of 1 (" in told
    assert "dropped: 1,500 items, 6 seeds" in told


def test_every_world_is_begun_before_any_is_finished() -> None:
    assert [what for _, what in order((USELESS, BY_LABELS))] == [TRUTH, "0", TRUTH, "0", "1"]


def test_a_slice_shares_no_item_between_its_parts_and_permuted_labels_keep_their_counts(
    tmp_path: Path,
) -> None:
    whole = Population(tmp_path, "text", [f"text {i}" for i in range(100)], ["a", "b"] * 50)
    whole.slice(30, 40, (10, 30), seed=3, permuted=False)
    whole.slice(30, 40, (10, 30), seed=3, permuted=True)
    rows = [line.split(",") for line in (tmp_path / "slice-3-30-40-10-30-0.csv").read_text().splitlines()[1:]]
    assert len({row[0] for row in rows}) == 70
    assert [row[2] for row in rows].count("train") == 30
    assert all(row[1] == "ab"[int(row[0].split()[1]) % 2] for row in rows)
    others = [
        line.split(",") for line in (tmp_path / "slice-3-30-40-10-30-1.csv").read_text().splitlines()[1:]
    ]
    assert [row[0] for row in others] == [row[0] for row in rows]
    assert [row[1] for row in others] != [row[1] for row in rows]
    assert sorted(row[1] for row in others) == sorted(row[1] for row in rows)


def test_one_case_is_a_real_audit(tmp_path: Path) -> None:
    found = measure(USELESS, "0", tmp_path, small=True)
    assert found["methods"] == ["transfer", "random", "classical", "majority"]
    assert list(found["sizes"]) == ["20"] and set(found["sizes"]["20"]["gains"]) == set(found["methods"][1:])


def test_simulated_gains_hold_the_truth() -> None:
    cell = {"what": "gain", "n_items": 150, "per_unit": 5, "n_seeds": 5, "right": 0.75, "seeds_differ": 0.04}
    found = gains.simulate(cell, 200)
    assert found["holds"] >= 0.9 and found["positive"] + found["negative"] <= 0.11


def test_simulated_accuracy_is_what_was_asked_for() -> None:
    cell = {"n_items": 400, "per_unit": 5, "n_seeds": 20}
    rng = np.random.default_rng(0)
    drawn = np.stack([gains._drawn(rng, (0.8, 0.6), cell, 0.04).mean(axis=(1, 2)) for _ in range(40)])
    assert drawn.mean(axis=0) == pytest.approx([0.8, 0.6], abs=0.01)
