"""What the report says of labels that may be wrong."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from headstart.evidence.label_errors import LabelNoise
from headstart.report import render
from headstart.report.pages.fit import FitReport
from headstart.report.pages.fit.label_errors import (
    MEASURED,
    N_SHOWN,
    label_errors_notice,
    label_errors_section,
)
from headstart.runs.label_check import LabelCheck, Suspect

RESULTS = Path(__file__).resolve().parents[4] / "benchmarks" / "results" / "honesty-labels.json"


def doubtful(report: FitReport, noise: LabelNoise, n_suspects: int = 30) -> FitReport:
    """The report with as many suspects, of which the names are the items."""
    suspects = tuple(
        Suspect(k, f"review {k}", ("train", "test")[k % 2], "negative", "positive", 0.02, 0.98)
        for k in range(n_suspects)
    )
    checked = LabelCheck(suspects, {"train": 400, "test": 600}, noise)
    return replace(report, checked=checked, suspects=[f"a film {k}" for k in range(n_suspects)])


def test_the_likeliest_are_shown_with_both_answers(samples: dict[str, FitReport]) -> None:
    report = doubtful(samples["text"], LabelNoise(0.05, 1e-6))
    (section,) = label_errors_section(report)
    shown = section.content.items
    assert len(shown) == N_SHOWN["text"] and shown[1].payload == "a film 1"
    assert (shown[1].label.text, shown[1].label.sure) == ("negative", "2%")
    assert (shown[1].other.text, shown[1].other.sure, shown[1].note) == ("positive", "98%", "held-out part")
    assert section.deck.startswith("30 of 1,000 texts are likely to have a wrong label")
    assert "about 20 of 400 labels of the training part look wrong" in section.deck
    assert section.deck.endswith("cross-validation of the head alone, held-out ones by the result.")
    (notice,) = label_errors_notice(report)
    assert notice.title.startswith("About 20 of 400 labels of the training part look wrong, or")
    page = render(report)
    assert "Labels that may be wrong" in page and "a film 1<" in page


def test_several_labels_per_item_are_counted_as_labels(samples: dict[str, FitReport]) -> None:
    report = doubtful(samples["text"], LabelNoise(0.05, 1e-6))
    assert report.checked is not None
    report = replace(report, checked=replace(report.checked, n_answers=10))
    (notice,) = label_errors_notice(report)
    assert notice.title.startswith("About 200 of 4,000 labels")


def test_with_folds_every_item_is_judged_alike(samples: dict[str, FitReport]) -> None:
    (section,) = label_errors_section(doubtful(samples["audio"], LabelNoise(0.05, 1e-6)))
    assert section.deck.endswith("Every item is judged by a model that did not learn from it.")
    assert {item.note for item in section.content.items} == {""}


def test_no_more_than_chance_is_no_notice(samples: dict[str, FitReport]) -> None:
    report = doubtful(samples["text"], LabelNoise(0.01, 0.2), n_suspects=1)
    (section,) = label_errors_section(report)
    assert section.deck.startswith("1 of 1,000 texts has an improbable label")
    assert "no more than chance explains" in section.deck
    assert not list(label_errors_notice(report))


def test_a_quantity_and_labels_that_agree_have_no_section(samples: dict[str, FitReport]) -> None:
    assert not list(label_errors_section(samples["text"])) and not list(label_errors_notice(samples["text"]))
    assert not list(label_errors_section(doubtful(samples["text"], LabelNoise(0.0, 1.0), n_suspects=0)))


def test_the_precision_named_is_the_one_measured() -> None:
    planted = [
        each["headstart"]
        for row in json.loads(RESULTS.read_text())
        for each in row["found"]
        if each["flip"] == "at random"
    ]
    assert len(planted) >= 3
    assert (round(min(planted), 2), round(max(planted), 2)) == MEASURED
