"""What to do when memory runs out: the same work in smaller parts, said once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from headstart.errors import HeadstartError
from headstart.progress import say

T = TypeVar("T")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether a failure is that of a device, or of the machine, without memory for more."""
    import torch
    from accelerate.utils.memory import should_reduce_batch_size

    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, Exception) and bool(should_reduce_batch_size(error))


def free() -> None:
    """Give back what the device's allocator holds without using it."""
    import torch

    if torch.cuda.is_available():
        torch.cuda.empty_cache()


class Halving:
    """Work off batches in parts as small as memory makes them; later batches keep to the size found.

    Args:
        what: is done, such as "Extracting features".

    Example:
        >>> parts = Halving("Embedding")(lambda rows: network(inputs[rows]), len(inputs))
    """

    def __init__(self, what: str) -> None:
        self.what = what
        self.n_most: int | None = None

    def __call__(self, compute: Callable[[slice], T], n_items: int) -> list[T]:
        """The results of the parts of a batch, in order.

        Args:
            compute: the work on some rows of the batch, without effects if it fails.
            n_items: of the batch.

        Raises:
            HeadstartError: there is no memory for one item.
        """
        results: list[T] = []
        begin = 0
        while begin < n_items:
            rows = slice(begin, min(n_items, begin + (self.n_most or n_items)))
            try:
                results.append(compute(rows))
                begin = rows.stop
                continue
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
                if rows.stop - begin == 1:
                    raise HeadstartError(
                        f"{self.what}: there is no memory left for one item at a time. Take a smaller source, "
                        "shorter items, or a device with more memory"
                    ) from error
            self._halve(rows.stop - begin)  # out here, where the failed part's tensors are let go
        return results

    def _halve(self, n_items: int) -> None:
        free()
        self.n_most = min(n_items // 2, self.n_most or n_items)
        say(f"{self.what}: out of memory, {self.n_most} item(s) at a time from here on")
