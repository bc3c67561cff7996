"""timm checkpoints: what the network needs comes from the configuration, never from a constant."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import timm
import torch
from safetensors.torch import load_file, save_file

import tiny
from headstart.data.preprocessing import ImagePreprocessing
from headstart.errors import SourceError
from headstart.sources import load_source


@pytest.mark.parametrize("name", ["test_resnet", "test_vit", "test_convnext", "test_efficientnet"])
def test_a_folder_gives_pooled_features_without_its_classifier(tmp_path: Path, name: str) -> None:
    model = tiny.save_timm(tmp_path, name)
    source = load_source(str(tmp_path))
    size = model.pretrained_cfg["input_size"][-1]
    pixels = torch.randn(2, 3, size, size)
    with torch.no_grad():
        theirs = model.forward_head(model.forward_features(pixels), pre_logits=True)
        assert torch.allclose(source.network(pixels), theirs, atol=1e-6)
    assert next(iter(source.stages)) == "stem"
    assert source.preprocessing == ImagePreprocessing(
        (64, 64), (0.4, 0.5, 0.6), (0.2, 0.3, 0.4), interpolation="bicubic", crop_pct=0.9
    )
    assert source.provenance.n_parameters < sum(parameter.numel() for parameter in model.parameters())


def test_the_models_arguments_are_honoured(tmp_path: Path) -> None:
    tiny.save_timm(tmp_path, "test_efficientnet", model_args={"pad_type": "same"})
    source = load_source(str(tmp_path))
    assert "Same" in type(source.network.get_submodule("model.conv_stem")).__name__


def test_an_argument_that_does_not_exist_is_told(tmp_path: Path) -> None:
    tiny.save_timm(tmp_path, model_args={"no_such": 1})
    with pytest.raises(SourceError, match=r"timm cannot build test_resnet with .*no_such"):
        load_source(str(tmp_path))


def test_an_unknown_architecture_is_told_with_the_nearest(tmp_path: Path) -> None:
    tiny.save_timm(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    tiny.write_json(tmp_path / "config.json", {**config, "architecture": "test_resnt"})
    with pytest.raises(SourceError, match=r"no architecture 'test_resnt'\. Did you mean 'test_resnet'"):
        load_source(str(tmp_path))


def test_a_configuration_without_mean_is_refused(tmp_path: Path) -> None:
    tiny.save_timm(tmp_path, pretrained_cfg={"input_size": [3, 64, 64]})
    with pytest.raises(SourceError, match="does not have mean, std"):
        load_source(str(tmp_path))


def test_a_plain_state_dict_takes_a_timm_name(tmp_path: Path) -> None:
    model = tiny.save_timm(tmp_path / "folder")
    parallel = {f"module.{name}": value for name, value in model.state_dict().items()}
    torch.save({"state_dict": parallel, "epoch": 9}, tmp_path / "mine.pth")
    source = load_source(str(tmp_path / "mine.pth"), arch="test_resnet")
    own = timm.get_pretrained_cfg("test_resnet")
    assert isinstance(source.preprocessing, ImagePreprocessing)
    assert source.preprocessing.size == own.input_size[1:]
    assert source.preprocessing.interpolation == own.interpolation
    assert source.preprocessing.crop_pct == own.crop_pct
    with torch.no_grad():
        pixels = torch.randn(2, 3, 64, 64)
        theirs = model.forward_head(model.forward_features(pixels), pre_logits=True)
        assert torch.allclose(source.network(pixels), theirs, atol=1e-6)
    with pytest.raises(SourceError, match=r"do not fit TestVit|do not fit VisionTransformer"):
        load_source(str(tmp_path / "mine.pth"), arch="test_vit")
    with pytest.raises(SourceError, match="holds tensors without an architecture: pass --arch"):
        load_source(str(tmp_path / "mine.pth"))


def test_transformers_wrapper_of_timm_is_opened(tmp_path: Path) -> None:
    model = tiny.save_timm(tmp_path)
    tensors = load_file(tmp_path / "model.safetensors")
    head = {name: value for name, value in tensors.items() if name.startswith("fc.")}
    renamed = {f"timm_model.{name}": value for name, value in tensors.items() if name not in head}
    save_file({**renamed, "classifier.weight": torch.ones(3, 9)}, tmp_path / "model.safetensors")
    config = json.loads((tmp_path / "config.json").read_text())
    tiny.write_json(tmp_path / "config.json", {**config, "model_type": "timm_wrapper"})
    pixels = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        theirs = model.forward_head(model.forward_features(pixels), pre_logits=True)
        assert torch.allclose(load_source(str(tmp_path)).network(pixels), theirs, atol=1e-6)


def test_half_files_compute_in_single_precision(tmp_path: Path) -> None:
    tiny.save_timm(tmp_path)
    tensors = {
        k: v.half() if v.is_floating_point() else v
        for k, v in load_file(tmp_path / "model.safetensors").items()
    }
    save_file(tensors, tmp_path / "model.safetensors")
    network = load_source(str(tmp_path)).network
    assert {parameter.dtype for parameter in network.parameters()} == {torch.float32}
    assert not network.training
