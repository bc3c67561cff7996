"""Programs of many architectures: traced through the predictor's own pooling, batch and length open."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from headstart.backbone import Backbone
from headstart.heads.predictor import Predictor
from headstart.runs.export import inputs_of
from headstart.runs.program import Exported, export_program
from headstart.runs.program_inputs import Inputs, audio_inputs, image_inputs, text_inputs
from headstart.sources import load_source

from .conftest import random_head

IMAGES = """
resnet10t regnetx_002 efficientnet_b0 mobilenetv2_100 mobilenetv3_small_050 mobilenetv4_conv_small
convnext_atto
densenet121 vit_tiny_patch16_224 deit3_small_patch16_224 vit_small_patch14_dinov2 eva02_tiny_patch14_224
beit_base_patch16_224 swin_tiny_patch4_window7_224 maxvit_tiny_tf_224 coatnet_nano_rw_224 fastvit_t8
efficientformer_l1 hgnet_tiny tf_efficientnet_lite0
"""
TEXTS = """
bert roberta xlm-roberta electra distilbert deberta deberta-v2 mpnet modernbert albert camembert t5
"""
SPEECH = ("wav2vec2", "hubert", "wavlm", "data2vec-audio")


def exported(network: nn.Module, inputs: Inputs, folder: Path, stages: Any = None) -> Exported:
    backbone = Backbone(network.eval(), stages)
    with torch.no_grad():
        vectors = backbone.pooler()(*inputs.example)
    chosen = (len(vectors) // 2, len(vectors) - 1)
    head = random_head(sum(vectors[index].shape[1] for index in chosen), chosen)
    return export_program(Predictor(backbone, head).eval(), inputs, folder / "model.pt2")


@pytest.mark.full
@pytest.mark.parametrize("name", IMAGES.split())
def test_timm(name: str, tmp_path: Path) -> None:
    import timm

    size = {"img_size": 224} if name in ("vit_small_patch14_dinov2",) else {}
    network = timm.create_model(name, num_classes=0, **size)
    width = 224 if size else network.pretrained_cfg["input_size"][-1]
    assert exported(network, image_inputs(width, width), tmp_path).open_axes == ("batch",)


@pytest.mark.full
@pytest.mark.parametrize("name", TEXTS.split())
def test_texts(name: str, tmp_path: Path) -> None:
    from transformers import AutoModel, T5EncoderModel
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING

    from headstart.sources.transformers.encoders import TextNetwork

    common: dict[str, Any] = {"vocab_size": 100, "pad_token_id": 0}
    size = {"hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 48}
    other = {
        "distilbert": {"dim": 32, "n_layers": 3, "n_heads": 4, "hidden_dim": 48},
        "t5": {"d_model": 32, "num_layers": 2, "num_heads": 4, "d_kv": 8, "d_ff": 48},
    }
    relative = {"relative_attention": True, "pos_att_type": ["p2c", "c2p"], "position_biased_input": False}
    more = {
        "deberta": relative,
        "deberta-v2": {**relative, "position_buckets": 16, "norm_rel_ebd": "layer_norm"},
        "modernbert": {"local_attention": 8, "cls_token_id": 1, "sep_token_id": 2},
    }
    positions = {} if name == "t5" else {"max_position_embeddings": 66}
    special = {"bos_token_id": 1, "eos_token_id": 2}
    settings = {**common, **special, **other.get(name, size), **more.get(name, {}), **positions}
    config = CONFIG_MAPPING[name](**settings)
    model = T5EncoderModel(config) if name == "t5" else AutoModel.from_config(config)
    network = TextNetwork(model, ("mean",), True)
    assert exported(network, text_inputs(64, 0, 100), tmp_path).open_axes == ("batch", "length")


@pytest.mark.full
@pytest.mark.parametrize("norm", ["group", "layer"])
@pytest.mark.parametrize("name", SPEECH)
def test_speech(name: str, norm: str, tmp_path: Path) -> None:
    from transformers import AutoModel
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING

    from headstart.sources.transformers.wav2vec2 import Wav2Vec2Network

    settings: dict[str, Any] = {
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "intermediate_size": 48,
        "conv_dim": (16,) * 7,
        "num_conv_pos_embeddings": 5 if name == "data2vec-audio" else 16,
        "num_conv_pos_embedding_groups": 4,
    }
    if name != "data2vec-audio":
        settings |= {"feat_extract_norm": norm, "do_stable_layer_norm": norm == "layer"}
    network = Wav2Vec2Network(AutoModel.from_config(CONFIG_MAPPING[name](**settings)), {"do_normalize": True})
    inputs = audio_inputs(16_000, least_samples=1_600, most_samples=480_000)
    # WavLM's position bias lets the tracer assume more than one clip where the length is open too.
    expected = ("batch",) if name == "wavlm" else ("batch", "samples")
    assert exported(network, inputs, tmp_path).open_axes == expected


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "arch"),
    [
        ("resemblyzer-ge2e", "examples/ge2e.py:SpeakerEncoder"),
        pytest.param("yamnet_audioset", "examples/yamnet.py:YAMNet", marks=pytest.mark.full),
        pytest.param("whisper-tiny.en-encoder", None, marks=pytest.mark.full),
        pytest.param("all-MiniLM-L6-v2", None, marks=pytest.mark.full),
        pytest.param("mobilenetv2_100.tf2_ptq_in1k", None, marks=pytest.mark.full),
    ],
)
def test_real_sources(name: str, arch: str | None, shared: Path, tmp_path: Path) -> None:
    root = Path(__file__).resolve().parents[2]
    source = load_source(str(shared / "weights" / name), arch=None if arch is None else str(root / arch))
    preprocessing = source.preprocessing.to_json()
    if source.modality == "audio":
        preprocessing["window_samples"] = 3 * preprocessing["rate_hz"]
    inputs = inputs_of(preprocessing, source.network)
    done = exported(source.network, inputs, tmp_path, source.stages)
    expected = {"image": ("batch",), "text": ("batch", "length"), "audio": ("batch", "samples")}
    assert done.open_axes == expected[source.modality]
    assert np.isfinite(done.difference)
