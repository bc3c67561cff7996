"""Several real processes on gloo against one with the same batches."""

from __future__ import annotations

import copy
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch
import worker
from torch import nn

from headstart.errors import OptionError
from headstart.tune.loop.checkpoint import Checkpoints

TOLERANCE = 1e-4  # relative; seen: 2e-7


def start(n: int, folder: Path, *cases: str, **environment: str) -> list[subprocess.Popen[str]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    told = {
        "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": str(n), "LOCAL_WORLD_SIZE": str(n),
        "OMP_NUM_THREADS": "1", **environment,
    }  # fmt: skip
    return [
        subprocess.Popen(
            [sys.executable, worker.__file__, str(folder), *cases],
            env={**os.environ, **told, "RANK": str(number), "LOCAL_RANK": str(number)},
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        for number in range(n)
    ]


def finish(started: list[subprocess.Popen[str]]) -> list[tuple[int, str]]:
    ended = []
    for process in started:
        said, _ = process.communicate(timeout=300)
        ended.append((process.returncode, said))
    return ended


def difference(ours: Any, others: Any) -> float:
    """The largest difference of two results, relative to the larger numbers among them."""
    if isinstance(ours, dict):
        return max(difference(ours[name], others[name]) for name in ours)
    left, right = (torch.as_tensor(value, dtype=torch.float64) for value in (ours, others))
    return float((left - right).abs().max() / right.abs().max().clamp(min=1.0))


CASES = [
    "image norm 22",  # decoded live, the statistics of batch normalisation at rest, a last batch of one item
    "image first:1,norm 26",
    "text none 23",
    "text first:1 23 accumulate=3 clip_norm=0.5 l2_sp=0.1 ema=0.5",
    "text gradual 16",
]


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("two")
    for code, said in finish(start(2, folder, *CASES)):
        assert code == 0, said
    return folder


@pytest.mark.parametrize("case", CASES)
def test_two_processes_end_as_one_does(case: str, two: Path, tmp_path: Path) -> None:
    alone = worker.outcome(tmp_path, case)
    first, second = (torch.load(two / f"{case} of 2 by {number}.pt") for number in range(2))
    assert difference(first, second) == 0, "both hold the same bits"
    assert difference(alone["losses"], first["losses"]) < TOLERANCE
    assert difference(alone["logits"], first["logits"]) < TOLERANCE
    assert difference(alone["head"], first["head"]) < TOLERANCE
    assert difference(alone["weights"], first["weights"]) < TOLERANCE


def wait_for(path: Path, started: list[subprocess.Popen[str]]) -> None:
    limit = time.monotonic() + 120
    while not path.exists():
        assert time.monotonic() < limit and all(process.poll() is None for process in started)
        time.sleep(0.02)


@pytest.mark.full
@pytest.mark.parametrize("dies", [1, 0])
def test_when_one_is_killed_the_other_ends_with_an_error_and_both_go_on(dies: int, tmp_path: Path) -> None:
    case = "slow text first:1 16"
    started = start(2, tmp_path, case, PAUSE="0.2")
    wait_for(tmp_path / "run/checkpoints/previous.ckpt", started)
    started[dies].send_signal(signal.SIGKILL)
    code, said = finish(started)[1 - dies]
    assert code not in (0, None)
    assert "another process of this run has ended" in said
    assert not (tmp_path / f"slow of 2 by {1 - dies}.pt").exists()
    assert Checkpoints(tmp_path / "run/checkpoints").candidates(), "what was kept is whole"
    for code, said in finish(start(2, tmp_path, case)):
        assert code == 0, said
    (tmp_path / "whole").mkdir()
    for code, said in finish(start(2, tmp_path / "whole", case)):
        assert code == 0, said
    resumed, whole = (torch.load(folder / "slow of 2 by 0.pt") for folder in (tmp_path, tmp_path / "whole"))
    assert difference(resumed, whole) == 0


@pytest.mark.parametrize("policy", ["none", "first:1", "gradual"])
def test_batch_normalisation_is_not_trained_in_processes_on_cpus(
    policy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("headstart.processes.count", lambda: 2)
    with pytest.raises(
        OptionError, match=r"has batch normalisation.*start one process, or keep its statistics"
    ):
        worker.training_of(tmp_path, f"image {policy} 16")


def test_synced_batch_normalisation_keeps_names_values_and_what_else_a_layer_does() -> None:
    from timm.layers import BatchNormAct2d, convert_sync_batchnorm

    plain = nn.Sequential(nn.Conv2d(1, 4, 3), BatchNormAct2d(4), nn.BatchNorm2d(4)).eval()
    plain[1].running_mean.fill_(0.5)
    synced = convert_sync_batchnorm(copy.deepcopy(plain))
    assert all(isinstance(layer, nn.SyncBatchNorm) for layer in (synced[1], synced[2]))
    x = torch.randn(2, 1, 5, 5)
    assert torch.equal(plain(x), synced(x)) and (plain[1](plain[0](x)) >= 0).all()
    assert synced.state_dict().keys() == plain.state_dict().keys()


def test_a_launcher_configured_for_fsdp_is_refused_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACCELERATE_USE_FSDP", "true")
    with pytest.raises(OptionError, match=r"FSDP.*MULTI_GPU.*checkpointing: true"):
        worker.training_of(tmp_path, "text first:1 16")
