"""Work in threads, one thread of linear algebra each."""

from __future__ import annotations

import torch

from headstart.heads.threads import parallel_map, single_threaded


def test_the_order_is_kept_and_threads_are_given_back() -> None:
    before = torch.get_num_threads()
    assert parallel_map(lambda i: (i * 2, torch.get_num_threads()), range(5), 3) == [
        (2 * i, 1) for i in range(5)
    ]
    assert parallel_map(lambda i: i, [], 2) == []
    with single_threaded():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == before
