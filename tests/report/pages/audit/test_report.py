"""What methods are called, and against which baseline savings are shown."""

from __future__ import annotations

from headstart.report.pages.audit.report import point_at
from small_audits import SOURCE, audit_report, saved_at, with_everything


def test_the_only_source_is_called_transfer() -> None:
    alone, several = audit_report(), with_everything()
    assert alone.names[SOURCE] == "transfer" and several.names[SOURCE] == "network_0.of_some_training"
    assert alone.sources[SOURCE] == several.sources[SOURCE] == "network_0.of_some_training"
    assert alone.names["majority"] == "most frequent class"
    assert several.letters[SOURCE] == "A" and list(several.letters.values()) == list("ABCDEFG")


def test_colours_of_more_than_three_other_sources_repeat() -> None:
    kinds = list(audit_report(n_others=4).kinds.values())
    assert kinds[1:5] == ["source-0", "source-1", "source-2", "source-0"]


def test_savings_are_shown_against_the_baseline_of_the_verdict() -> None:
    report = audit_report(saved={"random": saved_at("random", 20), "classical": saved_at("classical", 57)})
    assert report.leading_saved is report.audit.saved["classical"]
    assert audit_report(saved={}).leading_saved is None


def test_a_point_that_was_not_measured() -> None:
    curve = audit_report().audit.transfer
    assert point_at(curve, 20) is curve.points[0] and point_at(curve, 21) is None
