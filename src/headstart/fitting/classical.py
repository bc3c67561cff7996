"""The classical baseline on any part of a data set: the features of an item and equal fits are made once.

What is foreseen before training, the guard and the baselines of the evidence all read it.

Legend: N items, C classes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from headstart.data import DataSet
    from headstart.evidence import ClassicalFeatures, ClassicalModel
    from headstart.fitting.weights import Weights


@dataclass(frozen=True, eq=False)
class FittedBaseline:
    """A classical baseline, and what it was learned from.

    Attributes:
        model: features with a linear head.
        learned_from: positions of its training items in the data set, of shape (N,).
    """

    model: ClassicalModel
    learned_from: np.ndarray

    @property
    def left_out(self) -> np.ndarray:
        """Positions of the items that its cross-validated outputs are of."""
        return np.asarray(self.learned_from[self.model.out_of_fold.rows])


class Classical:
    """The classical baseline of a data set.

    Args:
        data: items, labels and units.
        n_threads: items decoded at once.
        seed: of the folds, and of samples of large sets.
        weights: of the items in learning; None: all the same.
    """

    def __init__(self, data: DataSet, n_threads: int, seed: int, weights: Weights | None = None) -> None:
        self.data, self.n_threads, self.seed, self.weights = data, n_threads, seed, weights
        self._row = np.full(len(data), -1)
        self._features: ClassicalFeatures | None = None
        self._fitted: dict[tuple[bytes, bytes | None], FittedBaseline] = {}

    def fit(self, positions: np.ndarray, folds: np.ndarray | None = None) -> FittedBaseline:
        """Learn it from items, or from a sample of very many.

        Args:
            positions: of the items.
            folds: fold of each, of shape (N,), such as those of a head that it is compared with, not used for a
                sample; None: those of the first fit to these items, or its own.

        Raises:
            DataError: an item cannot be decoded, or texts have no words.
        """
        from headstart.evidence import fit_classical, items_to_learn_from

        learned = items_to_learn_from(positions, self.seed)
        folds = folds if len(learned) == len(positions) else None
        key = (_bytes_of(learned), None if folds is None else _bytes_of(folds))
        if key not in self._fitted:
            data = self.data
            targets, units = data.examples.targets, data.units
            features, rows = self._of(learned)
            model = fit_classical(
                features,
                rows,
                np.asarray(data.labels)[learned],
                None if units is None else units[learned],
                classes=targets.classes,
                task=targets.task,
                seed=self.seed,
                folds=folds,
                weights=None if self.weights is None else self.weights.of(learned),
            )
            self._fitted[key] = FittedBaseline(model, learned)
            self._fitted.setdefault((key[0], None), self._fitted[key])
        return self._fitted[key]

    def scores(self, fitted: FittedBaseline, positions: np.ndarray) -> np.ndarray:
        """Scores before the temperature, or values, of items, of shape (n_items, C)."""
        features, rows = self._of(positions)
        return np.asarray(fitted.model.scores(features, rows), dtype=self.data.examples.task.dtype)

    def outputs(self, fitted: FittedBaseline, positions: np.ndarray) -> np.ndarray:
        """Probabilities, or values, of items, of shape (n_items, C)."""
        features, rows = self._of(positions)
        return np.asarray(fitted.model.probabilities(features, rows))

    def _of(self, positions: np.ndarray) -> tuple[ClassicalFeatures, np.ndarray]:
        """The features, and the rows of some items among them; those that are not there yet are read."""
        from headstart.data.items import take_items
        from headstart.evidence import extract_classical

        examples = self.data.examples
        missing = np.unique(positions[self._row[positions] < 0])
        if len(missing) or self._features is None:
            found = extract_classical(
                take_items(examples.items, missing), examples.modality, threads=self.n_threads
            )
            n_before = 0 if self._features is None else self._features.n_items
            self._features = found if self._features is None else self._features.followed_by(found)
            self._row[missing] = n_before + np.arange(len(missing))
        return self._features, self._row[positions]


def _bytes_of(whole: np.ndarray) -> bytes:
    return np.ascontiguousarray(whole, dtype=np.int64).tobytes()
