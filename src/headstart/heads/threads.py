"""One thread for each piece of linear algebra, several pieces at once.

The products of a head are small: on two cores the pools of BLAS and torch, each with as many threads as
cores, cost up to fifty times the work when the machine is busy. So each stage, fold or candidate is worked
on by one thread, which starts no others. It also makes results independent of the thread count.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import torch

from headstart.processes import available_cores

T = TypeVar("T")
R = TypeVar("R")


@contextmanager
def single_threaded() -> Iterator[None]:
    """Limit BLAS, OpenMP and torch to one thread inside the block."""
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped, unused-ignore]

    before = torch.get_num_threads()
    with threadpool_limits(limits=1):
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(before)


def parallel_map(work: Callable[[T], R], items: Iterable[T], n_threads: int | None = None) -> list[R]:
    """Return [work(item) for item in items], several at once, each single-threaded, in order.

    Args:
        work: must not depend on the other items.
        items: what to work on.
        n_threads: at once; None: as many as this process has cores.
    """
    listed = list(items)
    n_threads = min(n_threads or available_cores(), len(listed))
    with single_threaded():
        if n_threads <= 1:
            return [work(item) for item in listed]
        with ThreadPoolExecutor(n_threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            return list(pool.map(work, listed))
