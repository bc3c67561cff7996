"""Labels and time for the same score, one row per baseline."""

from __future__ import annotations

from headstart.report.pages.audit.saved import saved_section
from small_audits import audit_report, with_everything


def test_a_row_per_baseline() -> None:
    (section,) = saved_section(with_everything())
    first, random, scratch = section.content.rows
    assert first == (
        "classical features",
        "4.3 times fewer (41 to 80 labels)",
        "3.9 times as long (2.8 to 5.5 times)",
        "70.7%",
        "244",
        "57",
        "2.0 s",
        "7.8 s",
    )
    assert random[2] == "at least 7.5 times as fast (5.4 to 10 times)"
    assert scratch[1:3] == ("none saved", "none saved") and scratch[5] == scratch[7] == "not reached"


def test_no_baseline_no_section() -> None:
    assert not list(saved_section(audit_report(saved={})))
