"""Labels that a run does not know are reported."""

from __future__ import annotations

import numpy as np
import pytest

from headstart.runs.predictions import Predictions
from headstart.runs.unknown_classes import report_unknown_classes


def predictions(labels: list[str] | None, task: str = "classification") -> Predictions:
    probabilities = np.full((3, 2), 0.5, np.float32)
    return Predictions(["x", "y", "z"], ("cat", "dog"), probabilities, labels, task)


def test_classes_that_the_run_does_not_know(capsys: pytest.CaptureFixture[str]) -> None:
    report_unknown_classes(predictions(["cat", "cow", "cow"]))
    told = capsys.readouterr().err
    assert "does not know 1 class of the data" in told and "'cow' (2 items). It knows cat, dog" in told


def test_nothing_is_reported_of_known_or_no_labels(capsys: pytest.CaptureFixture[str]) -> None:
    report_unknown_classes(predictions(["cat", "dog", "dog"]))
    report_unknown_classes(predictions(None))
    report_unknown_classes(predictions(["cat|dog", "-", "dog"], "multilabel"))
    assert capsys.readouterr().err == ""
