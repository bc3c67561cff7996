"""The baselines of a ranking: classical features, and the best architecture with random weights.

Both are scored on the same items and folds as the sources.

Legend: N items.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from headstart.errors import HeadstartError, one_line
from headstart.progress import say
from headstart.ranking.assembling import CLASSICAL, Row
from headstart.ranking.items import Items
from headstart.ranking.measuring import Measured, measure
from headstart.ranking.opening import Candidate
from headstart.sources.random_weights import with_random_weights


def baselines(measured: Sequence[Measured], items: Items) -> list[Row]:
    """The rows of the baselines that can be measured.

    Args:
        measured: the sources.
        items: that sources are compared on.
    """
    best = max(measured, key=lambda each: float(each.quality.mean()))
    random = with_random(best, items)
    rows = [] if random is None else [Row.of(random, "random")]
    try:
        classical = classical_quality(items, best.choice.folds, best.choice.positions)
        rows.append(Row(CLASSICAL, "classical", classical))
    except HeadstartError as error:
        say(f"note: classical features were not measured: {error}")
    return rows


def classical_quality(items: Items, folds: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Cross-validated quality of classical features with a linear head, of shape (N,).

    Args:
        items: that sources are compared on.
        folds: of each item that the choices were made on.
        chosen: positions of these among the items.
    """
    from headstart.data.items import take_items
    from headstart.evidence import extract_classical, fit_classical

    targets, labels, units = items.data.examples.targets, items.labels[chosen], items.units
    features = extract_classical(
        take_items(items.inputs, chosen), items.data.examples.modality, threads=items.setting.n_threads
    )
    model = fit_classical(
        features,
        np.arange(len(chosen)),
        labels,
        None if units is None else units[chosen],
        classes=targets.classes,
        task=targets.task,
        seed=items.seed,
        folds=folds,
    )
    return targets.task.item_quality(model.out_of_fold.outputs, items.codes[chosen])


def with_random(best: Measured, items: Items) -> Measured | None:
    """The best source's architecture with random weights; None if it cannot be built without its weights.

    Args:
        best: the source that is first.
        items: that sources are compared on.
    """
    candidate = best.candidate
    try:
        source = with_random_weights(candidate.source, seed=items.seed, arch=candidate.entry.arch)
        (extracted,) = items.extract([source])
        found = measure(source, extracted.result(), items)
    except Exception as error:  # any network can fail with weights that nobody has trained
        say(f"note: the best architecture was not measured with random weights: {one_line(error)}")
        return None
    random = Candidate(replace(candidate.entry, name=f"{candidate.entry.name}, random weights"), source)
    return Measured(random, replace(found, milliseconds=best.found.milliseconds))
