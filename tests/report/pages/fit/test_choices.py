"""The history names the epoch that was returned; stages and rates stand beside it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from headstart.report import render
from headstart.report.pages.fit import FitReport
from headstart.report.pages.fit.choices import candidates_section, history_section, stages_section
from headstart.runs import Chosen

from .test_words import with_record


def deck(report: FitReport) -> str:
    (section,) = history_section(report)
    return section.deck


def test_the_history_names_the_epoch_that_was_returned_not_the_best_scored(
    samples: dict[str, FitReport],
) -> None:
    report = samples["text"]
    best_scored = max(report.history, key=lambda row: row["validation_accuracy"])["epoch"]
    lowest_loss = min(report.history, key=lambda row: row["validation_loss"])["epoch"]
    assert (best_scored, lowest_loss, report.record.best_epoch) == (6, 7, 7)
    assert deck(report) == (
        "The validation loss was lowest after epoch 7 (0.387, with 87.0% accuracy); training kept these weights."
    )


def test_the_history_of_a_training_whose_result_was_not_taken(samples: dict[str, FitReport]) -> None:
    alone = with_record(samples["text"], chosen=Chosen("all", 7, ("layer.5",)))
    assert deck(alone).endswith("; the head alone was returned.")
    start = {"epoch": 0, "train_loss": None, "validation_loss": 0.2, "validation_accuracy": 0.9}
    before = replace(with_record(samples["text"], best_epoch=0), history=[start, *samples["text"].history])
    assert deck(before).startswith("The validation loss was lowest before the first epoch (0.200,")


def test_weights_that_were_not_returned_as_they_were_are_not_called_kept(
    samples: dict[str, FitReport],
) -> None:
    again = "the network was then trained again on all items"
    # the second training ended after epoch 10, the history is that of the first
    report = replace(with_record(samples["text"], best_epoch=10), after_training=again)
    assert (
        deck(report) == f"The validation loss was lowest after epoch 7 (0.387, with 87.0% accuracy); {again}."
    )


@pytest.mark.parametrize("best_epoch", [None, 10])
def test_without_validation_no_epoch_is_named(samples: dict[str, FitReport], best_epoch: int | None) -> None:
    rows = [{"epoch": row["epoch"], "train_loss": row["train_loss"]} for row in samples["text"].history]
    assert deck(replace(with_record(samples["text"], best_epoch=best_epoch), history=rows)) == ""


def test_relative_gradient_norms_stand_beside_the_stages(samples: dict[str, FitReport]) -> None:
    report = samples["text"]
    assert "Relative gradient norm" not in render(report)
    norms = {"stages": {"layer.4": 0.0123456, "layer.5": None}, "chosen": "layer.4", "notes": ["A doubt."]}
    page = render(with_record(report, extra={**report.record.extra, "relative_gradient_norms": norms}))
    assert "Relative gradient norm" in page and '<td class="n">0.0123</td>' in page and "A doubt." in page


def test_the_best_of_many_looks_is_called_selected(samples: dict[str, FitReport]) -> None:
    report = samples["text"]
    (section,) = candidates_section(report)
    assert section.deck == "Scored on validation, never on the held-out part."
    looked = tuple(replace(each, looks=35) for each in report.candidates)
    (section,) = candidates_section(replace(report, candidates=looked))
    assert section.deck.endswith("The best of 35 looks at these items was selected: expect less on new ones.")


def test_stages_are_shown_only_where_one_was_trained(samples: dict[str, FitReport]) -> None:
    (section,) = stages_section(samples["text"])
    assert [row.trains for row in section.content.rows] == 4 * [False] + 4 * [True]
    frozen = [{**row, "trains": row["stage"] == "head"} for row in samples["text"].record.extra["stages"]]
    assert not list(stages_section(with_record(samples["text"], extra={"stages": frozen})))
