"""The race among ways to train: real trainings of a tiny network, within the budget, with its evidence."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from racing import N_EPOCHS, World, digest, race

from headstart.errors import DiskFullError, OptionError, TrainingError
from headstart.tune.objectives.validation import Score
from headstart.tune.race.candidate_run import CandidateRun
from headstart.tune.race.comparison import Bound, Comparison
from headstart.tune.race.result import CandidateResult, best_of
from headstart.tune.race.study import Outcome


def test_a_race_tries_halves_chooses_and_trains_again_on_all_items(tmp_path: Path) -> None:
    world = World(tmp_path)
    choice = race(world, tmp_path / "race")
    by_name = {candidate.name: candidate for candidate in choice.candidates}
    assert choice.candidates[0].policy == "all" and {"first:2", "first:1", "none", "scratch"} <= set(by_name)
    assert choice.trained is not None and choice.chosen == choice.trained.policy
    assert sum(candidate.chosen for candidate in choice.candidates) == 1
    best = next(candidate for candidate in choice.candidates if candidate.chosen)
    assert best.better and best.reached and best.accuracy is not None
    assert best.accuracy >= choice.candidates[0].accuracy  # type: ignore[operator]
    assert best.log_loss == min(c.log_loss for c in choice.candidates if c.better and c.log_loss is not None)
    assert choice.refitted == (f"{best.name} again" in world.built)
    assert (
        choice.trained.validation is not None and choice.trained.validation.accuracy >= best.accuracy - 1e-9
    )
    assert choice.from_scratch is not None and by_name["scratch"].from_scratch
    n_looks = sum(row.reached + 1 for row in choice.candidates if row.rungs)  # every epoch, and the start
    assert {(row.looks, row.bound) for row in choice.candidates if row.rungs} == {(n_looks, best.bound)}
    assert f"the best of {n_looks} looks at these items, so expect less on new ones" in choice.reason
    rows = json.loads(json.dumps([candidate.to_json() for candidate in choice.candidates]))
    assert rows[0]["outcome"] == "head alone" and {row["outcome"] for row in rows[1:]} <= set(Outcome)
    assert all(row["fresh"] == (row["name"] == "scratch") and row["rate"] > 0 for row in rows)
    for each in choice.candidates[1:]:
        assert (each.outcome is Outcome.PUT_ASIDE) == ("Put aside after" in each.why)
        assert each.outcome is not Outcome.BETTER or each.better


def test_a_resumed_race_tries_the_rates_of_the_same_leader(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A candidate that was put aside, and trained to its end later, may look best when the race is resumed."""
    world = World(tmp_path)
    names = {row.name for row in race(world, tmp_path / "race").candidates}
    other = next(name for name in ("first:2", "first:1", "none") if not any(f"{name} at" in n for n in names))
    plain = CandidateRun.score.fget
    assert plain is not None

    def favoured(run: CandidateRun) -> Score:
        found: Score = plain(run)
        return replace(found, loss=-1.0) if run.name == other else found

    monkeypatch.setattr(CandidateRun, "score", property(favoured))
    assert {row.name for row in race(world, tmp_path / "race", resume=True).candidates} == names


def test_rungs_end_where_a_straight_training_does(tmp_path: Path) -> None:
    world = World(tmp_path, patience=100)
    choice = race(world, tmp_path / "race", again=False, scratch=False)
    for name in ("first:1", "none"):
        found = next(candidate for candidate in choice.candidates if candidate.name == name)
        assert [epoch for epoch, _ in found.rungs] == [1, 2, 4]
        from racing import candidates

        candidate = next(each for each in candidates() if each.name == name)
        straight = world.build(candidate, tmp_path / f"straight-{name}").run()
        assert straight.validation is not None
        assert found.rungs[-1][1] == pytest.approx(straight.validation.log_loss, abs=0)


def test_no_candidate_better_leaves_the_head_alone(tmp_path: Path) -> None:
    world = World(tmp_path, lr=1e-7, head_lr=1e-7)  # which learns nothing
    choice = race(world, tmp_path / "race", validation=world.validation_items(0.85, size=3.0))
    assert choice.chosen == "all" and choice.trained is None and choice.candidates[0].chosen
    assert "the head alone is kept: none of" in choice.reason
    assert world.built and not any(name.endswith("again") for name in world.built)


@pytest.mark.parametrize("share_right", [1.0, 0.9])
def test_a_head_alone_with_hardly_an_error_ends_the_race_at_once(tmp_path: Path, share_right: float) -> None:
    world = World(tmp_path)
    choice = race(world, tmp_path / "race", validation=world.validation_items(share_right, size=9.0))
    assert choice.chosen == "all" and choice.trained is None and world.built == []
    assert "fewer than 4 errors on the validation items" in choice.reason
    assert [candidate.name for candidate in choice.candidates] == ["all"]


def test_a_budget_too_small_for_an_epoch_keeps_the_head_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world = World(tmp_path)
    choice = race(world, tmp_path / "race", budget=0.001, pass_seconds=1.0)
    assert choice.chosen == "all" and world.built == []
    assert choice.reason == "the head alone is kept: no candidate could be tried within the budget"
    assert all("not tried" in candidate.why for candidate in choice.candidates[1:])
    assert {(c.outcome, c.tried) for c in choice.candidates[1:]} == {(Outcome.NO_TIME, False)}
    assert "an epoch takes about 3.0 s" in choice.candidates[3].why
    said = capsys.readouterr().err.splitlines()
    assert said == [
        "the budget of 0.001 s is too small to try a candidate: the head alone is kept; pass a larger --budget"
    ]


def test_the_budget_is_kept(tmp_path: Path) -> None:
    world = World(tmp_path, epochs=8000)
    started = time.monotonic()
    choice = race(world, tmp_path / "race", budget=6.0)
    assert time.monotonic() - started < 60  # a race of all epochs takes minutes; loose for a busy machine
    assert any(c.tried for c in choice.candidates[1:])
    assert any(0 < c.epochs < 8000 for c in choice.candidates)


def test_a_resumed_race_repeats_nothing_and_ends_the_same(tmp_path: Path) -> None:
    whole = race(World(tmp_path), tmp_path / "whole")
    world, n_calls = World(tmp_path), 0

    class Killed(Exception):
        pass

    def dying(candidate: Any, folder: Path) -> Any:
        training = world.build(candidate, folder)
        run = training.run

        def counted(**options: Any) -> Any:
            nonlocal n_calls
            n_calls += 1
            if n_calls == 5:
                raise Killed
            return run(**options)

        training.run = counted
        return training

    with pytest.raises(Killed):
        race(world, tmp_path / "race", build=dying)
    again = race(World(tmp_path), tmp_path / "race", resume=True)
    assert digest(again) == digest(whole)
    assert [c.rungs for c in again.candidates] == [c.rungs for c in whole.candidates]
    assert [(c.looks, c.bound) for c in again.candidates] == [(c.looks, c.bound) for c in whole.candidates]
    done = World(tmp_path)
    third = race(done, tmp_path / "race", resume=True)
    assert digest(third) == digest(whole)
    assert set(done.built) <= {name for name in done.built if name.endswith("again") or name == "scratch"} | {
        candidate.name for candidate in whole.candidates if candidate.better
    }


def test_one_that_fails_or_cannot_be_made_takes_no_other_with_it(tmp_path: Path) -> None:
    world = World(tmp_path)

    def build(candidate: Any, folder: Path) -> Any:
        if candidate.name == "first:2":
            raise OptionError("there is no layer it fits")
        training = world.build(candidate, folder)
        if candidate.name == "first:1":

            def run(**options: Any) -> Any:
                raise TrainingError("the loss is not a number")

            training.run = run  # type: ignore[method-assign]
        return training

    choice = race(world, tmp_path / "race", build=build, scratch=False)
    by_name = {candidate.name: candidate for candidate in choice.candidates}
    assert by_name["first:2"].why == "not tried: there is no layer it fits" and not by_name["first:2"].tried
    assert by_name["first:1"].why == "failed: the loss is not a number" and by_name["first:1"].tried
    assert by_name["first:2"].outcome is Outcome.REFUSED and by_name["first:1"].outcome is Outcome.FAILED
    assert choice.chosen == "none"


def test_a_full_disk_ends_the_race_and_leaves_it_to_be_resumed(tmp_path: Path) -> None:
    world = World(tmp_path)

    def build(candidate: Any, folder: Path) -> Any:
        if candidate.name == "first:1":
            raise DiskFullError("no room is left on the disk")
        return world.build(candidate, folder)

    with pytest.raises(DiskFullError):
        race(world, tmp_path / "race", build=build, scratch=False)
    choice = race(world, tmp_path / "race", resume=True, scratch=False)
    assert {c.name for c in choice.candidates if c.tried} >= {"first:2", "first:1", "none"}


def test_one_that_diverges_later_leaves_its_place_to_the_next(tmp_path: Path) -> None:
    """The better two of three continue; if the best then fails, its early loss must not end the other."""
    world = World(tmp_path, patience=100)
    first = race(world, tmp_path / "whole", scratch=False, again=False)
    early = {
        c.name: c.rungs[0][1]
        for c in first.candidates
        if c.rungs and c.name in ("first:2", "first:1", "none")
    }
    best = min(early, key=lambda name: early[name])

    def build(candidate: Any, folder: Path) -> Any:
        training = world.build(candidate, folder)
        run = training.run
        if candidate.name == best:

            def fails(**options: Any) -> Any:
                if options["until_epoch"] > 1:
                    raise TrainingError("the loss is not a number")
                return run(**options)

            training.run = fails  # type: ignore[method-assign]
        return training

    choice = race(world, tmp_path / "race", build=build, scratch=False, again=False)
    by_name = {candidate.name: candidate for candidate in choice.candidates}
    assert by_name[best].outcome is Outcome.FAILED and by_name[best].tried and not by_name[best].better
    assert by_name[best].why == "failed: the loss is not a number"
    assert any(c.reached == N_EPOCHS for c in choice.candidates), "nobody was run to its end"


def test_a_race_is_not_resumed_with_other_data(tmp_path: Path) -> None:
    identity = {"seed": 0, "recipe": {"lr": 0.1, "epochs": 2}, "classes": ["a", "b"]}
    race(World(tmp_path, epochs=1), tmp_path / "race", scratch=False, identity=identity)
    race(World(tmp_path, epochs=1), tmp_path / "race", scratch=False, identity=identity, resume=True)
    other = {**identity, "recipe": {"lr": 0.2, "epochs": 2}}
    with pytest.raises(OptionError, match=r"cannot resume the race: .* with recipe lr 0.1, not 0.2\. Resume"):
        race(World(tmp_path, epochs=1), tmp_path / "race", scratch=False, identity=other, resume=True)


def candidate(name: str, quality: float, loss: float, **more: Any) -> CandidateResult:
    return CandidateResult(
        name, Outcome.NOT_BETTER, "", accuracy=quality, log_loss=loss, name=name, reached=1, **more
    )


def test_the_choice_has_the_smallest_loss_of_those_that_are_better_scratch_among_them() -> None:
    alone, good = candidate("all", 0.80, 0.5), candidate("none", 0.84, 0.4, better=True)
    assert best_of([alone, good, candidate("first:1", 0.86, 0.45, better=True)]) is good
    above = candidate("scratch", 0.90, 0.39, from_scratch=True)
    assert best_of([alone, above]) is None, "above the head alone by chance"
    assert best_of([alone, good, above]) is good
    assert best_of([alone, good, scratch := replace(above, better=True)]) is scratch
    low, less_low = candidate("all", -0.4, 1.4), candidate("none", -0.1, 1.1, better=True)
    assert best_of([low, less_low]) is less_low, "explained shares may be below zero"


def test_without_a_folder_nothing_is_left(tmp_path: Path) -> None:
    choice = race(World(tmp_path, epochs=2), None, scratch=False)
    assert choice.trained is not None and choice.trained.recipe.epochs == 2 <= N_EPOCHS


@pytest.mark.parametrize(
    ("accuracy", "accuracy_error", "log_loss", "log_loss_error", "taken"),
    [
        (-0.01, 0.02, 0.30, 0.02, False),
        (0.00, 0.02, 0.12, 0.03, True),
        (0.00, 0.02, 0.10, 0.03, False),
        (0.00, 0.00, 0.005, 0.0, False),
        (0.03, 0.01, -0.05, 0.03, True),
        (0.03, 0.02, -0.05, 0.03, False),
        (0.01, 0.001, -0.05, 0.03, False),
        (0.05, np.nan, 0.20, np.nan, False),
    ],
)
def test_the_rule(
    accuracy: float, accuracy_error: float, log_loss: float, log_loss_error: float, taken: bool
) -> None:
    """Of 2.5 standard errors on 100 items: 0.01 is one item, and the temperature may gain 0.03 of log loss."""
    found = Comparison(accuracy, accuracy_error, log_loss, log_loss_error, Bound(2.5, 35), 100)
    assert found.better == taken
