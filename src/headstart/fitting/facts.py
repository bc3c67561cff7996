"""What card, report and messages say about a run in addition to its record: folder, command, parts, environment."""

from __future__ import annotations

import importlib.metadata
import platform
import shlex
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from headstart.data.in_memory_data import DataInMemory
from headstart.fitting.options import FitOptions
from headstart.fitting.shared_options import CARRIED, flags_of
from headstart.units import counted

if TYPE_CHECKING:
    from headstart.data import DataSet, Examples, Finding
    from headstart.runs import RunDirectory, RunFacts, SplitPart

SAME_IN_RACE = (  # all but those of one training: a race gives the policy, and does not compile
    *("source", "source_data", "arch", "head", *CARRIED),
    *(
        "weight",
        "class_weight",
        "recipe",
        "epochs",
        "lr",
        "batch_size",
        "views",
        "folds",
        "refit_all",
        "baseline",
        "guard",
        "threshold",
        "track",
        "export",
    ),
)


def run_facts(
    run: RunDirectory, data: DataSet, findings: Sequence[Finding], *, refitted: bool = False
) -> RunFacts:
    """What card and report say about the run in addition to its record.

    Args:
        run: the run's folder.
        data: the data set.
        findings: what the data checks found, including checks that need a source.
        refitted: whether the result was learned from every label in the end.
    """
    examples = data.examples
    facts = facts_of(run, examples.classes, parts_of(data), examples.split_origin, findings)
    return replace(facts, refitted=refitted)


def facts_of(
    run: RunDirectory,
    classes: tuple[str, ...],
    parts: tuple[SplitPart, ...],
    split_origin: str,
    findings: Sequence[Finding],
) -> RunFacts:
    """The same, where the data set itself may not be at hand.

    Args:
        run: the run's folder.
        classes: names of the outputs.
        parts: of the data.
        split_origin: where they come from.
        findings: what the data checks found.
    """
    from headstart.runs import RunFacts

    return RunFacts(
        run=str(shown(run)),
        command=command_written(run.first_command or sys.argv),
        classes=classes,
        parts=parts,
        split_origin=split_origin,
        findings=tuple(findings),
        environment=environment(),
        created=time.strftime("%Y-%m-%d %H:%M"),
    )


def next_command(options: FitOptions) -> str:
    """The command of a race with the same options, offered after a head alone.

    It is "" after another policy, and for data that no command can name.

    The precision that "auto" gives on this machine is left out, since the options of a run hold it resolved.
    """
    from headstart.features import choose_device
    from headstart.features.device import choose_precision

    if options.freeze != "all" or isinstance(options.data, DataInMemory):
        return ""
    usual = choose_precision("auto", choose_device(options.device), options.store)
    if options.precision == usual:
        options = options.model_copy(update={"precision": "auto"})
    if options.lr == "auto":  # a race multiplies the recipe's rates
        options = options.model_copy(update={"lr": None})
    words = ["headstart", "fit", str(options.data), *flags_of(options, SAME_IN_RACE)]
    return shlex.join([*words, "--freeze", "auto", "--budget", "5m"])


def task_words(examples: Examples) -> str:
    """What is learned, in a few words."""
    if not examples.task.has_classes:
        return f"the quantity '{examples.target}'"
    return counted(len(examples.classes), examples.task.words.outputs)


def shown(run: RunDirectory) -> Path:
    """The run's folder, relative to the current folder if it lies below it."""
    here = Path.cwd()
    return run.path.relative_to(here) if run.path.is_relative_to(here) else run.path


def command_written(words: Sequence[str]) -> str:
    """The command line of a process, as a user types it.

    Args:
        words: of the process, its program first.
    """
    return shlex.join(["headstart", *words[1:]] if words and "headstart" in words[0] else words)


def environment() -> dict[str, str]:
    """Versions and machine, as kept with a run."""
    packages = ("headstart", "torch", "timm", "transformers", "scikit-learn", "numpy")
    versions = {name: importlib.metadata.version(name) for name in packages}
    return {
        "python": platform.python_version(),
        **versions,
        "machine": f"{platform.system()} {platform.machine()}",
    }


def parts_of(data: DataSet) -> tuple[SplitPart, ...]:
    """The parts of a labelled data set, those without items left out."""
    from headstart.runs import SplitPart

    examples, labels, parts = data.examples, np.asarray(data.labels), []
    for name in ("train", "validation", "test"):
        positions = data.positions(name)
        if len(positions):
            groups = None if examples.groups is None else len(set(examples.groups[positions]))
            units = None if data.units is None else len(set(data.units[positions]))
            counts = examples.task.counts(labels[positions])
            parts.append(SplitPart(name, len(positions), groups, counts, units))
    return tuple(parts)
