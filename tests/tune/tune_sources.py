"""A tiny source and a small labelled set for each modality."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from headstart.data import AudioPreprocessing, ImagePreprocessing, TextPreprocessing
from headstart.data.content import content_digest
from headstart.sources.source import Provenance, Source
from headstart.tune import Part

RATE_HZ = 1000
CLASSES = ("high", "low")


def digests_of(contents: list[bytes]) -> np.ndarray:
    return np.array([hashlib.sha256(content).hexdigest() for content in contents])


class PictureNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU())
        self.layer1 = nn.Sequential(nn.Conv2d(8, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU())
        self.layer2 = nn.Sequential(nn.Conv2d(8, 12, 3, stride=2), nn.BatchNorm2d(12), nn.ReLU())

    def forward(self, pixels: Tensor) -> Tensor:
        return self.layer2(self.layer1(self.stem(pixels))).mean((2, 3))


class Layer(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.linear, self.norm, self.dropout = nn.Linear(width, width), nn.LayerNorm(width), nn.Dropout(0.1)

    def forward(self, h_NTD: Tensor) -> Tensor:
        return self.norm(h_NTD + self.dropout(torch.relu(self.linear(h_NTD))))


class TextNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embeddings = nn.Embedding(100, 12)  # most of its rows belong to no word of the items
        self.layer = nn.ModuleList(Layer(12) for _ in range(2))

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        h_NTD = self.embeddings(input_ids)
        for layer in self.layer:
            h_NTD = layer(h_NTD)
        mask = attention_mask[..., None].float()
        return (h_NTD * mask).sum(1) / mask.sum(1)


class SoundNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Conv1d(1, 12, 10, stride=5)
        self.layer = nn.ModuleList(Layer(12) for _ in range(2))
        self.project = nn.Linear(12, 5)

    def forward(self, waveform: Tensor, lengths: Tensor) -> Tensor:
        h_NTD = torch.relu(self.encoder(waveform[:, None])).transpose(1, 2)
        for layer in self.layer:
            h_NTD = layer(h_NTD)
        return self.project(h_NTD.mean(1))


def source_of(modality: str) -> Source:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = {"image": PictureNet, "text": TextNet, "audio": SoundNet}[modality]().eval()
    stages = {
        "image": {"stem": "stem", "layer1": "layer1", "layer2": "layer2"},
        "text": {"embeddings": "embeddings", "layer.0": "layer.0", "layer.1": "layer.1"},
        "audio": {"encoder": "encoder", "layer.0": "layer.0", "layer.1": "layer.1"},
    }[modality]
    preprocessing = {
        "image": lambda: ImagePreprocessing(size=(8, 8), crop_pct=1.0),
        "text": lambda: TextPreprocessing(tokenizer_json=tokenizer(), max_length=64),
        "audio": lambda: AudioPreprocessing(rate_hz=RATE_HZ, window_samples=300),
    }[modality]()
    provenance = Provenance(type(network).__name__, "custom")
    return Source(modality, modality, network, stages, preprocessing, f"tiny {modality}", provenance)  # type: ignore[arg-type]


def tokenizer() -> str:
    from tokenizers import Tokenizer, models, pre_tokenizers

    words = ["[PAD]", "[UNK]", *[f"w{index}" for index in range(18)]]
    made = Tokenizer(models.WordLevel({word: index for index, word in enumerate(words)}, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    return str(made.to_str())


def part_of(modality: str, n_items: int, seed: int, folder: Path) -> Part:
    """A part of two classes that any of these networks can tell apart."""
    random = np.random.default_rng(seed)
    labels = np.arange(n_items) % 2
    if modality == "image":
        pictures = random.integers(0, 200, (n_items, 8, 8, 3), dtype=np.uint8)
        pictures[labels == 0, :4] += 55
        return Part(pictures, digests_of([p.tobytes() for p in pictures]), labels)
    if modality == "text":
        texts = []
        for label in labels:
            words = random.integers(0, 9, random.integers(3, 30)) + 9 * label
            texts.append(" ".join(f"w{word}" for word in words))
        return Part(texts, digests_of([text.encode() for text in texts]), labels)
    import soundfile

    files = []
    for index, label in enumerate(labels):
        time = np.arange(random.integers(200, 300)) / RATE_HZ
        pitch = (60, 200)[1 - label] * random.uniform(0.8, 1.2)
        path = folder / f"{seed}-{index}.wav"
        soundfile.write(path, 0.3 * np.sin(2 * np.pi * pitch * time), RATE_HZ)
        files.append(path)
    return Part(files, np.array([content_digest(path.read_bytes()) for path in files]), labels)
