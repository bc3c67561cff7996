"""Folders of transformers: text and vision encoders give what the library gives, and misfits are refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

import tiny
from headstart.data.preprocessing import TextPreprocessing
from headstart.errors import SourceError
from headstart.sources import load_source

TEXT: list[tuple[str, dict[str, Any]]] = [
    ("bert", {}),
    ("roberta", {}),
    ("distilbert", {}),
    ("electra", {"embedding_size": 32}),
    ("deberta-v2", {}),
    ("mpnet", {}),
    ("albert", {"embedding_size": 16}),
    ("modernbert", {"bos_token_id": 2, "cls_token_id": 2, "eos_token_id": 3, "sep_token_id": 3}),
    ("t5", {"d_model": 32, "num_layers": 2, "num_heads": 2, "d_kv": 16, "d_ff": 48}),
]
SMALL = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 48,
    "image_size": 32,
    "patch_size": 8,
}
SWIN = {
    "embed_dim": 8,
    "depths": [1, 1],
    "num_heads": [1, 2],
    "image_size": 32,
    "patch_size": 2,
    "window_size": 4,
}
VISION: list[tuple[str, dict[str, Any]]] = [
    ("vit", SMALL),
    ("dinov2", SMALL),
    ("vit_msn", SMALL),
    ("resnet", {"embedding_size": 8, "hidden_sizes": [8, 16], "depths": [1, 1], "layer_type": "basic"}),
    ("convnext", {"hidden_sizes": [8, 16], "depths": [1, 1], "num_stages": 2}),
    ("swin", SWIN),
]


def tokens() -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    mask = torch.tensor([[1] * 9, [1] * 5 + [0] * 4, [1] * 2 + [0] * 7])
    return {"input_ids": torch.randint(5, 18, (3, 9)) * mask, "attention_mask": mask}


@pytest.mark.parametrize(("name", "more"), TEXT, ids=[name for name, _ in TEXT])
def test_a_text_encoder_gives_the_mean_over_own_tokens(
    tmp_path: Path, name: str, more: dict[str, Any]
) -> None:
    model: Any = tiny.save_text(tmp_path, name, **more)
    source = load_source(str(tmp_path))
    inputs = tokens()
    with torch.no_grad():
        hidden = (model.encoder if name == "t5" else model)(**inputs)[0]
        mask = inputs["attention_mask"][..., None]
        assert torch.allclose(source.network(**inputs), (hidden * mask).sum(1) / mask.sum(1), atol=1e-5)
    assert list(source.stages)[1:] == ["layer.0", "layer.1"]
    own = source.preprocessing
    assert isinstance(own, TextPreprocessing)
    assert (own.max_length, own.pad_id) == (39 if name in ("roberta", "mpnet") else 40, 0)


@pytest.mark.parametrize(("name", "more"), VISION, ids=[name for name, _ in VISION])
def test_a_vision_encoder_pools_as_its_class_does(tmp_path: Path, name: str, more: dict[str, Any]) -> None:
    model: Any = tiny.save_vision(tmp_path, name, None, **more)
    source = load_source(str(tmp_path))
    pixels = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        output = model(pixels)
        pooled = getattr(output, "pooler_output", None)
        theirs = output.last_hidden_state[:, 0] if pooled is None else pooled.flatten(1)
        assert torch.allclose(source.network(pixels), theirs, atol=1e-6)
        whole = source.network(pixels)
        state = source.backbone.prefix({"pixels": pixels}, 1)
        assert torch.allclose(source.backbone.suffix(state, 1), whole, atol=1e-6)


def test_a_pooler_that_was_never_trained_is_passed_over(tmp_path: Path) -> None:
    model: Any = tiny.save_vision(tmp_path, "vit", None, **SMALL)
    tensors = load_file(tmp_path / "model.safetensors")
    kept = {name: value for name, value in tensors.items() if not name.startswith("pooler")}
    kept["classifier.weight"] = torch.ones(7, 32)
    save_file(kept, tmp_path / "model.safetensors", {"format": "pt"})
    source = load_source(str(tmp_path))
    pixels = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        assert torch.allclose(source.network(pixels), model(pixels).last_hidden_state[:, 0], atol=1e-6)


def test_half_files_compute_in_single_precision(tmp_path: Path) -> None:
    tiny.save_text(tmp_path)
    tensors = {name: value.half() for name, value in load_file(tmp_path / "model.safetensors").items()}
    save_file(tensors, tmp_path / "model.safetensors", {"format": "pt"})
    source = load_source(str(tmp_path))
    assert {parameter.dtype for parameter in source.network.parameters()} == {torch.float32}


def test_a_head_above_the_encoder_is_left_out_in_silence(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    from transformers import AutoConfig, AutoModelForSequenceClassification

    model: Any = tiny.save_text(tmp_path)
    whole = AutoModelForSequenceClassification.from_config(
        AutoConfig.from_pretrained(tmp_path, num_labels=5)
    ).eval()
    whole.save_pretrained(tmp_path)
    capfd.readouterr()
    source = load_source(str(tmp_path))
    assert capfd.readouterr() == ("", "")
    with torch.no_grad():
        hidden = whole.bert(**tokens())[0]
    mask = tokens()["attention_mask"][..., None]
    assert torch.allclose(source.network(**tokens()), (hidden * mask).sum(1) / mask.sum(1), atol=1e-5)
    assert model is not whole


def rename(folder: Path, names: dict[str, str], prefix: str, more: list[str]) -> None:
    """Rewrite a folder's weights as pytorch_model.bin under old names, with tensors that no encoder needs."""
    tensors = load_file(folder / "model.safetensors")
    old = {}
    for name, value in tensors.items():
        for new_part, old_part in names.items():
            name = name.replace(new_part, old_part)
        old[prefix + name] = value
    torch.save({**old, **{name: torch.ones(3) for name in more}}, folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()


def test_an_old_bert_opens(tmp_path: Path) -> None:
    tiny.save_text(tmp_path)
    before = load_source(str(tmp_path))
    heads = ["cls.predictions.bias", "cls.seq_relationship.weight", "bert.embeddings.position_ids"]
    names = {"LayerNorm.weight": "LayerNorm.gamma", "LayerNorm.bias": "LayerNorm.beta"}
    rename(tmp_path, names, "bert.", heads)
    after = load_source(str(tmp_path))
    with torch.no_grad():
        assert torch.equal(after.network(**tokens()), before.network(**tokens()))
    assert after.provenance.files == ("pytorch_model.bin",)


def test_an_old_wav2vec2_opens(tmp_path: Path) -> None:
    tiny.save_audio(tmp_path, "wav2vec2")
    before = load_source(str(tmp_path))
    names = {"parametrizations.weight.original0": "weight_g", "parametrizations.weight.original1": "weight_v"}
    heads = ["quantizer.codevectors", "project_q.weight", "project_hid.bias", "wav2vec2.masked_spec_embed"]
    rename(tmp_path, names, "wav2vec2.", heads)
    inputs = {"waveform": torch.randn(1, 4000), "lengths": torch.tensor([4000])}
    with torch.no_grad():
        assert torch.equal(load_source(str(tmp_path)).network(**inputs), before.network(**inputs))


@pytest.mark.parametrize("name", ["weights.safetensors", "best.pt"])
def test_weights_may_have_another_name(tmp_path: Path, name: str) -> None:
    tiny.save_text(tmp_path)
    before = load_source(str(tmp_path))
    tensors = load_file(tmp_path / "model.safetensors")
    torch.save(tensors, tmp_path / name) if name.endswith("pt") else save_file(tensors, tmp_path / name)
    named = load_source(str(tmp_path / name))
    (tmp_path / "model.safetensors").unlink()
    found = load_source(str(tmp_path))
    with torch.no_grad():
        for source in (named, found):
            assert torch.equal(source.network(**tokens()), before.network(**tokens()))


def test_shards_are_one_source(tmp_path: Path) -> None:
    model: Any = tiny.save_text(tmp_path / "whole")
    tiny.save_text(tmp_path / "parts")
    (tmp_path / "parts" / "model.safetensors").unlink()
    model.save_pretrained(tmp_path / "parts", max_shard_size="20KB")
    whole, parts = (load_source(str(tmp_path / name)) for name in ("whole", "parts"))
    assert len(parts.provenance.files) > 1
    with torch.no_grad():
        assert torch.equal(parts.network(**tokens()), whole.network(**tokens()))


def test_weights_of_another_depth_are_refused(tmp_path: Path) -> None:
    tiny.save_text(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    tiny.write_json(tmp_path / "config.json", {**config, "num_hidden_layers": 3})
    with pytest.raises(SourceError, match=r"16 missing \(encoder.layer.2.*Nothing was loaded"):
        load_source(str(tmp_path))
    tiny.write_json(tmp_path / "config.json", {**config, "num_hidden_layers": 1})
    with pytest.raises(SourceError, match=r"16 left over \(encoder.layer.1"):
        load_source(str(tmp_path))
    tiny.write_json(tmp_path / "config.json", {**config, "intermediate_size": 50})
    with pytest.raises(SourceError, match=r"6 of another shape \(encoder.layer.0.*\(48,\) for \(50,\)"):
        load_source(str(tmp_path))


@pytest.mark.parametrize(
    ("model_type", "message"),
    [
        ("brt", "no model_type 'brt'. Did you mean 'bert'"),
        ("sam", "not an encoder of images, text or audio"),
        ("clap", "Audio sources of transformers are|not an encoder"),
    ],
)
def test_other_architectures_are_refused(tmp_path: Path, model_type: str, message: str) -> None:
    tiny.save_text(tmp_path)
    tiny.write_json(tmp_path / "config.json", {"model_type": model_type})
    with pytest.raises(SourceError, match=message):
        load_source(str(tmp_path))


def test_code_of_a_repository_runs_only_on_the_users_word(tmp_path: Path) -> None:
    tiny.save_text(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    config.update(model_type="mine", auto_map={"AutoConfig": "own.OwnConfig", "AutoModel": "own.OwnModel"})
    tiny.write_json(tmp_path / "config.json", config)
    code = (
        "from transformers import BertConfig, BertModel\n"
        "class OwnConfig(BertConfig):\n    model_type = 'mine'\n"
        "class OwnModel(BertModel):\n    config_class = OwnConfig\n"
    )
    (tmp_path / "own.py").write_text(code)
    with pytest.raises(SourceError, match="--trust-remote-code runs it"):
        load_source(str(tmp_path))
    source = load_source(str(tmp_path), trust_remote_code=True)
    with torch.no_grad():
        assert source.network(**tokens()).shape == (3, 32)


def test_a_damaged_config_is_told(tmp_path: Path) -> None:
    tiny.save_text(tmp_path)
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(SourceError, match=r"config\.json cannot be read as JSON"):
        load_source(str(tmp_path))
