"""Cells on the disk: what is not whole is not there."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from headstart.auditing.cells import Cell, Cells


def test_a_cell_is_found_as_it_was_kept(tmp_path: Path) -> None:
    cells = Cells(tmp_path / "training", 4)
    assert cells.find(0, 20, 1) is None and not cells.any
    values = np.array([0, 1, 1, 0], dtype=np.float32)
    cells.keep(0, 20, 1, Cell(20, values, 0.5, 1.5, 15, given="x"))
    found = cells.find(0, 20, 1)
    assert found is not None and cells.any
    np.testing.assert_array_equal(found.values, values)
    assert (found.n_learned, found.on_folds, found.seconds, found.n_judged, found.given) == (
        20,
        0.5,
        1.5,
        15,
        "x",
    )
    cells.keep(1, 20, 0, Cell(20, None, None, 0.1, why="one class"))
    failed = cells.find(1, 20, 0)
    assert failed is not None and failed.values is None and failed.why == "one class"


def test_no_flipped_bit_gives_another_cell(tmp_path: Path) -> None:
    cells = Cells(tmp_path, 4)
    cell = cells.keep(0, 20, 0, Cell(20, np.array([0, 1, 1, 0], dtype=np.float32), 0.5, 1.5, 15))
    path = next(tmp_path.glob("*.npz"))
    whole = path.read_bytes()
    for place in range(0, len(whole), 7):
        changed = bytearray(whole)
        changed[place] ^= 1 << (place % 8)
        path.write_bytes(bytes(changed))
        found = cells.find(0, 20, 0)
        if found is not None:  # a byte that says nothing, such as a time stamp
            np.testing.assert_array_equal(found.values, cell.values)
            assert found.on_folds == 0.5 and found.n_judged == 15
    assert Cells(tmp_path, 5).find(0, 20, 0) is None
