"""The items to explain, and the output that is explained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from headstart.errors import OptionError, did_you_mean
from headstart.explaining.options import ExplainOptions
from headstart.tasks import task_named

if TYPE_CHECKING:
    from headstart.data import Examples
    from headstart.runs.model import Model


@dataclass(frozen=True, eq=False)
class Items:
    """Readable items.

    Attributes:
        examples: N items.
        digests: (N,) of their content.
        n_available: items of the data, from which these were taken.
        n_cut: recordings that are longer than the run's window.
        window_seconds: of the run; 0 for other items.
    """

    examples: Examples
    digests: np.ndarray
    n_available: int
    n_cut: int = 0
    window_seconds: float = 0.0

    def __len__(self) -> int:
        return len(self.examples)


def read_items(options: ExplainOptions, model: Model) -> Items:
    """Read the data, and take at most `most` items, evenly spread over it.

    Args:
        options: of the explanation.
        model: the run, opened.

    Raises:
        DataError: the data cannot be read, or is of another modality.
    """
    from headstart.data.preprocessing import ALIKE_SECONDS, AudioPreprocessing
    from headstart.runs.readable import readable

    found, _ = model.read(options.data, options.text, options.follow_outside)
    n_taken = min(options.most, len(found))
    examples = found.take((2 * np.arange(n_taken) + 1) * len(found) // (2 * n_taken))
    kept, digests, seconds = readable(examples, options.threads)
    if seconds is None or not isinstance(model.preprocessing, AudioPreprocessing):
        return Items(examples.take(kept), digests, len(found))
    window = model.preprocessing.window_seconds
    n_cut = int((seconds > window + ALIKE_SECONDS).sum())
    return Items(examples.take(kept), digests, len(found), n_cut, window)


def column_of(class_name: str | None, model: Model) -> int | None:
    """The output to explain; None: the largest of each item.

    Args:
        class_name: as the user named it; None: not named.
        model: the run, opened.

    Raises:
        OptionError: the run has no such class, or none at all.
    """
    if not task_named(model.task).has_classes:
        if class_name is not None:
            raise OptionError(
                f"--class cannot be used: the run {model.path} predicts the quantity {model.classes[0]}: leave it out"
            )
        return 0
    if class_name is None:
        return None
    if class_name not in model.classes:
        raise OptionError(
            f"--class {class_name}: the run {model.path} does not know it.{did_you_mean(class_name, model.classes)} "
            f"It knows {', '.join(model.classes[:8])}{', …' if len(model.classes) > 8 else ''}"
        )
    return model.classes.index(class_name)
