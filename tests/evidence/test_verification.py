"""Verification with intervals over speakers."""

from __future__ import annotations

import importlib

import numpy as np
import pytest
from scipy.stats import t

from headstart.evidence import verify_speakers
from headstart.heads.verification import (
    all_trials,
    cosine_scores,
    eer_of,
    operating_points,
)


def case(n_speakers: int = 6, n_each: int = 8) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    speakers = np.repeat([f"s{i}" for i in range(n_speakers)], n_each).astype(object)
    x = np.repeat(rng.normal(size=(n_speakers, 10)), n_each, axis=0) + rng.normal(size=(len(speakers), 10))
    return x, speakers


def test_the_interval_is_that_of_leaving_out_one_speaker_after_the_other() -> None:
    x, speakers = case()
    found = verify_speakers(x, speakers)
    assert found is not None
    trials = all_trials(speakers)
    scores = cosine_scores(x, trials)
    number = np.repeat(np.arange(6), 8)
    a, b = number[trials.first], number[trials.second]
    without = []
    for speaker in range(6):
        kept = (a != speaker) & (b != speaker)
        without.append(eer_of(*operating_points(scores[kept], trials.is_target[kept]))[0])
    error = np.std(without) * np.sqrt(5)
    value = found.eer.value
    assert value == eer_of(*operating_points(scores, trials.is_target))[0]
    for end in (found.eer.low, found.eer.high):  # Wilson's ends are t standard errors away, under themselves
        ratio = abs(value - end) / np.sqrt(end * (1 - end) * error**2 / (value * (1 - value)))
        assert ratio == pytest.approx(t.ppf(0.975, 5), rel=0.1)
    assert found.min_dcf.low < found.min_dcf.value < found.min_dcf.high
    assert found.n_targets == 6 * 28 and found.n_others == 48 * 47 // 2 - 6 * 28


def test_two_speakers_have_no_interval_and_perfect_separation_has_one() -> None:
    x, speakers = case(2)
    found = verify_speakers(x, speakers)
    assert found is not None and found.eer.low is None and "2 speakers" in found.eer.why
    x = 50 * np.repeat(np.eye(5, 10), 8, axis=0) + np.random.default_rng(0).normal(size=(40, 10))
    apart = verify_speakers(x, np.repeat(list("abcde"), 8).astype(object))
    assert apart is not None and apart.eer.value == 0 and apart.eer.low == 0 and apart.eer.high > 0.3


def test_trials_of_one_gender_are_reported_apart() -> None:
    x, speakers = case()
    gender = np.where(np.repeat(np.arange(6), 8) < 3, "f", "m").astype(object)
    found = verify_speakers(x, speakers, gender=gender)
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
    found = verify_speakers(x, speakers)
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
