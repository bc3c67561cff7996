"""Averages of members of one cut: taken only where validation strictly gains, and truly what the weights give."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from racing import STAGES, World

from headstart.tune.entrants import Entrant
from headstart.tune.policy import Policy
from headstart.tune.runner import Runner
from headstart.tune.soups import _validated, members_of, soup_of
from headstart.tune.study import Study


def runners(world: World, folder: Path, rates: tuple[float, ...], policy: str = "first:1") -> list[Runner]:
    study = Study(folder, [policy, "none"], resume=False)
    made = []
    for rate in rates:
        entrant = Entrant(Policy.parse(policy, STAGES), rate=rate)
        runner = Runner(entrant, world.build, study, world.judge(), folder)
        runner.measure()
        runner.plan(2)
        runner.advance(2, float("inf"))
        made.append(runner)
    return made


def test_a_soup_is_better_than_its_best_member_or_is_not(tmp_path: Path) -> None:
    world = World(tmp_path)
    found = runners(world, tmp_path / "race", (1.0, 0.3, 3.0))
    best = min(found, key=lambda runner: runner.score.loss)
    before = best.result().validation_logits
    soup = soup_of(world.judge(), best, found)
    if soup is None:
        return
    names, tuned = soup
    members = [runner for runner in found if runner.name in names]
    assert len(members) == len(names) >= 2 and tuned.validation is not None
    rank = [(runner.score.quality, -runner.score.loss) for runner in members]
    assert (tuned.validation.quality, -tuned.validation.loss) > max(rank)
    name = "layer2.0.weight"
    mean = np.mean([runner.result().state_dict[name].numpy() for runner in members], axis=0)
    np.testing.assert_allclose(tuned.state_dict[name].numpy(), mean, atol=1e-6)
    assert np.array_equal(best.result().validation_logits, before)


def test_a_member_measured_again_gives_its_own_logits(tmp_path: Path) -> None:
    world = World(tmp_path)
    found = runners(world, tmp_path / "race", (1.0, 0.3))
    training, tuned = found[0].training, found[1].result()
    logits = _validated(training, dict(tuned.state_dict), tuned.head)  # type: ignore[arg-type]
    np.testing.assert_allclose(logits, tuned.validation_logits, atol=1e-5)


@pytest.mark.parametrize("rates", [(1.0,)])
def test_one_alone_makes_no_soup(tmp_path: Path, rates: tuple[float, ...]) -> None:
    world = World(tmp_path)
    found = runners(world, tmp_path / "race", rates)
    assert members_of(found[0], found) == found and soup_of(world.judge(), found[0], found) is None
