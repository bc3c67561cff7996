"""The loop: it learns, stops for a reason, keeps the best, and resumes with the same bits."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from tune_networks import bits, small_loop

from headstart.errors import OptionError, TrainingError
from headstart.tune.loop.loop import Loop
from headstart.tune.loop.measure import measure_epoch


def assert_same_bits(first: dict[str, Tensor], second: dict[str, Tensor]) -> None:
    assert first.keys() == second.keys()
    different = [name for name in first if not torch.equal(first[name], second[name])]
    assert different == []


def test_it_learns_and_its_history_says_so() -> None:
    loop = small_loop(0, epochs=6)
    loop.run()
    rows = loop.at.history
    assert [row["epoch"] for row in rows] == list(range(7))
    assert rows[0]["train_loss"] is None
    assert rows[-1]["validation_accuracy"] > 0.8 > rows[0]["validation_accuracy"]
    assert rows[-1]["train_loss"] < rows[1]["train_loss"]
    assert loop.at.stopped_because == "all 6 epochs were run"
    assert set(rows[1]) == {"epoch", "train_loss", "validation_loss", "validation_accuracy", "lr", "seconds"}


@pytest.mark.parametrize("cut", [0, 2])
def test_equal_seeds_give_equal_bits_and_others_do_not(cut: int) -> None:
    loops = [small_loop(cut, seed=seed) for seed in (1, 1, 2)]
    for loop in loops:
        loop.run()
    assert_same_bits(bits(loops[0]), bits(loops[1]))
    name = "network.block3.2.weight"
    assert not torch.equal(bits(loops[0])[name], bits(loops[2])[name])


def test_the_callers_random_state_is_left_alone() -> None:
    before = torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()
    small_loop().run()
    assert torch.equal(before[0], torch.get_rng_state())
    assert (before[1] == np.random.get_state()[1]).all() and before[2] == random.getstate()


def test_the_best_weights_are_kept_and_patience_ends_it() -> None:
    loop = small_loop(0, epochs=40, patience=3, lr=0.1, schedule="constant")
    loop.run()
    assert loop.at.stopped_because == "no better validation loss for 3 epochs"
    rows = loop.at.history
    best = min(rows, key=lambda row: row["validation_loss"])
    assert loop.at.best_epoch == best["epoch"] == rows[-1]["epoch"] - 3
    assert loop.validation is not None
    right = loop.validation.logits().argmax(axis=1) == loop.validation.part.labels
    assert right.mean() == pytest.approx(best["validation_accuracy"])


def test_a_training_that_never_helps_gives_back_its_start() -> None:
    loop = small_loop(2, epochs=2, lr=1e-12, head_lr=1e-12)
    start = {name: tensor.clone() for name, tensor in bits(loop).items()}
    loop.at.best_loss = -1.0
    loop.run()
    assert loop.at.best_epoch == 0
    assert_same_bits(bits(loop), start)


def test_without_validation_all_epochs_run_and_the_last_weights_stay() -> None:
    loop = small_loop(with_validation=False, epochs=3, patience=1)
    loop.run()
    assert [row["epoch"] for row in loop.at.history] == [1, 2, 3]
    assert loop.at.history[-1]["validation_loss"] is None


def test_a_loss_that_is_not_a_number_is_stopped_with_a_remedy(tmp_path: Path) -> None:
    loop = small_loop(folder=tmp_path, lr=10.0, head_lr=10.0, clip_norm=None, schedule="constant")
    loop.objective.head.linear.weight.data.fill_(float("inf"))
    with pytest.raises(TrainingError, match=r"in epoch 1 of 4, at lr 10 .*--lr 1"):
        loop.run()
    assert not (tmp_path / "checkpoints" / "last.ckpt").exists()


def test_a_deadline_ends_it_with_the_best_so_far() -> None:
    from dataclasses import replace

    loop = small_loop()
    loop.machine = replace(loop.machine, deadline=time.monotonic())
    loop.run()
    assert loop.at.stopped_because == "the time budget was used up in epoch 1"
    assert loop.at.best_epoch == 0


def test_bf16_learns_too() -> None:
    loop = small_loop(0, precision="bf16", epochs=6)
    loop.run()
    assert loop.at.history[-1]["validation_accuracy"] > 0.8
    assert all(t.dtype == torch.float32 for n, t in bits(loop).items() if t.is_floating_point())


def test_measuring_an_epoch_leaves_everything_as_it_was() -> None:
    loop, other = small_loop(0), small_loop(0)
    state = torch.get_rng_state()
    assert measure_epoch(loop) > 0
    assert torch.equal(state, torch.get_rng_state())
    assert_same_bits(bits(loop), bits(other))
    loop.run()
    other.run()
    assert_same_bits(bits(loop), bits(other))


def test_a_single_item_is_never_a_batch_of_batch_norm() -> None:
    with pytest.raises(TrainingError, match="needs two items in a batch: raise batch_size"):
        small_loop(0, batch_size=1)


class Killed(BaseException):
    """Stands for the end of the process at a chosen step."""


def stop_at(loop: Loop, n_steps: int, error: type[BaseException] = Killed) -> None:
    """Let a loop end in an error when it has done so many steps."""
    step, done = loop.optimizer.step, 0

    def counted(*args: Any, **kwargs: Any) -> Any:
        nonlocal done
        done += 1
        if done > n_steps:
            raise error
        return step(*args, **kwargs)

    loop.optimizer.step = counted  # type: ignore[method-assign]


@pytest.mark.parametrize("n_steps", [0, 1, 4, 5, 6, 13, 19])
def test_a_run_ended_at_any_step_resumes_with_the_same_bits(tmp_path: Path, n_steps: int) -> None:
    whole = small_loop(folder=tmp_path / "whole")
    whole.run()
    ended = small_loop(folder=tmp_path / "ended")
    stop_at(ended, n_steps)
    with pytest.raises(Killed):
        ended.run()
    resumed = small_loop(folder=tmp_path / "ended")
    resumed.run(resume=True)
    assert_same_bits(bits(resumed), bits(whole))
    assert resumed.at.best_epoch == whole.at.best_epoch
    assert resumed.at.stopped_because == whole.at.stopped_because
    assert rows_of(tmp_path / "ended") == rows_of(tmp_path / "whole")


def rows_of(folder: Path) -> list[dict[str, Any]]:
    lines = (folder / "history.jsonl").read_text().splitlines()
    return [{k: v for k, v in json.loads(line).items() if k != "seconds"} for line in lines]


def test_a_finished_run_resumes_to_its_result_at_once(tmp_path: Path) -> None:
    whole = small_loop(folder=tmp_path)
    whole.run()
    again = small_loop(folder=tmp_path)
    stop_at(again, 0)
    again.run(resume=True)
    assert_same_bits(bits(again), bits(whole))


@pytest.mark.full  # tests/tune/training/test_resume.py kills whole trainings in the ordinary run
def test_a_kill_by_sigkill_at_any_moment_resumes_with_the_same_bits(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "import sys, torch\n"
        f"sys.path.insert(0, {str(Path(__file__).parents[1])!r})\n"
        "from pathlib import Path\n"
        "from tune_networks import bits, small_loop\n"
        "torch.set_num_threads(1)\n"
        "loop = small_loop(0, folder=Path(sys.argv[1]), epochs=12)\n"
        "print('begin', flush=True)\n"
        "loop.run(resume=True)\n"
        "torch.save(bits(loop), Path(sys.argv[1]) / 'bits.pt')\n"
    )

    def start(folder: Path) -> subprocess.Popen[str]:
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        return subprocess.Popen(
            [sys.executable, str(program), str(folder)], stdout=subprocess.PIPE, text=True, env=environment
        )

    assert start(tmp_path / "whole").wait() == 0
    draw = random.Random(0)
    for _ in range(30):
        process = start(tmp_path / "killed")
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(draw.uniform(0.0, 0.3))
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert start(tmp_path / "killed").wait() == 0
    whole = torch.load(tmp_path / "whole" / "bits.pt", weights_only=True)
    killed = torch.load(tmp_path / "killed" / "bits.pt", weights_only=True)
    assert_same_bits(killed, whole)


def test_a_checkpoint_cut_in_half_falls_back_to_the_one_before(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = small_loop()
    whole.run()
    ended = small_loop(folder=tmp_path)
    stop_at(ended, 13)
    with pytest.raises(Killed):
        ended.run()
    last = tmp_path / "checkpoints" / "last.ckpt"
    last.write_bytes(last.read_bytes()[: last.stat().st_size // 2])
    resumed = small_loop(folder=tmp_path)
    resumed.run(resume=True)
    assert "last.ckpt is damaged; the one before it is used" in capsys.readouterr().err
    assert_same_bits(bits(resumed), bits(whole))


@pytest.mark.parametrize("spoilt", [("last", "previous"), ("best",)])
def test_without_a_whole_checkpoint_it_starts_again_and_says_so(
    tmp_path: Path, spoilt: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    whole = small_loop(0)
    whole.run()
    ended = small_loop(0, folder=tmp_path)
    stop_at(ended, 13)
    with pytest.raises(Killed):
        ended.run()
    for name in spoilt:
        (tmp_path / "checkpoints" / f"{name}.ckpt").write_bytes(b"spoilt")
    resumed = small_loop(0, folder=tmp_path)
    resumed.run(resume=True)
    assert "training starts from the beginning" in capsys.readouterr().err
    assert_same_bits(bits(resumed), bits(whole))


def test_another_run_is_refused_with_what_differs(tmp_path: Path) -> None:
    small_loop(folder=tmp_path, identity={"source": "a", "--seed": 0}).run()
    other = small_loop(folder=tmp_path, identity={"source": "b", "--seed": 0})
    with pytest.raises(
        OptionError, match=r"cannot resume .*: it was started with source a, not b\."
    ) as error:
        other.run(resume=True)
    assert "seed" not in str(error.value)


def test_a_new_run_in_an_old_folder_starts_afresh(tmp_path: Path) -> None:
    first = small_loop(folder=tmp_path)
    first.run()
    second = small_loop(folder=tmp_path, epochs=2)
    second.run()
    assert len(rows_of(tmp_path)) == 3


@pytest.mark.parametrize(("n_steps", "said"), [(7, "resume with --resume"), (0, "--resume starts it again")])
def test_an_interruption_says_how_to_go_on(
    tmp_path: Path, n_steps: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    loop = small_loop(folder=tmp_path)
    stop_at(loop, n_steps, KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        loop.run()
    assert said in capsys.readouterr().err
    assert not list(tmp_path.rglob("*.part"))


def test_checkpoints_are_not_written_more_often_than_asked(tmp_path: Path) -> None:
    loop = small_loop(folder=tmp_path, checkpoint_seconds=1e6)
    loop.run()
    folder = tmp_path / "checkpoints"
    assert not (folder / "previous.ckpt").exists() and (folder / "last.ckpt").exists()


def test_checkpoints_are_a_hundred_times_as_far_apart_as_they_take(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    loop = small_loop(folder=tmp_path, checkpoint_seconds=30)
    sync = os.fsync

    def slow(descriptor: int) -> None:
        now[0] += 2
        sync(descriptor)

    monkeypatch.setattr("os.fsync", slow)
    due = []
    for later in (29, 1):
        now[0] += later
        due.append(loop.kept.is_due())
    loop.keep()
    took = now[0] - 30
    for later in (99 * took, took):
        now[0] += later
        due.append(loop.kept.is_due())
    assert took >= 2 and due == [False, True, False, True]
