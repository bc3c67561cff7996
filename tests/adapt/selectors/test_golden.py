"""Selectors against the golden values, on CORAL with a regularisation of 0.1 and logistic regression, C = 1.

`DEV_rs0` of skada is not reproduced by the selector on purpose: it multiplies every weight by every loss. Here both are
computed from the same weights and losses. `ImportanceWeighted` of skada takes its weights from kernel densities and its
accuracy from items that were learned from; the formula is compared with these.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KernelDensity

from headstart.adapt import Affine, Domains, Method
from headstart.adapt.alignments import Alignment
from headstart.adapt.learners import Learner
from headstart.adapt.selectors import CIRCULAR, Comparison
from headstart.adapt.selectors.class_ami import class_ami
from headstart.adapt.selectors.clusters import clusters
from headstart.adapt.selectors.dev import risks
from headstart.adapt.selectors.importance import weighted_items
from headstart.adapt.selectors.predictions import mutual_information, nuclear_norm

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def golden(shared: Path) -> dict[str, Any]:
    return json.loads((shared / "golden" / "domain_adaptation.json").read_text())


@pytest.fixture(scope="module")
def inputs(shared: Path) -> dict[str, np.ndarray]:
    with np.load(shared / "golden" / "domain_adaptation_inputs.npz") as stored:
        return dict(stored)


def root(covariance: np.ndarray, power: float) -> np.ndarray:
    values, vectors = np.linalg.eigh(covariance)
    return (vectors * values**power) @ vectors.T


def covariance(x: np.ndarray) -> np.ndarray:
    found = np.cov(x, rowvar=False, ddof=0)
    return 0.9 * found + 0.1 * np.trace(found) / len(found) * np.eye(len(found))


def coral(domains: Domains) -> tuple[Domains, Affine]:
    """As skada 0.6.0 with reg = 0.1: both domains centred, the source then has the covariance of the target."""
    source, target = domains.source_ND, domains.target_MD
    way = root(covariance(source), -0.5) @ root(covariance(target), 0.5)
    centre = Affine(target.mean(axis=0), np.ones(target.shape[1]))
    return domains.with_features((source - source.mean(axis=0)) @ way, target - target.mean(axis=0)), centre


def logistic(domains: Domains) -> tuple[np.ndarray, np.ndarray]:
    model = LogisticRegression(C=1, max_iter=1000).fit(domains.source_ND, domains.codes_N)
    return model.coef_, model.intercept_


METHOD = Method(Alignment("as_skada", "", coral), Learner("as_skada", "", logistic))


@pytest.fixture(scope="module")
def comparison(inputs: dict[str, np.ndarray]) -> Comparison:
    return Comparison(Domains(inputs["Xs"], inputs["ys"], inputs["Xt"], 3))


def test_the_method_is_that_of_the_golden_values(
    comparison: Comparison, inputs: dict[str, np.ndarray]
) -> None:
    probabilities = comparison.candidate(METHOD).probabilities_MC
    np.testing.assert_allclose(probabilities, inputs["out_proba_target_CORAL0.1_LR"], atol=1e-10)


def test_circular_validation(comparison: Comparison, golden: dict[str, Any]) -> None:
    score = CIRCULAR.score(comparison.candidate(METHOD))
    assert score == pytest.approx(golden["CircularValidation"]["value"], abs=1e-12)


def test_nuclear_norm(inputs: dict[str, np.ndarray], golden: dict[str, Any]) -> None:
    norm = nuclear_norm(inputs["out_proba_target_CORAL0.1_LR"])
    assert norm * np.sqrt(90 * 3) == pytest.approx(
        golden["exact_BNM_nuclear_norm_target_proba"]["value"], abs=1e-10
    )


def test_mutual_information(inputs: dict[str, np.ndarray], golden: dict[str, Any]) -> None:
    found = mutual_information(softmax(inputs["logits_t"], axis=1))
    assert found == pytest.approx(golden["exact_mutual_information"]["value"], abs=1e-12)


def test_class_ami(inputs: dict[str, np.ndarray], golden: dict[str, Any]) -> None:
    predicted = inputs["out_proba_target_CORAL0.1_LR"].argmax(axis=1)
    found = class_ami(predicted, clusters(inputs["Xt"], 3))
    assert found == pytest.approx(golden["exact_ClassAMI_Xt"]["value"], abs=1e-12)


def test_deep_embedded_validation(inputs: dict[str, np.ndarray], golden: dict[str, Any]) -> None:
    """The weights as skada makes them: features centred by the target's mean, the losses of items learned from."""
    aligned, _ = coral(Domains(inputs["Xs"], inputs["ys"], inputs["Xt"], 3))
    weight, bias = logistic(aligned)
    source, target = (x - inputs["Xt"].mean(axis=0) for x in (inputs["Xs"], inputs["Xt"]))
    train, held = train_test_split(np.arange(120), test_size=0.33, random_state=0)
    domain = np.repeat([1, 0], [len(train), len(target)])
    model = LogisticRegression().fit(np.concatenate([source[train], target]), domain)
    shares = model.predict_proba(source[held])
    weights = len(train) / len(target) * shares[:, 0] / shares[:, 1]
    p = softmax(aligned.source_ND[held] @ weight.T + bias, axis=1)
    losses = -np.log(p[np.arange(len(held)), inputs["ys"][held]])
    assert risks(losses, weights).mean() == pytest.approx(golden["exact_DEV_risk"]["value"], abs=1e-10)
    broadcast = weights.mean() * losses.mean() - losses[0] * losses[1] * (weights.mean() - 1)
    assert -broadcast == pytest.approx(golden["DEV_rs0"]["value"], abs=1e-10)


def test_importance_weighted(inputs: dict[str, np.ndarray], golden: dict[str, Any]) -> None:
    aligned, _ = coral(Domains(inputs["Xs"], inputs["ys"], inputs["Xt"], 3))
    weight, bias = logistic(aligned)
    right = (aligned.source_ND @ weight.T + bias).argmax(axis=1) == inputs["ys"]
    ratio = KernelDensity().fit(inputs["Xt"]).score_samples(inputs["Xs"])
    ratio -= KernelDensity().fit(inputs["Xs"]).score_samples(inputs["Xs"])
    found = weighted_items(right, np.exp(ratio)).mean()
    assert found == pytest.approx(golden["ImportanceWeighted"]["value"], abs=1e-10)
