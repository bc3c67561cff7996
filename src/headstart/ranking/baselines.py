"""The baselines of a ranking: classical features, and the best architecture with random weights.

Both are scored on the same items and folds as the sources, at the same time.

Legend: N items.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from headstart.errors import HeadstartError, one_line
from headstart.progress import say
from headstart.ranking.assembling import CLASSICAL, Row
from headstart.ranking.classical_ahead import ClassicalAhead
from headstart.ranking.items import Items
from headstart.ranking.measuring import Measured, measure
from headstart.ranking.opening import Candidate
from headstart.sources.random_weights import with_random_weights


def baselines(measured: Sequence[Measured], items: Items, classical: ClassicalAhead) -> list[Row]:
    """The rows of the baselines that can be measured.

    Args:
        measured: the sources.
        items: that sources are compared on.
        classical: gives the classical features.
    """
    best = max(measured, key=lambda each: float(each.quality.mean()))
    with ThreadPoolExecutor(1, "headstart-baseline") as pool:
        begun = pool.submit(classical_quality, items, classical, best.choice.folds, best.choice.positions)
        try:
            random = with_random(best, items)
        except BaseException:
            classical.stop()  # else the block waits for all items
            raise
    rows = [] if random is None else [Row.of(random, "random")]
    try:
        rows.append(Row(CLASSICAL, "classical", begun.result()))
    except HeadstartError as error:
        say(f"note: classical features were not measured: {error}")
    return rows


def classical_quality(
    items: Items, classical: ClassicalAhead, folds: np.ndarray, chosen: np.ndarray
) -> np.ndarray:
    """Cross-validated quality of classical features with a linear head, of shape (N,).

    Args:
        items: that sources are compared on.
        classical: gives their features.
        folds: of each item that the choices were made on.
        chosen: positions of these among the items.
    """
    from headstart.evidence import fit_classical

    targets, labels, units = items.data.examples.targets, items.labels[chosen], items.units
    model = fit_classical(
        classical.features(chosen),
        np.arange(len(chosen)),
        labels,
        None if units is None else units[chosen],
        classes=targets.classes,
        task=targets.task,
        seed=items.seed,
        folds=folds,
    )
    return model.out_of_fold.quality(items.codes[chosen], targets.task)


def with_random(best: Measured, items: Items) -> Measured | None:
    """The best source's architecture with random weights; None if it cannot be built without its weights.

    Args:
        best: the source that is first.
        items: that sources are compared on.
    """
    candidate = best.candidate
    try:
        source = with_random_weights(candidate.source, seed=items.seed, arch=candidate.entry.arch)
        (extracted,) = replace(items, only_these=True).extract([source])  # no fit reads its held-out features
        found = measure(source, extracted.result(), items, n_threads=items.setting.n_threads)
    except Exception as error:  # any network can fail with weights that nobody has trained
        say(f"note: the best architecture was not measured with random weights: {one_line(error)}")
        return None
    random = Candidate(replace(candidate.entry, name=f"{candidate.entry.name}, random weights"), source)
    return Measured(random, replace(found, milliseconds=best.found.milliseconds))
