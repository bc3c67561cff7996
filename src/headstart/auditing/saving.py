"""Write an audit: metrics.json, curves.csv and report.html in a run directory of its own kind."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from headstart.auditing.options import BUDGET, AuditOptions
from headstart.auditing.result import Audit, rows
from headstart.clock import Clock, peak_bytes
from headstart.data.in_memory_data import DataInMemory
from headstart.evidence.verdict import Verdict
from headstart.fitting import reported_run
from headstart.fitting.facts import run_facts
from headstart.fitting.shared_options import CARRIED, flags_of
from headstart.runs.audit import AuditFacts

if TYPE_CHECKING:
    from headstart.data import DataSet
    from headstart.fitting.plan import Plan
    from headstart.runs import RunDirectory

TABLE = "curves.csv"
_SAME_IN_FIT = ("source_data", *CARRIED, "freeze")


def create(options: AuditOptions) -> RunDirectory:
    """Claim the folder of an audit and write its configuration."""
    return reported_run.create(options, "audit", "audit")


def finish(
    run: RunDirectory, options: AuditOptions, data: DataSet, plan: Plan, facts: AuditFacts, clock: Clock
) -> Audit:
    """Write an audit and close its folder.

    Args:
        run: the folder, claimed.
        options: of the audit.
        data: the data set.
        plan: of the source.
        facts: what was found.
        clock: the seconds of the phases.
    """
    from headstart.report.pages.audit import AuditReport
    from headstart.runs import DataFacts, Record, SourceFacts

    final = facts.final
    record = Record(
        kind="audit",
        source=SourceFacts.of(plan.source),
        data=DataFacts.of(data, str(options.data)),
        task=data.examples.task.name,
        n_train=facts.n_train,
        n_test=facts.n_held_out,
        verdict=Verdict(final.outcome, final.against, final.gain, facts.sentence, facts.metric),
        seconds=clock.seconds,
        peak_bytes=peak_bytes(),
        extra={"audit": facts.to_json()},
    )
    shown = AuditReport(
        record, run_facts(run, data, plan.findings), facts, next_command(options, plan, facts)
    )
    summary = reported_run.finish(run, shown, TABLE, rows(facts), report=options.report)
    return Audit(run.path, record.to_json(), summary, facts)


def next_command(options: AuditOptions, plan: Plan, facts: AuditFacts) -> str:
    """The command to run next; "" if there is none.

    It fits the source if transfer helps. If it hurts against classical features, or if that is undecided, --guard
    chooses; undecided, with folds, which measure every item.
    """
    final = facts.final
    undecided = final.outcome == "undecided" and "classical" in {curve.name for curve in facts.curves}
    hurts = final.outcome == "negative" and facts.curve(final.against).role == "classical"
    if isinstance(options.data, DataInMemory) or (
        final.outcome != "positive" and not hurts and not undecided
    ):
        return ""
    words = ["headstart", "fit", str(options.data), "--source", facts.source]
    if plan.arch is not None:
        words += ["--arch", plan.arch]
    words += [*flags_of(options, _SAME_IN_FIT), *(["--guard"] if hurts or undecided else [])]
    words += ["--folds", "5"] if undecided and options.freeze != "auto" else []
    return shlex.join([*words, *(["--budget", options.budget or BUDGET] if options.freeze == "auto" else [])])
