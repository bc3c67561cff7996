"""Probabilities over very many classes in one column: of each item the highest, and those of its own labels, as JSON.

One column per class would take 40 kB per item for 10,000 classes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

MOST_CLASSES = 1_000  # that get a column each
N_TOP = 20
COLUMN = "top"


def to_json(
    probabilities_NC: np.ndarray, classes: Sequence[str], always: Sequence[Iterable[str]], least: float
) -> list[str]:
    """The probabilities that are kept, as JSON objects: class to probability, the highest first.

    Args:
        probabilities_NC: float32, of shape (n_items, n_classes).
        classes: the names of the columns.
        always: of each item, the classes that are kept in any case.
        least: probabilities from this on are kept too.
    """
    index_of = {name: index for index, name in enumerate(classes)}
    texts = []
    for row, named in zip(probabilities_NC, always, strict=True):
        kept = (
            set(np.argpartition(row, -N_TOP)[-N_TOP:].tolist()) if len(row) > N_TOP else set(range(len(row)))
        )
        kept |= {int(row.argmax()), *np.flatnonzero(row >= least).tolist()}
        kept |= {index_of[name] for name in named if name in index_of}
        order = sorted(kept, key=lambda index: (-row[index], index))
        # the text of a float32 is its shortest one
        texts.append(json.dumps({classes[i]: float(str(row[i])) for i in order}, ensure_ascii=False))
    return texts


def from_json(texts: Sequence[str], classes: Sequence[str]) -> tuple[tuple[str, ...], np.ndarray]:
    """The classes and their probabilities; those that were not kept are 0.

    Args:
        texts: of each item, as `to_json` gives them; "" or None for an item whose probabilities are not known (NaN).
        classes: the names of all classes; empty: those that occur, in the order of their names.

    Raises:
        ValueError: a text is not such an object.
    """
    found: list[dict[str, Any]] = [json.loads(text) if text else {} for text in texts]
    if not all(isinstance(row, dict) for row in found):
        raise ValueError(f"the column '{COLUMN}' must hold JSON objects: class to probability")
    names = tuple(classes) or tuple(sorted({name for row in found for name in row}))
    index_of = {name: index for index, name in enumerate(names)}
    probabilities = np.zeros((len(found), len(names)), np.float32)
    for number, row in enumerate(found):
        for name, value in row.items():
            probabilities[number, index_of[name]] = value
        if not texts[number]:
            probabilities[number] = np.nan
    return names, probabilities
