"""The default of `--method auto` for each kind of shift, and the veto of circular validation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from headstart.adapt import Method
from headstart.adapt.auto import MARGIN, candidates, choose

EQUAL = np.full(7, 1 / 7)
SMALL: dict[str, Any] = {"unread": False, "has_batch_norm": False, "n_target": 200, "shares_C": EQUAL}


@pytest.mark.parametrize(
    ("kind", "changes", "expected"),
    [
        ("covariate", {}, ("standardise+infomax+balanced",)),
        (None, {}, ("standardise+infomax+balanced",)),
        (
            "covariate",
            {"has_batch_norm": True},
            ("bn+standardise+mcc+rebalanced", "standardise+infomax+balanced"),
        ),
        ("covariate", {"shares_C": np.array([0.65, 0.35])}, ("standardise+infomax+balanced",)),
        ("covariate", {"shares_C": np.array([0.8, 0.2])}, ("standardise+infomax",)),
        (
            "covariate",
            {"shares_C": np.array([0.8, 0.2]), "has_batch_norm": True},
            ("bn+standardise+mcc+rebalanced", "standardise+infomax"),
        ),
        ("label", {"has_batch_norm": True}, ("infomax+balanced",)),
        ("both", {}, ("infomax+balanced",)),
        ("none", {"has_batch_norm": True}, ()),
        ("covariate", {"unread": True}, ()),
        ("covariate", {"n_target": 20}, ()),
    ],
)
def test_each_kind_of_shift_has_its_default(
    kind: str | None, changes: dict[str, Any], expected: tuple[str, ...]
) -> None:
    found = candidates(kind, **{**SMALL, **changes})
    assert found.names == expected and bool(found.why) == (not expected)
    for name in found.names:
        assert Method.parse(name) != Method()


def test_a_default_is_taken_unless_circular_validation_puts_it_behind() -> None:
    names = ("none", "first", "second")
    assert choose(names, (0.5, 0.9, 0.95)).index == 1
    assert choose(names, (0.5, 0.5 - MARGIN / 2, 0.9)).index == 1
    second = choose(names, (0.5, 0.4, 0.6))
    assert second.index == 2
    assert second.reason == (
        "first is vetoed by its circular validation (40.0%); then second: its circular validation is 60.0%, that of "
        "source only 50.0%."
    )
    behind = choose(names, (0.5, 0.49, 0.6))
    assert behind.reason == (
        "first: its circular validation is 49.0%, that of source only 50.0%, which is at most 2 points ahead."
    )
    kept = choose(names, (0.5, 0.4, np.nan))
    assert kept.index == 0 and kept.reason.startswith("Source only is kept: first is vetoed")
    assert choose(names[:1], (0.5,)).reason == "Source only is kept."
