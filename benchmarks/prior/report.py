"""The tables of docs/ranking.md, section Prior, from what was measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.stats import t as student

from benchmarks.prior.measure import AMOUNTS

Row = dict[str, Any]
KINDS = {"per class": "items per class", "in all": "items in all"}


def text(rows: Sequence[Row], correlations: Mapping[str, Sequence[float]]) -> str:
    """Return everything that is written between the marks.

    Args:
        rows: one per table and data set.
        correlations: of upstream accuracy and accuracy, one per data set, by table.
    """
    names = list(dict.fromkeys(row["table"] for row in rows))
    parts = [_alone(rows, names)]
    for kind, words in KINDS.items():
        parts.append(_ways(rows, names, kind, words))
    parts += [_differences(rows), _upstream([row for row in rows if "tau upstream" in row], correlations)]
    return "\n\n".join(parts)


def _alone(rows: Sequence[Row], names: Sequence[str]) -> str:
    lines = [
        "Without evidence: weighted tau (regret of the first place, in points).",
        "",
        "| table | data sets | mean over the others | prior | short record |",
        "|---|---|---|---|---|",
    ]
    for name in names:
        own = [row for row in rows if row["table"] == name]
        cells = [_cell(own, way) for way in ("mean", "prior", "short")]
        lines.append(f"| {name} | {len(own)} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _ways(rows: Sequence[Row], names: Sequence[str], kind: str, words: str) -> str:
    lines = [
        f"Weighted tau by number of {words}: evidence alone / with the prior / with a short record.",
        "",
        f"| table | {' | '.join(str(amount) for amount in AMOUNTS)} |",
        "|---|" + "---|" * len(AMOUNTS),
    ]
    for name in names:
        own = [row for row in rows if row["table"] == name]
        cells = [
            " / ".join(
                _short(_mean(own, f"tau {way} {amount} {kind}")) for way in ("evidence", "both", "short both")
            )
            for amount in AMOUNTS
        ]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _differences(rows: Sequence[Row]) -> str:
    lines = [
        "All tables together: gain in weighted tau of prior and evidence together.",
        "",
        "| evidence | over the mean over the others | over the prior alone | over the evidence alone | "
        "short record: over the prior alone | over the evidence alone |",
        "|---|---|---|---|---|---|",
    ]
    for kind, words in KINDS.items():
        for amount in AMOUNTS:
            evidence = f"tau evidence {amount} {kind}"
            pairs = [("both", other) for other in ("tau mean", "tau prior", evidence)]
            pairs += [("short both", other) for other in ("tau short", evidence)]
            cells = [_gain(rows, f"tau {both} {amount} {kind}", other) for both, other in pairs]
            lines.append(f"| {amount} {words} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _upstream(rows: Sequence[Row], correlations: Mapping[str, Sequence[float]]) -> str:
    """What upstream accuracy does in place of a record, and how far it can be trusted."""
    told = "; ".join(
        f"{name} {np.mean(values):.2f} ({min(values):.2f} to {max(values):.2f})"
        for name, values in correlations.items()
    )
    cells = [
        f"{amount}: {_short(_mean(rows, f'tau evidence {amount} per class'))} / "
        f"{_short(_mean(rows, f'tau upstream both {amount} per class'))}"
        for amount in AMOUNTS
    ]
    return (
        f"{rows[0]['table']}, no record, the accuracy on ImageNet in its place: {_cell(rows, 'upstream')} alone; "
        f"by items per class, evidence alone / together: {', '.join(cells)}. "
        f"Correlation of upstream accuracy with accuracy, mean and range over data sets: {told}."
    )


def gain(rows: Sequence[Row], one: str, other: str) -> tuple[float, float, float]:
    """Return the mean of a paired difference with its 95% interval.

    A data set that several tables have is one unit: its differences are averaged first.

    Args:
        rows: one per table and data set.
        one, other: names of what is compared.
    """
    of_data: dict[str, list[float]] = {}
    for row in rows:
        of_data.setdefault(row["data"], []).append(row[one] - row[other])
    units = np.array([np.mean(values) for values in of_data.values()])
    reach = student.ppf(0.975, len(units) - 1) * units.std(ddof=1) / np.sqrt(len(units))
    return float(units.mean()), float(units.mean() - reach), float(units.mean() + reach)


def _gain(rows: Sequence[Row], one: str, other: str) -> str:
    value, low, high = gain(rows, one, other)
    return f"{value:+.3f} ({low:+.3f} to {high:+.3f})"


def _cell(rows: Sequence[Row], way: str) -> str:
    return f"{_short(_mean(rows, f'tau {way}'))} ({_mean(rows, f'regret {way}'):.2f})"


def _mean(rows: Sequence[Row], name: str) -> float:
    return float(np.mean([row[name] for row in rows]))


def _short(value: float) -> str:
    return f"{value:.3f}".replace("0.", ".", 1)
