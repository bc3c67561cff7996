"""The prior on real sets: the truth and the cross-validated accuracies that `python -m benchmarks.ranking` measured.

The prior of a set comes from the sets of other families. The evidence is real: the accuracy of the cross-validated
probe on 10 or 50 items per class, with the error of so many independent items.

Legend: T other sets, S versions of sources.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.prior.measure import mean_of_others, quality
from benchmarks.prior.report import gain
from benchmarks.ranking import table
from headstart.choose import source_prior, with_evidence

CLASSES = {
    "hymenoptera": 2, "chest_xray": 2, "pacs photo": 7, "pacs art_painting": 7, "pacs cartoon": 7, "pacs sketch": 7,
    "sst2": 2, "trec": 6, "gnad10k": 9, "amcd en": 2, "amcd de": 2, "emodb emotion": 7, "emodb speaker": 10,
    "fsdd digit": 10, "fsdd speaker": 6,
}  # fmt: skip
AMOUNTS = ("10", "50")
WAYS = {
    "mean": "mean over the others",
    "prior": "prior",
    "evidence": "evidence",
    "both": "prior and evidence",
}
Row = dict[str, Any]


def text() -> str:
    """Return the table for docs/ranking.md, of the sets that were measured so far."""
    lines = [
        "Real sets and real evidence: weighted tau (regret of the first place, in points), the mean over sets; gains "
        "have 95% intervals over families.",
        "",
        f"| items per class | sets | {' | '.join(WAYS.values())} | gain over the prior | over the evidence |",
        "|---|---|" + "---|" * (len(WAYS) + 2),
    ]
    for amount in AMOUNTS:
        rows = measure(table.load(), amount)
        cells = [
            f"{np.mean([row[f'tau {way}'] for row in rows]):.3f} "
            f"({np.mean([row[f'regret {way}'] for row in rows]):.2f})"
            for way in WAYS
        ]
        for other in ("tau prior", "tau evidence"):
            value, low, high = gain(rows, "tau both", other)
            cells.append(f"{value:+.3f} ({low:+.3f} to {high:+.3f})")
        lines.append(f"| {amount} | {len(rows)} | {' | '.join(cells)} |")
    return "\n".join(lines)


def measure(measured: list[Row], amount: str) -> list[Row]:
    """Return one row per set that has so many items per class; sets of a family are one unit of an interval.

    Args:
        measured: rows of results/ranking.json.
        amount: of items per class.
    """
    kinds = {row["set"]: (row["modality"], row["family"]) for row in measured}
    scores = {name: {_key(row): row for row in measured if row["set"] == name} for name in kinds}
    rows = []
    for name, (modality, family) in kinds.items():
        own = list(scores[name].values())
        if name not in CLASSES or any(amount not in row["scores"] for row in own):
            continue
        others = [each for each, kind in kinds.items() if kind[0] == modality and kind[1] != family]
        others_TS = np.array(
            [[scores[each].get(_key(row), {}).get("truth", np.nan) for row in own] for each in others]
        )
        rows.append(
            {"set": name, "data": family, **_ways(own, others_TS, amount, int(amount) * CLASSES[name])}
        )
    return rows


def _ways(own: list[Row], others_TS: np.ndarray, amount: str, n_items: int) -> Row:
    truth_S, prior = np.array([row["truth"] for row in own]), source_prior(others_TS)
    draws = []
    for measured_S in np.array([row["scores"][amount]["probe"] for row in own]).T:
        error_SS = np.diag(measured_S * (1 - measured_S) / n_items)
        both = with_evidence(prior, measured_S, error_SS, n_items).log_odds
        draws.append({**quality(truth_S, measured_S, "evidence"), **quality(truth_S, both, "both")})
    means = {key: float(np.mean([draw[key] for draw in draws])) for key in draws[0]}
    return {
        **quality(truth_S, mean_of_others(others_TS), "mean"),
        **quality(truth_S, prior.mean, "prior"),
        **means,
    }


def _key(row: Row) -> tuple[Any, ...]:
    return row["source"], row["random"], row["depth"]
