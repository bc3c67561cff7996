"""The methods of an audit: transfer, other sources, and what does without pretrained weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headstart.auditing.measuring import Learner, on_classical, on_majority, on_source
from headstart.auditing.options import BUDGET, AuditOptions
from headstart.clock import Clock
from headstart.errors import HeadstartError, OptionError, SourceError, one_line
from headstart.fitting.options import FitOptions, fit_options
from headstart.fitting.plan import Plan, load, policy_of
from headstart.fitting.source_data import overlap_of
from headstart.fitting.timing import timed_item
from headstart.fitting.workspace import Workspace
from headstart.progress import say
from headstart.runs.audit import WITHOUT
from headstart.sources.random_weights import with_random_weights

if TYPE_CHECKING:
    from headstart.data import DataSet
    from headstart.features import Setting


def plans_of(options: AuditOptions, data: DataSet, clock: Clock) -> list[tuple[str, Plan]]:
    """A plan for the source, then for each other source, each with its name; nothing is extracted yet.

    Args:
        options: of the audit.
        data: the data set.
        clock: takes the phases "source" and "source data".

    Raises:
        SourceError: one cannot be opened, or is of another modality.
        OptionError: --arch names none of the sources.
    """
    from headstart.sources import default_source

    main = str(options.source or default_source(data.examples.modality))
    _check_names(main, options.others)
    archs = _archs(options, main)
    found = []
    for uri in (main, *options.others):
        freeze = options.freeze if uri == main else "all"
        given = fit_options(**_of_fit(options), source=uri, arch=archs.get(uri), freeze=freeze)
        with clock.phase("source"):
            source = load(given, data.examples.modality)
        found.append((uri, Plan.of(data, source, policy_of(given, source), given)))
    # last, since it takes the longest
    overlap = overlap_of(data, fit_options(**_of_fit(options)), clock)
    if overlap is not None:
        found[0] = (main, found[0][1].with_overlap(overlap))
    return found


def _check_names(main: str, others: Sequence[str]) -> None:
    """Refuse sources that cannot be told from each other, or from another method, by their names."""
    for name in (main, *others):
        if name in WITHOUT:
            raise OptionError(f"'{name}' is the name of a method: write the folder as ./{name}")
    if main in others:
        raise OptionError(f"--against names the source itself, {main}: name another source, or leave it out")


def _of_fit(options: AuditOptions) -> dict[str, Any]:
    """The options that a fit has too; the time of a race is set later."""
    own = ("source", "arch", "freeze", "budget", "out")
    names = [
        name for name in FitOptions.model_fields if name in AuditOptions.model_fields and name not in own
    ]
    return {**{name: getattr(options, name) for name in names}, "budget": options.budget or BUDGET}


def _archs(options: AuditOptions, main: str) -> dict[str, str]:
    """The architecture of each source that needs one."""
    found: dict[str, str] = {}
    for text in options.arch:
        uri = next((uri for uri in (main, *options.others) if text.startswith(f"{uri}=")), None)
        name, arch = (main, text) if uri is None else (uri, text[len(uri) + 1 :])
        if found.setdefault(name, arch) != arch:
            raise OptionError(
                f"--arch names two architectures for {name}; write SOURCE=ARCH for those of --against"
            )
    return found


def learners_of(
    options: AuditOptions,
    plans: Sequence[tuple[str, Plan]],
    n_draws: int,
    setting: Setting,
    clock: Clock,
    notes: list[str],
) -> tuple[list[Learner], Workspace | None]:
    """Extract what each method needs, once.

    Args:
        options: of the audit.
        plans: of the sources, transfer first.
        n_draws: of training items, all numbers of labels together.
        setting: device, precision and threads.
        clock: takes the phases "features", "timing" and "baseline".
        notes: takes what could not be measured, and why.

    Returns:
        How each method learns, transfer first, and the workspace of the network with random weights, if it is measured.
    """
    data = plans[0][1].data
    learners: list[Learner] = []
    for number, (name, plan) in enumerate(plans):
        if options.freeze == "auto":  # half of the time is for transfer, shared by its draws
            plan = replace(plan, budget_seconds=(options.budget_seconds or 0.0) / 2 / n_draws)
        try:
            workspace = Workspace(plan, setting, options.store, clock)
            seconds = _item_seconds(plan, setting, clock)
        except HeadstartError:
            raise
        except (Exception, SystemExit) as error:  # code of the user's own
            raise SourceError(f"{name}: its network failed on these items ({one_line(error)})") from None
        learners.append(on_source(workspace, name, "transfer" if number == 0 else "source", seconds))
    random = None
    if options.with_scratch:
        random = _random(plans[0][1], setting, options.store, clock, notes)
    if random is not None:
        seconds = learners[0].method.item_seconds  # the same network, so the same time
        learners.append(on_source(random, "random", "random", seconds))
    if options.with_classical:
        with clock.phase("baseline"):
            try:
                learners.append(on_classical(data, setting.n_threads))
            except HeadstartError as error:
                notes.append(f"Classical features were not measured: {one_line(error)}")
    learners.append(on_majority(data))
    return learners, random


def _random(
    plan: Plan, setting: Setting, store: str | Path | None, clock: Clock, notes: list[str]
) -> Workspace | None:
    """The source's network with random weights, untrained; None if it cannot be had."""
    from headstart.tune import Policy

    stages = tuple(plan.source.stages)
    try:
        source = with_random_weights(plan.source, seed=plan.seed, arch=plan.arch)
        policy = Policy.at(len(stages), stages)
        return Workspace(
            replace(plan, source=source, policy=policy, recipe=plan.recipe_for(policy)), setting, store, clock
        )
    except Exception as error:  # any network can fail with weights that nobody has trained
        note = f"The network could not be measured with random weights: {one_line(error)}"
        say(f"note: {note}")
        notes.append(note)
        return None


def _item_seconds(plan: Plan, setting: Setting, clock: Clock) -> float:
    """Seconds per item of an extraction, timed on a few items, since the features may come from the store."""
    with clock.phase("timing"):
        return timed_item(plan, setting)[0]
