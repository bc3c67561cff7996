"""The tables of docs/ranking.md, from what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.ranking.evaluate import (
    BUDGETS,
    Pool,
    Quality,
    left_out,
    mean,
    of_combination,
    of_score,
    pools,
)
from headstart.choose.scores import SCORES
from headstart.choose.scores.combined import DEFAULT
from headstart.choose.scores.probe import PROBE, PROBE_LOSS

Row = dict[str, Any]
Judged = Sequence[tuple[Pool, Quality]]
FEATURES_ONLY = tuple(name for name, score in SCORES.items() if not score.needs_probabilities)
LABELS = {name: score.label for name, score in SCORES.items()} | {"parameters": "number of parameters"}


def text(rows: list[Row]) -> str:
    """Return everything that is written between the marks."""
    sets = {row["set"]: row["family"] for row in rows}
    told = (
        f"{len(rows)} versions of sources on {len(sets)} sets of {len(set(sets.values()))} families. "
        "Each number is a mean over families; ms is the median on all items."
    )
    return "\n\n".join([told, _every_version(rows), _whole_networks(rows), _by_set(rows)])


def _every_version(rows: list[Row]) -> str:
    found = pools(rows)
    lines = [
        _line(LABELS[name], of_score(found, name), _milliseconds(rows, name))
        for name in (*FEATURES_ONLY, "parameters")
    ]
    judged, chosen = left_out(found, FEATURES_ONLY)
    lines.append(_line("mean rank, chosen without the family", judged))
    lines.append(_line(f"mean rank of {_named(DEFAULT)} (the default)", of_combination(found, DEFAULT)))
    best = max(FEATURES_ONLY, key=lambda name: mean(of_score(found, name)).tau)
    unseen, single = mean(judged), mean(of_score(found, best))
    counts: dict[tuple[str, ...], int] = {}
    for names in chosen.values():
        counts[names] = counts.get(names, 0) + 1
    picked = "; ".join(
        f"{_named(names)} ({n})" for names, n in sorted(counts.items(), key=lambda item: -item[1])
    )
    return "\n".join(
        [
            "All versions: every network cut at several depths, and with random weights.",
            "",
            *_head(),
            *lines,
            "",
            f"On families that the choice has not seen, the mean rank has a tau of {unseen.tau:.3f} and a regret of "
            f"{unseen.regret:.2f} points; the best single score, {LABELS[best]}, has {single.tau:.3f} and "
            f"{single.regret:.2f}.",
            "",
            f"Chosen, with the number of families left out: {picked}.",
        ]
    )


def _whole_networks(rows: list[Row]) -> str:
    """The pretrained image networks as they are; LEEP and NCE need an upstream classifier, which two of them lack."""
    whole = [row for row in rows if row["modality"] == "image" and not row["random"] and row["depth"] == 1]
    with_classifier = [row for row in whole if "leep" in row["scores"]["all"]]
    return "\n\n".join(
        [
            _table(f"The {_count(whole)} pretrained image networks alone.", whole),
            _table(f"The {_count(with_classifier)} that have an upstream classifier.", with_classifier),
        ]
    )


def _table(title: str, rows: list[Row]) -> str:
    found = pools(rows)
    names = [name for name in (*SCORES, "parameters") if all(name in pool.scores for pool in found)]
    lines = [_line(LABELS[name], of_score(found, name), _milliseconds(rows, name)) for name in names]
    lines.append(_line("the default", of_combination(found, DEFAULT)))
    return "\n".join([title, "", *_head(), *lines])


def _count(rows: list[Row]) -> int:
    return len({row["source"] for row in rows})


def _by_set(rows: list[Row]) -> str:
    found = pools(rows)
    lines = [
        "| set | versions | accuracy, best and worst | default: tau, regret | best single score |",
        "|---|---|---|---|---|",
    ]
    for name in dict.fromkeys(pool.name for pool in found):
        own = [pool for pool in found if pool.name == name]
        truth = own[0].truth
        default = mean(of_combination(own, DEFAULT))
        best = max(FEATURES_ONLY, key=lambda score: mean(of_score(own, score)).tau)
        single = mean(of_score(own, best))
        lines.append(
            f"| {name} | {len(truth)} | {truth.max():.3f}, {truth.min():.3f} | {default.tau:.2f}, {default.regret:.1f} "
            f"| {LABELS[best]}: {single.tau:.2f}, {single.regret:.1f} |"
        )
    return "\n".join(["By set, mean over the budgets:", "", *lines])


def _head() -> list[str]:
    budgets = [f"{name} per class" if name != "all" else "all items" for name in BUDGETS]
    names = [*(f"tau, {name}" for name in budgets), "tau", *(f"regret, {name}" for name in budgets), "regret"]
    return [f"| score | {' | '.join(names)} | ms |", "|---|" + "---|" * (len(names) + 1)]


def _line(label: str, judged: Judged, milliseconds: str = "") -> str:
    parts = [mean([each for each in judged if each[0].budget == budget]) for budget in BUDGETS]
    every = mean(judged)
    taus = " | ".join(f"{part.tau:.3f}" for part in (*parts, every))
    regrets = " | ".join(f"{part.regret:.2f}" for part in (*parts, every))
    return f"| {label} | {taus} | {regrets} | {milliseconds} |"


def _milliseconds(rows: list[Row], name: str) -> str:
    """The median on all items; both numbers of the probe come from one cross-validation."""
    name = PROBE.name if name == PROBE_LOSS.name else name
    seconds = [row["seconds"][name] for row in rows if name in row["seconds"]]
    return f"{1000 * float(np.median(seconds)):.1f}" if seconds else ""


def _named(names: Sequence[str]) -> str:
    return " + ".join(LABELS[name] for name in names)
