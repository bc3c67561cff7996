"""How long one item and one epoch take, measured on a few items; for the dry run and the race."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from headstart.fitting.plan import Plan

if TYPE_CHECKING:
    from headstart.features import Setting

N_TIMED = 32


def timed_item(plan: Plan, setting: Setting) -> tuple[float, int]:
    """Seconds per item and numbers stored per item, from a pass over a few.

    Args:
        plan: data and source.
        setting: device, precision and threads.
    """
    from headstart.data.items import take_items
    from headstart.features import Store, extract_pooled

    data = plan.data
    few = np.linspace(0, len(data) - 1, min(N_TIMED, len(data))).astype(int)
    few = np.unique(few)
    with tempfile.TemporaryDirectory() as folder:
        best = float("inf")
        for store in ("warm", "timed"):
            started = time.perf_counter()
            features = extract_pooled(
                plan.source,
                take_items(data.examples.items, few),
                data.scan.digests[few],
                Store(Path(folder) / store),
                **setting.options,
            )
            best = min(best, time.perf_counter() - started)
    return best / len(few), sum(features.widths)


def timed_epoch(plan: Plan, setting: Setting) -> float:
    """Seconds per epoch of training, from the steps of one over a few items.

    Args:
        plan: data, source, policy and recipe.
        setting: device, precision and threads.
    """
    from headstart.data.items import take_items
    from headstart.features import Store
    from headstart.tune import Part, Training

    data, positions = plan.data, plan.data.positions("train")
    examples = data.examples
    n_few = min(len(positions), 4 * plan.recipe.batch_size)  # enough steps to leave out the first
    few = positions[np.linspace(0, len(positions) - 1, n_few).astype(int)]
    codes = np.asarray(data.codes)[few]
    part = Part(take_items(examples.items, few), data.scan.digests[few], codes)
    # the time does not depend on the rate
    recipe = plan.recipe.model_copy(update={"lr": 1e-4, "contrastive": 0})
    with tempfile.TemporaryDirectory() as folder:
        training = Training(
            plan.source, part, None, examples.targets.classes,
            policy=plan.policy, recipe=recipe, store=Store(Path(folder)), setting=setting, task=examples.task,
        )  # fmt: skip
        return training.measure_epoch() * len(positions) / len(few)
