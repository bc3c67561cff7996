"""Explain one item, and test its explanation.

Legend: P parts, C outputs, M variants.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from headstart.explaining.attribution import AT_ONCE, attributions
from headstart.explaining.deletion import Deletion, delete
from headstart.explaining.parts.cutting import parts_of
from headstart.explaining.parts.parts import Parts, Way

if TYPE_CHECKING:
    from headstart.memory import Halving
    from headstart.runs.model import Model

Explainer = Callable[..., np.ndarray]  # as `attribution.attributions`


@dataclass(frozen=True, eq=False)
class Explained:
    """One item with its explanation.

    Attributes:
        name: of the item.
        item: a path, a text, encoded bytes or a uint8 picture.
        parts: what it was cut into.
        outputs: (C,) of the run for the whole item.
        column: the output that is explained.
        attributions: (P,) what each part adds to it.
        deletion: the outputs while its parts are removed.
    """

    name: str
    item: Any
    parts: Parts
    outputs: np.ndarray
    column: int
    attributions: np.ndarray
    deletion: Deletion


def explain_item(
    model: Model,
    item: Any,
    name: str,
    column: int | None,
    halving: Halving,
    seed: int,
    explainer: Explainer = attributions,
) -> Explained | None:
    """Explain one item.

    Args:
        model: the run, opened.
        item: a path, a text, encoded bytes or a uint8 picture.
        name: of it.
        column: the output to explain; None: the largest.
        halving: keeps the size of batches that fit in memory.
        seed: of the variants and of the random orders.
        explainer: gives the attributions.

    Returns:
        None if the item has no part that could be removed.

    Raises:
        InputError: the run cannot compute the item.
    """
    parts = parts_of(item, model.preprocessing)
    if not parts.n_parts:
        return None
    whole = _run(model, parts, np.ones((1, parts.n_parts), bool), "explain", halving)[0]
    chosen = int(whole.argmax()) if column is None else column

    def outputs(way: Way, present_MP: np.ndarray) -> np.ndarray:
        return _run(model, parts, present_MP, way, halving)[:, chosen].astype(np.float64)

    found = explainer(partial(outputs, "explain"), parts.n_parts, seed)
    tested = delete(partial(outputs, "test"), found, seed)
    return Explained(name, item, parts, whole, chosen, found, tested)


def _run(model: Model, parts: Parts, present_MP: np.ndarray, way: Way, halving: Halving) -> np.ndarray:
    """The run's outputs for variants of an item, of shape (M, C)."""
    from headstart.run_files import PROGRAM
    from headstart.runs.running import run_tensors

    program = model.path / PROGRAM
    batches = [present_MP[start : start + AT_ONCE] for start in range(0, len(present_MP), AT_ONCE)]
    return np.concatenate(
        [run_tensors(model.program, program, parts.inputs(each, way), halving) for each in batches]
    )
