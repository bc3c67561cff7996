"""The dry run: data checks, split, stages, time and disk, before anything is trained or written."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from headstart.clock import Clock
from headstart.fitting.options import FitOptions
from headstart.fitting.plan import Prepared, prepare
from headstart.fitting.report_facts import task_words
from headstart.fitting.stages import stages_table

if TYPE_CHECKING:
    from headstart.features import Setting

N_TIMED = 32


def dry_run(config: FitOptions) -> str:
    """Say what a fit would do.

    Args:
        config: the options of the fit.

    Returns:
        Lines of plain text.
    """
    job = prepare(config, Clock())
    blocks = [_data(job), _checks(job), _stages(job), _cost(job, config)]
    return "\n\n".join(blocks)


def _data(job: Prepared) -> str:
    examples = job.examples
    what = task_words(examples) + (f" of '{examples.target}'" if examples.task.has_classes else "")
    lines = [f"Data: {len(examples):,} items, {what}"]
    if examples.group is not None and examples.groups is not None:
        lines[0] += f", {len(set(examples.groups)):,} groups of '{examples.group}'"
    shown = examples.classes[:20]
    labels = np.asarray(examples.labels)
    width = max(len("part"), *(len(name) for name in shown), 0)
    parts = [part for part in ("train", "validation", "test") if len(job.positions(part))]
    counts = {part: examples.task.counts(labels[job.positions(part)]) for part in parts}
    lines.append(f"  {'class':<{width}}  " + "  ".join(f"{part:>10}" for part in parts))
    for name in shown:
        lines.append(f"  {name:<{width}}  " + "  ".join(f"{counts[part][name]:>10,}" for part in parts))
    if len(examples.classes) > len(shown):
        lines.append(f"  ... and {len(examples.classes) - len(shown):,} more classes")
    totals = "  ".join(f"{len(job.positions(part)):>10,}" for part in parts)
    lines.append(f"  {'all':<{width}}  {totals}")
    return "\n".join([*lines, f"  {examples.split_origin}"])


def _checks(job: Prepared) -> str:
    if not job.findings:
        return "Checks: nothing found"
    return "\n".join(["Checks:", *(f"  {finding.severity}: {finding.message}" for finding in job.findings)])


def _stages(job: Prepared) -> str:
    table = stages_table(job)
    return "\n".join(
        [f"Stages under --freeze {job.policy.text}:", *(f"  {line}" for line in table.splitlines())]
    )


def _cost(job: Prepared, config: FitOptions) -> str:
    """Time from a few real items; disk from the widths of the stages and the shape of the state."""
    from headstart.data.items import take_items
    from headstart.features import Setting
    from headstart.features.states import estimate_state_bytes

    n_items = len(job.examples)
    setting = Setting.choose(config.device, config.precision, config.threads)
    seconds, n_floats = timed_item(job, setting)
    lines = [
        f"Cost on {setting.device}, {setting.precision}, {setting.n_threads} threads:",
        f"  features: about {seconds * n_items:,.0f} s and {n_floats * 4 * n_items / 1e6:,.1f} MB",
    ]
    cut = job.policy.cut
    if cut is not None and job.policy.stores_prefix:
        train = take_items(job.examples.items, job.positions("train"))
        n_bytes = estimate_state_bytes(job.source, train, cut, precision=setting.precision)
        lines.append(
            f"  stored prefix: {n_bytes * job.recipe.views / 1e6:,.1f} MB for {job.recipe.views} view(s)"
        )
    if cut is not None and job.policy.trained and job.recipe.epochs:
        epoch = timed_epoch(job, setting)
        most = (
            ""
            if job.recipe.steps
            else f", at most {job.recipe.epochs * epoch:,.0f} s for {job.recipe.epochs}"
        )
        lines.append(f"  training: about {epoch:,.1f} s an epoch{most}")
    if config.budget is not None:
        lines.append(f"  candidates: at most {config.budget}")
    return "\n".join(lines)


def timed_epoch(job: Prepared, setting: Setting) -> float:
    """Seconds of an epoch of training, from the steps of one over a few items."""
    import tempfile
    from pathlib import Path

    from headstart.data.items import take_items
    from headstart.features import Store
    from headstart.tune import Part, Training

    examples, positions = job.examples, job.positions("train")
    n_few = min(len(positions), 4 * job.recipe.batch_size)  # steps enough to leave the first uncounted
    few = positions[np.linspace(0, len(positions) - 1, n_few).astype(int)]
    codes = examples.targets.encode(np.asarray(examples.labels)[few])
    part = Part(take_items(examples.items, few), job.scan.digests[few], codes)
    recipe = job.recipe.model_copy(
        update={"lr": 1e-4, "contrastive": 0}
    )  # the time does not depend on the rate
    with tempfile.TemporaryDirectory() as folder:
        training = Training(
            job.source, part, None, examples.targets.classes,
            policy=job.policy, recipe=recipe, store=Store(Path(folder)), setting=setting, task=examples.task,
        )  # fmt: skip
        return training.measure_epoch() * len(positions) / len(few)


def timed_item(job: Prepared, setting: Setting) -> tuple[float, int]:
    """Seconds an item and numbers an item, from a pass over a few."""
    import tempfile
    from pathlib import Path

    from headstart.data.items import take_items
    from headstart.features import Store, extract_pooled

    few = np.linspace(0, len(job.examples) - 1, min(N_TIMED, len(job.examples))).astype(int)
    few = np.unique(few)
    with tempfile.TemporaryDirectory() as folder:
        best = float("inf")
        for store in ("warm", "timed"):
            started = time.perf_counter()
            features = extract_pooled(
                job.source,
                take_items(job.examples.items, few),
                job.scan.digests[few],
                Store(Path(folder) / store),
                **setting.options,
            )
            best = min(best, time.perf_counter() - started)
    return best / len(few), sum(features.widths)
