"""The command under a launcher: one run is written, by the first process, and a killed one is resumed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import headstart
import small_data
from headstart.runs import RunDirectory

OPTIONS = {"freeze": "norm", "epochs": 2, "batch_size": 5, "report": False, "baseline": False, "seed": 0}
TOLD = "--freeze norm --epochs 2 --batch-size 5 --no-report --no-baseline --precision fp32 --threads 1"
COMMAND = TOLD.split(" ")


def launch(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    return subprocess.run(
        [*launcher, "-m", "headstart", *arguments],
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        text=True,
        capture_output=True,
        check=False,
    )


@pytest.mark.full
def test_two_processes_write_the_run_that_one_does(tmp_path: Path, digit_folder: Path) -> None:
    fixed = [
        "--source",
        small_data.LETTERS,
        "--store",
        str(tmp_path / "store"),
        "--out",
        str(tmp_path / "two"),
    ]
    ended = launch("fit", str(digit_folder), *fixed, *COMMAND, folder=tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.count("Accuracy with 95% interval") == 1, "the first process alone talks"
    assert not (tmp_path / "two-2").exists(), "and writes"
    one = headstart.fit(
        digit_folder, small_data.LETTERS, out=tmp_path / "one", store=str(tmp_path / "store of one"),
        precision="fp32", threads=1, **OPTIONS,
    )  # fmt: skip
    ours, theirs = RunDirectory.open(tmp_path / "two"), RunDirectory.open(one.path)
    assert ours.record.chosen == theirs.record.chosen
    difference = np.abs(ours.predictions().probabilities - theirs.predictions().probabilities).max()
    assert difference < 1e-4  # seen: 2e-7
    assert len(ours.history) == len(theirs.history)


@pytest.mark.full
def test_what_several_processes_refuse(tmp_path: Path, digit_folder: Path) -> None:
    auto = launch(
        "fit", str(digit_folder), "--source", small_data.LETTERS, "--freeze", "auto", "--budget", "1m",
        folder=tmp_path,
    )  # fmt: skip
    assert auto.returncode != 0
    norms = launch(
        "fit", str(digit_folder), "--source", small_data.LETTERS, "--freeze", "none", "--device", "cpu",
        folder=tmp_path,
    )  # fmt: skip
    assert norms.returncode != 0
    assert "'block1' has batch normalisation, which several processes on CPUs cannot train" in norms.stderr
    assert "--freeze auto races within a budget in one process" in auto.stderr
    assert "start it without a launcher" in launch("cache", folder=tmp_path).stderr


def test_a_dry_run_is_made_by_the_first_process_alone(
    digit_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from headstart.cli import main

    environment = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "1", "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2"}
    environment["TORCH_CPP_LOG_LEVEL"] = "ERROR"  # which the command would set
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    words = ["headstart", "fit", str(digit_folder), "--source", small_data.LETTERS, "--freeze", "last:1"]
    for rank, printed in (("0", True), ("1", False)):
        monkeypatch.setenv("RANK", rank)
        monkeypatch.setattr(sys, "argv", [*words, "--dry-run"])
        with pytest.raises(SystemExit) as ended:
            main()
        assert not ended.value.code
        assert ("Cost on" in capsys.readouterr().out) is printed


def test_a_launcher_that_starts_one_process_is_told_of(
    tmp_path: Path, digit_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from headstart import processes

    for name in ("RANK", "WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MASTER_ADDR", "127.0.0.1")
    monkeypatch.setenv("ACCELERATE_USE_CPU", "True")
    processes.join("cpu")
    assert "torchrun --nproc_per_node 2" in capsys.readouterr().err
