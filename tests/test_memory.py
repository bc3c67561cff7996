"""Work in parts that memory holds."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from headstart.errors import HeadstartError
from headstart.memory import Halving, is_out_of_memory


def holding(n_most: int) -> tuple[list[int], object]:
    sizes: list[int] = []

    def compute(rows: slice) -> list[int]:
        sizes.append(rows.stop - rows.start)
        if rows.stop - rows.start > n_most:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
        return list(range(rows.start, rows.stop))

    return sizes, compute


@settings(deadline=None)  # the first example imports accelerate
@given(n_items=st.integers(0, 70), n_most=st.integers(1, 80))
def test_every_row_is_worked_off_once_and_in_order(n_items: int, n_most: int) -> None:
    sizes, compute = holding(n_most)
    parts = Halving("Testing")(compute, n_items)  # type: ignore[arg-type]
    assert [row for part in parts for row in part] == list(range(n_items))
    assert all(size <= max(n_most, n_items) for size in sizes)


def test_the_size_found_is_kept_and_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    sizes, compute = holding(4)
    halving = Halving("Testing")
    for _ in range(3):
        halving(compute, 16)  # type: ignore[arg-type]
    assert sizes == [16, 8] + [4] * 12
    assert capsys.readouterr().err.splitlines() == [
        "Testing: out of memory, continuing with 8 items at a time",
        "Testing: out of memory, continuing with 4 items at a time",
    ]


def test_one_item_that_does_not_fit_is_an_error_and_others_are_not_touched() -> None:
    _, compute = holding(0)
    with pytest.raises(HeadstartError, match="out of memory with one item at a time"):
        Halving("Testing")(compute, 3)  # type: ignore[arg-type]

    def broken(rows: slice) -> None:
        raise RuntimeError("shapes differ")

    with pytest.raises(RuntimeError, match="shapes differ"):
        Halving("Testing")(broken, 3)


def test_what_counts_as_out_of_memory() -> None:
    assert is_out_of_memory(MemoryError())
    assert is_out_of_memory(torch.OutOfMemoryError("x"))
    assert is_out_of_memory(RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to"))
    assert not is_out_of_memory(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
    assert not is_out_of_memory(KeyboardInterrupt())
