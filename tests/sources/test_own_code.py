"""The digest of a source changes with the user's own code, wherever it lies and however it was changed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

import tiny
from headstart.errors import SourceError
from headstart.runs.run import Run
from headstart.sources import load_source
from headstart.sources.own_code import own_files

NETWORK = """
from torch import nn
from mine.helper import Scaled


class Net(nn.Module):
    stages = ("one", "two")

    def __init__(self, config):
        super().__init__()
        self.one = nn.Conv2d(3, 4, 3)
        self.two = Scaled(4, 4, 3)

    def forward(self, pixels):
        from mine.late import shift
        return self.two(self.one(pixels)) + shift()
"""
HELPER = """
from torch import nn
from .values import FACTOR


class Scaled(nn.Conv2d):
    def forward(self, maps):
        return super().forward(maps) * FACTOR
"""


REMOTE = """class MineConfig(BertConfig):
    model_type = "mine"


class Mine(BertModel):
    config_class = MineConfig
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package `mine` with a network, a helper, a constant and a late import; weights lie in w/."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    for name, text in {
        "__init__": "",
        "net": NETWORK,
        "helper": HELPER,
        "values": "FACTOR = 2.0\n",
        "late": "def shift():\n    return 1.0\n",
        "unrelated": "x = 1\n",
    }.items():
        path = tmp_path / "mine" / f"{name}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    torch.manual_seed(0)
    weights = {"one.weight": torch.randn(4, 3, 3, 3), "two.weight": torch.randn(4, 4, 3, 3)}
    biases = {"one.bias": torch.randn(4), "two.bias": torch.randn(4)}
    tiny.write_json(tmp_path / "w" / "config.json", {"input_size": [3, 16, 16], "mean": 0.5, "std": 0.2})
    save_file({**weights, **biases}, tmp_path / "w" / "model.safetensors")
    yield tmp_path
    forget()


def forget() -> None:
    """What a new process would not have imported."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "mine"]:
        del sys.modules[name]


def digest(package: Path, arch: str = "mine.net:Net") -> str:
    forget()
    return load_source(str(package / "w"), arch=arch).digest


@pytest.mark.parametrize("by_file", [False, True])
def test_an_edit_anywhere_in_the_code_changes_the_digest(package: Path, by_file: bool) -> None:
    arch = f"{package / 'mine' / 'net.py'}:Net" if by_file else "mine.net:Net"
    before = {digest(package, arch)}
    assert {digest(package, arch)} == before  # the same code, the same digest
    edits = {"net": NETWORK + "\n# changed\n", "helper": HELPER + "\n#\n", "values": "FACTOR = 2.5\n"}
    for name, text in {**edits, "late": "def shift():\n    return 1.5\n"}.items():
        (package / "mine" / f"{name}.py").write_text(text)
        found = digest(package, arch)
        assert found not in before, name
        before.add(found)
    (package / "mine" / "unrelated.py").write_text("x = 2\n")
    assert digest(package, arch) in before


def test_code_that_was_changed_in_memory_changes_the_digest(
    package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = digest(package)
    monkeypatch.setattr(sys.modules["mine.helper"], "FACTOR", 3.0)
    assert load_source(str(package / "w"), arch="mine.net:Net").digest != first


LIMITED = """import json
from pathlib import Path


def shift():
    return json.loads(Path(__file__).with_name("values.json").read_text())
"""


def test_a_file_of_values_that_only_large_inputs_meet_changes_the_digest(package: Path) -> None:
    limited = "self.two(self.one(pixels.clamp(-shift(), shift())))"
    (package / "mine" / "net.py").write_text(NETWORK.replace("self.two(self.one(pixels)) + shift()", limited))
    (package / "mine" / "late.py").write_text(LIMITED)
    found = set()
    for limit in (6.0, 8.0):
        tiny.write_json(package / "mine" / "values.json", limit)
        found.add(digest(package))
    assert len(found) == 2


def test_own_code_in_the_place_of_a_shipped_class_counts(tmp_path: Path, digit_run: Run) -> None:
    (tmp_path / "mine.py").write_text("from headstart.bundled.network import LettersNet\n")
    uri, arch = f"run:{digit_run.path}", f"{tmp_path / 'mine.py'}:LettersNet"
    first = load_source(uri, arch=arch)
    assert first.digest != load_source(uri).digest
    assert first.config["architecture_file"] == str(tmp_path / "mine.py")


@pytest.mark.parametrize("edited", [False, True])
def test_code_of_a_repository_counts(tmp_path: Path, edited: bool) -> None:
    tiny.save_text(tmp_path / "bert")
    folder = tmp_path / "bert"
    (folder / "modeling_mine.py").write_text("from transformers import BertConfig, BertModel\n\n\n" + REMOTE)
    raw = tiny.read_json(folder / "config.json")
    auto = {"AutoConfig": "modeling_mine.MineConfig", "AutoModel": "modeling_mine.Mine"}
    tiny.write_json(folder / "config.json", {**raw, "model_type": "mine", "auto_map": auto})
    with pytest.raises(SourceError, match="--trust-remote-code"):
        load_source(str(folder))
    first = load_source(str(folder), trust_remote_code=True)
    if edited:
        path = folder / "modeling_mine.py"
        path.write_text(path.read_text() + "# edited\n")
    assert (load_source(str(folder), trust_remote_code=True).digest != first.digest) == edited


def test_threads_and_installed_packages_have_no_effect(package: Path) -> None:
    threads = torch.get_num_threads()
    found = set()
    for n_threads in (1, 2):
        torch.set_num_threads(n_threads)
        found.add(digest(package))
        assert torch.get_num_threads() == n_threads
    torch.set_num_threads(threads)
    assert len(found) == 1
    network = load_source(str(package / "w"), arch="mine.net:Net").network
    named = {"__init__", "net", "helper", "values", "late"}
    assert {path.stem for path in own_files(network)} == named
    assert own_files(load_source("bundled:letters").network) == set()


def test_a_network_that_takes_no_made_up_input_has_the_digest_of_its_text(package: Path) -> None:
    (package / "mine" / "late.py").write_text("def shift():\n    raise ValueError\n")
    first = digest(package)
    assert digest(package) == first
    (package / "mine" / "helper.py").write_text(HELPER + "#\n")
    assert digest(package) != first


def test_an_edited_helper_gives_features_anew(package: Path, digit_folder: Path, store: str) -> None:
    import headstart
    import small_data

    scores: list[dict[str, Any]] = []
    for factor in (2.0, 0.0):
        (package / "mine" / "values.py").write_text(f"FACTOR = {factor}\n")
        forget()
        run = headstart.fit(
            digit_folder,
            str(package / "w"),
            arch="mine.net:Net",
            out=package / "run",
            store=store,
            report=False,
            baseline=False,
            **small_data.SETTINGS,
        )
        scores.append(run.metrics["profile"])
    assert scores[0]["one"] == scores[1]["one"]
    assert scores[0]["two"] > scores[1]["two"]  # all features there are equal now
