"""Every metric passes its suite against scikit-learn or scipy, and the suite fails where a metric is wrong."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import sklearn.metrics as sk
from scipy.stats import spearmanr

from headstart.evidence import verification
from headstart.metrics import METRICS, Interval, metrics_of
from headstart.tasks import CLASSIFICATION, MULTILABEL
from headstart.testing import check_metric

Array = np.ndarray


def where_defined(version: Callable[[Array, Array], float]) -> Callable[[Array, Array], float | None]:
    """None where scikit-learn refuses the items or warns that the value is not defined."""

    def computed(targets: Array, outputs: Array) -> float | None:
        with warnings.catch_warnings():
            warnings.simplefilter("error", sk_undefined)
            warnings.simplefilter("error", RuntimeWarning)
            try:
                return float(version(targets, outputs))
            except (ValueError, sk_undefined, RuntimeWarning):
                return None

    return computed


from sklearn.exceptions import UndefinedMetricWarning as sk_undefined  # noqa: E402
