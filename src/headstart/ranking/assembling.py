"""From what every source gives to the ranking: places, predicted results, baselines, advice.

Legend: N items, S sources and baselines.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from headstart.choose.places import Places
from headstart.evidence import cross_validation_factor
from headstart.metrics import Interval
from headstart.ranking.advice import advised
from headstart.ranking.earlier import judged
from headstart.ranking.items import Items
from headstart.ranking.measuring import Measured
from headstart.ranking.predicted import HeldOut, usual
from headstart.ranking.scoring import combined_scores, order_of
from headstart.runs.ranking import DepthPoint, Ranked, RankingFacts, Role

CLASSICAL = "classical features"
_BYTES_PER_PARAMETER = 4  # float32, as a run keeps them


@dataclass(frozen=True, eq=False)
class Row:
    """What is compared: a source or a baseline.

    Attributes:
        name: how it is named in the table.
        role: what it is.
        quality: cross-validated, of each item, of shape (N,).
        optimism: how much too high its mean is, since its head was chosen by it.
        measured: of a source; None for classical features.
    """

    name: str
    role: Role
    quality: np.ndarray
    optimism: float = 0.0
    measured: Measured | None = None

    @classmethod
    def of(cls, measured: Measured, role: Role = "source") -> Row:
        """The row of a network."""
        choice = measured.choice
        optimism = float(measured.quality.mean()) - choice.expected
        return cls(measured.candidate.entry.name, role, measured.quality, optimism, measured)


def assemble(
    rows: Sequence[Row], items: Items, failed: Mapping[str, str], warnings: Sequence[str]
) -> RankingFacts:
    """Compare sources and baselines.

    Args:
        rows: of S sources and baselines.
        items: that they were compared on.
        failed: name of each source that could not be ranked, and why.
        warnings: what a reader must know.
    """
    reference = next(row.measured for row in rows if row.measured is not None)
    choice, task = reference.choice, items.data.examples.task
    found = items.place(np.stack([row.quality for row in rows], axis=1), choice)
    n_items, held_out = len(choice.positions), items.data.positions("test")
    parts = HeldOut.of(
        items.units_of(choice),
        n_items,
        widen=cross_validation_factor(choice.n_folds),
        held_out_units=None if items.data.units is None else items.data.units[held_out],
        n_held_out=len(held_out),
    )
    variances = [parts.variances(items.spread(row.quality, choice), task) for row in rows]
    at_least = usual([each for each, row in zip(variances, rows) if row.role == "source"])
    predicted = [
        parts.result(
            float(np.clip(expected - row.optimism, task.least_quality, 1.0)), own.at_least(at_least), task
        )
        for expected, own, row in zip(found.expected, variances, rows)
    ]
    order, note = _order(rows, found, items)
    first = next(index for index in order if rows[index].role == "source")
    ranked = [_ranked(rows, index, first, found, predicted[index]) for index in order]
    return advised(
        RankingFacts(
            metric=task.quality,
            ranked=ranked,
            failed=dict(failed),
            advice="",
            n_items=n_items,
            n_held_out=len(held_out),
            warnings=tuple(warnings),
            notes=(note,) if note else (),
        )
    )


def _order(rows: Sequence[Row], found: Places, items: Items) -> tuple[list[int], str]:
    """Sources by `order_of`, each baseline after the last source that is ahead of it; and a note on earlier runs."""
    sources = [int(index) for index in found.order if rows[index].role == "source"]
    measured = [row.measured for row in (rows[index] for index in sources) if row.measured is not None]
    earlier = judged(measured, items)
    key_S = (
        combined_scores([each.found.scores for each in measured], grouped=items.units is not None)
        if earlier is None
        else earlier.log_odds
    )
    order = [sources[number] for number in order_of(key_S, found.better[np.ix_(sources, sources)])]
    for baseline in (int(index) for index in found.order if rows[index].role != "source"):
        ahead = [number for number, index in enumerate(order) if found.difference[index, baseline] >= 0]
        order.insert(max(ahead, default=-1) + 1, baseline)
    return order, "" if earlier is None else earlier.note


def _ranked(rows: Sequence[Row], index: int, first: int, found: Places, predicted: Interval) -> Ranked:
    row = rows[index]
    baselines = [
        number for number, other in enumerate(rows) if row.role == "source" and other.role != "source"
    ]
    below = [number for number in baselines if found.difference[index, number] <= 0]
    margin = float(found.margin[index, first])
    difference = float(found.difference[index, first])
    ends = (None, None) if np.isnan(margin) else (difference - margin, difference + margin)
    plain = Ranked(
        name=row.name,
        role=row.role,
        predicted=predicted,
        places=(int(found.first[index]), int(found.last[index])),
        difference=Interval(difference, *ends),
        not_better_than={rows[number].name: bool(found.better[number, index]) for number in below},
        unclear=tuple(
            rows[number].name
            for number in baselines
            if number not in below and not found.better[index, number]
        ),
    )
    return plain if row.measured is None else _with_network(plain, row.measured)


def _with_network(plain: Ranked, measured: Measured) -> Ranked:
    """With what only a network has: stages, cost, pretraining."""
    origin, choice = measured.candidate.source.provenance, measured.choice
    return replace(
        plain,
        stages=choice.stages,
        profile=tuple(DepthPoint(row.stage, row.score, row.low, row.high) for row in choice.profile),
        advised_cut=choice.advised_cut if plain.role == "source" else None,
        milliseconds=measured.found.milliseconds,
        megabytes=origin.n_parameters * _BYTES_PER_PARAMETER / 1e6,
        upstream=origin.upstream if plain.role == "source" else None,
        uri=measured.candidate.entry.uri,
        arch=measured.candidate.entry.arch,
        scores=measured.found.scores,
        same_as=measured.candidate.same_as,
    )
