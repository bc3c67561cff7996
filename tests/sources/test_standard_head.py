"""`--head standard`: the class's own pooling above the source's own encoder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

import tiny
from headstart.errors import OptionError
from headstart.sources import build_network, load_source, with_standard_head


def tokens() -> dict[str, torch.Tensor]:
    return {
        "input_ids": torch.arange(5, 17).reshape(2, 6),
        "attention_mask": torch.ones(2, 6, dtype=torch.int64),
    }


@pytest.mark.parametrize(
    ("name", "more"), [("bert", {}), ("roberta", {}), ("distilbert", {}), ("electra", {"embedding_size": 32})]
)
def test_the_encoder_stays_and_the_classes_pooling_follows(
    tmp_path: Path, name: str, more: dict[str, Any]
) -> None:
    tiny.save_text(tmp_path, name, **more)
    source = load_source(str(tmp_path))
    standard = with_standard_head(source)
    assert list(standard.stages) == [*source.stages, "pooling"]
    assert standard.digest != source.digest
    with torch.no_grad():
        before, after = source.backbone.pooled(tokens()), standard.backbone.pooled(tokens())
        for ours, theirs in zip(before[:-1], after[:-2], strict=True):
            assert torch.allclose(ours, theirs, atol=1e-6)
        assert standard.network(**tokens()).shape == (2, 32)
        state = standard.backbone.prefix(tokens(), 2)
        assert torch.allclose(standard.backbone.suffix(state, 2), standard.network(**tokens()), atol=1e-6)
        again = with_standard_head(source).network(**tokens())
        assert torch.equal(again, standard.network(**tokens()))


def test_a_run_with_it_opens_again(tmp_path: Path) -> None:
    tiny.save_text(tmp_path / "bert")
    standard = with_standard_head(load_source(str(tmp_path / "bert")))
    bare = {name.removeprefix("model."): value for name, value in standard.network.state_dict().items()}
    (tmp_path / "run").mkdir()
    head = {"classifier.weight": torch.ones(3, 32), "classifier.bias": torch.ones(3)}
    save_file({**bare, **head}, tmp_path / "run" / "model.safetensors")
    tiny.write_json(tmp_path / "run" / "source.json", dict(standard.config))
    tiny.write_json(tmp_path / "run" / "metrics.json", {"format_version": 1})
    opened = load_source(f"run:{tmp_path / 'run'}")
    with torch.no_grad():
        assert torch.equal(opened.network(**tokens()), standard.network(**tokens()))
    assert build_network(standard.config).state_dict().keys() == standard.network.state_dict().keys()


def test_pictures_end_so_already_and_own_networks_have_none(tmp_path: Path) -> None:
    tiny.save_timm(tmp_path)
    source = load_source(str(tmp_path))
    assert with_standard_head(source) is source
    with pytest.raises(OptionError, match="it has no standard head"):
        with_standard_head(load_source("bundled:letters"))


def test_an_architecture_without_a_classifier_is_told(tmp_path: Path) -> None:
    tiny.save_text(tmp_path, "t5", d_model=32, num_layers=2, num_heads=2, d_kv=16, d_ff=48)
    with pytest.raises(OptionError, match="--head auto"):
        with_standard_head(load_source(str(tmp_path)))
