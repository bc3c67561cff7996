"""Real sources give what the original packages give on named items (golden/sources.npz), decoded by us.

Whisper's depth d is the output of stage d: 0 what enters the first layer, 4 the last layer's after its norm.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from headstart.data.loading import load_batches, plan_batches
from headstart.data.preprocessing import AudioPreprocessing, ImagePreprocessing
from headstart.sources import Source, load_source
from headstart.sources.weights import read_weights
from headstart.testing import check_backbone

pytestmark = pytest.mark.real
EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
# States depend on the window: by depth, least correlation of the centred means between 2 s and 30 s.
SHORT_WINDOW_CORRELATION = (0.99, 0.95, 0.93, 0.85, 0.80)


@pytest.fixture(scope="module")
def golden(shared: Path) -> dict[str, np.ndarray]:
    with np.load(shared / "golden" / "sources.npz") as arrays:
        return {name: arrays[name] for name in arrays.files}


def audio_batch(source: Source, paths: list[Path], seconds: float) -> dict[str, Tensor]:
    assert isinstance(source.preprocessing, AudioPreprocessing)
    n_samples = round(seconds * source.preprocessing.rate_hz)
    preprocessing = replace(source.preprocessing, window_samples=n_samples)
    [(_, inputs)] = load_batches(paths, preprocessing, [np.arange(len(paths))], threads=1)
    return inputs


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("mobilenetv2_100.tf2_ptq_in1k", "logits_mobilenetv2_100"),
        ("tf_efficientnet_lite0.in1k", "logits_tf_efficientnet_lite0"),
        ("mobilenetv1_100.tf1_qat_in1k", "logits_mobilenetv1_100"),
    ],
)
def test_image_logits(shared: Path, golden: dict[str, np.ndarray], name: str, key: str) -> None:
    import timm.data
    from PIL import Image

    source = load_source(str(shared / "weights" / name))
    tensors = read_weights([shared / "weights" / name / "model.safetensors"])
    weight, bias = (tensors[f"classifier.{part}"].float() for part in ("weight", "bias"))
    paths = [shared / "data" / str(file) for file in golden["image_files"]]
    own = source.preprocessing
    assert isinstance(own, ImagePreprocessing)
    transform = timm.data.create_transform(
        own.size, mean=own.mean, std=own.std, crop_pct=own.crop_pct, interpolation=own.interpolation
    )
    theirs = torch.stack([transform(Image.open(path)) for path in paths])
    [(_, ours)] = load_batches(paths, own, [np.arange(8)], threads=1)
    with torch.no_grad():
        exact, found = (
            (source.network(pixels) @ weight.T + bias).numpy() for pixels in (theirs, ours["pixels"])
        )
    assert np.abs(exact - golden[key]).max() < 1e-4
    # our resize works on the cropped part alone: a few pixels differ by 1 to 4 of 255 levels
    assert np.abs(found - golden[key]).max() < 0.15 * golden[key].std()
    assert (found.argmax(1) == golden[key].argmax(1)).all()


@pytest.mark.parametrize(
    ("name", "key", "tolerance"),
    [
        ("all-MiniLM-L6-v2", "minilm_embedding", 3e-4),  # the golden values are float16
        ("multilingual-e5-small-latin", "e5_embedding_query_prompt", 1e-6),
    ],
)
def test_sentence_embeddings(
    shared: Path, golden: dict[str, np.ndarray], name: str, key: str, tolerance: float
) -> None:
    source = load_source(str(shared / "weights" / name))
    texts = [str(text) for text in golden["sentences"]]
    found = np.zeros_like(golden[key], dtype=np.float32)
    with torch.no_grad():
        for positions, inputs in load_batches(
            texts, source.preprocessing, plan_batches(texts, source.preprocessing, batch_size=8), threads=1
        ):
            found[positions] = source.network(**inputs).numpy()
    assert np.abs(found - golden[key]).max() < tolerance


def test_ge2e_embeddings_and_mel(shared: Path, golden: dict[str, np.ndarray]) -> None:
    arch = f"{EXAMPLES / 'ge2e.py'}:SpeakerEncoder"
    source = load_source(str(shared / "weights" / "resemblyzer-ge2e"), arch=arch)
    assert list(source.stages) == ["spectrogram", "lstm", "linear"]
    paths = [shared / "data" / str(file) for file in golden["audio_files"]]
    model: nn.Module = source.network.get_submodule("model")
    for seconds in (2.0, 4.0):
        inputs = audio_batch(source, paths, seconds)
        with torch.no_grad():
            found = source.network(**inputs).numpy()
            mel = model.spectrogram(model.with_spare(model.raised(**inputs)))[:, :20].numpy()
        # fsdd clips are resampled from 8 kHz
        assert np.abs(found - golden["ge2e_embedding"]).max() < 2e-3
        assert np.abs(found[:9] - golden["ge2e_embedding"][:9]).max() < 1e-6
        assert np.abs(mel[:9] - golden["ge2e_mel_first20"][:9]).max() < 1e-4


def test_whisper_means_at_30_seconds(shared: Path, golden: dict[str, np.ndarray]) -> None:
    source = load_source(str(shared / "weights" / "whisper-tiny.en-encoder"))
    paths = [shared / "data" / str(file) for file in golden["audio_files"]]
    chosen = [0, 9]
    inputs = audio_batch(source, [paths[index] for index in chosen], 30.0)
    found = whisper_means(source, inputs)
    assert np.abs(found[0] - golden["whisper_mean_by_depth"][0]).max() < 1e-4
    assert np.abs(found[1] - golden["whisper_mean_by_depth"][9]).max() < 0.05  # resampled from 8 kHz


def test_whisper_means_in_a_short_window(shared: Path, golden: dict[str, np.ndarray]) -> None:
    source = load_source(str(shared / "weights" / "whisper-tiny.en-encoder"))
    paths = [shared / "data" / str(file) for file in golden["audio_files"]]
    found = whisper_means(source, audio_batch(source, paths, 2.0))
    for depth, least in enumerate(SHORT_WINDOW_CORRELATION):
        ours, theirs = found[:, depth], golden["whisper_mean_by_depth"][:, depth]
        centred = [(values - values.mean(0)).ravel() for values in (ours, theirs)]
        assert np.corrcoef(*centred)[0, 1] > least, depth


def whisper_means(source: Source, inputs: dict[str, Tensor]) -> np.ndarray:
    """Means over own frames, (n_items, 5, 384): pooled stages 0 to 3, and the network's own embedding."""
    with torch.no_grad():
        pooled = source.backbone.pooled(inputs)
        own = source.network(**inputs)
    return np.stack([vector[:, :384].numpy() for vector in [*pooled[:4], own]], axis=1)


def test_yamnet_hears_speech(shared: Path) -> None:
    arch = f"{EXAMPLES / 'yamnet.py'}:YAMNet"
    folder = shared / "weights" / "yamnet_audioset"
    source = load_source(str(folder), arch=arch)
    assert list(source.stages) == ["conv1", *(f"layers.{index}" for index in range(13))]
    labels = (folder / "labels.txt").read_text(encoding="utf-8").splitlines()
    paths = sorted((shared / "data" / "emodb" / "audio").glob("*.flac"))[::40]
    classifier = source.network.get_submodule("model.classifier")
    with torch.no_grad():
        scores = classifier(source.network(**audio_batch(source, paths, 2.0)))
    assert [labels[index] for index in scores.argmax(1)] == ["Speech"] * len(paths)


def test_padding_does_not_change_the_two_own_networks(shared: Path) -> None:
    paths = sorted((shared / "data" / "emodb" / "audio").glob("*.flac"))[:3]
    for folder, name in (
        ("resemblyzer-ge2e", "ge2e.py:SpeakerEncoder"),
        ("yamnet_audioset", "yamnet.py:YAMNet"),
    ):
        source = load_source(str(shared / "weights" / folder), arch=f"{EXAMPLES / name}")
        short, long = (audio_batch(source, paths, seconds) for seconds in (2.0, 5.0))
        with torch.no_grad():
            for ours, theirs in zip(source.backbone.pooled(short), source.backbone.pooled(long), strict=True):
                assert torch.allclose(ours, theirs, rtol=1e-3, atol=1e-3 * ours.std().item())


@pytest.mark.parametrize(("folder", "n_blocks"), [("resnet20_cifar10", 3), ("resnet56_cifar10", 9)])
def test_a_cifar_resnet_of_ones_own(shared: Path, folder: str, n_blocks: int) -> None:
    source = load_source(str(shared / "weights" / folder), arch=f"{EXAMPLES / 'cifar_resnet.py'}:CifarResNet")
    assert list(source.stages) == ["layer1", "layer2", "layer3"]
    assert len(source.network.get_submodule("model.layer3")) == n_blocks  # type: ignore[arg-type]
    check_backbone(source.network, torch.randn(4, 3, 32, 32), source.stages)
    labels = (shared / "weights" / folder / "labels.txt").read_text(encoding="utf-8").split()
    classifier = source.network.get_submodule("model.linear")
    for animal in ("dog", "horse"):
        photos = sorted((shared / "data" / "pacs" / "photo" / animal).iterdir())[:64]
        ((_, inputs),) = load_batches(photos, source.preprocessing, [np.arange(len(photos))], threads=1)
        with torch.no_grad():
            found = classifier(source.network(**inputs)).argmax(1)
        share = np.mean([labels[index] == animal for index in found])
        assert share > 0.4, (animal, share)  # seen: 0.47 to 0.75; chance is 0.1
