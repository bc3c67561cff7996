"""The partial-transfer curve: what a source gives if only its first stages keep their weights.

For every k the first k stages are pretrained and the others random, nothing is trained, and the head alone is scored on
the last stage with the folds of the ranking. The curve starts at the network with random weights and ends at the whole
source; where it falls, the stages that were added transfer negatively to these targets.

Legend: N items, S stages.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from headstart.choose import ArrayFeatures, interval_around
from headstart.choose.below_best import clearly_below_best
from headstart.errors import one_line
from headstart.evidence import cross_validation_factor
from headstart.progress import progress, say
from headstart.ranking.items import Items
from headstart.ranking.measuring import Measured
from headstart.runs.ranking import DepthPoint, PartialTransfer, RankingFacts
from headstart.sources.partial import with_first_stages
from headstart.sources.random_weights import with_random_weights

if TYPE_CHECKING:
    from headstart.choose import Choice
    from headstart.features import Features
    from headstart.sources import Source

NONE_KEPT = "none"
_AT_ONCE = 4  # networks in memory at a time, for which each item is decoded once


def with_partial(facts: RankingFacts, measured: Sequence[Measured], items: Items) -> RankingFacts:
    """The ranking with the curve of its first source.

    Args:
        facts: of the ranking.
        measured: its sources.
        items: that sources are compared on.
    """
    name = facts.sources[0].name
    first = next(each for each in measured if each.candidate.entry.name == name)
    return replace(facts, partial=partial_transfer(first, items))


def partial_transfer(first: Measured, items: Items) -> PartialTransfer | None:
    """Score every hybrid of a source; None if its network cannot be built or gives no features with random weights.

    Args:
        first: the source, such as the first of a ranking.
        items: that sources are compared on.
    """
    entry, stages = first.candidate.entry, tuple(first.candidate.source.stages)
    try:
        found = [_scored(features, items) for features in _extracted(first, items)]
    except Exception as error:  # any network can fail with weights that nobody has trained
        say(f"note: the partial-transfer curve was not measured: {one_line(error)}")
        return None
    choice, task = found[0][0], items.data.examples.task
    units = items.units_of(choice)
    widen = cross_validation_factor(choice.n_folds)
    quality_NK = np.stack([quality for _, quality in found], axis=1)
    step = 1.0 if task.one_per_item else 0.0
    below_K = clearly_below_best(quality_NK, units, step=step, widen=widen)
    points = []
    for name, (each, _) in zip((NONE_KEPT, *stages), found, strict=True):
        ends = interval_around(each.chosen.quality, widen * each.chosen.standard_error, each.freedom, task)
        points.append(DepthPoint(name, each.chosen.quality, *ends))
    best = int(np.argmax(quality_NK.mean(axis=0)))
    return PartialTransfer(entry.name, tuple(points), best, bool(below_K[-1]))


def _scored(features: Features, items: Items) -> tuple[Choice, np.ndarray]:
    """The head alone on the last stage, and its cross-validated quality of each item."""
    return items.choose(ArrayFeatures(features.stages[-1:], (features.stage(-1),)))


def _extracted(first: Measured, items: Items) -> Iterator[Features]:
    """Features of the training items by the hybrid of each k, from none of the stages to all of them."""
    from headstart.features import extract_pooled_of_many

    source = first.candidate.source
    random = with_random_weights(source, seed=items.seed, arch=first.candidate.entry.arch)
    digests = items.data.scan.digests[items.positions]
    numbers = range(len(source.stages) + 1)
    with progress("Partial transfer", len(numbers), "networks") as advance:
        for start in numbers[::_AT_ONCE]:
            hybrids: list[Source] = [
                with_first_stages(source, kept, random) for kept in numbers[start : start + _AT_ONCE]
            ]
            passes = extract_pooled_of_many(
                hybrids, items.inputs, digests, items.store, **items.setting.options
            )
            for each in sorted(passes, key=lambda one: one.number):
                yield each.result()
                advance(1)
