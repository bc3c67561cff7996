"""The dry run: data checks, split, stages, time and disk, before anything is trained or written."""

from __future__ import annotations

import numpy as np

from headstart.clock import Clock
from headstart.fitting.facts import task_words
from headstart.fitting.options import FitOptions
from headstart.fitting.plan import Plan, read_and_plan
from headstart.fitting.stages import stages_table
from headstart.fitting.timing import timed_epoch, timed_item
from headstart.units import counted


def dry_run(options: FitOptions) -> str:
    """Report what a fit would do.

    Args:
        options: the options of the fit.

    Returns:
        Lines of plain text.
    """
    plan = read_and_plan(options, Clock())
    blocks = [_data(plan), _checks(plan), _stages(plan), _cost(plan, options)]
    return "\n\n".join(blocks)


def _data(plan: Plan) -> str:
    examples = plan.data.examples
    what = task_words(examples) + (f" of '{examples.target}'" if examples.task.has_classes else "")
    lines = [f"Data: {counted(len(examples), 'items')}, {what}"]
    if examples.group is not None and examples.groups is not None:
        lines[0] += f", {counted(len(set(examples.groups)), 'groups')} of '{examples.group}'"
    shown = examples.classes[:20]
    labels = np.asarray(examples.labels)
    width = max(len("part"), *(len(name) for name in shown), 0)
    parts = [part for part in ("train", "validation", "test") if len(plan.data.positions(part))]
    counts = {part: examples.task.counts(labels[plan.data.positions(part)]) for part in parts}
    lines.append(f"  {'class':<{width}}  " + "  ".join(f"{part:>10}" for part in parts))
    for name in shown:
        lines.append(f"  {name:<{width}}  " + "  ".join(f"{counts[part][name]:>10,}" for part in parts))
    if len(examples.classes) > len(shown):
        lines.append(f"  ... and {counted(len(examples.classes) - len(shown), 'more classes')}")
    totals = "  ".join(f"{len(plan.data.positions(part)):>10,}" for part in parts)
    lines.append(f"  {'all':<{width}}  {totals}")
    return "\n".join([*lines, f"  {examples.split_origin}"])


def _checks(plan: Plan) -> str:
    if not plan.findings:
        return "Checks: nothing found"
    return "\n".join(["Checks:", *(f"  {finding.severity}: {finding.message}" for finding in plan.findings)])


def _stages(plan: Plan) -> str:
    table = stages_table(plan)
    return "\n".join(
        [f"Stages under --freeze {plan.policy.text}:", *(f"  {line}" for line in table.splitlines())]
    )


def _cost(plan: Plan, options: FitOptions) -> str:
    """Time, measured on a few real items; disk, from the widths of the stages and the shape of the state."""
    from headstart.data.items import take_items
    from headstart.features import Setting
    from headstart.features.states import estimate_state_bytes

    n_items = len(plan.data.examples)
    setting = Setting.choose(options.device, options.precision, options.threads)
    seconds, n_floats = timed_item(plan, setting)
    lines = [
        f"Cost on {setting.device}, {setting.precision}, {counted(setting.n_threads, 'threads')}:",
        f"  features: about {seconds * n_items:,.0f} s and {n_floats * 4 * n_items / 1e6:,.1f} MB",
    ]
    cut = plan.policy.cut
    if cut is not None and plan.policy.stores_prefix:
        train = take_items(plan.data.examples.items, plan.data.positions("train"))
        n_bytes = estimate_state_bytes(plan.source, train, cut, precision=setting.precision)
        lines.append(
            f"  stored prefix: {n_bytes * plan.recipe.views / 1e6:,.1f} MB for {counted(plan.recipe.views, 'views')}"
        )
    if cut is not None and plan.policy.trained and plan.recipe.epochs:
        epoch = timed_epoch(plan, setting)
        most = (
            ""
            if plan.recipe.steps
            else f", at most {plan.recipe.epochs * epoch:,.0f} s for {plan.recipe.epochs}"
        )
        lines.append(f"  training: about {epoch:,.1f} s per epoch{most}")
    if options.budget is not None:
        lines.append(f"  candidates: at most {options.budget}")
    return "\n".join(lines)
