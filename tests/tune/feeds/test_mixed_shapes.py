"""A feed whose batches hold items of any shape."""

from __future__ import annotations

import numpy as np
import torch

from headstart.tune.feeds.mixed_shapes import MixedFeed


class Lengths:
    """A feed of numbers in two shapes, each batch of one."""

    n_items = 6

    def __init__(self) -> None:
        self.buckets = [np.array([0, 2, 4]), np.array([1, 3, 5])]
        self.asked: list[list[int]] = []

    def batches(self, plan, *, seed, epoch, start=0):  # type: ignore[no-untyped-def]
        for positions in plan[start:]:
            self.asked.append(positions.tolist())
            yield positions, torch.from_numpy(positions).float()[:, None]

    def run(self, backbone, inputs, device):  # type: ignore[no-untyped-def]
        return backbone(inputs)


class TestMixedFeed:
    def test_parts_are_of_one_shape_and_joined_in_order(self) -> None:
        inner = Lengths()
        feed = MixedFeed(inner)
        plan = [np.array([0, 1, 2]), np.array([3, 4, 5])]
        for positions, inputs in feed.batches(plan, seed=0, epoch=1, start=0):
            joined = feed.run(lambda x: 10 * x, inputs, torch.device("cpu"))
            assert joined[:, 0].tolist() == [10.0 * position for position in positions]
        assert inner.asked == [[0, 2], [1], [4], [3, 5]]

    def test_goes_on_in_the_middle(self) -> None:
        plan = [np.array([0, 1, 2]), np.array([3, 4, 5])]
        found = list(MixedFeed(Lengths()).batches(plan, seed=0, epoch=1, start=1))
        assert [positions.tolist() for positions, _ in found] == [[4, 3, 5]]

    def test_small_parts_are_joined_where_they_can_be_padded(self) -> None:
        feed = MixedFeed(Lengths(), least=2, pads=True)
        assert [part.tolist() for part in feed.parts(np.array([0, 1, 3]))] == [[0, 1, 3]]
        assert [part.tolist() for part in feed.parts(np.array([0, 1, 2]))] == [[0, 2, 1]]
        assert [part.tolist() for part in feed.parts(np.array([0, 2, 3, 5]))] == [[0, 2], [3, 5]]

    def test_a_batch_in_parts_is_sliced_by_items(self) -> None:
        plan = [np.array([0, 1, 2, 3, 4])]
        ((positions, inputs),) = MixedFeed(Lengths()).batches(plan, seed=0, epoch=1)
        for begin, end in ((0, 2), (1, 4), (3, 5), (0, 5)):
            part = inputs[begin:end]
            assert torch.cat(part.inputs)[:, 0].tolist() == positions[begin:end].tolist()
            assert sum(part.sizes) == end - begin
