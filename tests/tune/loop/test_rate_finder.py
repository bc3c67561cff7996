"""The rate finder: repeatable to the bit, leaves nothing behind, and its rule."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from tune_networks import bits, small_loop

from headstart.tune import Recipe
from headstart.tune.loop.loop import Loop
from headstart.tune.loop.rate_finder import find_rate, range_test, suggest, with_rate_found


def test_the_same_seed_gives_the_same_answer_to_the_bit_twice_in_one_process() -> None:
    loop = small_loop(1)
    first, again, other = find_rate(loop), find_rate(loop), find_rate(small_loop(1))
    for search in (again, other):
        assert first.to_json() == search.to_json()
    assert find_rate(small_loop(1, seed=3)).to_json() != first.to_json()


@pytest.mark.full
def test_the_same_seed_gives_the_same_answer_in_two_processes() -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parents[1])!r})\n"
        "import torch; torch.set_num_threads(1)\n"
        "from tune_networks import small_loop\nfrom headstart.tune.loop.rate_finder import find_rate\n"
        "print(find_rate(small_loop(1), n_steps=30).to_json())"
    )
    run = [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True) for _ in range(2)]
    assert run[0].stdout == run[1].stdout and "suggestion" in run[0].stdout


@pytest.mark.parametrize("settings", [{}, {"optimizer": "sgd"}, {"ema": 0.9}, {"accumulate": 2}])
def test_nothing_is_left_behind(settings: dict[str, object]) -> None:
    loop, untouched = small_loop(1, **settings), small_loop(1, **settings)
    before = torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()
    find_rate(loop, n_steps=20)
    assert torch.equal(before[0], torch.get_rng_state())
    assert (before[1] == np.random.get_state()[1]).all() and before[2] == random.getstate()
    assert not loop.optimizer.state and all(p.grad is None for p in loop.network.backbone.module.parameters())
    for each in (loop, untouched):
        each.run()
    first, second = bits(loop), bits(untouched)
    assert [name for name in first if not torch.equal(first[name], second[name])] == []


def test_the_suggestion_lies_in_the_fall_and_below_divergence() -> None:
    search = find_rate(small_loop(0))
    least = search.rates[int(np.argmin(search.losses))]
    assert 1e-5 < search.suggestion <= least
    assert "falls fastest" in search.reason


def test_which_batch_comes_up_does_not_show() -> None:
    """Losses of batches far apart and no training at all: the curve is flat."""
    search = range_test(lambda number: 1.0 + 5.0 * number, lambda rate: None, 4)
    np.testing.assert_allclose(search.losses, search.losses[0])


def test_the_rule() -> None:
    rates = np.geomspace(1e-7, 1, 60)
    decades = np.log10(rates)
    fall = -0.5 / (1 + np.exp(-4 * (decades + 3.5)))  # steepest at 10 ** -3.5
    rise = np.exp(3 * (decades + 1.5))
    rate, reason = suggest(rates, 1 + fall + rise, 1.0)
    assert rate == pytest.approx(10**-3.5, rel=0.4) and "falls fastest" in reason
    rate, reason = suggest(rates, 1 + rise, 1.0)
    assert rates[np.flatnonzero(rise > 0.01)[0]] / 10 == pytest.approx(rate) and "a tenth" in reason
    assert suggest(rates[:1], np.array([1.0]), 1.0)[0] == 1e-7


def test_a_loss_that_is_not_a_number_ends_the_sweep() -> None:
    weight = [1.0]

    def step(rate: float) -> None:
        weight[0] = float("nan") if rate > 1e-3 else weight[0] - 10 * rate

    search = range_test(lambda number: weight[0], step, 2)
    assert np.isfinite(search.losses).all() and search.rates.max() < 2e-3 and search.suggestion < 2e-3


def test_auto_is_replaced_by_what_was_found_and_a_number_is_kept() -> None:
    def make(recipe: Recipe) -> Loop:
        return small_loop(1, **recipe.model_dump())

    loop, search = with_rate_found(Recipe(lr="auto", batch_size=8, epochs=1), make)
    assert search is not None and loop.recipe.lr == search.suggestion
    loop, search = with_rate_found(Recipe(lr=0.01, batch_size=8), make)
    assert search is None and loop.recipe.lr == 0.01


def test_a_source_is_trained_at_the_rate_found_and_says_which(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from tune_sources import CLASSES, part_of, source_of

    from headstart.features import Setting, Store
    from headstart.tune import Policy, Training

    source = source_of("image")
    training = Training(
        source,
        part_of("image", 32, 0, tmp_path),
        part_of("image", 20, 1, tmp_path),
        CLASSES,
        policy=Policy.parse("first:1", tuple(source.stages)),
        recipe=Recipe.for_modality("image", lr="auto", epochs=1, batch_size=8),
        store=Store(tmp_path / "store"),
        setting=Setting.choose("cpu", "fp32", 1),
    )
    trained = training.run()
    assert training.rate_search is not None and trained.recipe.lr == training.rate_search.suggestion
    assert "lr auto" in capsys.readouterr().err
