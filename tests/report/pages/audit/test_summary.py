"""The terminal block of an audit fits, and says the verdict, the curves, what is saved and what to do next."""

from __future__ import annotations

from dataclasses import replace

import pytest

from headstart.report import end_block
from headstart.report.pages.audit import AuditReport
from small_audits import FOLDER, audit_report, with_everything

ALL = ("random", "classical", "majority", "scratch")


@pytest.mark.parametrize("outcome", ["positive", "negative", "undecided"])
@pytest.mark.parametrize("n_others", [0, 1, 2, 9])
@pytest.mark.parametrize("roles", [("classical", "majority"), ALL])
def test_lines_fit_but_for_the_command(roles: tuple[str, ...], n_others: int, outcome: str) -> None:
    text = end_block(audit_report(roles, n_others=n_others, outcome=outcome))
    assert max(len(line) for line in text.splitlines() if not line.startswith("  Next")) <= 92


def test_everything_fits_and_letters_stand_for_names() -> None:
    text = end_block(with_everything())
    assert max(map(len, text.splitlines())) <= 92
    assert (
        "  B  network_1.of_some_other_training (other source)" in text
        and "  G  training from scratch" in text
    )
    assert "  - network_1.of_some_other_training was measured" in text and FOLDER not in text
    assert "Next" not in text


def table(report: AuditReport) -> list[list[str]]:
    lines = end_block(report).splitlines()
    start = next(k for k, line in enumerate(lines) if line.startswith("  labels"))
    return [line.split() for line in lines[start : start + 6]]


def test_the_table() -> None:
    title, first, *_ = table(audit_report())
    assert title == ["labels", "transfer", "classical", "majority", "gain", "verdict"]
    assert first == ["20", "85.0%", "60.0%*", "46.0%", "+25.0", "(+21.0", "to", "+29.0)", "helps"]
    title, first, *_ = table(audit_report(ALL))
    assert title == ["labels", "transfer", "random", "classical", "majority", "scratch", "gain", "verdict"]


def test_a_number_of_labels_that_was_not_measured() -> None:
    report = audit_report()
    curves = [
        replace(each, points=each.points[1:]) if each.role == "majority" else each
        for each in report.audit.curves
    ]
    _, first, second, *_ = table(replace(report, audit=replace(report.audit, curves=curves)))
    assert first[3] == "-" and second[3] == "48.5%"


def test_what_to_do_next() -> None:
    positive, negative = end_block(audit_report()), end_block(audit_report(outcome="negative", start=0.5))
    assert f"  Next    headstart fit data/photos --source {FOLDER}/network_0" in positive
    assert "Next" not in negative and "--guard return classical" in " ".join(negative.split())
    assert "report.html" not in end_block(audit_report(), has_report=False)


def test_what_would_decide_it() -> None:
    text = " ".join(end_block(audit_report(outcome="undecided")).split())
    assert "What would decide it with 244 labels: if the difference is what it seems, about 15 seeds" in text


def test_a_loss_says_which_way_is_better() -> None:
    assert "lower is better" in " ".join(end_block(audit_report(metric="log_loss")).split())
    assert "lower is better" not in " ".join(end_block(audit_report()).split())
