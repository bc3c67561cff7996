"""An embedding is chosen and centred without the items that it is scored on."""

from __future__ import annotations

import numpy as np

from headstart.evidence import Division, choose_embedding
from headstart.heads.verification import all_trials, cosine_scores, eer

SPEAKERS = np.array([f"s{i % 6}" for i in range(48)], dtype=object)
FOLDS = np.arange(48) // 6 % 4  # every speaker in every fold


def in_folds(embeddings: dict[str, np.ndarray]) -> list[Division]:
    places = np.arange(48)
    return [Division(embeddings, places[fold != FOLDS], places[fold == FOLDS]) for fold in range(4)]


def rate(vectors: np.ndarray, positions: np.ndarray) -> float:
    trials = all_trials(SPEAKERS[positions])
    return eer(cosine_scores(vectors, trials, np.zeros(vectors.shape[1])), trials.is_target)


def test_the_embedding_that_separates_speakers_is_chosen_in_every_fold() -> None:
    rng = np.random.default_rng(0)
    voice = 10 * np.eye(6)[np.arange(48) % 6] + rng.normal(size=(48, 6))
    found = choose_embedding(in_folds({"noise": rng.normal(size=(48, 6)), "voice": voice}), SPEAKERS)
    assert (found.name, found.n_divisions, len(found.positions)) == ("voice", 4, 48)
    first = found.vectors[found.positions == 0][0]
    np.testing.assert_allclose(first, voice[0] - voice[FOLDS != 0].mean(axis=0))
    assert rate(found.vectors, found.positions) < 0.02


def test_of_embeddings_without_speakers_none_looks_good() -> None:
    """The best of 30 by the items that are scored is 4 points too good; chosen in folds it is not."""
    chosen_there, chosen_apart = [], []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        embeddings = {f"stage {k}": rng.normal(size=(48, 3)) for k in range(30)}
        everything = Division(embeddings, np.arange(48), np.arange(48))
        for found, rates in (
            (choose_embedding([everything], SPEAKERS), chosen_there),
            (choose_embedding(in_folds(embeddings), SPEAKERS), chosen_apart),
        ):
            rates.append(rate(found.vectors, found.positions))
    assert np.mean(chosen_there) < 0.47
    assert abs(np.mean(chosen_apart) - 0.5) < 0.02


def test_items_of_the_folds_that_chose_another_are_left_out() -> None:
    rng = np.random.default_rng(1)
    voice = 10 * np.eye(6)[np.arange(48) % 6] + rng.normal(size=(48, 6))
    spoiled = voice + 40 * rng.normal(size=(48, 6)) * (FOLDS == 0)[:, None]
    good_without_first = 3 * voice + 6 * rng.normal(size=(48, 6))
    found = choose_embedding(in_folds({"a": spoiled, "b": good_without_first}), SPEAKERS)
    assert found.name == "b" and found.n_divisions == 3
    assert set(FOLDS[found.positions]) == {1, 2, 3}, "without the spoiled fold, a is better"


def test_without_trials_the_first_is_taken() -> None:
    vectors = np.random.default_rng(0).normal(size=(4, 2))
    found = choose_embedding(
        [Division({"own": vectors, "last": vectors}, np.arange(2), np.arange(2, 4))],
        np.array(["a", "b", "a", "b"], dtype=object),
    )
    assert found.name == "own" and len(found.vectors) == 2
