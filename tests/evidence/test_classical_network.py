"""Classical features as networks give what NumPy and scikit-learn give."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile
import torch

from headstart.data import load_batches
from headstart.data.preprocessing import with_window
from headstart.evidence import extract_classical, fit_classical
from headstart.evidence.classical_features import describe_audio, describe_image
from headstart.evidence.classical_source import classical_source
from headstart.tasks import CLASSIFICATION, MULTILABEL, REGRESSION, Targets


def inputs_of(items, preprocessing):  # type: ignore[no-untyped-def]
    _, inputs = next(load_batches(items, preprocessing, [np.arange(len(items))], threads=1))
    return list(inputs.values())


def test_pictures() -> None:
    rng = np.random.default_rng(0)
    items = [rng.integers(0, 256, (int(h), 90, 3)).astype(np.uint8) for h in rng.integers(40, 300, 6)]
    items += [np.zeros((50, 50, 3), np.uint8), np.full((8, 200), 255, np.uint8)]
    ramp = np.arange(128, dtype=np.uint8)
    items += [np.tile(ramp, (128, 1)), np.tile(ramp[::-1, None], (1, 128))]
    features = extract_classical(items, "image", threads=1)
    labels = np.array(["a", "b"] * 5, dtype=object)
    model = fit_classical(features, np.arange(10), labels, None, classes=("a", "b"))
    source, head = classical_source(model, "image")  # type: ignore[arg-type]
    found = source.network(*inputs_of(items, source.preprocessing)).numpy()
    wanted = np.stack([describe_image(item)["histograms"] for item in items])
    np.testing.assert_allclose(found, wanted, atol=2e-5)
    np.testing.assert_allclose(head.outputs(found), model.probabilities(features, np.arange(10)), atol=1e-3)


def test_recordings(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    files = []
    for index, n_samples in enumerate((200, 400, 401, 5000, 16000, 24000, 30000, 8000)):
        wave = rng.normal(size=n_samples) * 0.2 if index < 7 else np.zeros(n_samples)
        files.append(tmp_path / f"{index}.wav")
        soundfile.write(files[-1], wave, 16000, subtype="FLOAT")
    features = extract_classical(files, "audio", threads=1)
    labels = np.array(["a", "b"] * 4, dtype=object)
    model = fit_classical(features, np.arange(8), labels, None, classes=("a", "b"))
    for form in ("absolute", "relative"):
        from dataclasses import replace

        source, _ = classical_source(replace(model, form=form), "audio")  # type: ignore[type-var, arg-type]
        window = with_window(source.preprocessing, [30000 / 16000])  # type: ignore[arg-type]
        found = source.network(*inputs_of(files, window)).numpy()
        wanted = np.stack([describe_audio(file)[form] for file in files])
        np.testing.assert_allclose(found, wanted, atol=2e-3 if form == "relative" else 2e-4)


TEXTS = [
    "Not good, not GOOD at all",
    "a good film; a very good film",
    "très bien, ça va — naïve café_bar 42",
    "हिन्दी में लिखा हुआ good",
    "",
    "!!! ...",
    "unseen words only here",
    "don't stop: it's 3.14 x²",
] * 4


def test_texts_of_every_task() -> None:
    labels = np.array((["no", "yes", "fr", "hi", "no", "yes", "fr", "hi"]) * 4, dtype=object)
    features = extract_classical(TEXTS, "text")
    rows = np.flatnonzero(np.arange(len(TEXTS)) % 8 != 6)
    two = np.where(np.isin(labels, ["no", "fr"]), "no", "yes").astype(object)
    several = np.array(
        ["x|y" if label == "no" else "x" if label == "fr" else "-" for label in labels], dtype=object
    )
    values = np.array([str(100 + 3 * len(text)) for text in TEXTS], dtype=object)
    for task, given, classes in (
        (CLASSIFICATION, labels, ("fr", "hi", "no", "yes", "never")),
        (CLASSIFICATION, two, ("no", "yes")),
        (MULTILABEL, several, ("x", "y", "all")),
        (REGRESSION, values, ("length",)),
    ):
        if task is MULTILABEL:
            given = np.array(["all" if text == "-" else f"{text}|all" for text in given], dtype=object)
        Targets(task, classes).encode(given)
        model = fit_classical(features, rows, given[rows], None, classes=classes, task=task)
        source, head = classical_source(model, "text")  # type: ignore[arg-type]
        x_ND = source.network(*inputs_of(TEXTS, source.preprocessing))
        wanted = model.probabilities(features, np.arange(len(TEXTS)))
        with torch.no_grad():
            found = head.module()(x_ND).numpy()
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5, err_msg=str(classes))
