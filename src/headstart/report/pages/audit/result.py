"""The first section: the sentence, the verdict, what is saved, what to know before trusting it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from headstart.report.pages.audit.report import AuditReport
from headstart.report.pages.audit.summary import saved_words
from headstart.report.shell import Notice, Section


@dataclass(frozen=True)
class Result:
    """What the first section shows."""

    sentence: str
    outcome: str
    saved: Sequence[str]
    needs: str
    notices: Sequence[Notice]


def result_section(report: AuditReport) -> Section:
    """The first section of the page."""
    audit = report.audit
    notices = [Notice("warning", "", text) for text in audit.warnings]
    notices += [Notice("note", "", text) for text in audit.notes]
    content = Result(
        audit.sentence,
        audit.final.outcome,
        [saved_words(report, each) for each in audit.saved.values()],
        audit.final.needs,
        notices,
    )
    return Section("result", "Audit", "audit/result.html.j2", content)
