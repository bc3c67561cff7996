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
    for outcome, title in (
        ("negative", "The classical baseline wins"),
        ("undecided", "baseline does as well"),
    ):
        assert title in titles(with_outcome(samples["audio"], outcome))
    text = samples["text"]
    assert "Few held-out items" in titles(with_record(text, n_test=12))
    part = replace(text.facts.parts[0], counts={"negative": 3, "positive": 400})
    few = replace(text, facts=replace(text.facts, parts=(part,)))
    assert "1 class with fewer than 10 items in train" in titles(few)
    assert "Why this head" in titles(with_record(text, extra={"reason": "It is the best."}))


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


def test_few_groups_are_warned_of(samples: dict[str, FitReport]) -> None:
    train, test = samples["image"].facts.parts
    facts = replace(samples["image"].facts, parts=(train, replace(test, n_groups=9)))
    assert "The intervals rest on 9 values of 'patient'" in titles(replace(samples["image"], facts=facts))
    facts = replace(facts, parts=(replace(train, n_groups=9), test))
    assert "intervals rest" not in titles(replace(samples["image"], facts=facts))
    folds = with_record(replace(samples["image"], facts=facts), n_folds=3)
    assert "The intervals rest on 9 values of 'patient'" in titles(folds)


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
