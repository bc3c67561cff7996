"""`headstart audit` from data to the result, on small sources made on the spot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import headstart
import small_data
import small_sources
from headstart.auditing import scratch, work
from headstart.auditing.configuration import options_of_command
from headstart.auditing.procedure import run_audit
from headstart.auditing.result import Audit
from headstart.errors import InputError, OptionError
from headstart.runs import RunDirectory
from small_data import LETTERS, SETTINGS

WITH: dict[str, Any] = {"labels": "9,30,all", "seeds": 3, **SETTINGS}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_data.digit_folder(tmp_path_factory.mktemp("digits") / "digits", n_classes=3, n_each=40)


@pytest.fixture(scope="module")
def noise(tmp_path_factory: pytest.TempPathFactory) -> str:
    return small_sources.changed(tmp_path_factory.mktemp("noise") / "noise", small_sources.shuffled)


@pytest.fixture(scope="module")
def audit(data: Path, noise: str, tmp_path_factory: pytest.TempPathFactory) -> Audit:
    out = tmp_path_factory.mktemp("audit") / "a"
    against = f"scratch,classical,{noise}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scratch, "STEPS", 1)  # a training is as long as the recipe's epochs
        patch.setattr(scratch, "RATES", (10.0,))
        return headstart.audit(data, LETTERS, against=against, out=out, **WITH)


def test_every_method_has_a_curve_over_the_numbers_of_labels(audit: Audit, noise: str) -> None:
    facts = audit.facts
    roles = {curve.name: curve.role for curve in facts.curves}
    assert roles == {
        LETTERS: "transfer",
        noise: "source",
        "random": "random",
        "classical": "classical",
        "majority": "majority",
        "scratch": "scratch",
    }
    assert [each.n_labels for each in facts.verdicts] == [9, 30, 96]
    for curve in facts.curves:
        assert [point.n_labels for point in curve.points] == [9, 30, 96]
        assert all(point.n_seeds == 3 for point in curve.points)
    first, last = facts.transfer.points[0].score, facts.transfer.points[-1].score
    assert (first.value or 0) < (last.value or 0)
    assert facts.final.against in ("random", "classical", "scratch")
    assert (
        "1 rate of up to" in facts.curve("scratch").given and "9 of 9 draws" in facts.curve("scratch").given
    )
    assert set(facts.others) == {noise} and not any("ewer draws" in text for text in facts.warnings)


def test_a_budget_that_is_too_short_for_scratch_is_reported(data: Path, tmp_path: Path) -> None:
    found = headstart.audit(
        data, LETTERS, against="scratch", budget="1s", out=tmp_path / "a", report=False, **WITH
    )
    assert all(curve.role != "scratch" for curve in found.facts.curves)
    assert any("give a longer --budget" in text for text in found.facts.warnings)


def test_an_audit_is_a_run_of_its_own_kind(audit: Audit) -> None:
    record = RunDirectory.open(audit.path).record
    assert record.kind == "audit" and record.verdict is not None
    assert record.verdict.outcome == audit.verdict
    assert record.extra["audit"]["sentence"] == audit.facts.sentence
    assert audit.facts.sentence.split(":")[0] in " ".join(audit.summary.split())
    table = audit.table
    assert len(table) == sum(len(curve.points) for curve in audit.facts.curves)
    assert "<html" in audit.report.read_text()
    assert not (audit.path / "training").exists()


def test_held_out_labels_choose_nothing(data: Path, tmp_path: Path) -> None:
    """With other labels of the held-out items, only the scores on them change."""
    pictures = sorted(data.rglob("*.png"))
    found = []
    for name, shift in (("as they are", 0), ("turned", 1)):
        rows = ["image,label,split"]
        for number, path in enumerate(pictures):
            label = (
                int(path.parent.name.split()[-1]) if path.parent.name.split()[-1].isdigit() else number // 40
            )
            part = "test" if number % 4 == 0 else "train"
            rows.append(f"{path},{(label + shift * (part == 'test')) % 3},{part}")
        table = small_data.write(tmp_path / f"{name}.csv", "\n".join(rows))
        given = {**WITH, "against": "classical", "report": False, "follow_outside": True}
        found.append(headstart.audit(table, LETTERS, out=tmp_path / name, **given).facts)
    one, other = found
    assert [each.against for each in one.verdicts] == [each.against for each in other.verdicts]
    for ours, theirs in zip(one.curves, other.curves, strict=True):
        assert [point.on_folds for point in ours.points] == [point.on_folds for point in theirs.points]
    before, after = one.transfer.points[-1].score.value, other.transfer.points[-1].score.value
    assert (before or 0) > 0.7 and after is not None and after < 0.3


def test_an_audit_that_was_stopped_resumes_with_the_same_result(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {**WITH, "against": "classical", "report": False}
    whole = headstart.audit(data, LETTERS, out=tmp_path / "whole", **given)
    kept, n_kept = work.Cells.keep, 0

    def stopping(*what: Any) -> Any:
        nonlocal n_kept
        n_kept += 1
        if n_kept > 5:
            raise KeyboardInterrupt
        return kept(*what)

    monkeypatch.setattr(work.Cells, "keep", stopping)
    monkeypatch.chdir(data.parent)  # and it is resumed in another folder
    with pytest.raises(KeyboardInterrupt) as stop:
        headstart.audit(data.name, LETTERS, out=tmp_path / "stopped", **given)
    monkeypatch.chdir(tmp_path)
    assert "headstart audit --resume" in stop.value.__notes__[0]
    monkeypatch.setattr(work.Cells, "keep", kept)
    folder = tmp_path / "stopped"
    damaged = next((folder / "training").glob("cell-*.npz"))
    damaged.write_bytes(damaged.read_bytes()[:100])  # is measured again

    resumed = run_audit(options_of_command({}, folder), folder)
    for ours, theirs in zip(whole.facts.curves, resumed.facts.curves, strict=True):
        assert [point.score for point in ours.points] == [point.score for point in theirs.points]
    assert resumed.facts.verdicts == whole.facts.verdicts


def test_an_audit_of_data_that_changed_is_not_resumed(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = small_data.digit_folder(tmp_path / "digits", n_classes=3, n_each=40)

    def stop(*what: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr("headstart.auditing.work.measure_all", stop)
    with pytest.raises(KeyboardInterrupt):
        headstart.audit(copy, LETTERS, against="classical", out=tmp_path / "a", **WITH)
    next(copy.rglob("*.png")).unlink()
    with pytest.raises(InputError, match="the data changed"):
        run_audit(options_of_command({}, tmp_path / "a"), tmp_path / "a")
    with pytest.raises(OptionError, match="another --seeds"):
        options_of_command({"seeds": 4}, tmp_path / "a")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"labels": "9,5000"}, "training items"),
        ({"labels": "2,all"}, "below one item per class"),
        ({"labels": "30,9"}, "must rise"),
        ({"labels": "some"}, "must be numbers"),
        ({"against": "scrach"}, "Did you mean 'scratch'"),
        ({"against": ","}, "at least one"),
        ({"seeds": 0}, "seeds"),
        ({"budget": "soon"}, "must be a time"),
    ],
)
def test_wrong_options_are_refused(data: Path, tmp_path: Path, given: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        headstart.audit(data, LETTERS, out=tmp_path / "a", **{**WITH, **given})
    assert not (tmp_path / "a").exists()


def test_a_source_of_another_modality_is_refused(data: Path, text_source: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="source of the data's kind"):
        headstart.audit(data, str(text_source), against="classical", out=tmp_path / "a", **WITH)
    assert not (tmp_path / "a").exists()


def test_few_held_out_items_decide_nothing_and_one_seed_is_reported(tmp_path: Path) -> None:
    small = small_data.digit_folder(tmp_path / "digits", n_classes=2, n_each=12)
    found = headstart.audit(
        small,
        LETTERS,
        against="classical",
        seeds=1,
        labels="8,all",
        out=tmp_path / "a",
        report=False,
        **SETTINGS,
    )
    assert found.verdict == "undecided"
    words = " ".join(found.facts.warnings)
    assert "too small to decide anything" in words and "One seed" in words


def test_texts_and_a_quantity_are_audited_too(
    texts: Path, text_source: Path, tmp_path: Path, data: Path
) -> None:
    of_texts = headstart.audit(
        texts, str(text_source), against="classical", labels="8,all", seeds=2, out=tmp_path / "t", **SETTINGS
    )
    assert of_texts.facts.metric == "accuracy"
    table = tmp_path / "table.csv"
    rng = np.random.default_rng(0)
    rows = [f"{path},{rng.normal():.3f}" for path in sorted(data.rglob("*.png"))]
    table.write_text("\n".join(["image,value", *rows]))
    of_values = headstart.audit(
        table, LETTERS, target="value", against="scratch,classical", budget="1s", labels="20,all", seeds=2,
        follow_outside=True, out=tmp_path / "v", **SETTINGS,
    )  # fmt: skip
    assert of_values.facts.metric == "rmse" and of_values.verdict != "positive"


def test_held_out_items_that_the_source_has_seen_are_counted_and_left_out(data: Path, tmp_path: Path) -> None:
    pictures = sorted(path for path in data.rglob("*.png"))
    copies = tmp_path / "theirs" / "x"
    copies.mkdir(parents=True)
    for path in pictures[::2]:
        (copies / f"{path.parent.name}-{path.name}").write_bytes(path.read_bytes())
    given = {**WITH, "against": "classical", "report": False, "labels": "all"}
    found = headstart.audit(data, LETTERS, source_data=tmp_path / "theirs", out=tmp_path / "a", **given)
    seen = found.facts.seen
    assert seen is not None and 3 <= seen.n_seen < found.facts.n_held_out
    assert seen.gain is not None and seen.gain.value is not None
    assert any("may be memory. Without" in text for text in found.facts.warnings)
    with pytest.raises(InputError, match="--source-data"):
        headstart.audit(data, LETTERS, source_data=tmp_path / "none", out=tmp_path / "b", **given)


@pytest.mark.parametrize(
    ("source", "against", "words"),
    [(LETTERS, f"{LETTERS},classical", "names the source itself"), (LETTERS, "majority", "./majority")],
)
def test_names_that_could_be_confused_are_refused(
    data: Path, tmp_path: Path, source: str, against: str, words: str
) -> None:
    with pytest.raises(OptionError, match=words):
        headstart.audit(data, source, against=against, out=tmp_path / "a", **WITH)
    assert not (tmp_path / "a").exists()


def test_groups_of_one_class_leave_out_numbers_that_do_not_hold_every_class(tmp_path: Path) -> None:
    pictures = small_data.digit_folder(tmp_path / "digits", n_classes=3, n_each=40)
    rows = ["image,label,subject"]
    for number, path in enumerate(sorted(pictures.rglob("*.png"))):
        rows.append(f"{path.relative_to(tmp_path)},{path.parent.name},{number // 5}")
    table = small_data.write(tmp_path / "t.csv", "\n".join(rows))
    found = headstart.audit(
        table,
        LETTERS,
        group="subject",
        against="classical",
        labels="5,30,all",
        seeds=2,
        out=tmp_path / "a",
        **SETTINGS,
    ).facts
    assert 5 not in [each.n_labels for each in found.verdicts]
    assert any("could not be drawn" in text for text in found.warnings)
