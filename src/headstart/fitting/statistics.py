"""What a run keeps of the features that its head reads, so that it can be adapted without its training items.

Features of a head alone are in the store. A trained network gives other features than the stored ones: a sample of the
training items is read again through it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from headstart.fitting.result import Result
from headstart.fitting.workspace import Workspace

if TYPE_CHECKING:
    from headstart.adapt.summary import FeatureSummary
    from headstart.features import Features

MOST_READ_AGAIN = 512  # items; more only where a class would have less than two


def summary_of(workspace: Workspace, result: Result) -> FeatureSummary | None:
    """A summary of the features that a result's head reads, on the items it learned from.

    Args:
        workspace: labels, and the features by the source without training.
        result: what the run predicts with.

    Returns:
        The summary; None where it has no meaning: several labels per item, a quantity, classical features.
    """
    from headstart.adapt.summary import summarise
    from headstart.choose.features import StageRows
    from headstart.choose.kinds import LOGISTIC
    from headstart.choose.sampling import stratified_sample

    if result.classical is not None or not workspace.targets.task.one_per_item:
        return None
    learned_from, n_classes = result.learned_from, len(workspace.classes)
    codes = workspace.codes[learned_from]
    rows, penalty = np.arange(len(learned_from)), None
    if result.is_trained:
        rows = stratified_sample(codes, MOST_READ_AGAIN, workspace.plan.seed)
        features = _read_again(workspace, result, learned_from[rows])
    else:
        features = workspace.features.take(learned_from)
        chosen = result.choice.chosen
        penalty = chosen.penalty if chosen.kind == LOGISTIC.name else None
    return summarise(
        StageRows(features, result.head.stages),
        codes[rows],
        n_classes,
        counts=np.bincount(codes, minlength=n_classes),
        penalty=penalty,
        seed=workspace.plan.seed,
    )


def _read_again(workspace: Workspace, result: Result, positions: np.ndarray) -> Features:
    """Features of items by the trained network; the process that writes the run computes them alone."""
    from headstart.data.items import take_items
    from headstart.features import extract_pooled

    data = workspace.plan.data
    return extract_pooled(
        result.source,
        take_items(data.examples.items, positions),
        data.scan.digests[positions],
        workspace.store,
        **workspace.setting.options,
    )
