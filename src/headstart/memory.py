"""When memory runs out: the same work in smaller parts, reported once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from headstart.errors import HeadstartError
from headstart.progress import say
from headstart.units import counted

T = TypeVar("T")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error means that the device or the machine is out of memory."""
    import torch
    from accelerate.utils.memory import should_reduce_batch_size

    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, Exception) and bool(should_reduce_batch_size(error))


def free() -> None:
    """Release the memory that the device's allocator holds but does not use."""
    import torch

    if torch.cuda.is_available():
        torch.cuda.empty_cache()


class Halving:
    """Compute batches in parts that fit in memory; later batches keep the size that was found.

    Args:
        what: the work, for messages, such as "Extracting features".

    Example:
        >>> halving = Halving("Embedding")
        >>> halving(lambda rows: [2 * n for n in range(4)[rows]], 4)
        [[0, 2, 4, 6]]
    """

    def __init__(self, what: str) -> None:
        self.what = what
        self.n_most: int | None = None

    def __call__(self, compute: Callable[[slice], T], n_items: int) -> list[T]:
        """The results of the parts of a batch, in order.

        Args:
            compute: the work on some rows of the batch; it must have no effect if it fails.
            n_items: of the batch.

        Raises:
            HeadstartError: there is not enough memory for one item.
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
                        f"{self.what}: out of memory with one item at a time. Use a smaller source, shorter items, "
                        "or a device with more memory"
                    ) from error
            # outside of the except block, so that the tensors of the failed part are released
            self._halve(rows.stop - begin)
        return results

    def _halve(self, n_items: int) -> None:
        free()
        self.n_most = min(n_items // 2, self.n_most or n_items)
        say(f"{self.what}: out of memory, continuing with {counted(self.n_most, 'items')} at a time")
