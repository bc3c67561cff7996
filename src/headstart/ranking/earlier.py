"""What finished runs on other data sets say about the sources of a ranking, together with what they give here.

Legend: N items, S sources.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from headstart import past_runs
from headstart.choose.prior import source_prior, with_evidence
from headstart.evidence import cross_validation_factor
from headstart.metrics import Units
from headstart.ranking.items import Items
from headstart.ranking.measuring import Measured
from headstart.runs.facts import data_digest
from headstart.units import counted

_ADDED = 4  # items, as in the interval of Agresti and Coull (1998)


@dataclass(frozen=True, eq=False)
class Earlier:
    """Sources judged by earlier runs and by the items at hand.

    Attributes:
        log_odds: of the score of each source, of shape (S,).
        note: how many runs count, for a reader.
    """

    log_odds: np.ndarray
    note: str


def judged(sources: Sequence[Measured], items: Items) -> Earlier | None:
    """Combine what is known of the sources with their cross-validated scores; None if no earlier run is of any use.

    Args:
        sources: S sources.
        items: that they were compared on.
    """
    task, recorded = items.data.examples.task, past_runs.read()
    # R² may be below 0, where log odds say nothing; of labels the record holds another metric
    if not recorded or not task.one_per_item:
        return None
    runs = past_runs.comparable(
        recorded,
        modality=items.data.examples.modality,
        task=task.name,
        metric=task.headline,
        without=data_digest(items.data.scan.digests, np.asarray(items.data.labels)),
    )
    digests = [each.candidate.source.digest for each in sources]
    table = past_runs.score_table(runs, digests)
    known = np.isfinite(table.scores)
    useful = known[known.sum(axis=1) >= 2, : len(sources)]  # a data set with one source compares none
    if not useful.any():
        return None
    choice = sources[0].choice
    quality_NS = np.stack([each.quality for each in sources], axis=1)
    influences = (quality_NS - quality_NS.mean(axis=0)) / len(quality_NS)
    units = Units.of(
        items.units_of(choice), len(choice.positions), widen=cross_validation_factor(choice.n_folds)
    )
    prior = source_prior(table.scores, n_items_TS=table.n_items).first(len(sources))
    covariance_SS = units.covariance(influences)
    # few items say little about how alike the errors are: four items on which they are not are added
    apart_SS = 1 - np.eye(len(sources))
    covariance_SS *= 1 - apart_SS * _ADDED / (units.n_units + _ADDED)
    posterior = with_evidence(prior, quality_NS.mean(axis=0), covariance_SS, len(choice.positions))
    n_sets = int(useful.any(axis=1).sum())
    return Earlier(
        posterior.log_odds,
        f"Sources that cannot be told apart stand in the order of your finished runs on "
        f"{counted(n_sets, 'other data sets')} and of these items together.",
    )
