"""Every score passes its suite, and the suite fails where a score is wrong."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from headstart.choose.scores import SCORES, Sample, Score
from headstart.choose.scores.probe import PROBE_LOSS
from headstart.testing import check_score

LOGME = SCORES["logme"]


@pytest.mark.parametrize(
    "score",
    [
        pytest.param(
            score, marks=[pytest.mark.full] if score is PROBE_LOSS else []
        )  # as the probe, from the same fits
        for score in SCORES.values()
    ],
    ids=lambda score: score.name,
)
def test_every_score_passes(score: Score) -> None:
    check_score(score)


def test_scores_are_named_by_their_key() -> None:
    assert all(name == score.name for name, score in SCORES.items())


def by_first_item(sample: Sample) -> float:
    return LOGME.of(sample) + float(sample.features[0, 0])


def scaling_in_place(sample: Sample) -> float:
    found = LOGME.of(sample)
    sample.features[:] = 2 * sample.features
    return found


def by_chance(sample: Sample) -> float:
    return LOGME.of(sample) + 1e-3 * float(np.random.default_rng().random())


def dividing(sample: Sample) -> float:
    return LOGME.of(sample) + float(np.log(sample.features.std(axis=0)).mean() * 1e-9)


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"compute": lambda sample: -LOGME.of(sample)}, "more signal must give a higher score"),
        ({"compute": by_first_item}, "with the order of the items"),
        ({"compute": scaling_in_place}, "it changes the features or targets"),
        ({"compute": by_chance}, "computed again, it is"),
        ({"compute": dividing}, "it warns: divide by zero"),
        ({"compute": lambda sample: float("nan")}, "decide on a finite value"),
        ({"compute": lambda sample: 1 / 0}, "ZeroDivisionError"),
        ({"tasks": ("ranking",)}, "there is no task ranking"),
        ({"label": ""}, "one is empty"),
    ],
)
def test_what_is_wrong_is_named(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check_score(replace(LOGME, **changes))
