"""metrics.json: what is written is read, and what is wrong is named."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.errors import HeadstartError, InputError
from headstart.evidence import Verdict
from headstart.metrics import Interval, metrics_of
from headstart.run_kinds import RUN_KINDS, RunKind
from headstart.runs import Chosen, DataFacts, Predictions, Record, RunDirectory, SourceFacts
from headstart.runs.facts import data_digest
from headstart.runs.record import FORMAT_VERSION, check_complete

CLASSIFICATION = tuple(metric.key for metric in metrics_of("classification") if metric.required)

NUMBERS = st.floats(allow_nan=True, allow_infinity=True, width=32)
INTERVALS = st.builds(SimpleNamespace, value=NUMBERS, low=NUMBERS, high=NUMBERS).map(Interval.of)


SOURCE = SourceFacts(
    "hf:some/model@abc",
    "0f" * 32,
    "resnet10t",
    4_000_000,
    ("stem", "layer1"),
    licence="Apache-2.0",
    upstream="ImageNet",
)
DATA = DataFacts("data/chest_xray", "a0" * 32, "image", "label", {"train": 80, "test": 20}, 2)
VERDICT = Verdict("positive", "classical", Interval(0.2, 0.1, 0.3), "It is better.", "accuracy")


def make(**changes: Any) -> Record:
    content: dict[str, Any] = {
        "source": SOURCE,
        "data": DATA,
        "task": "classification",
        "n_train": 80,
        "n_validation": 0,
        "n_test": 20,
        "test": {name: Interval(0.9, 0.8, 0.95) for name in CLASSIFICATION},
        "baselines": {"majority": {name: Interval(0.5, 0.4, 0.6) for name in CLASSIFICATION}},
        "profile": {"stem": 0.5, "layer1": 0.75},
        "chosen": Chosen("all", 2, ("layer1",)),
        "n_folds": 0,
        "seconds": {"imports": 2.0, "extract": 3.0, "total": 3.5},
        "peak_bytes": 10**9,
        "verdict": VERDICT,
        "extra": {"folds": 5},
    }
    return Record(**{**content, **changes})


@given(scores=st.fixed_dictionaries(dict.fromkeys(CLASSIFICATION, INTERVALS)))
def test_round_trip_through_strict_json(scores: dict[str, Interval]) -> None:
    record = make(test=scores, verification={"eer": Interval(0.1), "min_dcf": Interval(0.5)}, best_epoch=3)
    text = json.dumps(record.to_json(), allow_nan=False)
    assert Record.from_json(json.loads(text)) == record


def test_the_keys_that_readers_rely_on() -> None:
    content = make().to_json()
    assert content["format_version"] == FORMAT_VERSION
    assert content["test"]["accuracy"] == {"value": 0.9, "low": 0.8, "high": 0.95}
    assert content["baselines"]["majority"]["log_loss"]["value"] == 0.5
    assert content["kind"] == "fit"
    assert content["source"]["digest"] == "0f" * 32 and content["source"]["stages"] == ["stem", "layer1"]
    assert content["data"]["n_items"] == {"train": 80, "test": 20} and content["data"]["group"] is None
    chosen = {"policy": "all", "cut": 2, "head_stages": ["layer1"], "trained_stages": [], "head": "linear",
              "from_scratch": False, "classical": False}  # fmt: skip
    assert content["chosen"] == chosen
    assert content["profile"] == {"stem": 0.5, "layer1": 0.75}
    assert content["verdict"] == "positive"
    assert content["verdict_evidence"]["difference"]["low"] == 0.1
    assert content["folds"] == 5
    assert "verification" not in content


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_train": -1}, "n_train"),
        ({"test": {"accuracy": Interval(1.0)}}, "balanced_accuracy"),
        ({"verdict": replace(VERDICT, outcome="great")}, "great"),  # type: ignore[arg-type]
        ({"source": None}, "source"),
        ({"data": None}, "data"),
        ({"kind": "cook"}, "one of fit, adapt, audit, rank, evaluate, calibrate, explain, got 'cook'"),
        ({"task": "cooking"}, "cooking"),
        ({"seconds": {"total": 1.0}}, "imports"),
        ({"verification": {"eer": Interval(0.1)}}, "min_dcf"),
        ({"extra": {"test": 1}}, "test"),
    ],
)
def test_wrong_content_is_never_written(change: dict[str, Any], message: str) -> None:
    with pytest.raises(HeadstartError, match=message):
        check_complete(make(**change))


def test_a_complete_record_is_written(tmp_path: Path) -> None:
    run = RunDirectory.create(tmp_path / "x")
    run.write_record(make())
    run.finish()
    assert RunDirectory.open(run.path).record == make()


@pytest.mark.parametrize(
    "missing", ["kind", "source", "data", "task", "profile", "baselines", "n_folds", "verdict_evidence"]
)
def test_what_older_versions_did_not_write_may_be_missing(missing: str) -> None:
    content = make().to_json()
    del content[missing]
    read = Record.from_json(content)
    assert read.kind == "fit" and read.task == "classification" and read.test == make().test


def test_a_metric_that_is_newer_than_a_run_may_be_missing() -> None:
    content = make().to_json()
    del content["test"]["macro_f1"], content["test"]["log_loss"]
    assert Record.from_json(content).test == {
        name: Interval(0.9, 0.8, 0.95) for name in CLASSIFICATION if name not in ("macro_f1", "log_loss")
    }


def test_a_block_of_a_newer_version_may_hold_more() -> None:
    content = make().to_json()
    content["source"]["mood"] = content["data"]["mood"] = "good"
    read = Record.from_json(content)
    assert read.source == SOURCE and read.data == DATA


def test_another_kind_has_its_own_required_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(
        RUN_KINDS, "pretrain", RunKind("a pretraining", always=("seconds", "peak_bytes"), now=("data",))
    )  # type: ignore[misc]
    record = Record(kind="pretrain", data=DATA, seconds={"imports": 1.0, "total": 2.0}, extra={"steps": 9})
    check_complete(record)
    content = record.to_json()
    assert not {"n_train", "test", "verdict", "chosen", "source"} & set(content)
    assert Record.from_json(json.loads(json.dumps(content))) == record
    with pytest.raises(HeadstartError, match=r"metrics\.json of a pretrain would lack data"):
        check_complete(replace(record, data=None))
    with pytest.raises(InputError, match="has no 'seconds'"):
        Record.from_json({name: value for name, value in content.items() if name != "seconds"})


def test_a_kind_of_a_newer_version_can_be_read() -> None:
    read = Record.from_json({"format_version": 1, "kind": "cook", "seconds": {"total": 1.0}, "dishes": 3})
    assert read.kind == "cook" and read.task is None and read.extra == {"dishes": 3}


@given(st.lists(st.tuples(st.text(), st.text())), st.randoms())
def test_the_digest_of_data_has_no_order(pairs: list[tuple[str, str]], random: Any) -> None:
    digest = data_digest(*zip(*pairs, strict=True)) if pairs else data_digest((), ())
    random.shuffle(pairs)
    assert digest == (data_digest(*zip(*pairs, strict=True)) if pairs else data_digest((), ()))


def test_the_digest_of_data_changes_with_items_and_labels() -> None:
    digests = {data_digest(items, labels) for items in ("ab", "ac") for labels in ("xy", "yx", "xx")}
    assert len(digests) == 6


OLD = Path(__file__).parent / "old_run"  # trimmed from a run of the first version


def test_a_run_of_the_first_version_opens() -> None:
    run = RunDirectory.open(OLD)
    record = run.record
    assert record.kind == "fit" and record.source is None and record.data is None
    assert record.task == "classification" and (record.n_train, record.n_test) == (68, 20)
    assert record.verdict is not None and record.verdict.outcome == "positive"
    assert record.chosen == Chosen("last:1", 7, ("blocks.6",))
    assert record.test is not None and record.test["accuracy"] == Interval(0.95, 0.85, 1.0)
    assert record.extra["stages"][-1] == {"stage": "head", "n_parameters": None, "fate": "trained at 0.0002"}
    old = json.loads((OLD / "metrics.json").read_text())
    kept = record.to_json()
    assert {name: kept[name] for name in old if name not in ("chosen", "verdict_evidence")} == {
        name: old[name] for name in old if name not in ("chosen", "verdict_evidence")
    }
    assert run.history[1]["epoch"] == 1
    predictions = run.predictions()
    assert isinstance(predictions, Predictions) and len(predictions.items) == 20
    assert run.config["freeze"] == "last:1"


def test_the_report_of_a_run_of_the_first_version_is_found() -> None:
    import headstart

    assert headstart.report(OLD, show=False) == OLD / "report.html"


@pytest.mark.parametrize("missing", ["n_train", "test", "chosen", "verdict", "seconds"])
def test_a_file_that_lacks_something_is_named(missing: str) -> None:
    content = make().to_json()
    del content[missing]
    with pytest.raises(InputError, match=f"run/metrics.json has no '{missing}'"):
        Record.from_json(content, where="run/metrics.json")


def test_versions() -> None:
    with pytest.raises(InputError, match="not written by headstart"):
        Record.from_json({"accuracy": 1})
    with pytest.raises(InputError, match="upgrade"):
        Record.from_json({**make().to_json(), "format_version": FORMAT_VERSION + 1})
    with pytest.raises(InputError, match="damaged"):
        Record.from_json({**make().to_json(), "test": 3})


@pytest.mark.parametrize("name", ["kind", "profile", "seconds"])
@pytest.mark.parametrize("value", [[], [1], "x", 3, True])
def test_a_value_of_a_wrong_type_is_never_an_internal_error(name: str, value: Any) -> None:
    try:
        Record.from_json({**make().to_json(), name: value}, where="run/metrics.json").to_json()
    except InputError as error:
        assert "run/metrics.json" in str(error) and name in str(error)
    else:
        assert name == "kind"  # it may be one of a newer version


def test_regression_and_printing() -> None:
    quantity = make(task="regression", test={"rmse": Interval(1.0), "r2": Interval(0.5)})
    check_complete(quantity)
    assert quantity.test is not None and quantity.test["r2"].value == 0.5
    assert str(Interval(0.9, 0.8, 0.95)) == "0.900 (0.800 to 0.950)"
    assert str(Interval(None)) == "not defined"
    assert str(Interval(0.25)) == "0.250"
