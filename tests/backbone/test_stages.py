"""Stages are found where people who know the architecture would put them."""

from __future__ import annotations

import pytest
from backbone_networks import make_transformers
from torch import nn

from headstart.backbone import find_stages
from headstart.errors import ArchitectureError


@pytest.mark.parametrize(
    ("name", "names"),
    [
        ("resnet18", ["stem", "layer1", "layer2", "layer3", "layer4"]),
        ("regnetx_002", ["stem", "s1", "s2", "s3", "s4"]),
        ("mobilenetv2_100", ["stem", *(f"blocks.{i}" for i in range(7))]),
        ("tf_efficientnet_lite0", ["stem", *(f"blocks.{i}" for i in range(7))]),
        ("vit_tiny_patch16_224", ["stem", *(f"blocks.{i}" for i in range(12))]),
        ("convnext_atto", ["stem", *(f"stages.{i}" for i in range(4))]),
        ("swin_tiny_patch4_window7_224", ["stem", *(f"layers.{i}" for i in range(4))]),
        ("densenet121", ["stem", *(f"denseblock{i}" for i in range(1, 5))]),
        ("efficientvit_b0", ["stem", *(f"stages.{i}" for i in range(4))]),
    ],
)
def test_stages_of_timm(name: str, names: list[str]) -> None:
    import timm

    assert list(find_stages(timm.create_model(name, pretrained=False))) == names


@pytest.mark.parametrize(
    ("name", "first", "others"),
    [
        ("bert", "embeddings", "layer"),
        ("modernbert", "embeddings", "layers"),
        ("albert", "embeddings", "layer"),
        ("wav2vec2", "feature_encoder", "layers"),
        ("whisper", "embeddings", "layers"),
    ],
)
def test_stages_of_transformers(name: str, first: str, others: str) -> None:
    assert list(find_stages(make_transformers(name))) == [first, f"{others}.0", f"{others}.1", f"{others}.2"]


def test_a_wrapper_has_the_stages_of_what_it_wraps() -> None:
    class Wrapper(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = make_transformers("bert")

    stages = find_stages(Wrapper())
    assert stages["embeddings"] == "model.embeddings" and stages["layer.2"] == "model.encoder.layer.2"


def test_lists_of_lists_and_plain_sequences() -> None:
    def block() -> nn.Module:
        return nn.Sequential(nn.Linear(2, 2), nn.ReLU())

    lists = nn.Module()
    lists.blocks = nn.ModuleList([nn.ModuleList([block(), block()]), nn.ModuleList([block()])])
    assert list(find_stages(lists).values()) == ["blocks.0.0", "blocks.0.1", "blocks.1.0"]
    assert list(find_stages(nn.Sequential(nn.Linear(2, 2), nn.Tanh(), nn.Linear(2, 2)))) == ["0", "2"]
    with pytest.raises(ArchitectureError, match="Name its stages"):
        find_stages(nn.Linear(2, 2))
