"""Verification with intervals over resampled speakers."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

from headstart.evidence import verify_speakers
from headstart.heads.verification import (
    all_trials,
    cosine_scores,
    eer_of,
    min_dcf_of,
    operating_points,
    rates,
)
from headstart.metrics.bootstrap import resample_counts


def case(n_speakers: int = 6, n_each: int = 8) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    speakers = np.repeat([f"s{i}" for i in range(n_speakers)], n_each).astype(object)
    x = np.repeat(rng.normal(size=(n_speakers, 10)), n_each, axis=0) + rng.normal(size=(len(speakers), 10))
    return x, speakers


def test_intervals_agree_with_weighting_every_trial() -> None:
    x, speakers = case()
    found = verify_speakers(x, speakers, n_resamples=300)
    assert found is not None
    trials = all_trials(speakers)
    scores = cosine_scores(x, trials)
    order = np.argsort(-scores)
    number = np.repeat(np.arange(6), 8)
    eers, costs = [], []
    for r in np.concatenate(list(resample_counts(6, 300))):
        a, b = number[trials.first], number[trials.second]
        weight = np.where(trials.is_target, r[a], r[a] * r[b])[order].astype(float)
        target = trials.is_target[order]
        miss, false_alarm = rates((weight * target)[None], (weight * ~target)[None])
        if np.isfinite(miss).all() and np.isfinite(false_alarm).all():
            eers.append(eer_of(miss, false_alarm)[0])
            costs.append(min_dcf_of(miss, false_alarm)[0])
    assert found.eer.low == pytest.approx(np.quantile(eers, 0.025), abs=0.01)
    assert found.eer.high == pytest.approx(np.quantile(eers, 0.975), abs=0.01)
    assert found.min_dcf.low == pytest.approx(np.quantile(costs, 0.025), abs=0.02)
    points = operating_points(scores, trials.is_target)
    assert found.eer.value == eer_of(*points)[0]
    assert found.n_targets == 6 * 28 and found.n_others == 48 * 47 // 2 - 6 * 28


def test_trials_of_one_gender_are_reported_apart() -> None:
    x, speakers = case()
    gender = np.where(np.repeat(np.arange(6), 8) < 3, "f", "m").astype(object)
    found = verify_speakers(x, speakers, gender=gender, n_resamples=20)
    assert found is not None and found.same_gender is not None
    assert found.same_gender.n_targets == found.n_targets
    assert found.same_gender.n_others == 2 * (24 * 23 // 2) - found.n_targets


def test_without_two_kinds_of_trials_there_is_nothing_to_measure() -> None:
    x, _speakers = case()
    assert verify_speakers(x, np.array(["a"] * 48, dtype=object)) is None
    assert verify_speakers(x, np.arange(48).astype(str).astype(object)) is None


def test_many_items_are_sampled_and_many_speakers_fit_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    module = importlib.import_module("headstart.evidence.verification")
    monkeypatch.setattr(module, "MAX_ITEMS", 40)
    monkeypatch.setattr(module, "MAX_CELLS", 2000)
    x, speakers = case(30, 3)
    found = verify_speakers(x, speakers, n_resamples=50)
    assert found is not None and found.n_targets + found.n_others == 780


@pytest.mark.real
def test_one_point_of_the_real_speaker_encoder(shared) -> None:  # type: ignore[no-untyped-def]
    """The 13 golden embeddings: same speakers are nearer than others."""
    golden = np.load(shared / "golden" / "sources.npz", allow_pickle=True)
    files = [str(name) for name in golden["audio_files"]]
    emodb = [i for i, name in enumerate(files) if "emodb" in name]
    speakers = np.array([files[i].rsplit("/", 1)[1][:2] for i in emodb], dtype=object)
    trials = all_trials(speakers)
    scores = cosine_scores(golden["ge2e_embedding"][emodb], trials, np.zeros(256))
    assert scores.shape == (len(emodb) * (len(emodb) - 1) // 2,)
    assert (scores > 0).all()  # after the ReLU no embedding has a negative value
