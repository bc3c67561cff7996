"""`Cell`: what one method gives with one number of labels and one seed; kept on the disk until the audit is finished.

An audit that was killed finds the cells that are done and measures only the others.
"""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from headstart import files


@dataclass(frozen=True, eq=False)
class Cell:
    """What one method gives.

    Attributes:
        n_learned: number of training items.
        values: of each held-out item (see `evidence.over_seeds.item_values`), of shape (N,); None if there are none.
        on_folds: quality on the training items alone; None if it cannot be had.
        n_judged: number of training items that it was judged on there, each left out of the fit.
        seconds: to learn, extraction of features not counted.
        why: why there are no values; "" if there are.
        given: what it was given, if that differs from cell to cell.
    """

    n_learned: int
    values: np.ndarray | None
    on_folds: float | None
    seconds: float
    n_judged: int = 0
    why: str = ""
    given: str = ""


class Cells:
    """The cells of an audit in a folder.

    Args:
        folder: of the cells.
        n_items: held-out items.
    """

    def __init__(self, folder: Path, n_items: int = 0) -> None:
        self.folder, self.n_items = folder, n_items

    @property
    def any(self) -> bool:
        """Whether there is a cell."""
        return any(self.folder.glob("cell-*.npz"))

    def find(self, method: int, n_labels: int, draw: int) -> Cell | None:
        """The cell of a method, number of labels and draw; None if it is not there, or damaged.

        Args:
            method: number of the method.
            n_labels: number of labels that was asked for.
            draw: number of the draw, from 0.
        """
        try:
            content = io.BytesIO(files.read_regular(self._path(method, n_labels, draw)))
            with np.load(content, allow_pickle=False) as held:
                facts, digest, values = str(held["facts"]), str(held["digest"]), held.get("values")
            if digest != _digest(facts, values) or (values is not None and values.shape != (self.n_items,)):
                return None
            return Cell(values=values, **json.loads(facts))
        except Exception:  # any byte of it may be wrong, and it can be measured again
            return None

    def keep(self, method: int, n_labels: int, draw: int, cell: Cell) -> Cell:
        """Write a cell, whole or not at all; returns it.

        Args:
            method, n_labels, draw: as `find` takes them.
            cell: what the method gives.
        """
        facts = json.dumps({name: value for name, value in asdict(cell).items() if name != "values"})
        arrays: dict[str, Any] = {"facts": facts, "digest": _digest(facts, cell.values)}
        if cell.values is not None:
            arrays["values"] = cell.values
        content = io.BytesIO()
        np.savez(content, **arrays)
        self.folder.mkdir(parents=True, exist_ok=True)
        files.write_bytes(self._path(method, n_labels, draw), content.getvalue())
        return cell

    def _path(self, method: int, n_labels: int, draw: int) -> Path:
        return self.folder / f"cell-{method}-{n_labels}-{draw}.npz"


def _digest(facts: str, values: np.ndarray | None) -> str:
    """Of all that a cell holds."""
    held = b"" if values is None else values.tobytes()
    return hashlib.sha256(facts.encode() + held).hexdigest()
