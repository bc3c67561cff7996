"""Averages of members of one cut: taken only where validation strictly gains, and truly what the weights give."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from racing import STAGES, World

from headstart.tune.policies.policy import Policy
from headstart.tune.race.candidate_run import CandidateRun
from headstart.tune.race.candidates import Candidate
from headstart.tune.race.soup import _validated, members_of, soup_of
from headstart.tune.race.study import Study


def runs_of(
    world: World, folder: Path, rates: tuple[float, ...], policy: str = "first:1"
) -> list[CandidateRun]:
    study = Study(folder, [policy, "none"], resume=False)
    made = []
    for rate in rates:
        candidate = Candidate(Policy.parse(policy, STAGES), rate_factor=rate)
        run = CandidateRun(candidate, world.build, study, world.validation_items(), folder)
        run.measure()
        run.plan(2)
        run.advance(2, float("inf"))
        made.append(run)
    return made


def lean(run: CandidateRun, step: float) -> None:
    """Push the scores of a member up for one class and down for the other."""
    trained = run.result()
    run._trained = replace(
        trained, head=replace(trained.head, bias=trained.head.bias + np.float32([step, -step]))
    )


def test_members_that_err_to_both_sides_make_a_soup(tmp_path: Path) -> None:
    world = World(tmp_path)
    found = runs_of(world, tmp_path / "race", (1.0, 0.9))
    lean(found[0], 30.0)
    lean(found[1], -30.0)
    before = found[0].result().validation_logits
    soup = soup_of(world.validation_items(), found[0], found)
    assert soup is not None
    names, trained = soup
    assert set(names) == {run.name for run in found} and trained.validation is not None
    for run in found:
        alone = _validated(found[0].training, dict(run.result().state_dict), run.result().head)  # type: ignore[arg-type]
        assert world.validation_items().score(alone).quality < trained.validation.quality
    for name in ("layer2.0.weight", "layer2.0.bias"):
        mean = np.mean([run.result().state_dict[name].numpy() for run in found], axis=0)
        np.testing.assert_allclose(trained.state_dict[name].numpy(), mean, atol=1e-6)
    heads = [run.result().head for run in found]
    np.testing.assert_allclose(trained.head.bias, (heads[0].bias + heads[1].bias) / 2, atol=1e-6)
    assert np.array_equal(found[0].result().validation_logits, before)


def test_a_member_that_only_adds_errors_is_left_out(tmp_path: Path) -> None:
    world = World(tmp_path)
    found = runs_of(world, tmp_path / "race", (1.0, 0.9))
    lean(found[1], 30.0)
    assert soup_of(world.validation_items(), found[0], found) is None


def test_a_member_measured_again_gives_its_own_logits(tmp_path: Path) -> None:
    world = World(tmp_path)
    found = runs_of(world, tmp_path / "race", (1.0, 0.3))
    training, trained = found[0].training, found[1].result()
    logits = _validated(training, dict(trained.state_dict), trained.head)  # type: ignore[arg-type]
    np.testing.assert_allclose(logits, trained.validation_logits, atol=1e-5)


@pytest.mark.parametrize("rates", [(1.0,)])
def test_one_alone_makes_no_soup(tmp_path: Path, rates: tuple[float, ...]) -> None:
    world = World(tmp_path)
    found = runs_of(world, tmp_path / "race", rates)
    assert members_of(found[0], found) == found and soup_of(world.validation_items(), found[0], found) is None
