"""A source runs no code that the user did not ask for: no Python file, no pickle, no fetched kernel."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import tiny
from headstart.errors import SourceError
from headstart.sources import build_network, load_source
from headstart.sources.timm_arguments import model_arguments

RUNS = """
from pathlib import Path
Path({marker!r}).write_text("it ran")
from headstart.bundled.network import LettersNet as Net
"""


@pytest.fixture
def marker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that hostile code would write; the current folder is where that code lies."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path / "it_ran"


@pytest.fixture(scope="module")
def plain_timm(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The configuration of a network of timm that nobody changed."""
    folder = tmp_path_factory.mktemp("timm")
    tiny.save_timm(folder / "plain")
    return dict(load_source(str(folder / "plain")).config)


@pytest.fixture(scope="module")
def plain_bert(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The configuration of a network of transformers that nobody changed."""
    folder = tmp_path_factory.mktemp("bert")
    tiny.save_text(folder / "plain")
    return dict(load_source(str(folder / "plain")).config)


def hostile_pickle(path: Path, marker: Path) -> Path:
    """A pickle that writes the marker when it is opened."""

    class Call:
        def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
            return Path.touch, (marker,)

    path.write_bytes(pickle.dumps({"state_dict": Call()}))
    return path


@pytest.mark.parametrize("named", ["own.py:Net", "own:Net", "headstart.bundled.digits/architecture.py:Net"])
def test_a_folder_that_names_code_does_not_run_it(tmp_path: Path, marker: Path, named: str) -> None:
    place = tmp_path / named.rpartition(":")[0]
    place = place if place.suffix == ".py" else place.with_suffix(".py")
    place.parent.mkdir(exist_ok=True)
    place.write_text(RUNS.format(marker=str(marker)))
    letters = load_source("bundled:letters").config["config"]
    tiny.write_json(tmp_path / "mine" / "config.json", {**letters, "architecture": named})
    weights = Path(str(load_source.__code__.co_filename)).parents[1] / "bundled" / "letters"
    (tmp_path / "mine" / "model.safetensors").write_bytes((weights / "model.safetensors").read_bytes())
    with pytest.raises(SourceError, match=f"run only if you name it again. Pass --arch {named}"):
        load_source("./mine")
    with pytest.raises(SourceError, match="Pass --arch"):
        build_network({**load_source("bundled:letters").config, "architecture": named})
    assert not marker.exists()
    load_source("./mine", arch=named)
    assert marker.exists()


@pytest.mark.parametrize(
    "more",
    [
        {"checkpoint_path": "weights.pth"},
        {"pretrained": True},
        {"pretrained_cfg": {"file": "weights.pth"}},
        {"pretrained_cfg_overlay": {"url": "http://localhost/x"}},
        {"cache_dir": "elsewhere"},
        {"scriptable": True},
        {"block_args": {"file": "weights.pth"}},
        {"layers": [[1, 2], {"a": 1}]},
    ],
)
def test_arguments_of_timms_loader_are_refused(
    tmp_path: Path, marker: Path, plain_timm: dict[str, Any], more: dict[str, Any]
) -> None:
    hostile_pickle(tmp_path / "weights.pth", marker)
    tiny.save_timm(tmp_path / "mine", model_args=more)
    with pytest.raises(SourceError, match=f"model_args of test_resnet.*'{next(iter(more))}'"):
        load_source("./mine")
    with pytest.raises(SourceError, match="model_args"):
        build_network({**plain_timm, "model_args": more})
    assert not marker.exists()


def test_plain_arguments_of_timm_pass() -> None:
    plain = {"img_size": [32, 32], "global_pool": "avg", "drop_rate": 0.1, "qkv_bias": True, "aa": None}
    assert model_arguments({"architecture": "x", "model_args": {**plain, "num_classes": 3}}) == plain


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"attn_implementation": "somebody/kernel"}, "attn_implementation"),
        ({"quantization_config": {"quant_method": "gptq", "bits": 4}}, "quantization_config"),
        ({"transformers_weights": "other.safetensors"}, "transformers_weights"),
        ({"backbone": "resnet50", "use_timm_backbone": True}, "backbone"),
        ({"backbone_config": {"model_type": "timm_backbone", "backbone": "resnet18"}}, "timm_backbone"),
    ],
)
def test_a_configuration_that_fetches_or_wraps_is_refused(
    tmp_path: Path, plain_bert: dict[str, Any], more: dict[str, Any], message: str
) -> None:
    tiny.save_text(tmp_path / "bert")
    raw = tiny.read_json(tmp_path / "bert" / "config.json")
    tiny.write_json(tmp_path / "bert" / "config.json", {**raw, **more})
    with pytest.raises(SourceError, match=message):
        load_source(str(tmp_path / "bert"))
    with pytest.raises(SourceError, match=message):
        build_network({**plain_bert, "config": {**plain_bert["config"], **more}})


def test_a_wrapper_of_timm_is_no_way_around(tmp_path: Path, marker: Path) -> None:
    hostile_pickle(tmp_path / "weights.pth", marker)
    tiny.save_timm(tmp_path / "mine")
    raw = tiny.read_json(tmp_path / "mine" / "config.json")
    del raw["architecture"]
    more = {"model_type": "timm_wrapper", "model_args": {"checkpoint_path": "weights.pth"}}
    tiny.write_json(tmp_path / "mine" / "config.json", {**raw, **more})
    with pytest.raises(SourceError, match="timm_wrapper"):
        load_source("./mine")
    assert not marker.exists()


def test_a_folder_with_an_adapter_is_refused(tmp_path: Path) -> None:
    import peft

    model = tiny.save_text(tmp_path / "bert")
    plain = load_source(str(tmp_path / "bert"))
    adapted = peft.get_peft_model(
        model, peft.LoraConfig(target_modules=["query"], init_lora_weights=False)
    )  # as peft writes it beside the weights
    adapted.save_pretrained(str(tmp_path / "adapter"))
    for path in (tmp_path / "adapter").glob("adapter_*"):
        (tmp_path / "bert" / path.name).write_bytes(path.read_bytes())
    with pytest.raises(SourceError, match=r"adapter_config.json.*merge"):
        load_source(str(tmp_path / "bert"))
    for path in (tmp_path / "bert").glob("adapter_*"):
        path.unlink()
    assert load_source(str(tmp_path / "bert")).digest == plain.digest
