"""The choice among policies: within the budget, never worse than the head alone, and with its evidence."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import pytest
from tune_networks import linear_head

from headstart.errors import OptionError, TrainingError
from headstart.heads.linear import softmax
from headstart.tune import Policy, Recipe, Tuned, choose_policy, suggest_cuts
from headstart.tune.auto import AutoChoice
from headstart.tune.result import score

STAGES = ("stem", "a", "b", "c")
LABELS = np.arange(200) % 2


def logits_with(n_right: int, size: float = 2.0) -> np.ndarray:
    right = np.arange(200) < n_right
    return size * np.eye(2)[np.where(right, LABELS, 1 - LABELS)]


class Fake:
    """A training of known outcome and speed."""

    def __init__(self, policy: Policy, n_right: int, epoch_seconds: float, log: list[str]) -> None:
        self.policy, self.logits, self.epoch_seconds, self.log = (
            policy,
            logits_with(n_right),
            epoch_seconds,
            log,
        )
        self.recipe = Recipe(epochs=4)

    def measure_epoch(self) -> float:
        self.log.append(f"measure {self.policy.text}")
        return self.epoch_seconds

    def limit_epochs(self, n_epochs: int) -> None:
        self.recipe = self.recipe.model_copy(update={"epochs": n_epochs})

    def run(self, *, resume: bool = False, deadline: float | None = None) -> Tuned:
        self.log.append(f"run {self.policy.text} {self.recipe.epochs}")
        assert deadline is not None and deadline > time.monotonic()
        return Tuned(
            self.policy.text,
            self.policy.resolved_cut,
            self.recipe,
            {},
            linear_head(),
            (),
            "all epochs were run",
            1,
            score(self.logits, LABELS),
            self.logits.astype(np.float32),
        )


def choose(
    n_right: dict[str, int],
    *,
    epoch_seconds: dict[str, float] | None = None,
    budget: float = 1000.0,
    pass_seconds: float = 0.0,
    folder: Path | None = None,
    resume: bool = False,
) -> tuple[AutoChoice, list[str]]:
    log: list[str] = []

    def train(policy: Policy) -> Fake:
        log.append(f"prepare {policy.text}")
        return Fake(policy, n_right[policy.text], (epoch_seconds or {}).get(policy.text, 1.0), log)

    choice = choose_policy(
        [Policy.parse(text, STAGES) for text in n_right],
        train,
        softmax(logits_with(150)),
        LABELS,
        budget_seconds=budget,
        pass_seconds=pass_seconds,
        folder=folder,
        resume=resume,
    )
    return choice, log


def test_the_best_by_accuracy_is_chosen_with_its_evidence() -> None:
    choice, _ = choose({"first:3": 170, "first:1": 180, "none": 165})
    assert choice.chosen == "first:1" and choice.tuned is not None and choice.tuned.policy == "first:1"
    assert [c.policy for c in choice.candidates] == ["all", "first:3", "first:1", "none"]
    assert all(c.tried for c in choice.candidates)
    best = choice.candidates[2]
    assert best.accuracy == pytest.approx(0.9) and best.difference == pytest.approx(0.15)
    assert best.standard_error is not None and 0 < best.standard_error < 0.15
    assert "+15.0 points" in choice.reason
    json.dumps([c.to_json() for c in choice.candidates])


@pytest.mark.parametrize("n_right", [100, 149, 150])
def test_worse_and_equal_candidates_leave_the_head_alone(n_right: int) -> None:
    choice, _ = choose({"first:3": n_right, "none": n_right})
    assert choice.chosen == "all" and choice.tuned is None
    assert "none of 2 tried is better" in choice.reason


def test_of_equals_the_cheapest_is_chosen() -> None:
    choice, _ = choose({"first:3": 180, "none": 180})
    assert choice.chosen == "first:3"


def test_what_does_not_fit_is_not_tried_and_said(capsys: pytest.CaptureFixture[str]) -> None:
    choice, log = choose({"first:3": 150, "none": 190}, epoch_seconds={"none": 700.0}, budget=600)
    assert [c.tried for c in choice.candidates] == [True, True, False]
    assert "an epoch takes about 700.0 s" in choice.candidates[2].why
    assert "none: not tried" in capsys.readouterr().err
    assert "run none 4" not in log


def test_fewer_epochs_are_run_where_not_all_fit(capsys: pytest.CaptureFixture[str]) -> None:
    choice, log = choose({"first:3": 180}, epoch_seconds={"first:3": 3.0}, budget=10.0)
    assert "run first:3 3" in log
    assert choice.candidates[1].epochs == 3
    assert "3 of 4 epochs fit the budget" in capsys.readouterr().err


def test_a_known_slow_pass_spares_the_preparation() -> None:
    choice, log = choose({"first:3": 180, "none": 180}, budget=50.0, pass_seconds=20.0)
    assert "prepare first:3" in log and "prepare none" not in log
    assert "an epoch takes about 60 s" in choice.candidates[2].why


def test_no_time_at_all_keeps_the_head_alone() -> None:
    choice, log = choose({"first:3": 180}, budget=0.001, pass_seconds=1.0)
    assert choice.chosen == "all" and log == []
    assert "no candidate could be tried" in choice.reason


def test_a_resumed_choice_takes_the_same_decisions(tmp_path: Path) -> None:
    slow = {"first:3": 3.0, "none": 1000.0}
    choose({"first:3": 180, "none": 190}, epoch_seconds=slow, budget=20.0, folder=tmp_path)
    fast = {"first:3": 0.1, "none": 0.1}
    choice, log = choose(
        {"first:3": 180, "none": 190}, epoch_seconds=fast, budget=20.0, folder=tmp_path, resume=True
    )
    assert log == ["prepare first:3", "run first:3 3"]
    assert [c.tried for c in choice.candidates] == [True, True, False]


def test_a_damaged_ledger_starts_the_choice_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "auto.json").write_text('{"decisions": ')
    _, log = choose({"first:3": 180}, folder=tmp_path, resume=True)
    assert "measure first:3" in log
    assert "is damaged; the choice starts again" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("profile", "cuts"),
    [
        ([0.1, 0.2, 0.3, 0.4, 0.9], [4, 2]),
        ([0.1, 0.9, 0.3, 0.4, 0.5], [2, 1]),
        ([0.9, 0.2, 0.3, 0.4, 0.5], [1]),
        ([0.5, 0.9, 0.9], [2, 1]),
        ([0.5, 0.6], [1]),
        ([0.5], []),
    ],
)
def test_cuts_follow_the_best_stage_of_the_profile(profile: list[float], cuts: list[int]) -> None:
    assert suggest_cuts(profile) == cuts


def test_a_candidate_that_fails_or_cannot_be_made_takes_no_other_with_it() -> None:
    class Failing(Fake):
        def run(self, *, resume: bool = False, deadline: float | None = None) -> Tuned:
            raise TrainingError("the loss is not a number")

    def train(policy: Policy) -> Fake:
        if policy.text == "first:2":
            raise OptionError("nothing is left to train")
        kind = Failing if policy.text == "first:3" else Fake
        return kind(policy, 180, 1.0, [])

    policies = [Policy.parse(text, STAGES) for text in ("first:3", "first:2", "none")]
    choice = choose_policy(policies, train, softmax(logits_with(150)), LABELS, budget_seconds=100.0)
    assert choice.chosen == "none"
    assert choice.candidates[1].why == "failed: the loss is not a number" and choice.candidates[1].tried
    assert choice.candidates[2].why == "not tried: nothing is left to train"
