"""Negative transfer is foreseen on training items, before anything is trained."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from headstart.choose import ArrayFeatures, choose_head
from headstart.clock import Clock
from headstart.data import DataSet, Examples
from headstart.data.examples import string_array
from headstart.fitting.classical import Classical
from headstart.fitting.foreseen import foresee, standing_of, warn
from headstart.metrics import Interval
from headstart.runs.foreseen import Foreseen

N_ITEMS = 120


def workspace_of(texts: list[str], labels: list[str]) -> Any:
    names = string_array(f"row {k}" for k in range(len(texts)))
    data = DataSet.of(Examples("text", texts, names, string_array(labels)), threads=1)
    return SimpleNamespace(
        plan=SimpleNamespace(data=data, seed=0),
        codes=data.codes,
        targets=data.examples.targets,
        clock=Clock(),
        classical=Classical(data, 1, 0),
        units=lambda positions: None if data.units is None else data.units[positions],
    )


def found_with(
    features_tell: float, words_tell: bool, capsys: pytest.CaptureFixture[str]
) -> tuple[Foreseen, str]:
    """What is foreseen where the source's features, or the words, tell the classes apart."""
    rng = np.random.default_rng(0)
    labels = ["yes" if k % 2 else "no" for k in range(N_ITEMS)]
    texts = [
        f"{label if words_tell else 'word'} item{k} about{rng.integers(9)}" for k, label in enumerate(labels)
    ]
    x_ND = rng.normal(size=(N_ITEMS, 8)) + features_tell * (np.arange(N_ITEMS) % 2)[:, None]
    workspace = workspace_of(texts, labels)
    choice = choose_head(ArrayFeatures(("last",), (x_ND.astype(np.float32),)), np.array(labels, dtype=object))
    found = foresee(workspace, choice)
    assert found is not None
    capsys.readouterr()
    warn(workspace, found, guards=True)
    assert "--guard" not in capsys.readouterr().err
    warn(workspace, found)
    return found, capsys.readouterr().err


def test_the_risk_is_named_and_a_good_source_is_left_in_peace(capsys: pytest.CaptureFixture[str]) -> None:
    bad, said = found_with(0.0, True, capsys)
    assert bad.outcome == "worse" and bad.classical > 0.95 and bad.n_items == N_ITEMS
    assert said.startswith("warning: transfer from this source is likely to be negative") and "TF-IDF" in said
    assert "--guard returns" in said
    good, said = found_with(2.0, False, capsys)
    assert good.outcome == "better" and said == ""
    alike, said = found_with(0.0, False, capsys)
    ahead = alike.head_alone > alike.classical
    lead = (
        "it is not clear whether transfer from this source helps"
        if ahead
        else "transfer from this source may not help"
    )
    assert alike.outcome == "undecided" and said.startswith(f"note: {lead}")


def test_texts_without_words_are_no_obstacle(capsys: pytest.CaptureFixture[str]) -> None:
    labels = ["yes" if k % 2 else "no" for k in range(20)]
    workspace = workspace_of(["..." * (k + 1) for k in range(20)], labels)
    features = ArrayFeatures(("last",), (np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32),))
    assert foresee(workspace, choose_head(features, np.array(labels, dtype=object))) is None
    assert "hold no words" in capsys.readouterr().err


def test_nothing_left_out_foresees_nothing() -> None:
    features = ArrayFeatures(("last",), (np.eye(3, dtype=np.float32),))
    choice = choose_head(features, np.array(["a", "b", "c"], dtype=object))
    assert foresee(SimpleNamespace(), choice) is None  # type: ignore[arg-type]


def test_the_standing_follows_the_metric() -> None:
    assert standing_of(Interval(0.2, 0.1, 0.3), "accuracy") == "better"
    assert standing_of(Interval(0.2, 0.1, 0.3), "rmse") == "worse"
    assert standing_of(Interval(0.2, -0.1, 0.3), "rmse") == "undecided"
    assert standing_of(Interval(0.2), "accuracy") == "undecided"
