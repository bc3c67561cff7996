"""Write explanations: metrics.json, explanations.csv and report.html in a run directory of their own kind."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from headstart.clock import Clock, peak_bytes
from headstart.data.in_memory_data import Data, DataInMemory, in_memory, place_of
from headstart.explaining.explained import Explained
from headstart.explaining.items import Items
from headstart.explaining.options import ExplainOptions
from headstart.explaining.result import Explanations, rows
from headstart.files import name_of
from headstart.fitting import reported_run
from headstart.fitting.facts import facts_of
from headstart.progress import waiting

if TYPE_CHECKING:
    from headstart.runs import RunDirectory
    from headstart.runs.explanation import ExplanationFacts
    from headstart.runs.model import Model

TABLE = "explanations.csv"


def create(options: ExplainOptions) -> RunDirectory:
    """Claim the folder of explanations."""
    name = f"explained-by-{name_of(str(options.run))}"
    return reported_run.claim(options, name, of=place_of(_data(options)))


def finish(
    run: RunDirectory,
    options: ExplainOptions,
    model: Model,
    items: Items,
    explained: Sequence[Explained],
    facts: ExplanationFacts,
    clock: Clock,
) -> Explanations:
    """Write explanations and close their folder.

    Args:
        run: the folder, claimed.
        options: of the explanation.
        model: the run that was explained.
        items: that were read.
        explained: those that have an explanation.
        facts: what was found.
        clock: the seconds of the phases.
    """
    from headstart.explaining.showing import shown_item
    from headstart.report.pages.explain import ExplainReport
    from headstart.runs import DataFacts, Record, RunDirectory
    from headstart.runs.facts import data_digest

    named = options.model_copy(update={"data": str(_data(options))})  # no file can hold what a script holds
    reported_run.write_configuration(run, named, "explain")
    examples, n_items = items.examples, len(explained)
    labels = [""] * len(examples) if examples.labels is None else examples.labels
    record = Record(
        kind="explain",
        source=RunDirectory.open(options.run).record.source,
        data=DataFacts(
            named.data,
            data_digest(items.digests, labels),
            examples.modality,
            examples.target,
            {"test": n_items},
            text=examples.text_columns,
        ),
        task=model.task,
        n_test=n_items,
        seconds=clock.seconds,
        peak_bytes=peak_bytes(),
        extra={"explanation": facts.to_json()},
    )
    with waiting("Writing the report …"):
        shown = ExplainReport(
            record,
            facts_of(run, model.classes, (), "", ()),
            facts,
            [shown_item(each, model.classes) for each in explained],
        )
        summary = reported_run.finish(
            run, shown, TABLE, rows(explained, model.classes), report=options.report
        )
    return Explanations(run.path, record.to_json(), summary, facts, explained, model.classes)


def _data(options: ExplainOptions) -> Data:
    """Where the items are, or what a script holds."""
    data = options.data
    return data if isinstance(data, str | Path) else in_memory(data) or DataInMemory("list", data)
