"""Each score against the plainest way to compute it, on small samples."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import multivariate_normal, spearmanr
from sklearn.covariance import LedoitWolf
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.neighbors import KNeighborsClassifier

from headstart.choose.scores import SCORES, Sample
from headstart.choose.scores.gbc import overlap
from headstart.choose.scores.logme import log_evidence
from headstart.choose.scores.sfda import discriminant
from headstart.tasks import CLASSIFICATION, MULTILABEL, REGRESSION
from headstart.testing.score import sample_with

SAMPLE = sample_with(CLASSIFICATION, 0.5, n_items=45, seed=4)
X, CODES = SAMPLE.features, SAMPLE.codes


def dense_evidence(x: np.ndarray, y: np.ndarray) -> float:
    """The largest log density of y under N(0, I/b + x x'/a), by a general optimiser from several starts."""

    def loss(logs: np.ndarray) -> float:
        a, b = np.exp(np.minimum(logs, 60.0))
        covariance = np.eye(len(x)) / b + x @ x.T / a
        return -float(multivariate_normal(np.zeros(len(x)), covariance, allow_singular=True).logpdf(y)) / len(
            x
        )

    starts = [(0.0, 0.0), (3.0, 0.0), (-3.0, 1.0), (6.0, 1.0)]
    found = [
        minimize(loss, start, method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-13, "maxiter": 4000})
        for start in starts
    ]
    return -min(float(each.fun) for each in found)


@pytest.mark.parametrize("n_features", [3, 20, 80])
def test_logme_is_the_largest_evidence(n_features: int) -> None:
    random = np.random.default_rng(n_features)
    x = random.normal(size=(40, n_features))
    y = x[:, 0] + 0.7 * random.normal(size=40)
    assert log_evidence(x, y[:, None])[0] == pytest.approx(dense_evidence(x, y), abs=1e-8)


def test_logme_of_several_outputs_is_their_mean() -> None:
    alone = [log_evidence(X, SAMPLE.columns[:, [code]])[0] for code in range(3)]
    assert SCORES["logme"].of(SAMPLE) == pytest.approx(np.mean(alone), abs=1e-12)


def test_logme_of_labels_and_values() -> None:
    labels = (np.random.default_rng(0).random((45, 2)) < 0.4).astype(np.float32)
    found = SCORES["logme"].of(Sample(X, labels, MULTILABEL))
    as_values = SCORES["logme"].of(Sample(X, labels.astype(float), REGRESSION))
    assert found == pytest.approx(as_values)
    assert found == pytest.approx(np.mean([dense_evidence(X, labels[:, c]) for c in range(2)]), abs=1e-6)


def test_leep_by_loops() -> None:
    p = SAMPLE.probabilities
    assert p is not None
    total = 0.0
    for n, own in enumerate(CODES):
        total += np.log(sum(p[own == CODES, z].sum() / p[:, z].sum() * p[n, z] for z in range(p.shape[1])))
    assert SCORES["leep"].of(SAMPLE) == pytest.approx(total / len(CODES))


def test_nce_by_loops() -> None:
    assert SAMPLE.probabilities is not None
    z = SAMPLE.probabilities.argmax(axis=1)
    logs = [np.log(((z == z[n]) & (CODES[n] == CODES)).sum() / (z == z[n]).sum()) for n in range(len(z))]
    assert SCORES["nce"].of(SAMPLE) == pytest.approx(np.mean(logs))


def test_hscore_by_matrices() -> None:
    fitted = LedoitWolf().fit(X)
    means = np.stack([X[code == CODES].mean(axis=0) for code in range(3)])[CODES]
    between = np.cov(means, rowvar=False)
    expected = (1 - fitted.shrinkage_) * np.trace(np.linalg.inv(fitted.covariance_) @ between)
    assert SCORES["hscore"].of(SAMPLE) == pytest.approx(expected, rel=1e-6)


def test_gbc_is_the_overlap_of_gaussians() -> None:
    means, variances = np.array([[0.0], [1.5]]), np.array([[1.0], [0.3]])
    grid = np.linspace(-12, 12, 200_001)
    densities = [multivariate_normal(m[0], v[0]).pdf(grid) for m, v in zip(means, variances)]
    coefficient = np.sqrt(densities[0] * densities[1]).sum() * (grid[1] - grid[0])
    assert overlap(means, variances) == pytest.approx(2 * coefficient)
    wide = overlap(np.repeat(means, 3, axis=1), np.repeat(variances, 3, axis=1))
    assert wide == pytest.approx(2 * coefficient**3)  # independent dimensions multiply


def test_gbc_has_one_variance_per_class() -> None:
    parts = [X[code == CODES] for code in range(3)]
    means = np.stack([part.mean(axis=0) for part in parts])
    variances = np.stack([np.full(X.shape[1], part.var(axis=0).mean()) for part in parts])
    assert SCORES["gbc"].of(SAMPLE) == pytest.approx(-overlap(means, variances), rel=1e-4)


def test_the_discriminant_of_sfda_is_that_of_scikit_learn() -> None:
    p, _, shrinkage = discriminant(X, SAMPLE.columns, X.shape[1], shrinkage=0.2)
    model = LinearDiscriminantAnalysis(solver="lsqr", covariance_estimator=_Shrunk())
    assert shrinkage == 0.2
    assert p == pytest.approx(model.fit(X, CODES).predict_proba(X), abs=1e-8)


class _Shrunk:
    """The within-class covariance of standardised classes is taken as scikit-learn gives it, then shrunk."""

    def fit(self, x: np.ndarray) -> _Shrunk:
        covariance = np.cov(x, rowvar=False, bias=True)
        self.covariance_ = 0.8 * covariance + 0.2 * np.trace(covariance) / len(covariance) * np.eye(
            len(covariance)
        )
        return self


def test_parc_by_pairs() -> None:
    z = PCA().fit_transform(X)
    z /= z.std(axis=0)
    apart, differ = [], []
    for i in range(len(z)):
        for j in range(i):
            apart.append(1 - z[i] @ z[j] / np.linalg.norm(z[i]) / np.linalg.norm(z[j]))
            differ.append(CODES[i] != CODES[j])
    assert SCORES["parc"].of(SAMPLE) == pytest.approx(spearmanr(apart, differ).statistic, abs=2e-4)


def test_parc_of_as_many_dimensions_as_items_still_sees_the_classes() -> None:
    """With 19 standardised components all 20 items are equally far apart."""
    codes = np.arange(20) % 2
    x = np.random.default_rng(0).normal(size=(20, 400)) + 3 * codes[:, None]
    assert SCORES["parc"].of(Sample(x, codes)) > 0.4


def test_neighbours_of_scikit_learn() -> None:
    right = [
        KNeighborsClassifier(1).fit(np.delete(X, n, 0), np.delete(CODES, n)).predict(X[[n]])[0] == CODES[n]
        for n in range(len(X))
    ]
    assert SCORES["neighbours"].of(SAMPLE) == np.mean(right)


def test_neighbours_of_the_own_group_do_not_count() -> None:
    x, groups = np.repeat(X, 2, axis=0), np.repeat(np.arange(len(X)), 2)
    doubled = Sample(x, np.repeat(CODES, 2))
    assert SCORES["neighbours"].of(doubled) == 1.0
    grouped = Sample(x, np.repeat(CODES, 2), groups=groups)
    assert SCORES["neighbours"].of(grouped) == SCORES["neighbours"].of(SAMPLE)


def test_the_probe_of_groups_is_not_better_than_chance_where_only_groups_are_known() -> None:
    random = np.random.default_rng(0)
    groups = np.repeat(np.arange(20), 6)
    x = random.normal(size=(20, 40))[groups] + 0.1 * random.normal(size=(120, 40))
    targets = random.permutation(np.arange(20) % 2)[groups]
    assert SCORES["probe"].of(Sample(x, targets)) > 0.9
    assert SCORES["probe"].of(Sample(x, targets, groups=groups)) < 0.75
