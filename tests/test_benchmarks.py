"""How the benchmarks choose a rate for a peer."""

from __future__ import annotations

import ast
import importlib.util
from pathlib import Path
from typing import Any

import pytest
from benchmarks import cuts
from benchmarks.rates import RATES, chosen_rate, with_best_rate
from benchmarks.sets import Split
from benchmarks.sides import Work


@pytest.fixture(autouse=True)
def validation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.rates.validation_rows", lambda _: [1, 3])


@pytest.mark.parametrize(("accuracies", "chosen"), [((0.5, 0.9, 0.7), 1), ((0.9, 0.9, 0.9), 0)])
def test_the_rate_that_is_best_on_validation_is_taken(accuracies: tuple[float, ...], chosen: int) -> None:
    option, rates = RATES["trainer"]
    ran: list[Work] = []

    def run(work: Work) -> dict[str, Any]:
        ran.append(work)
        return {"accuracy": accuracies[rates.index(work.options[option])]}

    work, tried = Work("trainer", "trec", 3, epochs=2, options={"eval_strategy": "no"}), dict[str, float]()
    found = with_best_rate(work, tried, run, lambda: None)
    assert [each.options[option] for each in ran] == list(rates)
    assert all(each.validation == [1, 3] and each.epochs == 2 and each.seed == 3 for each in ran)
    assert found.options == {"eval_strategy": "no", option: rates[chosen]} and found.validation is None
    assert float(chosen_rate(tried)) == rates[chosen]


def test_what_was_tried_is_not_tried_again() -> None:
    option, rates = RATES["fastai"]
    ran, kept = [], []

    def run(work: Work) -> dict[str, Any]:
        ran.append(work.options[option])
        return {"accuracy": 0.8}

    tried = {f"{rates[0]:g}": 0.7, f"{rates[1]:g}": 0.9}
    found = with_best_rate(Work("fastai", "hymenoptera"), tried, run, lambda: kept.append(dict(tried)))
    assert ran == [rates[2]] and len(kept) == 1 and kept[0][f"{rates[2]:g}"] == 0.8
    assert found.options[option] == rates[1]


def test_rows_of_the_training_part_are_held_out() -> None:
    split = Split(list("abcd"), ["x", "y", "x", "y"], list("ef"), ["x", "y"]).inside([1, 2])
    assert (split.train, split.train_labels) == (["a", "d"], ["x", "y"])
    assert (split.test, split.test_labels) == (["b", "c"], ["y", "x"])


def test_a_slice_shares_no_group_and_no_item_between_its_parts() -> None:
    rows = [{"text": f"item {n % 25}", "label": "x", "speaker": str(n % 7)} for n in range(100)]
    for group in (None, "speaker"):
        chosen = cuts.Slice("text", cuts.MINILM, 1, 30, 20, group)
        train, test = cuts.draw(rows, chosen, 0)
        key = group or "text"
        assert not {row[key] for row in train} & {row[key] for row in test}
        assert 30 <= len(train) < 60 and len(test) == 20
        assert cuts.draw(rows, chosen, 0) == (train, test) != cuts.draw(rows, chosen, 1)


def test_the_advised_cut_is_trained_and_compared_with_the_best_trained_one() -> None:
    assert cuts._cuts(7, 3) == [7, 3, 0, 6, 4, 2] and cuts._cuts(3, 1) == [3, 1, 0, 2]
    accuracy = {0: 0.80, 1: 0.79, 2: 0.70, 3: 0.95}
    results: cuts.Results = {f"trec/0/{cut}": {"accuracy": value} for cut, value in accuracy.items()}
    results["trec/0"] = {"stages": ["a", "b", "c"], "advised_cut": 1}
    text = cuts.table(results)
    assert "| trec, 0 | all-MiniLM-L6-v2 | 1 of 3 | 0: 80.0, **1: 79.0**, 2: 70.0, 3: 95.0 | -1.0 |" in text
    assert text.endswith("advised: -1.00; all trained: +0.00; last stage alone: -10.00.")


def test_what_benchmarks_import_from_headstart_is_there() -> None:
    """Also inside of functions, which no other test runs."""
    missing = []
    for path in sorted(Path(cuts.__file__).parent.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.ImportFrom) or not (node.module or "").startswith("headstart"):
                continue
            module = importlib.import_module(str(node.module))
            for each in node.names:
                if not hasattr(module, each.name) and not importlib.util.find_spec(
                    f"{node.module}.{each.name}"
                ):
                    missing.append(f"{path.name}:{node.lineno} {node.module}.{each.name}")
    assert missing == []
