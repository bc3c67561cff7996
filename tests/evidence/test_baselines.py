"""Classical baselines of the three modalities on small made-up sets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from headstart.errors import DataError
from headstart.evidence import ClassicalFeatures, extract_classical, fit_classical, majority
from headstart.evidence.classical_features import colour_histogram, gradient_histogram, mel_power
from headstart.tasks import MULTILABEL, REGRESSION, Targets


def accuracy(items, modality: str, labels: np.ndarray, groups: np.ndarray | None = None) -> float:  # type: ignore[no-untyped-def]
    features = extract_classical(items, modality, threads=1)  # type: ignore[arg-type]
    train, test = np.arange(0, len(labels), 2), np.arange(1, len(labels), 2)
    classes = tuple(sorted(set(labels)))
    units = None if groups is None else groups[train]
    model = fit_classical(features, train, labels[train], units, classes=classes)
    p = model.probabilities(features, test)
    assert p.shape == (len(test), len(classes)) and np.allclose(p.sum(axis=1), 1, atol=1e-5)
    return float((np.array(classes)[p.argmax(axis=1)] == labels[test]).mean())


def test_pictures_are_told_apart_by_colour_and_by_gradient() -> None:
    rng = np.random.default_rng(0)
    labels = np.array((["red"] * 2 + ["blue"] * 2 + ["bars"] * 2) * 7, dtype=object)
    pictures = []
    for label in labels:
        picture = rng.integers(0, 60, size=(40, 50, 3)).astype(np.uint8)
        if label == "bars":
            picture[:, ::8] = 150
        else:
            picture[..., 0 if label == "red" else 2] += 150
        pictures.append(picture)
    assert accuracy(pictures, "image", labels) >= 0.95


def test_recordings_are_told_apart_by_their_bands(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    labels = np.array((["low"] * 2 + ["high"] * 2) * 8, dtype=object)
    files = []
    for index, label in enumerate(labels):
        time = np.arange(8000) / 16000
        wave = np.sin(2 * np.pi * (300 if label == "low" else 2000) * time) * rng.uniform(0.05, 0.5)
        files.append(tmp_path / f"{index}.wav")
        soundfile.write(files[-1], wave + rng.normal(size=8000) * 0.01, 16000)
    groups = np.array([f"g{i // 4}" for i in range(32)], dtype=object)
    assert accuracy(files, "audio", labels, groups) == 1


def test_texts_are_told_apart_by_words_and_pairs() -> None:
    texts = ["not good at all", "good film", "very good", "not good but long"] * 10
    labels = np.array(["bad", "good", "good", "bad"] * 10, dtype=object)
    order = np.random.default_rng(0).permutation(40)
    assert accuracy([texts[i] for i in order], "text", labels[order]) == 1
    three = np.array(["a", "b", "c", "b"] * 10, dtype=object)
    assert accuracy([texts[i] for i in order], "text", three[order]) == 1


def test_a_class_that_occurs_once_keeps_its_column() -> None:
    labels = np.array(["a", "b"] * 10 + ["c"], dtype=object)
    features = extract_classical(["x one", "y two"] * 10 + ["z three"], "text")
    model = fit_classical(features, np.arange(21), labels, None, classes=("a", "b", "c", "never"))
    p = model.probabilities(features, np.arange(21))
    assert p.shape == (21, 4) and np.isfinite(p).all() and p[:, 3].max() == 0


def test_texts_without_words_are_named() -> None:
    features = extract_classical(["...", "!!"] * 5, "text")
    with pytest.raises(DataError, match="no words"):
        fit_classical(features, np.arange(10), np.array(["a", "b"] * 5), None, classes=("a", "b"))


def test_descriptions_of_flat_and_silent_items_are_finite() -> None:
    flat = np.zeros((128, 128, 3), dtype=np.uint8)
    assert np.isfinite(colour_histogram(flat)).all() and np.isfinite(gradient_histogram(flat)).all()
    assert colour_histogram(flat).shape == (256,) and gradient_histogram(flat).shape == (576,)
    assert mel_power(np.zeros(10, dtype=np.float32)).shape == (1, 64)


@pytest.mark.parametrize("labels", [["a", "b", "c"], ["a", "a", "b"]])
def test_items_of_which_no_folds_can_be_made(labels: list[str]) -> None:
    """One item per class, and one group: there is nothing to choose by, and a baseline all the same."""
    features = extract_classical(["one red thing", "two blue things", "three green things"], "text")
    groups = None if len(set(labels)) == 3 else np.array(["g"] * 3, dtype=object)
    names = tuple(sorted(set(labels)))
    model = fit_classical(features, np.arange(3), np.array(labels, dtype=object), groups, classes=names)
    assert [names[k] for k in model.probabilities(features, np.arange(3)).argmax(axis=1)] == labels


def test_the_majority_gives_the_shares_of_training() -> None:
    assert np.allclose(majority(np.array([0, 0, 1, 0]), 3, 2), [[0.75, 0.25, 0]] * 2)


@pytest.mark.parametrize("modality", ["text", "image"])
def test_labels_and_a_quantity_have_classical_baselines(modality: str) -> None:
    rng = np.random.default_rng(0)
    has = rng.random((160, 3)) < [0.5, 0.4, 0.2]
    words = np.array(["red", "small", "quick"])
    if modality == "text":
        items = [" ".join(["a", *rng.permutation(words[row]), "thing"]) for row in has]
        features = extract_classical(items, "text")
    else:
        forms = {"histograms": (has + 0.3 * rng.normal(size=has.shape)).astype(np.float32)}
        features = ClassicalFeatures("image", forms)
    train, test = np.arange(120), np.arange(120, 160)
    labels = Targets(MULTILABEL, tuple(words)).decode(has.astype(float))
    model = fit_classical(features, train, labels[train], None, classes=tuple(words), task=MULTILABEL)
    p = model.probabilities(features, test)
    assert p.shape == (40, 3) and ((p > 0.5) == has[test]).mean() > 0.9
    values = 50.0 + 7 * has[:, 0] - 4 * has[:, 1]
    texts = values.astype(str).astype(object)
    model = fit_classical(features, train, texts[train], None, classes=("price",), task=REGRESSION)
    error = model.probabilities(features, test)[:, 0] - values[test]
    assert np.square(error).mean() < 0.4 * values[test].var()
    assert np.allclose(majority(values[:4, None], 1, 2, REGRESSION), values[:4].mean())
