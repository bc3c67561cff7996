"""The choice of a stage where the truth is known: false preferences, power, and how wrong the score of the choice is.

False preferences: features and labels without any relation, through the whole of `choose_head`. The rest: whether an
item is right under each of S stages, and under all together, is drawn from correlated normal scores with a threshold
for the true accuracy; units have a share of the variance. "Before" is the rule that headstart had: the best by more
than two standard errors.

Legend: N items, S stages, H heads.
"""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import numpy as np
from scipy.stats import norm

from headstart.choose import ArrayFeatures, choose_head
from headstart.choose.preference import Preference, preferred
from headstart.evidence import cross_validation_factor
from headstart.metrics.spread import standard_error

RIGHT = 0.8  # accuracy of every stage on new items
OF_UNITS = 0.3  # share of the variance that items of a unit have in common
GAINS = (0.03, 0.05, 0.1)
WORSE = 0.15  # by how much the last stage is worse than all others where the error of the score is measured
N_SINGLE = 2  # as choose_head tries them
WIDEN = cross_validation_factor(5)


def cells() -> list[dict[str, Any]]:
    """Return the cells on noise, through `choose_head`; then those with a known accuracy of every stage."""
    sizes = [(n, 0) for n in (20, 60, 150, 1000)] + [(60, 5), (150, 5), (150, 10), (150, 20)]
    noise = [
        {"n_items": n, "n_units": units, "n_stages": stages, "n_features": 8, "alike": 0.0}
        for n, units in sizes
        for stages in (2, 5, 13)
    ]
    more = [(60, 0, 8, 0.7), (150, 10, 8, 0.7), (60, 0, 100, 0.0), (150, 10, 100, 0.0)]
    noise += [
        {"n_items": n, "n_units": units, "n_stages": 13, "n_features": width, "alike": alike}
        for n, units, width, alike in more
    ]
    known = [{"n_items": n, "n_units": units, "n_stages": 13, "alike": 0.7} for n, units in sizes if n > 20]
    return [*noise, *known]


def simulate(cell: dict[str, Any], n: int) -> dict[str, Any]:
    """Return the shares of false preferences; or of true ones, and errors of the score."""
    rng = np.random.default_rng(3)
    if "n_features" in cell:
        pairs = [_noise(cell, rng) for _ in range(n)]
        old, new = np.mean(pairs, axis=0)
        return {"before": float(old), "after": float(new)}
    equal = np.full(cell["n_stages"] + 1, RIGHT)
    found: dict[str, Any] = {}
    for gain in GAINS:
        better = equal.copy()
        better[cell["n_stages"] // 2] += gain
        found[f"power {gain}"] = _shares(cell, better, n, rng)
    worse = equal.copy()
    worse[0] -= WORSE
    found["score, equal"] = _errors(cell, equal, n, rng)
    found["score, last worse"] = _errors(cell, worse, n, rng)
    return found


def _draw(
    cell: dict[str, Any], right: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray | None]:
    """Whether each item is right under the last stage, all together and each other stage, of shape (N, S + 1)."""
    n_items, n_units, alike = cell["n_items"], cell["n_units"], cell["alike"]

    def scores(n_rows: int) -> np.ndarray:
        shared = np.sqrt(alike) * rng.normal(size=(n_rows, 1))
        return np.asarray(shared + np.sqrt(1 - alike) * rng.normal(size=(n_rows, len(right))))

    z, units = scores(n_items), None
    if n_units:
        units = np.arange(n_items) % n_units
        z = np.sqrt(1 - OF_UNITS) * z + np.sqrt(OF_UNITS) * scores(n_units)[units]
    return (z < norm.ppf(right)).astype(float), units


def _choose(quality: np.ndarray, units: np.ndarray | None) -> tuple[list[int], Preference]:
    """Return the columns of the heads that are tried, and the choice among them."""
    single = 2 + np.argsort(-quality[:, 2:].mean(axis=0), kind="stable")[:N_SINGLE]
    tried = [0, 1, *single.tolist()]
    untried = ~np.isin(np.arange(2, quality.shape[1]), single)
    return tried, preferred(
        quality[:, tried], quality[:, 2:] - quality[:, :1], untried, units, step=1.0, widen=WIDEN
    )


def _by_two_errors(quality_NH: np.ndarray, units: np.ndarray | None) -> int:
    """Return the head that the rule before took."""
    best = int(quality_NH.mean(axis=0).argmax())
    gain = quality_NH[:, best] - quality_NH[:, 0]
    return best if gain.mean() > 2 * standard_error(gain, units) else 0


def _shares(cell: dict[str, Any], right: np.ndarray, n: int, rng: np.random.Generator) -> tuple[float, float]:
    """Return how often another head than that of the last stage is taken, before and now; the better one, if one is."""
    found = np.zeros(2)
    wanted = np.flatnonzero(right > RIGHT)
    for _ in range(n):
        quality, units = _draw(cell, right, rng)
        tried, choice = _choose(quality, units)
        taken = [tried[_by_two_errors(quality[:, tried], units)], tried[choice.index]]
        found += np.isin(taken, wanted) if len(wanted) else np.array(taken) > 0
    return float(found[0] / n), float(found[1] / n)


def _errors(cell: dict[str, Any], right: np.ndarray, n: int, rng: np.random.Generator) -> tuple[float, float]:
    """Return the mean error of the score as it was selected, and of what is expected."""
    found = np.zeros(2)
    for _ in range(n):
        quality, units = _draw(cell, right, rng)
        tried, choice = _choose(quality, units)
        column = tried[choice.index]
        found += np.array([quality[:, column].mean(), choice.expected]) - right[column]
    return float(found[0] / n), float(found[1] / n)


def _noise(cell: dict[str, Any], rng: np.random.Generator) -> tuple[bool, bool]:
    """Whether a head on other stages was taken on noise, before and now, by ridge heads: they are the quicker kind."""
    n_items, n_units, alike = cell["n_items"], cell["n_units"], cell["alike"]
    shape = (n_items, cell["n_features"])
    labels = rng.permutation(np.arange(n_items) % 2)
    units = np.arange(n_items) % n_units if n_units else None
    shared = np.sqrt(alike) * rng.normal(size=shape)
    arrays = tuple(
        (shared + np.sqrt(1 - alike) * rng.normal(size=shape)).astype(np.float32)
        for _ in range(cell["n_stages"])
    )
    stages = tuple(f"stage{index}" for index in range(len(arrays)))
    with patch("headstart.choose.kinds.logistic.MAX_OPERATIONS", 0):
        choice = choose_head(
            ArrayFeatures(stages, arrays), labels.astype(str).astype(object), units, n_threads=1
        )
    right = [head.logits.argmax(axis=1) == labels for head in choice.tried_heads]
    old = _by_two_errors(np.stack(right, axis=1).astype(float), units)
    return old != 0, choice.chosen is not choice.tried_heads[0]


def table(rows: list[dict[str, Any]]) -> str:
    """Return false preferences, then power and errors of the score."""
    lines = [
        "| items, units | stages | features | alike | two errors | headstart |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        if "n_features" in row:
            sizes = f"| {_items(row)} | {row['n_stages']} | {row['n_features']} | {row['alike']:.1f} "
            lines.append(f"{sizes}| {100 * row['before']:.1f} | {100 * row['after']:.1f} |")
    gains = " | ".join(f"+{100 * gain:.0f}: two errors | headstart" for gain in GAINS)
    worse = f"last {100 * WORSE:.0f} points worse"
    lines += [
        "",
        f"| items, units | {gains} | score, all alike: selected | expected | {worse}: selected | expected |",
        "|---|" + "---|" * (2 * len(GAINS) + 4),
    ]
    for row in rows:
        if "n_features" not in row:
            shares = [f"{100 * share:.1f}" for gain in GAINS for share in row[f"power {gain}"]]
            errors = [f"{100 * error:+.1f}" for error in (*row["score, equal"], *row["score, last worse"])]
            lines.append(f"| {_items(row)} | {' | '.join(shares)} | {' | '.join(errors)} |")
    return "\n".join(lines)


def _items(row: dict[str, Any]) -> str:
    return f"{row['n_items']}" + (f", {row['n_units']} units" if row["n_units"] else "")
