"""How long an epoch takes, from its first steps, with nothing changed afterwards."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from headstart import randomness
from headstart.tune.loop.loop import Loop


@contextmanager
def unchanged(loop: Loop) -> Iterator[None]:
    """A block after which weights, statistics, gradients and random generators are restored bit for bit.

    Args:
        loop: of which steps' gradients may be computed in the block; its optimizer must take no step.
    """
    kept = {name: tensor.clone() for name, tensor in loop.weights.tensors().items()}
    generators = randomness.capture()
    try:
        yield
    finally:
        loop.optimizer.zero_grad()
        for name, tensor in loop.weights.tensors().items():
            tensor.detach().copy_(kept[name])
        randomness.restore(generators)


def measure_epoch(loop: Loop, n_steps: int = 3) -> float:
    """Estimate the seconds of an epoch from its first steps, leaving weights and generators as they are.

    The first step warms up caches and is counted only if it is the only one. Validation is counted by its
    number of items, at a third of a step's time per item.

    Args:
        loop: before its training.
        n_steps: number of steps that are timed.
    """
    plan = loop.schedule.plan(1)
    seconds: list[tuple[float, int]] = []
    with unchanged(loop):
        loop.set_modes()
        before = time.monotonic()
        few = plan[: n_steps + 1]
        for positions, inputs in loop.items.feed.batches(few, seed=loop.seed, epoch=1, start=0):
            float(loop.gradients(positions, inputs, epoch=1, step=0))
            now = time.monotonic()
            seconds.append((now - before, len(positions)))
            before = now
    counted = seconds[1:] or seconds
    per_item = sum(s for s, _ in counted) / sum(n for _, n in counted)
    n_validation = 0 if loop.validation is None else loop.validation.n_items
    return per_item * (sum(map(len, plan)) + n_validation / 3)
