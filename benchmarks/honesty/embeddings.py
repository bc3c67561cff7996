"""The equal error rate of the embedding that was chosen among several, by the scored items or in folds."""

from __future__ import annotations

from typing import Any

import numpy as np

from headstart.evidence import Division, choose_embedding
from headstart.heads.verification import all_trials, cosine_scores, eer

N_FOLDS, N_LARGE = 5, 3_000
STRENGTH = {"none separates speakers": 0.0, "all do alike": 2.5}


def cells() -> list[dict[str, Any]]:
    """Return the cells."""
    return [
        {"embeddings": embeddings, "n_items": n_items, "n_speakers": n_speakers, "n_stages": n_stages}
        for embeddings in STRENGTH
        for n_items, n_speakers in ((40, 4), (100, 10))
        for n_stages in (5, 13)
    ]


def simulate(cell: dict[str, Any], n: int) -> dict[str, Any]:
    """Return the mean error rate of n simulations, chosen by the scored items and in folds, and the true one."""
    n = max(1, n // 10)  # a mean needs fewer than a share, and each takes a tenth of a second
    rng, n_items = np.random.default_rng(1), cell["n_items"]
    speakers = np.array([f"s{i % cell['n_speakers']}" for i in range(n_items)], dtype=object)
    folds = np.arange(n_items) // cell["n_speakers"] % N_FOLDS
    places = np.arange(n_items)
    there, apart = [], []
    for _ in range(n):
        stages = {f"stage {k}": _vectors(rng, cell, speakers) for k in range(cell["n_stages"])}
        whole = [Division(stages, places, places)]
        parts = [Division(stages, places[folds != fold], places[folds == fold]) for fold in range(N_FOLDS)]
        there.append(_rate(whole, speakers))
        apart.append(_rate(parts, speakers))
    return {
        "truth": _truth(cell),
        "there": float(np.mean(there)),
        "apart": float(np.mean(apart)),
        "error": float(np.std(apart) / n**0.5),
    }


def _vectors(rng: np.random.Generator, cell: dict[str, Any], speakers: np.ndarray) -> np.ndarray:
    """Return vectors in which all speakers are equally far apart, so that no embedding is truly better."""
    _, number = np.unique(speakers.astype(str), return_inverse=True)
    own = STRENGTH[cell["embeddings"]] * np.eye(cell["n_speakers"])
    return np.asarray(own[number] + rng.normal(size=(len(number), len(own))))


def _rate(divisions: list[Division], speakers: np.ndarray) -> float:
    found = choose_embedding(divisions, speakers)
    trials = all_trials(speakers[found.positions])
    return eer(cosine_scores(found.vectors, trials, np.zeros(found.vectors.shape[1])), trials.is_target)


def _truth(cell: dict[str, Any]) -> float:
    """Return the mean error rate of an embedding that was not chosen, over many draws."""
    rng = np.random.default_rng(0)
    speakers = np.array([f"s{i % cell['n_speakers']}" for i in range(cell["n_items"])], dtype=object)
    trials = all_trials(speakers)
    rates = [
        eer(cosine_scores(_vectors(rng, cell, speakers), trials), trials.is_target)
        for _ in range(N_LARGE // cell["n_speakers"])
    ]
    return float(np.mean(rates))


def table(rows: list[dict[str, Any]]) -> str:
    """Return the mean error rates."""
    lines = [
        "| embeddings | recordings, speakers | stages | true EER, % | chosen by the scored items | chosen in folds |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        numbers = " | ".join(f"{100 * row[key]:.1f}" for key in ("truth", "there", "apart"))
        where = f"{row['n_items']}, {row['n_speakers']} | {row['n_stages']}"
        lines.append(f"| {row['embeddings']} | {where} | {numbers} ± {100 * row['error']:.1f} |")
    return "\n".join(lines)
