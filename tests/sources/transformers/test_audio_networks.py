"""Front ends inside the networks are those of the feature extractors; Whisper takes any window."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import tiny
from headstart.data.preprocessing import AudioPreprocessing
from headstart.errors import SourceError
from headstart.sources import load_source
from headstart.sources.transformers.spectra import WhisperFrontEnd

WHISPER = {
    "d_model": 32,
    "encoder_layers": 2,
    "encoder_attention_heads": 2,
    "encoder_ffn_dim": 48,
    "decoder_layers": 1,
    "decoder_attention_heads": 2,
    "decoder_ffn_dim": 48,
    "vocab_size": 60,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "decoder_start_token_id": 1,
}


def test_whispers_front_end_is_its_extractors() -> None:
    from transformers import WhisperFeatureExtractor

    clip = np.random.default_rng(0).normal(size=20000).astype(np.float32) * 0.1
    theirs = WhisperFeatureExtractor()(clip, sampling_rate=16000, return_tensors="pt")["input_features"]
    padded = torch.zeros(1, 480000)
    padded[0, :20000] = torch.from_numpy(clip)
    assert torch.allclose(WhisperFrontEnd({})(padded), theirs, atol=1e-4)


@pytest.fixture
def whisper(tmp_path: Path) -> tuple[torch.nn.Module, Path]:
    from transformers import WhisperConfig, WhisperModel

    torch.manual_seed(0)
    model = WhisperModel(WhisperConfig(**WHISPER)).eval()
    model.save_pretrained(tmp_path / "whisper")
    settings = {
        "sampling_rate": 16000,
        "feature_size": 80,
        "n_fft": 400,
        "hop_length": 160,
        "chunk_length": 30,
    }
    tiny.write_json(tmp_path / "whisper" / "preprocessor_config.json", settings)
    return model, tmp_path / "whisper"


def test_a_whole_whisper_gives_its_encoder(whisper: tuple[torch.nn.Module, Path]) -> None:
    model, folder = whisper
    source = load_source(str(folder))
    assert list(source.stages) == ["embeddings", "layer.0", "layer.1"]
    assert source.preprocessing == AudioPreprocessing(rate_hz=16000, max_seconds=30.0)
    waveform = torch.zeros(1, 480000)
    waveform[0, :20000] = torch.randn(20000) * 0.1
    with torch.no_grad():
        log_mel = WhisperFrontEnd({})(waveform)
        theirs = model.get_encoder()(log_mel).last_hidden_state[:, :63].mean(1)  # ceil(20000 / 320)
        ours = source.network(waveform, torch.tensor([20000]))
    assert torch.allclose(ours, theirs, atol=1e-5)


def test_whisper_is_cut_exactly_in_a_short_window_and_exports(whisper: tuple[torch.nn.Module, Path]) -> None:
    source = load_source(str(whisper[1]))
    inputs = {"waveform": torch.randn(2, 16000) * 0.1, "lengths": torch.tensor([16000, 9000])}
    with torch.no_grad():
        whole = source.network(**inputs)
        for cut in (1, 2, 3):
            state = source.backbone.prefix(inputs, cut)
            assert torch.allclose(source.backbone.suffix(state, cut), whole, atol=1e-6)
    n_items = torch.export.Dim("n_items", min=1, max=1024)
    shapes = {"waveform": {0: n_items, 1: torch.export.Dim.AUTO}, "lengths": {0: n_items}}
    program = torch.export.export(source.network, (), kwargs=inputs, dynamic_shapes=shapes, strict=False)
    other = {"waveform": torch.randn(3, 48000) * 0.1, "lengths": torch.tensor([48000, 9000, 40])}
    with torch.no_grad():
        assert torch.allclose(program.module()(**other), source.network(**other), atol=1e-5)


def test_the_spectrogram_transformer_is_its_extractor_and_model(tmp_path: Path) -> None:
    from transformers import ASTFeatureExtractor

    own = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 48}
    model = tiny.save_vision(
        tmp_path / "ast", "audio-spectrogram-transformer", None, max_length=128, num_mel_bins=32, **own
    )
    extractor = ASTFeatureExtractor(max_length=128, num_mel_bins=32)
    extractor.save_pretrained(tmp_path / "ast")
    source = load_source(str(tmp_path / "ast"))
    assert isinstance(source.preprocessing, AudioPreprocessing)
    assert source.preprocessing.fixed_window
    clip = np.random.default_rng(0).normal(size=12000).astype(np.float32) * 0.1
    waveform = torch.zeros(2, round(source.preprocessing.max_seconds or 0) * 16000)
    waveform[0, :12000] = torch.from_numpy(clip)
    inputs = {"waveform": waveform, "lengths": torch.tensor([12000, waveform.shape[1]])}
    with torch.no_grad():
        theirs = model(extractor(clip, sampling_rate=16000, return_tensors="pt")["input_values"])
        assert torch.allclose(source.network(**inputs)[0], theirs.pooler_output[0], atol=1e-5)
        assert [tuple(vector.shape) for vector in source.backbone.pooled(inputs)] == [
            (2, 64),
            (2, 64),
            (2, 96),
        ]


def test_without_a_rate_it_is_refused(tmp_path: Path) -> None:
    tiny.save_audio(tmp_path / "audio", "wav2vec2")
    (tmp_path / "audio" / "preprocessor_config.json").unlink()
    with pytest.raises(SourceError, match="does not give sampling_rate"):
        load_source(str(tmp_path / "audio"))
