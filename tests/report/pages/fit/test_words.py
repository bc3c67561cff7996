"""What was done and whether transfer helped, in plain words."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from headstart.evidence import Shift
from headstart.metrics import Interval
from headstart.report import end_block
from headstart.report.pages.fit import FitReport
from headstart.report.pages.fit.choices import depth_section
from headstart.report.pages.fit.notices import notices
from headstart.report.pages.fit.result import beside_baselines, result_section
from headstart.report.pages.fit.summary import result_line
from headstart.report.pages.fit.words import answers, sentence, verdict


def with_record(report: FitReport, **changes: Any) -> FitReport:
    """The report of a run whose record differs."""
    return replace(report, record=replace(report.record, **changes))


def with_outcome(report: FitReport, outcome: str) -> FitReport:
    """The report of a run of another verdict."""
    found = report.record.verdict
    assert found is not None
    return with_record(report, verdict=replace(found, outcome=outcome))  # type: ignore[arg-type]


def test_the_noun_of_a_target() -> None:
    assert answers("speaker") == ("speaker", "speakers") and answers("city") == ("city", "cities")
    assert answers("label") == ("class", "classes")


def test_sentences(samples: dict[str, FitReport]) -> None:
    said = sentence(samples["image"])
    assert said.startswith(
        "headstart trained a linear head on blocks.5 of mobilenetv2_100.tf2_ptq_in1k to tell normal"
    )
    assert "fine-tuned layer.3 to layer.5 of" in sentence(samples["text"])
    assert "10 speakers apart" in sentence(samples["audio"])


def test_a_network_from_scratch_is_not_called_fine_tuned(samples: dict[str, FitReport]) -> None:
    chosen = samples["text"].record.chosen
    assert chosen is not None
    report = with_record(samples["text"], chosen=replace(chosen, from_scratch=True))
    said = sentence(report)
    assert said.startswith(
        "headstart trained the network of multilingual-e5-small from random weights to tell"
    )
    found = verdict(report)
    assert found is not None
    assert "of accuracy, the best result from pretrained weights against the classical baseline" in found.text
    assert "pretrained weights against" not in verdict(samples["text"]).text  # type: ignore[union-attr]


def test_verdicts(samples: dict[str, FitReport]) -> None:
    for outcome, title in (("positive", "helped"), ("negative", "hurt"), ("undecided", "No clear")):
        found = verdict(with_outcome(samples["image"], outcome))
        assert found is not None and title in found.title
    assert verdict(with_record(samples["image"], verdict=None)) is None


def test_a_score_that_is_not_defined_is_none(samples: dict[str, FitReport]) -> None:
    for found in (Interval(None), Interval.of(float("nan")), Interval.of({"value": float("inf")})):
        assert with_record(samples["image"], test={"accuracy": found}).score("accuracy") is None
    assert samples["image"].score("no_such_metric") is None


def titles(report: FitReport) -> str:
    return " | ".join(notice.title for notice in notices(report))


def test_warnings_are_derived(samples: dict[str, FitReport]) -> None:
    assert "looks different from the training part" in titles(samples["image"])
    assert "looks different" not in titles(replace(samples["image"], shift=None))
    assert "The classical baseline cannot be told apart" in titles(samples["audio"])
    text = samples["text"]
    assert "Few held-out items" in titles(with_record(text, n_test=12))
    part = replace(text.facts.parts[0], counts={"negative": 3, "positive": 400})
    few = replace(text, facts=replace(text.facts, parts=(part,)))
    assert "1 class with fewer than 10 items in train" in titles(few)
    assert "Why this training" in titles(with_record(text, extra={"reason": "It is the best."}))


def test_a_model_that_was_learned_again_is_named(samples: dict[str, FitReport]) -> None:
    assert "Learned again" not in titles(samples["image"])
    refit = {"n_train": 1234, "head_stages": ["stem"]}
    (notice,) = [
        n
        for n in notices(with_record(samples["image"], extra={"refit": refit}))
        if "Learned again" in n.title
    ]
    assert "1,234 images" in notice.text and "its head reads stem" in notice.text


def test_a_difference_that_may_be_chance_is_no_warning(samples: dict[str, FitReport]) -> None:
    for difference, warned in ((Interval(-0.1, -0.2, -0.01), True), (Interval(-0.1, -0.2, 0.0), False),
                               (Interval(-0.1), False)):  # fmt: skip
        report = replace(samples["image"], shift=Shift(0.9, 0.8, difference))
        assert ("looks different" in titles(report)) == warned


def test_the_depth_profile_says_that_its_best_score_was_selected(samples: dict[str, FitReport]) -> None:
    expected = {
        "metric": "accuracy",
        "selected": 0.944,
        "expected": {"value": 0.931, "low": 0.9, "high": 0.95},
    }
    (section,) = depth_section(with_record(samples["image"], extra={"cross_validated": expected}))
    assert "The best of 8 scores is high by chance: expect 93.1%" in section.deck


def beside_classical(report: FitReport, value: float, low: float | None, high: float | None) -> str:
    """The title and the text about the classical baseline, if the paired difference from it is this."""
    found = {"classical": {"value": value, "low": low, "high": high}}
    changed = with_record(report, extra={"baselines_difference": found})
    return next((f"{n.title}. {n.text}" for n in notices(changed) if "classical baseline" in n.title), "")


def test_the_classical_baseline_is_judged_by_its_own_paired_difference(samples: dict[str, FitReport]) -> None:
    """Whatever the verdict against another baseline is."""
    report = with_outcome(samples["audio"], "negative")
    clear = beside_classical(report, -0.08, -0.12, -0.04)
    assert clear.startswith("The classical baseline wins.") and "Prefer it" in clear
    assert "difference −8.0 points, 95% interval −12.0 to −4.0" in clear
    equal = beside_classical(report, 0.0, -0.03, 0.03)
    assert equal.startswith("The classical baseline is as good as this result.") and "Prefer" not in equal
    unclear = beside_classical(report, -0.02, -0.06, 0.02)
    assert "cannot be told apart" in unclear and "Prefer" not in unclear
    assert "cannot be told apart" in beside_classical(report, -0.5, None, None)
    assert beside_classical(report, 0.01, -0.03, 0.05) == "" == beside_classical(report, 0.08, 0.04, 0.12)


def test_a_baseline_that_learned_from_fewer_items_says_so(samples: dict[str, FitReport]) -> None:
    report = with_record(
        samples["image"], extra={"learned_from": {"result": 60_000, "classical": 50_000, "probe": 60_000}}
    )
    found = verdict(report)
    assert found is not None and "learned from 50,000 of the 60,000 images" in found.text
    notes = {bar.name: bar.note for bar in beside_baselines(report).bars}
    assert "learned from 50,000 images" in notes["Classical features"]
    assert "learned" not in notes["Head alone"]
    equal = with_record(report, extra={"learned_from": {"result": 600, "classical": 600}})
    assert "learned from" not in verdict(equal).text  # type: ignore[union-attr]


def test_whether_probabilities_are_right(samples: dict[str, FitReport]) -> None:
    def told(value: float, low: float | None, high: float | None) -> str:
        test = {**(samples["image"].record.test or {}), "calibration_error": Interval(value, low, high)}
        found = notices(with_record(samples["image"], test=test))
        return " ".join(n.title for n in found if "probabilities" in n.title)

    assert told(0.12, 0.05, 0.2) == "Do not read the probabilities literally"
    assert told(0.12, 0.0, 0.2).startswith("Too few items to tell")
    assert told(0.12, None, None).startswith("Too few items to tell")
    assert told(0.05, 0.01, 0.09) == told(0.02, 0.0, 0.06) == ""


def test_a_missing_interval_is_explained(samples: dict[str, FitReport]) -> None:
    two = Interval(0.9, why="2 independent units, 3 are needed for an interval")
    told = "no interval: 2 independent groups, 3 are needed"
    assert samples["image"].why_no_interval(two) == told
    assert samples["text"].why_no_interval(two) == told.replace("groups", "units")
    assert samples["image"].why_no_interval(Interval(0.9, 0.8, 1.0)) == ""
    assert samples["image"].why_no_interval(Interval(0.9)) == "no interval"
    none = Interval(0.06, why=two.why)
    verdict_found = replace(samples["image"].record.verdict, outcome="undecided", difference=none)  # type: ignore[type-var]
    found = verdict(with_record(samples["image"], verdict=verdict_found))
    assert found is not None and told in found.text and "contains zero" not in found.text
    scores = {**(samples["image"].record.test or {}), "accuracy": two, "balanced_accuracy": two}
    without = with_record(samples["image"], test=scores)
    assert end_block(without).count(told) == 2
    card = result_section(without).content.headline
    assert (card.interval, card.missing) == ("", told)


def test_copies_of_few_items_are_warned_of(samples: dict[str, FitReport]) -> None:
    train, test = samples["text"].facts.parts
    facts = replace(samples["text"].facts, parts=(train, replace(test, n_units=20)))
    found = [n for n in notices(replace(samples["text"], facts=facts)) if n.title == "Few held-out items"]
    assert found and "Only 20 texts that differ (600 with their copies)" in found[0].text


def test_few_groups_are_warned_of(samples: dict[str, FitReport]) -> None:
    train, test = samples["image"].facts.parts
    facts = replace(samples["image"].facts, parts=(train, replace(test, n_groups=9)))
    assert "The scores rest on 9 values of 'patient'" in titles(replace(samples["image"], facts=facts))
    facts = replace(facts, parts=(replace(train, n_groups=9), test))
    assert "scores rest" not in titles(replace(samples["image"], facts=facts))
    folds = with_record(replace(samples["image"], facts=facts), n_folds=3)
    assert "The scores rest on 9 values of 'patient'" in titles(folds)
    joined = replace(facts, parts=(train, replace(test, n_groups=30, n_units=4)))
    assert "The scores rest on 4 independent groups" in titles(replace(samples["image"], facts=joined))


def test_what_the_guard_returned_in_the_folds_is_said(samples: dict[str, FitReport]) -> None:
    record = samples["audio"].record
    guard = {"returned": "result", "outcome": "undecided", "where": "", "reason": "Kept."}
    mixed = {"classical": 4, "pretrained": 1}
    report = with_record(
        samples["audio"], n_folds=5, extra={**record.extra, "guard": guard, "returned_in_folds": mixed}
    )
    said = " ".join(end_block(report).split())
    assert "Classical features in 4 of 5 folds; the run holds a head on the source." in said
    assert "not of what this run holds" in said
    assert "The whole procedure" in said and "This run" not in said
    found = verdict(report)
    assert found is not None and "the best result from pretrained weights" in found.text
    same = with_record(report, extra={**report.record.extra, "returned_in_folds": {"pretrained": 5}})
    assert "This run" in end_block(same) and "The whole procedure" not in end_block(same)
    assert "in 0 of 5 folds" not in end_block(same), "a note of the report, where it changes no number"
    assert "in 0 of 5 folds" in " ".join(notice.text for notice in notices(same))
    found = verdict(same)
    assert found is not None and "the best result" not in found.text


def test_the_result_in_one_line(samples: dict[str, FitReport]) -> None:
    report = with_record(samples["image"], test={"accuracy": Interval(0.967, 0.925, 0.986)}, n_test=153)
    said = result_line(report.record, "accuracy")
    assert said.startswith("Accuracy 96.7% (92.5 to 98.6%) on 153 held-out items. model.pt2 and the report")
    alone = with_record(report, test={"accuracy": Interval(1.0)}, n_test=2)
    assert result_line(alone.record, "accuracy").startswith("Accuracy 100.0% on 2 held-out items.")
    assert result_line(with_record(report, test=None).record, "accuracy").startswith("Learned. ")


def test_end_block_is_plain_text(samples: dict[str, FitReport]) -> None:
    image = samples["image"]
    report = replace(image, facts=replace(image.facts, classes=("\x1b[31mred", "b")))
    block = end_block(report)
    assert "\x1b" not in block and all(c.isprintable() for c in block.replace("\n", ""))
    for words in (
        "This run",
        "Classical features",
        "Most frequent class",
        "Transfer helped",
        report.next_command,
    ):
        assert words in block
    assert "report.html" in block and "report.html" not in end_block(report, has_report=False)


def test_without_an_interval_nobody_is_told_to_read_one(samples: dict[str, FitReport]) -> None:
    """Of one group there are no intervals: neither in the notice nor in the depth profile."""
    text = samples["text"]
    few = with_record(
        text, n_test=12, test={"accuracy": Interval(0.8, why="1 independent unit, 3 are needed")}
    )
    found = next(notice.text for notice in notices(few) if notice.title == "Few held-out items")
    assert "read the intervals" not in found and "other items would give other scores" in found
    unknown = [replace(row, low=float("nan"), high=float("nan")) for row in samples["image"].profile]
    (section,) = depth_section(replace(samples["image"], profile=unknown))
    assert "too few independent groups to tell which is better" in section.deck
    assert section.content.intervals.startswith("no intervals: too few independent groups")


def test_of_stages_that_are_equally_good_the_last_is_named(samples: dict[str, FitReport]) -> None:
    equal = [replace(row, score=1.0) for row in samples["image"].profile]
    (section,) = depth_section(replace(samples["image"], profile=equal))
    assert section.deck.startswith(equal[-1].stage) and "the usual choice, is right here" in section.deck


def test_the_verdict_says_how_its_baseline_was_chosen(samples: dict[str, FitReport]) -> None:
    report = samples["image"]
    choice = {"chosen": {"classical": 1}, "quality": {"majority": 0.5, "classical": 0.831}}
    extra = {**report.record.extra, "baseline_choice": choice}
    found = verdict(with_record(report, extra=extra))
    assert found is not None
    assert found.text.endswith(
        "The baseline was chosen on training folds (accuracy: most frequent class 50.0% and classical features 83.1%)."
    )
    alone = {**extra, "baseline_choice": {"chosen": {"majority": 1}, "quality": {"majority": 0.5}}}
    assert "chosen on" not in verdict(with_record(report, extra=alone)).text  # type: ignore[union-attr]
