"""Small data of each kind and small sources, made on the spot; the bundled letters are the source of pictures."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from PIL import Image
from sklearn.datasets import load_digits

import tiny
from headstart.data import Examples, check, scan
from headstart.data.examples import string_array

LETTERS = "bundled:letters"
SETTINGS: dict[str, Any] = {"precision": "fp32", "threads": 1}


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    """Write a text file, with the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode(encoding))
    return path


def texts(items: list[str], labels: str, splits: list[str] | None = None) -> Examples:
    """Texts whose labels are single letters."""
    names = string_array(f"row {i + 1}" for i in range(len(items)))
    parts = None if splits is None else string_array(splits)
    return Examples("text", items, names, string_array(labels), splits=parts)


def found(examples: Examples) -> dict[str, tuple[int, str]]:
    """Number of items and message of each finding of the data checks, by kind."""
    findings = check(examples, scan(examples.items, examples.modality, threads=1))
    return {finding.kind: (finding.n_items, finding.message) for finding in findings}


def digits(n_classes: int = 3, n_each: int = 14) -> tuple[np.ndarray, np.ndarray]:
    """Handwritten digits, uint8 of shape (n_items, 8, 8), and their numbers; some labels are wrong."""
    bunch = load_digits()
    chosen = np.concatenate([np.flatnonzero(bunch.target == k)[:n_each] for k in range(n_classes)])
    labels = bunch.target[chosen].copy()
    labels[::7] = (labels[::7] + 1) % n_classes
    order = np.random.default_rng(0).permutation(len(chosen))
    return (bunch.images[chosen] * 15).astype(np.uint8)[order], labels[order]


def digit_folder(root: Path, **sizes: int) -> Path:
    """One folder per class, of PNG files."""
    for index, (picture, label) in enumerate(zip(*digits(**sizes))):
        path = root / f"digit {label}" / f"{index:03}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(path)
    return root


def digit_npz(path: Path) -> Path:
    """The layout of MedMNIST: pictures and labels of train, val and test."""
    pictures, labels = digits()
    cuts = {"train": slice(26), "val": slice(26, 32), "test": slice(32, None)}
    arrays: dict[str, Any] = {f"{part}_images": pictures[cut] for part, cut in cuts.items()}
    arrays |= {f"{part}_labels": labels[cut, None] for part, cut in cuts.items()}
    np.savez(path, **arrays)
    return path


def digit_table(folder: Path) -> Path:
    """A csv of paths with a split column."""
    root = digit_folder(folder / "files")
    path = folder / "digits.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "label", "split"])
        for index, item in enumerate(sorted(root.rglob("*.png"))):
            part = "test" if index % 4 == 0 else "train"
            writer.writerow([item.relative_to(folder), item.parent.name, part])
    return path


def text_table(path: Path, n_items: int = 40) -> Path:
    """A csv of texts of two classes in the words of the tiny tokenizer."""
    words = tiny.SENTENCE.split()
    generator = np.random.default_rng(0)
    rows = ["text,label"]
    for index in range(n_items):
        own = words[:7] if index % 2 else words[7:]
        drawn = [*generator.choice(own, 4), *generator.choice(words, 2)]
        rows.append(f"{' '.join(drawn)} {words[index % 13]},{'early' if index % 2 else 'late'}")
    path.write_text("\n".join(rows) + "\n")
    return path


def tone_folder(root: Path, n_each: int = 8) -> Path:
    """Recordings of low and high tones of half a second."""
    generator = np.random.default_rng(0)
    for name, pitch_hz in (("low", 200), ("high", 900)):
        (root / name).mkdir(parents=True)
        for index in range(n_each):
            times = np.arange(4_000) / 8_000
            tone = 0.3 * np.sin(2 * np.pi * pitch_hz * (1 + index / 30) * times)
            noisy = tone + 0.02 * generator.normal(size=times.size)
            soundfile.write(root / name / f"{index}.wav", noisy.astype(np.float32), 8_000)
    return root


def text_source(folder: Path) -> Path:
    """A tiny BERT with random weights."""
    folder.mkdir()
    tiny.save_text(folder)
    return folder


def audio_source(folder: Path) -> Path:
    """A tiny Wav2Vec2 with random weights, 320 samples per frame."""
    folder.mkdir()
    tiny.save_audio(folder, "wav2vec2", conv_stride=(5, 8, 8), conv_kernel=(10, 8, 8))
    return folder
