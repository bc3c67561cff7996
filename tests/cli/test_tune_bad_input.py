"""Each thing about training that a user can give wrong is one clear error that names it and what to do."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import small_data
from small_data import LETTERS

from .conftest import Command, refused

QUICK = ("--precision", "fp32", "--threads", 1, "--no-baseline", "--no-report")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--freeze", "only:blok3"], ["no stage 'blok3'", "Did you mean 'block3'"]),
        (["--freeze", "gradul"], ["'gradul'", "Did you mean 'gradual'"]),
        (["--freeze", "lorra:4"], ["'lorra:4'", "Did you mean 'lora:4'"]),
        (["--freeze", "first:99"], ["0 <= K <= n_stages", "K=99", "n_stages=4"]),
        (["--freeze", "last:99"], ["0 <= K <= n_stages", "K=99"]),
        (["--freeze", "first:block2"], ["whole number", "Did you mean 'until:block2'"]),
        (["--freeze", "only"], ["needs a value: only:STAGE"]),
        (["--freeze", "norm:3"], ["'norm' takes no value"]),
        (["--freeze", "first:4,norm"], ["freezes every stage", "nothing is left"]),
        (["--freeze", "all,lora:8"], ["freezes every stage", "nothing is left"]),
        (["--freeze", "norm,bias"], ["'norm,bias'", "at most one"]),
        (["--freeze", "first:1,auto"], ["already says what trains"]),
        (["--freeze", "lora:0"], ["rank", "1 or more", "'0'"]),
        (["--freeze", "lora:lots"], ["rank", "'lots'"]),
        (["--freeze", "lora:5000"], ["5000", "rank"]),
        (["--recipe", "ulmfitt"], ["'ulmfitt'", "Did you mean 'ulmfit'"]),
        (["--lr", "fast"], ["lr", "'fast'"]),
        (["--freeze", "auto", "--budget", "0s"], ["budget", "'0s'"]),
    ],
)
def test_options(
    words: list[Any], told: list[str], command: Command, digit_folder: Path, tmp_path: Path
) -> None:
    done = command("fit", digit_folder, "--source", LETTERS, "--out", tmp_path / "x", *words, *QUICK)
    refused(done, *told)
    assert list(tmp_path.iterdir()) == []


NET = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, stride=2, bias=False)
        self.mix = nn.Conv2d(8, 8, 3, groups=8, bias=False)
        self.out = nn.Sequential(nn.ReLU(), nn.Conv2d(8, 8, 3, groups=8, bias=False))
    def forward(self, pixels):
        return self.out(self.mix(self.stem(pixels))).mean((2, 3))
    stages = {"stem": "stem", "mix": "mix", "out": "out"}
    preprocessing = {"size": [16, 16]}
"""


@pytest.mark.parametrize(
    ("freeze", "told"),
    [
        ("norm", ["nothing is left to train", "no normalisation layer", "--freeze"]),
        ("bias", ["nothing is left to train", "no bias", "--freeze"]),
        ("first:1,lora:2", ["no layer", "lora", "--freeze"]),
    ],
)
def test_a_policy_that_matches_nothing(
    freeze: str, told: list[str], command: Command, digit_folder: Path, tmp_path: Path
) -> None:
    source = own_network(tmp_path, NET)
    done = command("fit", digit_folder, *source, "--freeze", freeze, "--out", tmp_path / "x", *QUICK)
    refused(done, *told)
    assert not (tmp_path / "x").exists()


def own_network(folder: Path, code: str) -> tuple[object, ...]:
    """The options that name a network of the user's own, with random weights."""
    import torch
    from safetensors.torch import save_file

    (folder / "net.py").write_text(code)
    scope: dict[str, Any] = {}
    exec(code, scope)
    torch.manual_seed(0)
    save_file(scope["Net"]({}).state_dict(), folder / "net.safetensors")
    return "--source", folder / "net.safetensors", "--arch", f"{folder / 'net.py'}:Net"


DEFORMED = """
from torchvision.ops import deform_conv2d

DELTA = torch.ones(8, 8, 3, 3) / 9
"""
OWN_OPERATION = """
@torch.library.custom_op("headstart_tests::twice", mutates_args=())
def twice(values: torch.Tensor) -> torch.Tensor:
    return 2 * values

@twice.register_fake
def _(values):
    return torch.empty_like(values)
"""


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("self.mix(self.stem(pixels))", None),
        (
            "self.mix(deform_conv2d(self.stem(pixels), pixels.new_zeros(pixels.shape[0], 18, 5, 5), DELTA))",
            None,
        ),
        ("self.mix(twice(self.stem(pixels)))", "headstart_tests.twice"),
        ("self.mix(self.stem(pixels)) if pixels.sum() > 0 else self.mix(self.stem(-pixels))", "torch.export"),
    ],
)
def test_a_network_without_a_program_is_refused_before_anything_is_learned(
    code: str, told: str | None, command: Command, digit_folder: Path, tmp_path: Path
) -> None:
    network = NET.replace("self.mix(self.stem(pixels))", code)
    if told and "twice" in told:
        network = network.replace("class Net", f"{OWN_OPERATION}\nclass Net")
    source = own_network(tmp_path, network.replace("class Net", f"{DEFORMED}\nclass Net", 1))
    done = command("fit", digit_folder, *source, "--freeze", "all", "--out", tmp_path / "x", *QUICK)
    if told is None:
        assert done.code == 0, done.err
        assert command("predict", tmp_path / "x", digit_folder).code == 0
    else:
        refused(done, "net.py:Net cannot be written to model.pt2", told)
        assert not (tmp_path / "x").exists()


@pytest.fixture
def ended(command: Command, digit_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run that was stopped after its third epoch, with its checkpoints."""
    from headstart.tune.loop.loop import Loop

    end_epoch = Loop._end_epoch

    def ending(loop: Loop, *arguments: Any) -> None:
        end_epoch(loop, *arguments)
        if loop.at.epoch == 4:
            raise KeyboardInterrupt

    words = ("--freeze", "gradual", "--epochs", 5, "--lr", 0.001, *QUICK)
    with monkeypatch.context() as patch:
        patch.setattr(Loop, "_end_epoch", ending)
        patch.setattr("headstart.tune.loop.kept_weights.KeptWeights.is_due", lambda kept: True)
        done = command("fit", digit_folder, "--source", LETTERS, "--out", tmp_path / "x", *words)
    assert done.code == 130, done.err
    return tmp_path / "x"


def another_set(root: Path) -> Path:
    return small_data.digit_folder(root, n_each=13)


def test_resumed_with_another_data_set_policy_or_recipe(
    ended: Path, command: Command, tmp_path: Path
) -> None:
    other = another_set(tmp_path / "others")
    """Each leaves the run as it was, so that it can be resumed."""
    refused(
        command("fit", other, "--resume", ended),
        "it was started with training items of digest",
        "same settings",
    )
    refused(
        command("fit", "--resume", ended, "--freeze", "norm"),
        "it was started with --freeze gradual, not norm",
    )
    refused(
        command("fit", "--resume", ended, "--freeze", "all"), "it was started with --freeze gradual, not all"
    )
    refused(
        command("fit", "--resume", ended, "--lr", 0.01),
        "it was started with recipe lr 0.001, not 0.01",
        "same settings",
    )
    assert command("fit", "--resume", ended).code == 0
    refused(command("fit", "--resume", ended), str(ended), "finished")


def test_resumed_with_another_source(ended: Path, command: Command, tmp_path: Path) -> None:
    import tiny

    tiny.save_timm(tmp_path / "resnet")
    done = command("fit", "--resume", ended, "--source", tmp_path / "resnet")
    refused(done, "cannot resume", "it was started with --source")


def test_the_head_alone_resumed_with_another_data_set(
    command: Command, digit_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("headstart.fitting.saving.finish", stop)
        words = ("--source", LETTERS, "--out", tmp_path / "x", *QUICK)
        assert command("fit", digit_folder, *words).code == 130
    other = another_set(tmp_path / "others")
    refused(
        command("fit", other, "--resume", tmp_path / "x"),
        "cannot resume",
        "it was started with the data",
        str(other),
    )
    refused(
        command("fit", "--resume", tmp_path / "x", "--freeze", "none"),
        "it was started with --freeze all, not none",
    )
    assert command("fit", digit_folder, "--resume", tmp_path / "x").code == 0


def test_a_checkpoint_cut_in_half(ended: Path, command: Command, digit_folder: Path, tmp_path: Path) -> None:
    import headstart

    last = ended / "training" / "checkpoints" / "last.ckpt"
    last.write_bytes(last.read_bytes()[: last.stat().st_size // 2])
    done = command("fit", "--resume", ended)
    assert done.code == 0 and "last.ckpt is damaged; the one before it is used" in done.err
    words = {"freeze": "gradual", "epochs": 5, "lr": 0.001, "precision": "fp32", "threads": 1}
    alone = headstart.fit(
        digit_folder,
        LETTERS,
        out=tmp_path / "alone",
        baseline=False,
        report=False,
        **words,  # type: ignore[arg-type]
    )
    from headstart.runs import RunDirectory

    resumed, whole = (RunDirectory.open(path).predictions() for path in (ended, alone.path))
    np.testing.assert_array_equal(resumed.probabilities, whole.probabilities)


def test_two_runs_into_one_folder(command: Command, digit_folder: Path, tmp_path: Path) -> None:
    words = ("fit", digit_folder, "--source", LETTERS, "--out", tmp_path / "x", *QUICK)
    assert command(*words).code == 0
    before = (tmp_path / "x" / "metrics.json").read_bytes()
    assert command(*words).code == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x", "x-2"]
    assert (tmp_path / "x" / "metrics.json").read_bytes() == before


def table(path: Path, labels: list[str]) -> Path:
    words = ("red house near", "blue car old", "small dog saw")
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label"])
        writer.writerows([f"{words[i % 3]} {i}", label] for i, label in enumerate(labels))
    return path


@pytest.mark.parametrize(
    ("task", "labels", "told"),
    [
        ("regression", [*map(str, range(12)), "many"], ["row 13", "'many'", "number"]),
        ("regression", [*map(str, range(12)), "nan"], ["row 13", "'nan'", "finite"]),
        ("multilabel", [*["a|b", "a", "b|c"] * 5, ""], ["row 16", "Write -"]),
    ],
)
def test_labels_that_do_not_fit_the_task(
    task: str, labels: list[str], told: list[str], command: Command, text_source: Path, tmp_path: Path
) -> None:
    data = table(tmp_path / "data.csv", labels)
    done = command("fit", data, "--source", text_source, "--task", task, "--out", tmp_path / "x", *QUICK)
    refused(done, "data.csv", *told)
    assert not (tmp_path / "x").exists()


def test_a_budget_too_small_for_an_epoch(command: Command, tmp_path: Path) -> None:
    """No error: the head alone is returned, as good as without a race, and it is said."""
    random = np.random.default_rng(0)
    for number in range(90):  # noise, of which the head alone gets enough wrong for a race to begin
        folder = tmp_path / "noise" / "ab"[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(random.integers(0, 256, (16, 16), dtype=np.uint8)).save(folder / f"{number}.png")
    words = ("--freeze", "auto", "--budget", "0.001s", *QUICK)
    done = command("fit", tmp_path / "noise", "--source", LETTERS, "--out", tmp_path / "x", *words)
    assert done.code == 0, done.err
    assert "the budget of 0.001 s is too small to try a candidate: the head alone is kept" in done.err
    assert json.loads((tmp_path / "x" / "metrics.json").read_text())["chosen"]["policy"] == "all"
