"""Each thing about training that a user can give wrong is one clear error that names it and what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from small_data import LETTERS

from .conftest import Command, Done

QUICK = ("--precision", "fp32", "--threads", 1, "--no-baseline", "--no-report")


def refused(done: Done, *told: str, code: int = 2) -> None:
    """It ended with the code and one message that holds all that is to be told, and no traceback."""
    assert done.code == code, done.err
    last = done.err[done.err.index("headstart: ") :]
    assert done.err.count("headstart: ") == 1 and "Traceback" not in done.err
    for words in told:
        assert words in last, last


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--freeze", "only:blok3"], ["no stage 'blok3'", "Did you mean 'block3'"]),
        (["--freeze", "gradul"], ["'gradul'", "Did you mean 'gradual'"]),
        (["--freeze", "lorra:4"], ["'lorra:4'", "Did you mean 'lora'"]),
        (["--freeze", "first:99"], ["0 <= K <= n_stages", "K=99", "n_stages=4"]),
        (["--freeze", "last:99"], ["0 <= K <= n_stages", "K=99"]),
        (["--freeze", "first:block2"], ["whole number", "Did you mean 'until:block2'"]),
        (["--freeze", "only"], ["needs a value: only:STAGE"]),
        (["--freeze", "norm:3"], ["'norm' takes no value"]),
        (["--freeze", "first:4,norm"], ["freezes every stage", "nothing is left"]),
        (["--freeze", "all,lora:8"], ["freezes every stage", "nothing is left"]),
        (["--freeze", "norm,bias"], ["'norm,bias'", "at most one"]),
        (["--freeze", "first:1,auto"], ["says by itself what trains"]),
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


NET = '''
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
'''


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
    import torch
    from safetensors.torch import save_file

    (tmp_path / "net.py").write_text(NET)
    scope: dict[str, Any] = {}
    exec(NET, scope)
    torch.manual_seed(0)
    save_file(scope["Net"]({}).state_dict(), tmp_path / "net.safetensors")
    source = ("--source", tmp_path / "net.safetensors", "--arch", f"{tmp_path / 'net.py'}:Net")
    done = command("fit", digit_folder, *source, "--freeze", freeze, "--out", tmp_path / "x", *QUICK)
    refused(done, *told)
    assert not (tmp_path / "x").exists()
