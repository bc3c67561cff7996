"""Trainings of a small chain under any policy, and what must be equal after one was ended and resumed.

As a program, `python resuming.py FOLDER N_KILLS POLICY ...`, it ends trainings by SIGKILL at random moments.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor
from tune_networks import States, chain, labelled_loop, pictures

from headstart.tune import Policy, Recipe
from headstart.tune.feeds.feed import Labelled, Machine
from headstart.tune.feeds.stored import StoredFeed
from headstart.tune.feeds.tensors import TensorFeed
from headstart.tune.loop.loop import Loop
from headstart.tune.loop.setup import Keeping, Network
from headstart.tune.training.network_copy import network_to_train

POLICIES = (
    *("none", "first:1", "until:block1", "last:1", "only:block1", "norm", "bias", "lora:2", "dora:2", "ia3"),
    *("gradual", "lp-ft", "first:2,lora:2", "first:1,norm", "first:1,gradual", "first:1,lp-ft"),
)
RECIPES: dict[str, dict[str, Any]] = {
    "plain": {},
    "ema": {"ema": 0.9},
    "accumulate": {"accumulate": 3},
    "sgd": {"optimizer": "sgd", "momentum": 0.9},
    "balanced": {"sampling": "balanced"},
    "layer decay": {"layer_decay": 0.5},
    "l2-sp": {"l2_sp": 0.1},
    "mixup": {"mixup": 0.4},
    "steps": {"schedule": "steps", "steps": 17},
}


def chain_loop(text: str, folder: Path | None = None, **settings: Any) -> Loop:
    """A training of the chain on the pictures under a policy; equal calls train equally."""
    x, labels = pictures()
    plain = chain()
    policy = Policy.parse(text, plain.stages)
    source: Any = SimpleNamespace(network=plain.module, stages=plain.named_stages)
    cpu = torch.device("cpu")
    inputs: Any = x[:3]
    backbone, freeze = network_to_train(source, policy, device=cpu, seed=0, inputs=inputs)
    cut = policy.resolved_cut

    def part(rows: slice) -> Labelled:
        if cut:
            return Labelled(StoredFeed([States(backbone, x[rows], cut)], cut, backbone), labels[rows])
        return Labelled(TensorFeed(x[rows]), labels[rows])

    return labelled_loop(
        Network(backbone, freeze, policy),
        part(slice(0, 40)),
        part(slice(40, 60)),
        Recipe(**{"epochs": 5, "batch_size": 8, "lr": 1e-2, "head_lr": 1e-2, **settings}),
        machine=Machine(checkpoint_seconds=0.0),
        keeping=Keeping(folder, {"--freeze": policy.text}),
    )


def state_of(loop: Loop) -> dict[str, Any]:
    """Every tensor, what trains, the optimizer with its groups and rates, and the history without its seconds."""
    optimizer = loop.optimizer.state_dict()
    rows = [{k: v for k, v in row.items() if k != "seconds"} for row in loop.at.history]
    return {
        "network": {
            name: tensor.clone() for name, tensor in loop.network.backbone.module.state_dict().items()
        },
        "objective": {name: tensor.clone() for name, tensor in loop.objective.state_dict().items()},
        "average": None if loop.average is None else loop.average.state_dict(),
        "freeze": loop.freeze.state_dict(),
        "groups": json.loads(json.dumps(optimizer["param_groups"])),
        "optimizer": optimizer["state"],
        "history": rows,
        "looks": dict(enumerate(loop.at.looks)),
        "stopped": loop.at.stopped_because,
        "best": loop.at.best_epoch,
    }


def differences(first: Any, second: Any, path: str = "") -> list[str]:
    """Where two states differ, tensors by their bits."""
    if isinstance(first, Tensor):
        return [] if torch.equal(first, second) else [path]
    if isinstance(first, dict):
        if first.keys() != second.keys():
            return [f"{path}: {sorted(map(str, first.keys() ^ second.keys()))}"]
        return [told for key in first for told in differences(first[key], second[key], f"{path}/{key}")]
    return [] if first == second else [f"{path}: {first} and {second}"]


def in_a_process(text: str, folder: Path, result: Path, share: float | None = None) -> float | None:
    """Train to the end in a process of its own, resumed where it was ended, and write the state.

    Args:
        text: the policy.
        folder: of the checkpoints.
        result: the state's file.
        share: seconds of training after which the process is killed; None: never.

    Returns:
        The seconds of training; None where it was killed.
    """
    reading, writing = os.pipe()
    process = os.fork()
    if not process:
        code = 1
        try:
            loop = chain_loop(text, folder)
            os.write(writing, b"begins")
            loop.run(resume=True)
            torch.save(state_of(loop), result)
            code = 0
        finally:
            os._exit(code)
    os.close(writing)
    os.read(reading, 6)
    os.close(reading)
    began = time.monotonic()
    if share is not None:
        time.sleep(share)
        os.kill(process, signal.SIGKILL)
    _, status = os.waitpid(process, 0)
    code = os.waitstatus_to_exitcode(status)
    if code not in (0, -signal.SIGKILL):
        raise SystemExit(f"{text}: a process ended with {code}")
    return time.monotonic() - began if code == 0 else None


def killed(text: str, folder: Path, n_kills: int) -> dict[str, Any]:
    """Train again and again, each training killed at random moments until it ends; compare each end."""
    folder.mkdir(parents=True)
    warm = chain_loop(text, folder / "warm")  # imports what all processes need, and computes no gradients
    warm.run(until_epoch=0)
    warm.optimizer.step()
    draw, told = random.Random(text), []
    seconds = in_a_process(text, folder / "whole", folder / "whole.pt") or 0.0
    whole = torch.load(folder / "whole.pt", weights_only=False)
    n_killed = n_ended = 0
    steps: list[int] = []
    last = folder / "killed" / "checkpoints" / "last.ckpt"
    while n_killed < n_kills or last.parent.exists():
        share = draw.uniform(0.0, seconds) if n_killed < n_kills else None
        if in_a_process(text, folder / "killed", folder / "killed.pt", share) is None:
            n_killed += 1
            steps += [step_of(last)]
        else:
            n_ended += 1
            told += differences(whole, torch.load(folder / "killed.pt", weights_only=False))
            shutil.rmtree(folder / "killed")
    return {"killed": n_killed, "after steps": steps, "ended": n_ended, "differences": told}


def step_of(checkpoint: Path) -> int:
    """The step a checkpoint is of, over all epochs of five; 0 if there is none."""
    if not checkpoint.exists():
        return 0
    at = torch.load(checkpoint, weights_only=True)["progress"]
    return int(5 * (at["epoch"] - 1) + at["step"])


if __name__ == "__main__":
    torch.set_num_threads(1)
    place, count, *texts = sys.argv[1:]
    found = {}
    for index, text in enumerate(texts):
        found[text] = killed(text, Path(place) / str(index), int(count))
        print(text, json.dumps(found[text]), file=sys.stderr, flush=True)
    print(json.dumps(found))


class Killed(BaseException):
    """Stands for the end of the process at a chosen step."""


def ended_after(n_steps: int, text: str, folder: Path, **settings: Any) -> None:
    """A training of the chain that is ended when it has done so many steps."""
    end_after(n_steps, chain_loop(text, folder, **settings))


def end_after(n_steps: int, loop: Loop) -> None:
    """Run a training, and end it when it has done so many steps."""
    step, done = loop.optimizer.step, 0

    def counted(*args: Any, **kwargs: Any) -> Any:
        nonlocal done
        done += 1
        if done > n_steps:
            raise Killed
        return step(*args, **kwargs)

    loop.optimizer.step = counted  # type: ignore[method-assign]
    with pytest.raises(Killed):
        loop.run()
