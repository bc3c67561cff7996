"""The table of skada's methods beside `auto`: each method with the selector that is best in hindsight over all pairs.

A method that has no result on a case, because it was too slow or failed, counts as skada's source only there. A
selector that has no value on a case takes the first hyperparameters. Points are means over the seeds that both sides
have; intervals treat the pairs as independent, which they are not quite: pairs share domains.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import t as student

from benchmarks.adaptation.report import HARM, Results, best_sources, pairs_of

SOURCE_ONLY, PER_DOMAIN = "source only", "StandardScaler in each domain"
ORACLE = "target labels"


@dataclass(frozen=True)
class Compared:
    """A method of skada with one selector, over the pairs that both sides have. P pairs.

    Attributes:
        method: its name.
        selector: that chose its hyperparameters.
        score_P: mean over the seeds, of shape (P,).
        oracle_P: the same with the hyperparameters that the target labels choose.
        source_only_P: of skada.
        auto_P: of headstart.
        n_missing: cases without a result.
        n_cases: all cases.
    """

    method: str
    selector: str
    score_P: np.ndarray
    oracle_P: np.ndarray
    source_only_P: np.ndarray
    auto_P: np.ndarray
    n_missing: int
    n_cases: int

    @property
    def interval(self) -> tuple[float, float, float]:
        """Mean of `auto` minus the method over the pairs, and its 95% interval."""
        return interval(self.auto_P - self.score_P)


def interval(difference_P: np.ndarray) -> tuple[float, float, float]:
    """Mean and 95% interval by Student's t; of a single pair the interval has no end.

    Args:
        difference_P: of shape (P,).
    """
    mean, n_pairs = float(difference_P.mean()), len(difference_P)
    if n_pairs < 2:
        return mean, -np.inf, np.inf
    half = float(student.ppf(0.975, n_pairs - 1) * difference_P.std(ddof=1) / np.sqrt(n_pairs))
    return mean, mean - half, mean + half


def chosen_score(found: dict[str, Any], selector: str) -> float | None:
    """The score of the hyperparameters that a selector takes; None: the method has no result.

    Args:
        found: rows of a method on a case.
        selector: its name, or ORACLE.
    """
    rows = found["rows"]
    if not rows:
        return None
    if selector == ORACLE:
        return float(max(row["score"] for row in rows))
    valued = [row for row in rows if row["selectors"].get(selector) is not None]
    best = max(valued, key=lambda row: float(row["selectors"][selector])) if valued else rows[0]
    return float(best["score"])


def compare(method: str, selector: str, peers: Results, auto: Results) -> Compared | None:
    """Return a method with a selector beside `auto`; None: it has no case in common.

    Args:
        method: name of the method.
        selector: name of the selector.
        peers: methods of skada by the key of their case.
        auto: results of headstart by the same keys.
    """
    grouped: dict[str, list[tuple[float, float, float, float]]] = {}
    n_missing = n_cases = 0
    for key in common_keys(peers, auto):
        if method not in peers[key]["methods"] or SOURCE_ONLY not in peers[key]["methods"]:
            continue
        source_only = chosen_score(peers[key]["methods"][SOURCE_ONLY], ORACLE)
        if source_only is None:
            continue
        own = peers[key]["methods"][method]
        found, oracle = chosen_score(own, selector), chosen_score(own, ORACLE)
        n_cases += 1
        n_missing += found is None
        row = (
            source_only if found is None else found,
            source_only if oracle is None else oracle,
            source_only,
            float(auto[key]["score"]),
        )
        grouped.setdefault(key.rsplit(" | ", 1)[0], []).append(row)
    if not grouped:
        return None
    means = np.array([np.mean(rows, axis=0) for rows in grouped.values()])
    return Compared(method, selector, *means.T, n_missing, n_cases)


def best_selector(method: str, peers: Results, auto: Results) -> Compared | None:
    """Return a method with the selector that gives it the highest mean over the pairs.

    Args:
        method: name of the method.
        peers: methods of skada by the key of their case.
        auto: results of headstart by the same keys.
    """
    names = {
        name: None
        for found in peers.values()
        for row in found["methods"].get(method, {"rows": []})["rows"]
        for name in row["selectors"]
    }
    every = [compare(method, name, peers, auto) for name in names or {"none": None}]
    return max((one for one in every if one), key=lambda one: float(one.score_P.mean()), default=None)


def common_keys(peers: Results, auto: Results) -> list[str]:
    """Cases that both sides have, of one source per pair: that with the better source only, as in the other table.

    Args:
        peers: methods of skada by the key of their case.
        auto: results of headstart by the same keys.
    """
    kept = {(pair.set_name, pair.source, pair.domains) for pair in best_sources(pairs_of(auto))}
    return [key for key in auto if key in peers and tuple(key.split(" | ")[:3]) in kept]


def text(peers: Results, auto: Results) -> str:
    """The report as Markdown.

    Args:
        peers: methods of skada by the key of their case.
        auto: results of headstart by the same keys.
    """
    methods = dict.fromkeys(name for found in peers.values() for name in found["methods"])
    every = [one for one in (best_selector(name, peers, auto) for name in methods) if one]
    lines = [
        "| skada's method | its best selector | pairs | mean | by target labels | `auto`, same pairs "
        "| `auto` minus method | harmed | no result |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    fixed = {SOURCE_ONLY, PER_DOMAIN}
    for one in sorted(every, key=lambda one: -float((one.score_P - one.auto_P).mean())):
        mean, low, high = one.interval
        harmed = int((one.score_P - one.source_only_P < HARM).sum())
        lines.append(
            f"| {one.method} | {'' if one.method in fixed else one.selector} | {len(one.score_P)} "
            f"| {100 * one.score_P.mean():.1f} | {100 * one.oracle_P.mean():.1f} | {100 * one.auto_P.mean():.1f} "
            f"| {100 * mean:+.1f} ({100 * low:+.1f} to {100 * high:+.1f}) | {harmed} "
            f"| {one.n_missing} of {one.n_cases} |"
        )
    return "\n".join([_cases(peers, auto), "", *lines])


def _cases(peers: Results, auto: Results) -> str:
    """What was measured, in a sentence."""
    counts: dict[str, set[str]] = {}
    for key in common_keys(peers, auto):
        set_name, _, domains, _ = key.split(" | ")
        counts.setdefault(set_name, set()).add(domains)
    seeds = sorted({key.rsplit(" | ", 1)[1] for key in common_keys(peers, auto)})
    pairs = ", ".join(f"{name} {len(pairs)}" for name, pairs in counts.items())
    plain: dict[str, list[float]] = {}
    for key in common_keys(peers, auto):
        plain.setdefault(key.rsplit(" | ", 1)[0], []).append(plain_score(auto[key]))
    mean = 100 * np.mean([np.mean(scores) for scores in plain.values()])
    return (
        f"Pairs measured: {pairs}; seeds {', '.join(seeds)}. Without the features of batch-norm statistics, with the "
        f"candidate of `auto` that reads the same features as skada, headstart has {mean:.1f} on these pairs."
    )


def plain_score(found: dict[str, Any]) -> float:
    """Score of `auto` on a case, or of its first candidate without batch-norm statistics if it took one with them.

    Args:
        found: what headstart has of the case.
    """
    if not found["auto"].startswith("bn"):
        return float(found["score"])
    names = [name for name in found["methods"] if not name.startswith("bn") and name != SOURCE_ONLY]
    return float(found["methods"][names[0]]["score"] if names else found["source_only"])


def missing(keys: Sequence[str], methods: Sequence[str], peers: Results) -> list[tuple[str, list[str]]]:
    """Cases with the methods that have not been measured on them.

    Args:
        keys: of the cases.
        methods: their names.
        peers: what has been measured.
    """
    found = []
    for key in keys:
        left = [name for name in methods if name not in peers.get(key, {"methods": {}})["methods"]]
        if left:
            found.append((key, left))
    return found
