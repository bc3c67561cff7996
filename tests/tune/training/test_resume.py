"""Ended at any moment under any policy, a training resumes to the same bits as one left alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import resuming
from resuming import POLICIES, RECIPES, chain_loop, differences, ended_after, state_of

from headstart.tune.loop.checkpoint import Checkpoints


def whole_state(text: str, **settings: Any) -> dict[str, Any]:
    loop = chain_loop(text, **settings)
    loop.run()
    return state_of(loop)


@pytest.mark.parametrize("text", POLICIES)
def test_every_policy_goes_on_with_the_same_bits(text: str, tmp_path: Path) -> None:
    """After the last step of an epoch, just behind what begins to train with the next, and in the middle of one."""
    whole = whole_state(text)
    for n_steps in (5, 6, 13):
        folder = tmp_path / str(n_steps)
        ended_after(n_steps, text, folder)
        resumed = chain_loop(text, folder)
        resumed.run(resume=True)
        assert differences(whole, state_of(resumed)) == []


@pytest.mark.full
@pytest.mark.parametrize("text", POLICIES)
def test_every_policy_goes_on_from_every_step(text: str, tmp_path: Path) -> None:
    whole = whole_state(text)
    for n_steps in range(25):
        ended_after(n_steps, text, tmp_path / str(n_steps))
        resumed = chain_loop(text, tmp_path / str(n_steps))
        resumed.run(resume=True)
        assert differences(whole, state_of(resumed)) == []


@pytest.mark.parametrize("text", ["gradual", "first:2,lora:2"])
@pytest.mark.parametrize("recipe", [name for name in RECIPES if name != "plain"])
def test_every_recipe_goes_on_with_the_same_bits(recipe: str, text: str, tmp_path: Path) -> None:
    settings = RECIPES[recipe]
    whole = whole_state(text, **settings)
    for n_steps in (5, 12):
        ended_after(n_steps, text, tmp_path / str(n_steps), **settings)
        resumed = chain_loop(text, tmp_path / str(n_steps), **settings)
        resumed.run(resume=True)
        assert differences(whole, state_of(resumed)) == []


def test_a_checkpoint_of_another_device_is_resumed_and_reported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ended_after(6, "first:1", tmp_path)
    checkpoints = Checkpoints(tmp_path / "checkpoints")
    state = checkpoints.candidates()[0]
    checkpoints.save_last({**state, "device": "cuda"})
    chain_loop("first:1", tmp_path).run(resume=True)
    assert (
        "written on cuda and is resumed on cpu: the steps are the same, but numbers can differ"
        in capsys.readouterr().err
    )


@pytest.mark.parametrize("text", ["none", "norm", "first:2,lora:2", "gradual", "lp-ft"])
def test_of_a_checkpoint_cut_in_half_the_one_before_is_used(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also where the one before is from before a stage began to train."""
    whole = whole_state(text)
    for n_steps in (6, 13):
        folder = tmp_path / str(n_steps)
        ended_after(n_steps, text, folder)
        last = folder / "checkpoints" / "last.ckpt"
        last.write_bytes(last.read_bytes()[: last.stat().st_size // 2])
        resumed = chain_loop(text, folder)
        resumed.run(resume=True)
        assert "last.ckpt is damaged; the one before it is used" in capsys.readouterr().err
        assert differences(whole, state_of(resumed)) == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked here")
@pytest.mark.parametrize(
    ("n_kills", "policies"),
    [(2, ("gradual", "first:2,lora:2")), pytest.param(30, POLICIES, marks=pytest.mark.full)],
)
def test_a_kill_by_sigkill_at_any_moment_changes_no_bit(
    n_kills: int, policies: tuple[str, ...], tmp_path: Path
) -> None:
    """The same trainable set, optimizer groups with their rates and states, history and weights."""
    done = subprocess.run(
        [sys.executable, resuming.__file__, str(tmp_path / "runs"), str(n_kills), *policies],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert list(found) == list(policies)
    for text, told in found.items():
        assert told["differences"] == [] and told["killed"] == n_kills and told["ended"], text
    assert any(step for told in found.values() for step in told["after steps"]), "none in training"
