"""Heads of sources, chosen in threads while the features of other sources are still extracted."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING

import torch

from headstart.heads.threads import single_threaded
from headstart.ranking.items import SMALL, Items
from headstart.ranking.measuring import Found, measure
from headstart.ranking.opening import Candidate

if TYPE_CHECKING:
    from headstart.features import Features


class HeadsAhead:
    """Threads in which heads are chosen and cross-validated; of few items, several sources at once.

    Inside its block everything runs with one thread for each piece of linear algebra. At the end of the block, heads
    that were not begun are left out.

    Args:
        items: that sources are compared on.
        scored: whether transferability scores are computed too.
    """

    def __init__(self, items: Items, *, scored: bool = True) -> None:
        self._items, self._scored = items, scored
        self._futures: dict[Candidate, Future[Found]] = {}
        self._open = ExitStack()

    def __enter__(self) -> HeadsAhead:
        n_at_once = self._items.setting.n_threads if len(self._items.positions) <= SMALL else 1
        self._open.enter_context(single_threaded())
        self._pool = ThreadPoolExecutor(
            n_at_once, "headstart-heads", initializer=torch.set_num_threads, initargs=(1,)
        )
        self._open.callback(self._pool.shutdown, wait=True, cancel_futures=True)
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def begin(self, candidate: Candidate, features: Features) -> Future[Found]:
        """Begin to choose the head of a source, unless that was done already.

        Args:
            candidate: the source.
            features: of the items.
        """
        if candidate not in self._futures:
            self._futures[candidate] = self._pool.submit(
                measure, candidate.source, features, self._items, scored=self._scored
            )
        return self._futures[candidate]
