"""What labels of the target say, if there are any: scores, gains over source only, the ceiling. No choice sees them.

Legend: T scored items with a known class, C classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from headstart.adapting.extracted import ExtractedPair
from headstart.adapting.trying import Tried
from headstart.errors import HeadstartError
from headstart.metrics import Interval, Units
from headstart.progress import waiting

if TYPE_CHECKING:
    from headstart.evidence import Verdict

LEAST_FOR_CEILING = 20  # labelled items of the target


@dataclass(frozen=True, eq=False)
class Truth:
    """Labels of the target beside what was returned.

    Attributes:
        positions: of the T items.
        codes: their classes, of shape (T,).
        units: what belongs together.
        test: metric to interval, of the result.
        before: the same of source only.
        verdict: the result against source only.
        scores: name of a method to its score, in the verdict's metric.
        gains: name of a method to that score minus source only's, paired.
        ceiling: of a head learned from the target's labels, by cross-validation; None if there are too few.
    """

    positions: np.ndarray
    codes: np.ndarray
    units: Units
    test: dict[str, Interval]
    before: dict[str, Interval]
    verdict: Verdict
    scores: dict[str, Interval]
    gains: dict[str, Interval]
    ceiling: Interval | None

    @classmethod
    def of(cls, pair: ExtractedPair, tried: Sequence[Tried], chosen: Tried) -> Truth | None:
        """Score every method on the target's labels; None if there are none.

        Args:
            pair: both domains, with features.
            tried: source only first.
            chosen: what is returned.
        """
        from headstart.evidence import compared, judge

        target, task = pair.target, pair.task
        positions = target.truth
        if target.codes is None or not len(positions):
            return None
        codes = target.codes[positions]
        units = Units.of(target.units, len(positions))
        outputs = {each.name: each.probabilities(positions) for each in tried if each.classifier is not None}
        alone, result = outputs[tried[0].name], outputs[chosen.name]
        metrics = {name: task.metrics(codes, found, units) for name, found in outputs.items()}
        return cls(
            positions,
            codes,
            units,
            metrics[chosen.name],
            metrics[tried[0].name],
            judge(codes, result, alone, units, against="source only", task=task),
            {name: found[task.verdict_metric] for name, found in metrics.items()},
            {
                name: compared(codes, found, alone, units, task=task)
                for name, found in outputs.items()
                if name != tried[0].name
            },
            _ceiling(pair),
        )


def _ceiling(pair: ExtractedPair) -> Interval | None:
    """Cross-validated quality of a head on the same stages, learned from the target's own labels."""
    from headstart.choose import ArrayFeatures, choose_head

    target = pair.target
    positions = target.truth
    if target.codes is None or len(positions) < LEAST_FOR_CEILING:
        return None
    labels = np.asarray(pair.classes, dtype=object)[target.codes[positions]]
    features = ArrayFeatures(("chosen",), (pair.plain.target_MD[positions],))
    try:
        with waiting("Learning from the target's labels, for comparison …"):
            choice = choose_head(features, labels, target.units, seed=pair.domain.seed)
    except HeadstartError:  # one class, or one group
        return None
    return choice.interval() if len(choice.positions) else None
