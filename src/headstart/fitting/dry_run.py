"""The dry run: data checks, split, stages, time and disk, before anything is trained or written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from headstart.clock import Clock
from headstart.fitting.facts import task_words
from headstart.fitting.learnable import check_plan
from headstart.fitting.options import FitOptions
from headstart.fitting.plan import Plan, plan_fit
from headstart.fitting.preflight import check_machine
from headstart.fitting.reading import read_labelled
from headstart.fitting.source_data import check_source_data
from headstart.fitting.stages import planned_rows, stages_table
from headstart.fitting.threshold import check_threshold
from headstart.fitting.timing import timed_epoch, timed_item
from headstart.units import counted

if TYPE_CHECKING:
    from headstart.features import Setting

_MOST_CLASSES = 20  # in the text


@dataclass(frozen=True)
class Cost:
    """What a fit would take; None for what it does not do.

    Attributes:
        seconds_features, n_bytes_features: of extraction.
        n_bytes_prefix: of the stored prefix, all views.
        seconds_epoch: of training.
        most_epochs: of training; None: a number of steps.
    """

    seconds_features: float
    n_bytes_features: int
    n_bytes_prefix: int | None = None
    seconds_epoch: float | None = None
    most_epochs: int | None = None


@dataclass(frozen=True, eq=False)
class DryRun:
    """What a fit would do.

    Attributes:
        plan: data, source, policy and recipe.
        setting: device, precision and threads.
        budget: for a race, as it was given.
        counts: number of items of each class or label, by part.
        cost: time and disk.
    """

    plan: Plan
    setting: Setting
    budget: str | None
    counts: Mapping[str, Mapping[str, int]]
    cost: Cost

    def to_json(self) -> dict[str, Any]:
        """The same as a dictionary that JSON can hold."""
        examples = self.plan.data.examples
        return {
            "data": {
                "n_items": len(examples),
                "task": examples.task.name,
                "target": examples.target,
                "split": examples.split_origin,
                "parts": {
                    part: {"n_items": len(self.plan.data.positions(part)), "classes": dict(counts)}
                    for part, counts in self.counts.items()
                },
            },
            "findings": [asdict(finding) for finding in self.plan.findings],
            "policy": self.plan.policy.text,
            "stages": planned_rows(self.plan),
            "machine": self.setting.options,
            "cost": asdict(self.cost),
        }

    @property
    def text(self) -> str:
        """The same as lines of plain text."""
        return "\n\n".join([self._data(), self._checks(), self._stages(), self._cost()])

    def _data(self) -> str:
        plan, parts = self.plan, list(self.counts)
        examples = plan.data.examples
        what = task_words(examples) + (f" of '{examples.target}'" if examples.task.has_classes else "")
        lines = [f"Data: {counted(len(examples), 'items')}, {what}"]
        if examples.group is not None and examples.groups is not None:
            lines[0] += f", {counted(len(set(examples.groups)), 'groups')} of '{examples.group}'"
        names = {
            name: name if name == name.strip() else f"'{name}'" for name in examples.classes[:_MOST_CLASSES]
        }
        width = max(len("part"), *(len(name) for name in names.values()), 0)
        lines.append(f"  {'class':<{width}}  " + "  ".join(f"{part:>10}" for part in parts))
        for name, shown in names.items():
            counts = "  ".join(f"{self.counts[part].get(name, 0):>10,}" for part in parts)
            lines.append(f"  {shown:<{width}}  {counts}")
        if len(examples.classes) > len(names):
            lines.append(f"  ... and {counted(len(examples.classes) - len(names), 'more classes')}")
        totals = "  ".join(f"{len(plan.data.positions(part)):>10,}" for part in parts)
        lines.append(f"  {'all':<{width}}  {totals}")
        return "\n".join([*lines, f"  {examples.split_origin}"])

    def _checks(self) -> str:
        found = [f"  {finding.severity}: {finding.message}" for finding in self.plan.findings]
        return "\n".join(["Checks:", *found]) if found else "Checks: nothing found"

    def _stages(self) -> str:
        table = (f"  {line}" for line in stages_table(self.plan).splitlines())
        return "\n".join([f"Stages under --freeze {self.plan.policy.text}:", *table])

    def _cost(self) -> str:
        setting, cost, views = self.setting, self.cost, self.plan.recipe.views
        features = f"about {cost.seconds_features:,.0f} s and {cost.n_bytes_features / 1e6:,.1f} MB"
        lines = [
            f"Cost on {setting.device}, {setting.precision}, {counted(setting.n_threads, 'threads')}:",
            f"  features: {features}",
        ]
        if cost.n_bytes_prefix is not None:
            lines.append(
                f"  stored prefix: {cost.n_bytes_prefix / 1e6:,.1f} MB for {counted(views, 'views')}"
            )
        if cost.seconds_epoch is not None:
            n = cost.most_epochs
            most = "" if n is None else f", at most {n * cost.seconds_epoch:,.0f} s for {n}"
            lines.append(f"  training: about {cost.seconds_epoch:,.1f} s per epoch{most}")
        if self.budget is not None:
            lines.append(f"  candidates: at most {self.budget}")
        return "\n".join(lines)


def dry_run(options: FitOptions) -> DryRun:
    """Find out what a fit would do; whatever a fit refuses before it computes is refused here too.

    Args:
        options: the options of the fit.

    Raises:
        InputError: anything about the data, the source or the options is wrong.
    """
    clock = Clock()
    check_source_data(options.source_data)
    examples = read_labelled(options, clock)
    check_threshold(options.threshold_rule, examples)
    setting = check_machine(options)
    plan = plan_fit(examples, options, clock)
    check_plan(plan, options)
    data = plan.data
    labels = np.asarray(data.labels)
    places = {part: data.positions(part) for part in ("train", "validation", "test")}
    counts = {part: data.examples.task.counts(labels[at]) for part, at in places.items() if len(at)}
    budget = options.budget if options.freeze == "auto" else None
    return DryRun(plan, setting, budget, counts, _cost_of(plan, setting))


def _cost_of(plan: Plan, setting: Setting) -> Cost:
    """Time, measured on a few real items; disk, from the widths of the stages and the shape of the state."""
    from headstart.data.items import take_items
    from headstart.features.states import estimate_state_bytes

    n_items, cut, recipe = len(plan.data.examples), plan.policy.cut, plan.recipe
    seconds, n_floats = timed_item(plan, setting)
    prefix, epoch = None, None
    if cut is not None and plan.policy.stores_prefix:
        train = take_items(plan.data.examples.items, plan.data.positions("train"))
        prefix = recipe.views * estimate_state_bytes(plan.source, train, cut, precision=setting.precision)
    if cut is not None and plan.policy.trained and recipe.epochs:
        epoch = timed_epoch(plan, setting)
    most = None if epoch is None or recipe.steps else recipe.epochs
    return Cost(seconds * n_items, n_floats * 4 * n_items, prefix, epoch, most)
