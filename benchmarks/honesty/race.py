"""How often is a training returned that is not better than the head alone, and one that is?

Outputs on the validation items are simulated, then compared by the race's own rule (`ValidationItems`): the margin of
item i under model k is the sum of what all models see in the item, what all trainings see, what one training sees and
what one epoch sees, so that models are right and wrong about the same items, and epochs of a training nearly the same.
With groups, three tenths of each part are common to a group. The head alone is right about 85%. A race has seven
candidates of five epochs each; a policy that was asked for has one. "Independent" looks share only what all models see.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from headstart.tune.race.comparison import ASKED, RACE, ValidationItems

RIGHT = 0.85
N_EPOCHS, N_CANDIDATES = 5, 7
SHARED, TRAININGS, CANDIDATE, EPOCH = (
    0.6,
    0.14,
    0.16,
    0.10,
)  # of the variance; the head alone has the rest of its own
IN_GROUPS = 0.3
NOT_BETTER = ((20, 0), (40, 0), (150, 0), (1000, 0), (60, 4), (60, 5), (100, 10), (200, 20))  # items, groups
INDEPENDENT = ((40, 0), (150, 0), (60, 5), (200, 20))
GAINS = (-0.022, 0.0, 0.02, 0.05)

Cell = dict[str, Any]


def cells() -> list[Cell]:
    """What is simulated: races in which nothing is better, and both uses of the rule under gains that are known."""
    nothing = [
        {"use": "race", "n": n, "groups": groups, "gain": 0.0, "looks": looks}
        for looks, sizes in (("alike", NOT_BETTER), ("independent", INDEPENDENT))
        for n, groups in sizes
    ]
    known = [
        {"use": use, "n": n, "groups": 0, "gain": gain, "looks": "alike"}
        for use in ("race", "asked")
        for n in (37, 150, 1000)
        for gain in GAINS
    ]
    return [*nothing, *known]


def simulate(cell: Cell, n: int) -> dict[str, Any]:
    """Share of n simulations in which a training is returned, and the mean gain that these report, in points."""
    rng = np.random.default_rng([cell["n"], cell["groups"], round(1000 * cell["gain"]) + 100])
    found = [_returned(cell, rng) for _ in range(n)]
    gains = [gain for gain in found if gain is not None]
    return {"returned": len(gains) / n, "reported": float(np.mean(gains)) if gains else None}


def table(rows: list[Cell]) -> str:
    """Two tables: nothing is better; a known gain."""
    lines = ["| nothing is better | looks alike | independent looks |", "|---|---|---|"]
    for n, groups in NOT_BETTER:
        both = [
            _of(rows, use="race", n=n, groups=groups, gain=0.0, looks=looks)["returned"]
            for looks, sizes in (("alike", NOT_BETTER), ("independent", INDEPENDENT))
            if (n, groups) in sizes
        ]
        name = f"{n:,} items" + (f" in {groups} groups" if groups else "")
        lines.append(f"| {name} | {' | '.join([*map(_percent, both), ''][:2])} |")
    lines += ["", "| returned, and the gain it reports | 37 items | 150 | 1,000 |", "|---|---|---|---|"]
    for use, words in (("race", "race"), ("asked", "one policy")):
        for gain in GAINS:
            found = [_of(rows, use=use, n=n, groups=0, gain=gain, looks="alike") for n in (37, 150, 1000)]
            cells_ = [f"{_percent(r['returned'])} ({_points(r['reported'])})" for r in found]
            lines.append(f"| {words}, truly {_points(gain)} points | {' | '.join(cells_)} |")
    return "\n".join(lines)


def _returned(cell: Cell, rng: np.random.Generator) -> float | None:
    """The gain of the training that is returned; None if the head alone is kept."""
    n = cell["n"]
    groups = np.arange(n) % cell["groups"] if cell["groups"] else None
    n_candidates = N_CANDIDATES if cell["use"] == "race" else 1
    labels = rng.integers(2, size=n)
    logits = [_logits(margins, labels) for margins in _margins(cell, groups, n_candidates, rng)]
    items = ValidationItems(logits[0], labels, groups, level=RACE if cell["use"] == "race" else ASKED)
    looks = [items.look(each) for each in logits[1:]]
    bound, losses = items.bound(looks), np.array([look[1].mean() for look in looks])
    best_epochs = losses.reshape(n_candidates, N_EPOCHS).argmin(axis=1) + N_EPOCHS * np.arange(n_candidates)
    for look in best_epochs[np.argsort(losses[best_epochs])]:
        found = items.compare(logits[1 + look], bound)
        if found.better:
            return found.quality
    return None


def _margins(
    cell: Cell, groups: np.ndarray | None, n_candidates: int, rng: np.random.Generator
) -> np.ndarray:
    """Of the head alone and of each epoch of each candidate, of shape (1 + L, n); above zero is right."""
    from scipy.stats import norm

    n_looks = n_candidates * N_EPOCHS

    def noise(size: int) -> np.ndarray:
        own = rng.standard_normal((size, cell["n"]))
        if groups is None:
            return own
        common = rng.standard_normal((size, cell["groups"]))[:, groups]
        return np.sqrt(1 - IN_GROUPS) * own + np.sqrt(IN_GROUPS) * common

    shared = np.sqrt(SHARED) * noise(1)
    alone = shared + np.sqrt(1 - SHARED) * noise(1)
    if cell["looks"] == "independent":
        trained = shared + np.sqrt(1 - SHARED) * noise(n_looks)
    else:
        of_candidate = np.repeat(np.sqrt(CANDIDATE) * noise(n_candidates), N_EPOCHS, axis=0)
        trained = shared + np.sqrt(TRAININGS) * noise(1) + of_candidate + np.sqrt(EPOCH) * noise(n_looks)
    return np.concatenate([alone + norm.ppf(RIGHT), trained + norm.ppf(RIGHT + cell["gain"])])


def _logits(margins: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Scores of two classes with these margins for the right one."""
    signs = np.where(np.eye(2)[labels] > 0, 1.0, -1.0)
    return np.asarray(signs * margins[:, None])


def _of(rows: list[Cell], **wanted: Any) -> Cell:
    return next(row for row in rows if all(row[name] == value for name, value in wanted.items()))


def _percent(share: float) -> str:
    return f"{100 * share:.1f}%"


def _points(gain: float | None) -> str:
    return "none" if gain is None else f"{100 * gain:+.1f}"
