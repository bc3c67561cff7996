"""Classical features of the training items, extracted in threads while sources are opened and extracted."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING

import numpy as np

from headstart.data.items import take_items
from headstart.heads.threads import single_threaded
from headstart.ranking.items import Items

if TYPE_CHECKING:
    from headstart.evidence import ClassicalFeatures

MOST = 20_000  # of more items a sample is compared on, which only the choice of the first head tells


class ClassicalAhead:
    """Threads that extract classical features; opening sources is work of one core, and leaves the others idle.

    Inside its block everything runs with one thread for each piece of linear algebra. Items that were not begun at the
    end of the block are left out.

    Args:
        items: that sources are compared on.
    """

    def __init__(self, items: Items) -> None:
        self._items = items
        self._open = ExitStack()
        self._begun: Callable[[], ClassicalFeatures] | None = None

    def __enter__(self) -> ClassicalAhead:
        self._open.enter_context(single_threaded())
        self._pool = ThreadPoolExecutor(self._items.setting.n_threads, "headstart-classical")
        self._open.callback(self.stop, wait=True)
        if len(self._items.positions) <= MOST:
            self._begun = self._begin(np.arange(len(self._items.positions)))
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def features(self, chosen: np.ndarray) -> ClassicalFeatures:
        """Wait for the features of some items, of which there is at least one.

        Args:
            chosen: positions among the items, all of them if they are at most `MOST`.

        Raises:
            DataError: an item cannot be decoded.
        """
        return self._begin(chosen)() if self._begun is None else self._begun()

    def stop(self, *, wait: bool = False) -> None:
        """Leave out the items that were not begun.

        Args:
            wait: for those that were.
        """
        self._pool.shutdown(wait=wait, cancel_futures=True)

    def _begin(self, chosen: np.ndarray) -> Callable[[], ClassicalFeatures]:
        from headstart.evidence.classical_features import begin_classical

        return begin_classical(
            take_items(self._items.inputs, chosen), self._items.data.examples.modality, self._pool
        )
