"""The losses on target logits against golden values and naive versions."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import softmax

from headstart.adapt.learners.infomax import divergence, mean_entropy, mutual_information
from headstart.adapt.learners.mcc import class_confusion


@pytest.mark.real
def test_golden_values(shared: Path) -> None:
    golden = json.loads((shared / "golden" / "domain_adaptation.json").read_text())
    inputs = np.load(shared / "golden" / "domain_adaptation_inputs.npz")
    logits = torch.from_numpy(inputs["logits_t"])
    assert mean_entropy(logits).item() == pytest.approx(golden["exact_entropy_mean"]["value"], abs=1e-12)
    assert mean_entropy(logits).item() == pytest.approx(golden["tent_entropy_mean"]["value"], abs=1e-6)
    # SHOT adds 1e-5 inside its logarithms.
    assert mean_entropy(logits).item() == pytest.approx(golden["entropy_mean_shot"]["value"], abs=1e-4)
    information = mutual_information(logits).item()
    assert information == pytest.approx(golden["exact_mutual_information"]["value"], abs=1e-12)
    assert -information == pytest.approx(golden["infomax_loss_shot"]["value"], abs=1e-4)
    for temperature in (1.0, 2.5):
        value = golden[f"mcc_loss_T{temperature:g}"]["value"]
        assert class_confusion(logits, temperature).item() == pytest.approx(value, abs=1e-6)


@settings(max_examples=20)
@given(st.integers(1, 12), st.integers(2, 6), st.integers(0, 99))
def test_with_equal_shares_the_loss_is_minus_the_information(n_items: int, n_classes: int, seed: int) -> None:
    logits = torch.from_numpy(np.random.default_rng(seed).normal(size=(n_items, n_classes)) * 3)
    equal = torch.full((n_classes,), 1 / n_classes, dtype=torch.float64)
    loss = mean_entropy(logits) + divergence(logits, equal)
    assert loss.item() == pytest.approx(np.log(n_classes) - mutual_information(logits).item(), abs=1e-9)
    assert -1e-12 <= mutual_information(logits).item() <= np.log(n_classes) + 1e-12


@settings(max_examples=20)
@given(st.integers(1, 12), st.integers(2, 6), st.integers(0, 99))
def test_confusion_equals_a_naive_version(n_items: int, n_classes: int, seed: int) -> None:
    logits = np.random.default_rng(seed).normal(size=(n_items, n_classes)) * 4
    p = softmax(logits / 2.5, axis=1)
    raw = [1 + np.exp((row * np.log(row)).sum()) for row in p]
    weights = [n_items * value / sum(raw) for value in raw]
    confusion = np.zeros((n_classes, n_classes))
    for first in range(n_classes):
        for second in range(n_classes):
            confusion[first, second] = sum(w * row[first] * row[second] for w, row in zip(weights, p))
    rows = confusion / confusion.sum(axis=1, keepdims=True)
    wanted = (rows.sum() - np.trace(rows)) / n_classes
    assert class_confusion(torch.from_numpy(logits)).item() == pytest.approx(wanted, abs=1e-9)


def test_a_divergence_is_zero_where_predictions_have_the_shares() -> None:
    logits = torch.log(torch.tensor([[0.7, 0.2, 0.1], [0.1, 0.4, 0.5]], dtype=torch.float64))
    shares = torch.tensor([0.4, 0.3, 0.3], dtype=torch.float64)
    assert divergence(logits, shares).item() == pytest.approx(0, abs=1e-12)
    assert divergence(logits, torch.tensor([0.2, 0.3, 0.5], dtype=torch.float64)).item() > 0.01
