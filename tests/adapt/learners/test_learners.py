"""Linear layers that learn from both domains: the minimum they find, and what it does to accuracy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from headstart.adapt import Domains
from headstart.adapt.learners import LEARNERS, infomax, mcc
from headstart.adapt.learners.infomax import mean_entropy, mutual_information
from headstart.adapt.learners.with_target import learn_with_target
from headstart.heads.logistic import fit_logistic
from shifted_domains import accuracy, shifted

TARGET_LEARNERS = [LEARNERS["infomax"], LEARNERS["mcc"]]


def loss(
    domains: Domains, learned: tuple[np.ndarray, np.ndarray], target_loss: object, weight: float
) -> float:
    """The whole loss, written out."""
    w, b = (torch.from_numpy(np.asarray(part, dtype=np.float64)) for part in learned)
    source, target = (torch.from_numpy(x.astype(np.float64)) for x in (domains.source_ND, domains.target_MD))
    log_p = torch.log_softmax(source @ w.T + b, dim=1)
    own = -log_p[torch.arange(len(log_p)), torch.from_numpy(domains.codes_N)]
    value = (torch.from_numpy(domains.weights_N) * own).mean() + domains.penalty / 2 * w.square().sum()
    return float(value + weight * target_loss(target @ w.T + b))  # type: ignore[operator]


@pytest.mark.parametrize("width", [5, 400])
def test_without_a_target_term_it_is_logistic_regression(width: int) -> None:
    domains, _ = shifted(80, width)
    domains = replace(domains, shares_C=np.array([0.6, 0.3, 0.1]))
    found = learn_with_target(domains, lambda logits: logits.sum() * 0, 1.0)
    centred = domains.source_ND - domains.source_ND.mean(axis=0)
    wanted, _ = fit_logistic(
        centred,
        domains.codes_N,
        3,
        domains.penalty,
        weights_N=domains.weights_N,
        tolerance=1e-5,
        max_steps=600,
    )
    assert np.abs(found[0] - wanted).max() < 5e-3


@pytest.mark.parametrize("width", [5, 400])
@pytest.mark.parametrize("learner", TARGET_LEARNERS, ids=lambda learner: learner.name)
def test_the_loss_falls_below_that_of_the_start(learner: object, width: int) -> None:
    domains, _ = shifted(80, width, move=1.5)
    target_loss, weight = {
        "infomax": (lambda logits: mean_entropy(logits) - _entropy_of_mean(logits), infomax.WEIGHT),
        "mcc": (mcc.class_confusion, mcc.WEIGHT),
    }[learner.name]  # type: ignore[attr-defined]
    domains = replace(domains, shares_C=np.full(3, 1 / 3))
    start = loss(domains, LEARNERS["logistic"].learn(domains), target_loss, weight)
    found = loss(domains, learner.learn(domains), target_loss, weight)  # type: ignore[attr-defined]
    assert found < start - 1e-3


def _entropy_of_mean(logits: torch.Tensor) -> torch.Tensor:
    return mutual_information(logits) + mean_entropy(logits)


@pytest.mark.parametrize("learner", TARGET_LEARNERS, ids=lambda learner: learner.name)
def test_a_boundary_moves_to_where_the_target_has_few_items(learner: object) -> None:
    domains, truth = shifted(300, 6, move=2.0, distance=3.0)
    before = accuracy(LEARNERS["logistic"].learn(domains), domains.target_MD, truth)
    after = accuracy(learner.learn(domains), domains.target_MD, truth)  # type: ignore[attr-defined]
    assert after > before + 0.02, (before, after)


@pytest.mark.parametrize("learner", LEARNERS.values(), ids=lambda learner: learner.name)
def test_the_result_is_the_same_each_time_and_depends_on_no_order(learner: object) -> None:
    domains, _ = shifted(60, 10, move=1.0)
    first, again = (learner.learn(domains) for _ in range(2))  # type: ignore[attr-defined]
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    order = np.random.default_rng(1).permutation(60)
    other = replace(domains, source_ND=domains.source_ND[order], codes_N=domains.codes_N[order])
    logits = [domains.target_MD @ w.T + b for w, b in (first, learner.learn(other))]  # type: ignore[attr-defined]
    assert np.abs(logits[0] - logits[1]).max() < 0.05


def test_given_shares_decide_how_often_a_class_is_predicted() -> None:
    domains, truth = shifted(300, 6, target_shares=(0.8, 0.1, 0.1), distance=1.5)
    known = replace(domains, shares_C=np.array([0.8, 0.1, 0.1]))
    learn = LEARNERS["infomax"].learn
    assert (
        accuracy(learn(known), domains.target_MD, truth)
        > accuracy(learn(domains), domains.target_MD, truth) + 0.02
    )


@pytest.mark.parametrize("learner", LEARNERS.values(), ids=lambda learner: learner.name)
def test_weights_of_the_source_reach_the_loss(learner: object) -> None:
    domains, _ = shifted(100, 6, distance=1.0)
    rare = replace(domains, shares_C=np.array([0.98, 0.01, 0.01]))
    weight, bias = learner.learn(rare)  # type: ignore[attr-defined]
    predicted = (domains.source_ND @ weight.T + bias).argmax(axis=1)
    assert (predicted == 0).mean() > 0.7


@pytest.mark.parametrize("learner", LEARNERS.values(), ids=lambda learner: learner.name)
def test_very_few_items(learner: object) -> None:
    domains = Domains(np.eye(2, 3, dtype=np.float32), np.array([0, 1]), np.ones((1, 3), dtype=np.float32), 2)
    weight, bias = learner.learn(domains)  # type: ignore[attr-defined]
    assert np.isfinite(weight).all() and np.isfinite(bias).all()
    assert ((domains.source_ND @ weight.T + bias).argmax(axis=1) == domains.codes_N).all()


def test_features_that_depend_on_each_other() -> None:
    random = np.random.default_rng(0)
    hidden = random.normal(size=(700, 2))
    codes = (hidden[:, 0] > 0).astype(np.int64)
    x = 100 * hidden @ random.normal(size=(2, 500)) + 1e-3 * random.normal(size=(700, 500))
    x = x.astype(np.float32)
    learned = LEARNERS["infomax"].learn(Domains(x, codes, x[:300] + 1, 2, penalty=1e-9))
    assert accuracy(learned, x, codes) > 0.98
