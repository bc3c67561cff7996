"""The cross-validated probe: the quality, or the loss, of the best linear head on items that it has not seen.

    probe       accuracy; for labels and quantities the explained share of the loss
    probe_loss  minus the log loss (or squared error, in units of the target's variance) at a fitted temperature

The heads are those of `choose.kinds`; groups are kept together. If nothing can be held out (one item per class, one
group) or all targets are equal, both are those of the best answer that ignores the items.

Legend: N items, D features.
"""

from __future__ import annotations

import numpy as np

from headstart.choose.scores.sample import Sample
from headstart.choose.scores.score import ALL_TASKS, Score


def probe(sample: Sample) -> float:
    """Return the cross-validated quality of the best head."""
    tried = sample.head
    if tried is not None:
        return tried.quality
    return float(np.bincount(sample.codes).max() / len(sample)) if sample.task.one_per_item else 0.0


def probe_loss(sample: Sample) -> float:
    """Return minus the cross-validated loss of the best head."""
    tried = sample.head
    return loss_score(_constant_loss(sample) if tried is None else tried.loss, sample)


def loss_score(loss: float, sample: Sample) -> float:
    """Return the score of a cross-validated loss: minus itself, in units of the constant answer's for a quantity.

    Args:
        loss: log loss or squared error.
        sample: that it was measured on.
    """
    without = _constant_loss(sample)
    if sample.task.has_classes:
        return -loss
    return -loss / without if without > 0 else -1.0


def _constant_loss(sample: Sample) -> float:
    """Return the loss of the best answer that ignores the items."""
    targets = sample.matrix
    constant = sample.task.constant(targets, sample.columns.shape[1])
    return float(sample.task.item_losses(np.tile(constant, (len(sample), 1)), targets).mean())


PROBE = Score("probe", "cross-validated quality", probe, ALL_TASKS, folds=True)
PROBE_LOSS = Score("probe_loss", "cross-validated loss", probe_loss, ALL_TASKS, folds=True)
