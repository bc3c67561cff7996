"""metrics.json: what is written is read, and what is wrong is named."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.errors import HeadstartError, InputError
from headstart.metrics import Interval, metrics_of
from headstart.runs.metrics import FORMAT_VERSION, Chosen, Metrics, Verdict

CLASSIFICATION = tuple(metric.key for metric in metrics_of("classification") if metric.required)

NUMBERS = st.floats(allow_nan=True, allow_infinity=True, width=32)
INTERVALS = st.builds(SimpleNamespace, value=NUMBERS, low=NUMBERS, high=NUMBERS).map(Interval.of)


def make(**changes: Any) -> Metrics:
    content: dict[str, Any] = {
        "n_train": 80,
        "n_validation": 0,
        "n_test": 20,
        "test": {name: Interval(0.9, 0.8, 0.95) for name in CLASSIFICATION},
        "baselines": {"majority": {name: Interval(0.5, 0.4, 0.6) for name in CLASSIFICATION}},
        "profile": {"stem": 0.5, "layer1": 0.75},
        "chosen": Chosen("all", 2, ("layer1",)),
        "seconds": {"imports": 2.0, "extract": 3.0, "total": 3.5},
        "peak_bytes": 10**9,
        "verdict": Verdict("positive", "classical", "accuracy", Interval(0.2, 0.1, 0.3)),
        "extra": {"folds": 5},
    }
    return Metrics(**{**content, **changes})


@given(scores=st.fixed_dictionaries(dict.fromkeys(CLASSIFICATION, INTERVALS)))
def test_round_trip_through_strict_json(scores: dict[str, Interval]) -> None:
    metrics = make(test=scores, verification={"eer": Interval(0.1), "min_dcf": Interval(0.5)})
    text = json.dumps(metrics.to_json(), allow_nan=False)
    assert Metrics.from_json(json.loads(text)) == metrics


def test_the_keys_that_readers_rely_on() -> None:
    content = make().to_json()
    assert content["format_version"] == FORMAT_VERSION
    assert content["test"]["accuracy"] == {"value": 0.9, "low": 0.8, "high": 0.95}
    assert content["baselines"]["majority"]["ece"]["value"] == 0.5
    assert content["chosen"] == {"policy": "all", "cut": 2, "head_stages": ["layer1"]}
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
        ({"verdict": Verdict("great")}, "great"),  # type: ignore[arg-type]
        ({"seconds": {"total": 1.0}}, "imports"),
        ({"verification": {"eer": Interval(0.1)}}, "min_dcf"),
        ({"extra": {"test": 1}}, "test"),
    ],
)
def test_wrong_content_is_never_written(change: dict[str, Any], message: str) -> None:
    with pytest.raises(HeadstartError, match=message):
        make(**change)


@pytest.mark.parametrize("missing", ["n_train", "test", "chosen", "verdict", "seconds"])
def test_a_file_that_lacks_something_is_named(missing: str) -> None:
    content = make().to_json()
    del content[missing]
    with pytest.raises(InputError, match=f"run/metrics.json has no '{missing}'"):
        Metrics.from_json(content, where="run/metrics.json")


def test_versions() -> None:
    with pytest.raises(InputError, match="not written by headstart"):
        Metrics.from_json({"accuracy": 1})
    with pytest.raises(InputError, match="upgrade"):
        Metrics.from_json({**make().to_json(), "format_version": FORMAT_VERSION + 1})
    with pytest.raises(InputError, match="damaged"):
        Metrics.from_json({**make().to_json(), "test": 3})


def test_regression_and_printing() -> None:
    assert make(task="regression", test={"rmse": Interval(1.0), "r2": Interval(0.5)}).test["r2"].value == 0.5
    assert str(Interval(0.9, 0.8, 0.95)) == "0.900 (0.800 to 0.950)"
    assert str(Interval(None)) == "not defined"
    assert str(Interval(0.25)) == "0.250"
