"""Which methods and which selector are worth a default, from stored results: `python -m benchmarks.skadabench`.

Reads `golden/skadabench_shallow.csv` of the shared folder: target accuracy of skada's methods on real shifts, where
each method's hyperparameters were chosen by one selector. It takes a second, and writes the section skadabench of
docs/adapt_results.md if the page exists. The values of the selectors themselves are not stored, so neither a margin
nor the choice between methods can be measured from it: what is derived is the candidate set and the selector, one data
set left out at a time.

A method without a result on a shift counts as source only there: it did not finish.

Legend: T shifts, K methods.
"""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.work import ROOT, SHARED, write_between
from headstart.files import write_text

TABLE = SHARED / "golden" / "skadabench_shallow.csv"
RESULTS = ROOT / "benchmarks" / "results" / "skadabench.json"
SOURCE_ONLY, CEILING = "Train Src", "Train Tgt"
SELECTORS = {
    "circular_validation": "circular validation",
    "importance_weighted": "importance-weighted validation",
    "prediction_entropy": "entropy of the predictions",
    "deep_embedded_validation": "DEV as skada has it (wrong)",
    "soft_neighborhood_density": "soft neighbourhood density",
}
WITH_LABELS = "supervised"
N_CANDIDATES = 3
HARM = 0.01  # a loss of more counts as harm
LEAST_GAIN = 0.005  # mean gain of a candidate
LEAST_FINISHED = 0.9  # share of the shifts that it must have a result for


@dataclass(frozen=True, eq=False)
class Stored:
    """Gains over source only.

    Attributes:
        data: data set of each shift, T of them.
        methods: their names, K of them.
        gains: by selector, of shape (T, K); NaN where there is no result.
    """

    data: tuple[str, ...]
    methods: tuple[str, ...]
    gains: dict[str, np.ndarray]

    @cached_property
    def sets(self) -> tuple[str, ...]:
        """The data sets."""
        return tuple(dict.fromkeys(self.data))

    def rows(self, *names: str) -> np.ndarray:
        """Which shifts belong to these data sets, of shape (T,)."""
        return np.isin(self.data, names)

    def filled(self, selector: str) -> np.ndarray:
        """Gains of shape (T, K), 0 where there is no result."""
        return np.nan_to_num(self.gains[selector])


def read(path: Path = TABLE) -> Stored:
    """Read the table."""
    found: dict[tuple[str, str], dict[tuple[str, str], float]] = {}
    with open(path, newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            shift = found.setdefault((row["dataset"], row["shift"]), {})
            shift[row["estimator"], row["scorer"]] = float(row["target_accuracy"])
    names = {method for shift in found.values() for method, _ in shift} - {SOURCE_ONLY, CEILING}
    methods = tuple(sorted(names))
    gains = {
        selector: np.array(
            [
                [shift.get((method, selector), np.nan) - shift[SOURCE_ONLY, selector] for method in methods]
                for shift in found.values()
            ]
        )
        for selector in (*SELECTORS, WITH_LABELS)
    }
    return Stored(tuple(data for data, _ in found), methods, gains)


def summary(stored: Stored, gain_T: np.ndarray, rows: np.ndarray | None = None) -> dict[str, Any]:
    """Return the mean over data sets of the mean gain, the share of shifts harmed, and the largest loss.

    Args:
        stored: the table.
        gain_T: of each shift, of shape (T,).
        rows: shifts that count, of shape (T,); None: all.
    """
    rows = np.ones(len(gain_T), dtype=bool) if rows is None else rows
    means = [
        gain_T[rows & stored.rows(name)].mean() for name in stored.sets if (rows & stored.rows(name)).any()
    ]
    counted = gain_T[rows]
    return {
        "gain": float(np.mean(means)),
        "harmed": float((counted < -HARM).mean()),
        "worst": float(counted.min()),
    }


def candidate_set(stored: Stored, selector: str, rows: np.ndarray) -> list[int]:
    """Return the methods worth trying: of those that finish and gain on average, those that harm least often.

    Args:
        stored: the table.
        selector: that chose their hyperparameters.
        rows: shifts to look at, of shape (T,).
    """
    finished = np.isfinite(stored.gains[selector][rows]).mean(axis=0) >= LEAST_FINISHED
    found = [summary(stored, column, rows) for column in stored.filled(selector).T]
    fit = [k for k, of_method in enumerate(found) if finished[k] and of_method["gain"] > LEAST_GAIN]
    return sorted(fit, key=lambda k: (found[k]["harmed"], -found[k]["gain"]))[:N_CANDIDATES]


def best_selector(stored: Stored, rows: np.ndarray) -> str:
    """Return the selector with the highest mean gain over all methods, however bad they are."""
    return max(SELECTORS, key=lambda name: _pooled(stored, name, rows)["gain"])


def _pooled(stored: Stored, selector: str, rows: np.ndarray) -> dict[str, float]:
    of_each = [summary(stored, column, rows) for column in stored.filled(selector).T]
    return {
        "gain": float(np.mean([one["gain"] for one in of_each])),
        "harmed": float(np.mean([one["harmed"] for one in of_each])),
        "worst": float(np.min([one["worst"] for one in of_each])),
    }


def left_out(stored: Stored) -> list[dict[str, Any]]:
    """Choose selector and candidates without a data set, and return what they give on its shifts."""
    found = []
    for name in stored.sets:
        selector = best_selector(stored, ~stored.rows(name))
        chosen = candidate_set(stored, selector, ~stored.rows(name))
        gain_TK = stored.filled(selector)[stored.rows(name)][:, chosen]
        ceiling_TK = np.maximum(gain_TK, 0.0)
        found.append(
            {
                "left out": name,
                "selector": selector,
                "candidates": [stored.methods[k] for k in chosen],
                "first": gain_TK[:, 0].tolist(),
                "any": gain_TK.mean(axis=1).tolist(),
                "worst": gain_TK.min(axis=1).tolist(),
                "best": ceiling_TK.max(axis=1).tolist(),
            }
        )
    return found


def measure(stored: Stored) -> dict[str, Any]:
    """Return everything that is reported."""
    everything = np.ones(len(stored.data), dtype=bool)
    selectors = []
    for name in (*SELECTORS, WITH_LABELS):
        names = [stored.methods[k] for k in candidate_set(stored, name, everything)]
        selectors.append({"selector": name, **_pooled(stored, name, everything), "candidates": names})
    default = best_selector(stored, everything)
    methods = [
        {
            "method": method,
            "finished": int(np.isfinite(stored.gains[default][:, k]).sum()),
            **summary(stored, stored.filled(default)[:, k]),
        }
        for k, method in enumerate(stored.methods)
    ]
    chosen = [stored.methods[k] for k in candidate_set(stored, default, everything)]
    return {
        "n_shifts": len(stored.data),
        "n_sets": len(stored.sets),
        "default": {"selector": default, "candidates": chosen},
        "selectors": selectors,
        "methods": sorted(methods, key=lambda row: -row["gain"]),
        "left_out": left_out(stored),
    }


def text(found: dict[str, Any]) -> str:
    """Return the Markdown of what `measure` found."""
    default = found["default"]
    lines = [
        f"{found['n_shifts']} real shifts of {found['n_sets']} data sets (skada-bench, shallow methods). Gains over "
        "source only in points of accuracy, averaged within data sets first; harmed: shifts that lose more than one "
        "point. A method without a result counts as source only. The stored table has no values of the selectors, so a "
        "margin, and the choice between methods, cannot be measured from it.",
        "",
        "Every method, its hyperparameters chosen by one selector:",
        "",
        "| selector | mean gain of all methods | harmed, % | worst | candidates: gain, and harm least often |",
        "|---|---|---|---|---|",
    ]
    names = {**SELECTORS, WITH_LABELS: "target labels (not available to a user)"}
    for row in found["selectors"]:
        lines.append(
            f"| {names[row['selector']]} | {_cells(row)} | {', '.join(row['candidates']) or 'none'} |"
        )
    lines += ["", f"Methods under {names[default['selector']]}:", ""]
    lines += ["| method | results | mean gain | harmed, % | worst |", "|---|---|---|---|---|"]
    lines += [f"| {row['method']} | {row['finished']} | {_cells(row)} |" for row in found["methods"]]
    lines += ["", *_left_out_lines(found["left_out"], names)]
    lines += [
        "",
        f"From all data sets: {', '.join(default['candidates'])}, with {names[default['selector']]}.",
    ]
    return "\n".join(lines)


def _left_out_lines(rows: list[dict[str, Any]], names: dict[str, str]) -> list[str]:
    lines = [
        "Selector and candidates chosen without a data set, measured on it. `first`: the candidate that harms least "
        "elsewhere, always taken; `any`: mean of the candidates; `best`: chosen by target labels among them and source "
        "only, which the rule cannot exceed; `worst`: the worst of them, below which it cannot fall.",
        "",
        "| left out | selector, candidates | first | any | best | worst | harmed by first, % |",
        "|---|---|---|---|---|---|---|",
    ]
    kinds = ("first", "any", "best", "worst")
    for row in rows:
        means = " | ".join(f"{100 * np.mean(row[kind]):+.1f}" for kind in kinds)
        harmed = 100 * np.mean(np.array(row["first"]) < -HARM)
        chosen = f"{names[row['selector']]}: {', '.join(row['candidates'])}"
        lines.append(f"| {row['left out']} | {chosen} | {means} | {harmed:.0f} |")
    means = " | ".join(f"{100 * np.mean([np.mean(row[kind]) for row in rows]):+.1f}" for kind in kinds)
    harmed = 100 * np.mean(np.concatenate([row["first"] for row in rows]) < -HARM)
    return [*lines, f"| mean | | {means} | {harmed:.0f} |"]


def _cells(row: dict[str, Any]) -> str:
    return f"{100 * row['gain']:+.1f} | {100 * row['harmed']:.0f} | {100 * row['worst']:+.1f}"


def main() -> None:
    """Derive, store and report."""
    found = measure(read())
    write_text(RESULTS, json.dumps(_rounded(found), indent=1) + "\n")
    report = text(found)
    print(report)
    page = ROOT / "docs" / "adapt_results.md"
    if page.exists() and "<!-- skadabench -->" in page.read_text():
        write_between("skadabench", report, "adapt_results.md")


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_rounded(inner) for inner in value]
    return round(value, 4) if isinstance(value, float) else value


if __name__ == "__main__":
    main()
