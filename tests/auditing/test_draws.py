"""Which items the draws of an audit take."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import small_data
from headstart.auditing.draws import Draws
from headstart.data import DataSet
from headstart.errors import DataError


def grouped(folder: Path, n_groups: int) -> DataSet:
    """Sixty texts of two classes in groups of equal size, the last fifth held out."""
    rows = ["text,label,patient,split"]
    for k in range(60):
        part = "test" if k >= 48 else "train"
        rows.append(
            f"word{k} and {k * k} more,{'ab'[k % 2]},p{min(k, 47) * n_groups // 48 if k < 48 else k},{part}"
        )
    return DataSet.read(small_data.write(folder / "t.csv", "\n".join(rows)), seed=0)


def test_draws_hold_whole_groups_and_nothing_that_is_held_out(tmp_path: Path) -> None:
    data = grouped(tmp_path, 12)
    draws = Draws.of(data, (8, 24, None), 3, seed=0)
    assert draws.sizes == (8, 24, 48) and not draws.left_out
    held_out, units = set(data.positions("test").tolist()), data.units
    assert units is not None
    for (size, seed), found in draws.positions.items():
        assert len(found) == size and not held_out & set(found.tolist())
        assert not set(units[found]) & set(np.delete(units, found))
        if size > 8:
            assert set(draws.positions[8, seed]) <= set(found)
    assert len({tuple(draws.positions[8, seed]) for seed in range(3)}) > 1


def test_numbers_that_whole_groups_cannot_make_are_left_out_with_a_reason(tmp_path: Path) -> None:
    data = grouped(tmp_path, 3)
    draws = Draws.of(data, (4, 30, None), 2, seed=0)
    assert draws.sizes == (30, 48)
    assert "too large" in draws.left_out[4]
    with pytest.raises(DataError, match="name larger numbers, or 'all'"):
        Draws.of(data, (4,), 2, seed=0)
