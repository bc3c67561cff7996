"""The temperature."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headstart.heads.calibrate import fit_temperature, log_loss_of


def test_the_temperature_that_the_logits_were_scaled_by_is_found() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(20000, 3)) * 2
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    labels = (p.cumsum(1) > rng.random((20000, 1))).argmax(1)
    assert fit_temperature(logits * 5, labels) == pytest.approx(5, rel=0.05)


def test_the_log_loss_is_never_worse_than_before_or_than_guessing() -> None:
    rng = np.random.default_rng(1)
    for scale in (1e-3, 1.0, 1e3):
        logits, labels = rng.normal(size=(50, 4)) * scale, rng.integers(0, 4, 50)
        found = log_loss_of(logits / fit_temperature(logits, labels), labels)
        assert found <= min(log_loss_of(logits, labels), np.log(4)) + 5e-4


def test_separated_and_constant_logits_give_a_usable_temperature() -> None:
    labels = np.array([0, 1, 0, 1])
    assert 0 < fit_temperature(np.eye(2)[labels] * 10, labels) < np.inf
    assert fit_temperature(np.zeros((4, 2)), labels) == 1.0


@given(
    factor=st.floats(0.2, 20.0),
    seed=st.integers(0, 20),
)
@settings(max_examples=25, deadline=None)
def test_the_temperature_of_labels_takes_back_what_scores_were_multiplied_by(
    factor: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    true = rng.normal(size=(300, 4)) * 2
    y = (rng.random((300, 4)) < 1 / (1 + np.exp(-true))).astype(np.float32)
    one, other = fit_temperature(true, y), fit_temperature(true * factor, y)
    assert np.isclose(other, one * factor, rtol=1e-2) and 0.6 < one < 1.6
    assert log_loss_of(true / one, y) <= log_loss_of(true, y) + 1e-3
