"""The Wav2Vec2 family: a padded clip gives what the clip alone gives, and what transformers gives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import tiny
from headstart.sources import Source, load_source
from headstart.sources.transformers.wav2vec2 import Wav2Vec2Network, standardised

LAYER = {"feat_extract_norm": "layer", "do_stable_layer_norm": True, "conv_bias": True}
MODELS: list[tuple[str, dict[str, Any]]] = [
    ("wav2vec2", {}),
    ("wav2vec2", LAYER),
    ("hubert", {}),
    ("hubert", LAYER),
    ("wavlm", {}),
    ("wavlm", LAYER),
    ("data2vec-audio", {"num_conv_pos_embeddings": 3, "conv_pos_kernel_size": 9}),
]
NAMES = [name + ("-layer" if more is LAYER else "") for name, more in MODELS]


def clips() -> dict[str, Tensor]:
    torch.manual_seed(1)
    lengths = torch.tensor([9000, 5000, 3210])
    waveform = torch.randn(3, 9000) * (torch.arange(9000) < lengths[:, None])
    return {"waveform": waveform, "lengths": lengths}


@pytest.fixture(params=MODELS, ids=NAMES)
def model_and_source(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Any, Source]:
    name, more = request.param
    model = tiny.save_audio(tmp_path / "audio", name, **more)
    return model, load_source(str(tmp_path / "audio"))


def test_a_padded_clip_gives_what_the_clip_alone_gives(model_and_source: tuple[Any, Source]) -> None:
    model, source = model_and_source
    inputs = clips()
    with torch.no_grad():
        padded = source.network(**inputs)
        pooled = source.backbone.pooled(inputs)
        for index, length in enumerate(inputs["lengths"].tolist()):
            clip = inputs["waveform"][index : index + 1, :length]
            one = {"waveform": clip, "lengths": torch.tensor([length])}
            alone = source.network(**one)
            scaled = (clip - clip.mean()) / torch.sqrt(clip.var(unbiased=False) + 1e-7)
            theirs = model(scaled).last_hidden_state.mean(1)
            assert torch.allclose(padded[index], alone[0], atol=1e-5)
            assert torch.allclose(alone, theirs, atol=1e-5)
            for stage, vectors in enumerate(source.backbone.pooled(one)):
                assert torch.allclose(pooled[stage][index], vectors[0], atol=1e-4)


def test_it_is_cut_exactly(model_and_source: tuple[Any, Source]) -> None:
    _, source = model_and_source
    inputs = clips()
    assert source.backbone.stages == ("feature_encoder", "layer.0", "layer.1")
    with torch.no_grad():
        whole = source.network(**inputs)
        for cut in (1, 2, 3):
            state = source.backbone.prefix(inputs, cut)
            assert torch.allclose(source.backbone.suffix(state, cut), whole, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "more"),
    [
        MODELS[0],
        *(
            pytest.param(*model, id=name, marks=pytest.mark.full)
            for model, name in zip(MODELS[1:], NAMES[1:])
        ),
    ],
)
def test_it_exports_with_free_length(tmp_path: Path, name: str, more: dict[str, Any]) -> None:
    tiny.save_audio(tmp_path / "audio", name, **more)
    source = load_source(str(tmp_path / "audio"))
    n_items = torch.export.Dim("n_items", min=1, max=1024)
    shapes = {"waveform": {0: n_items, 1: torch.export.Dim.AUTO}, "lengths": {0: n_items}}
    program = torch.export.export(source.network, (), kwargs=clips(), dynamic_shapes=shapes, strict=False)
    other = {"waveform": torch.randn(2, 16000), "lengths": torch.tensor([16000, 7000])}
    other["waveform"][1, 7000:] = 0
    with torch.no_grad():
        assert torch.allclose(program.module()(**other), source.network(**other), atol=1e-5)


def test_the_extractor_decides_on_normalising(tmp_path: Path) -> None:
    tiny.save_audio(tmp_path / "raw", "wav2vec2", {"do_normalize": False})
    network = load_source(str(tmp_path / "raw")).network
    assert isinstance(network, Wav2Vec2Network)
    assert not network.normalise


def test_standardising_is_that_of_the_extractor() -> None:
    from transformers import Wav2Vec2FeatureExtractor

    inputs = clips()
    extractor = Wav2Vec2FeatureExtractor(return_attention_mask=True)
    raw = [clip[:length].numpy() for clip, length in zip(inputs["waveform"], inputs["lengths"], strict=True)]
    theirs = extractor(raw, sampling_rate=16000, padding=True, return_tensors="pt")["input_values"]
    assert torch.allclose(standardised(**inputs), theirs, atol=1e-5)


def test_a_clip_shorter_than_one_frame_is_finite(tmp_path: Path) -> None:
    tiny.save_audio(tmp_path / "audio", "wav2vec2")
    network = load_source(str(tmp_path / "audio")).network
    waveform = torch.zeros(2, 9000)
    waveform[1, :5] = 0.5
    with torch.no_grad():
        assert torch.isfinite(network(waveform, torch.tensor([1, 5]))).all()
