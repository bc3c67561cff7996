"""The peers, each by its own usual code. `python -m benchmarks.peers NAME FOLDER` prints one line of JSON.

Time runs from the files to the accuracy on the held-out part; imports are not counted. The peers that train by
epochs run 3 and are scaled to 10: what happens once (loading) is counted once.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.work import (
    EMODB,
    MINILM,
    PEER_EPOCHS,
    SCALED_EPOCHS,
    WHISPER,
    Timed,
    emodb_rows,
    load_timm_folder,
    photo_paths,
    sentences,
)

SETTINGS = {"num_train_epochs": PEER_EPOCHS, "eval_strategy": "epoch", "learning_rate": 1e-3}


def trainer_resnet18(folder: Path) -> Timed:
    """transformers Trainer on its own ResNet-18 of random weights, backbone frozen."""
    from torchvision.transforms import Normalize
    from transformers import ResNetConfig, ResNetForImageClassification

    def build() -> Any:
        config = ResNetConfig(
            embedding_size=64,
            hidden_sizes=[64, 128, 256, 512],
            depths=[2, 2, 2, 2],
            layer_type="basic",
            num_labels=2,
        )
        model = ResNetForImageClassification(config)
        for parameter in model.resnet.parameters():
            parameter.requires_grad = False
        return model

    return _trainer_images(build, Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))


def trainer_timm(folder: Path) -> Timed:
    """transformers Trainer on the timm network of a folder, backbone frozen."""
    from benchmarks.trainer import TimmClassifier, timm_normalise

    return _trainer_images(lambda: TimmClassifier(folder, 2, ("classifier",)), timm_normalise(folder))


def fastai_images(folder: Path) -> Timed:
    """fastai's vision_learner on torchvision's resnet18 of random weights, frozen."""
    import torch
    from fastai.vision.all import ImageDataLoaders, Resize, accuracy, resnet18, vision_learner

    from benchmarks.work import HYMENOPTERA

    torch.manual_seed(0)
    started = time.perf_counter()
    loaders = ImageDataLoaders.from_folder(
        HYMENOPTERA, train="train", valid="val", item_tfms=Resize(224), num_workers=0
    )
    with tempfile.TemporaryDirectory() as temporary:
        learner = vision_learner(loaders, resnet18, pretrained=False, metrics=accuracy, path=temporary)
        learner.freeze()
        setup = time.perf_counter() - started
        with learner.no_bar(), learner.no_logging():
            learner.fit_one_cycle(PEER_EPOCHS)
        final = float(learner.recorder.values[-1][-1])
    return _scaled(setup, time.perf_counter() - started - setup, final)


def one_pass_images(folder: Path) -> Timed:
    """One fp32 pass of a timm network over all photos, then scikit-learn's logistic regression."""
    import timm
    import torch
    from PIL import Image
    from sklearn.linear_model import LogisticRegression
    from torch.utils.data import DataLoader

    started = time.perf_counter()
    model = load_timm_folder(folder, 0).eval()
    settings = timm.data.resolve_data_config(
        json.loads((folder / "config.json").read_text())["pretrained_cfg"], model=model
    )
    transform = timm.data.create_transform(**settings)

    def features(paths: list[str]) -> np.ndarray:
        pictures = [transform(Image.open(path).convert("RGB")) for path in paths]
        with torch.inference_mode():
            return torch.cat([model(batch) for batch in DataLoader(pictures, batch_size=32)]).numpy()

    (paths, labels), (held_out, held_out_labels) = photo_paths("train"), photo_paths("val")
    classifier = LogisticRegression(max_iter=1000).fit(features(paths), labels)
    score = float(classifier.score(features(held_out), held_out_labels))
    return Timed(time.perf_counter() - started, score)


def trainer_text(folder: Path) -> Timed:
    """transformers Trainer on MiniLM with a new classifier, encoder frozen."""
    from benchmarks.trainer import train_texts

    texts, labels, test_texts, test_labels = sentences()
    return _rescaled(train_texts(MINILM, 2, True, (texts, labels), (test_texts, test_labels), **SETTINGS))


def sentence_transformers_logistic(folder: Path) -> Timed:
    """sentence-transformers' encode, then scikit-learn's logistic regression."""
    from sentence_transformers import SentenceTransformer
    from sklearn.linear_model import LogisticRegression

    started = time.perf_counter()
    model = SentenceTransformer(str(MINILM), device="cpu").float()
    texts, labels, test_texts, test_labels = sentences()
    classifier = LogisticRegression(max_iter=1000).fit(model.encode(texts, show_progress_bar=False), labels)
    score = float(classifier.score(model.encode(test_texts, show_progress_bar=False), test_labels))
    return Timed(time.perf_counter() - started, score)


def whisper_30s(folder: Path) -> Timed:
    """transformers' Whisper feature extractor and encoder at 30 s, batch 8, depth 1, logistic on 10 folds."""
    import soundfile
    import torch
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GroupKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from transformers import AutoFeatureExtractor, WhisperForAudioClassification

    depth = 1
    started = time.perf_counter()
    extractor = AutoFeatureExtractor.from_pretrained(WHISPER)
    model = WhisperForAudioClassification.from_pretrained(WHISPER, num_labels=10, dtype=torch.float32).eval()
    rows = emodb_rows()
    vectors = []
    for start in range(0, len(rows), 8):
        clips = [soundfile.read(EMODB / row["file"], dtype="float32")[0] for row in rows[start : start + 8]]
        inputs = extractor(clips, sampling_rate=16000, return_tensors="pt")
        with torch.inference_mode():
            states = model.encoder(inputs.input_features, output_hidden_states=True).hidden_states[depth]
        for clip, state in zip(clips, states, strict=True):
            own = state[: -(-len(clip) // 320)]
            vectors.append(torch.cat([own.mean(0), own.std(0)]).numpy())
    speakers = np.array([row["speaker"] for row in rows])
    groups = np.array([row["sentence"] for row in rows])
    pipeline = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000, C=0.1))
    guessed = cross_val_predict(pipeline, np.stack(vectors), speakers, groups=groups, cv=GroupKFold(10))
    return Timed(time.perf_counter() - started, float((guessed == speakers).mean()), f"depth {depth}")


def _trainer_images(build: Callable[[], Any], normalise: Any) -> Timed:
    from benchmarks.trainer import train_pictures

    return _rescaled(train_pictures(build, normalise, photo_paths("train"), photo_paths("val"), **SETTINGS))


def _rescaled(trained: Any) -> Timed:
    return _scaled(trained.setup, trained.training + trained.evaluations, trained.accuracy)


def _scaled(setup: float, training: float, accuracy: float) -> Timed:
    return Timed(
        setup + training * SCALED_EPOCHS / PEER_EPOCHS,
        accuracy,
        f"{PEER_EPOCHS} epochs measured, scaled to {SCALED_EPOCHS}",
    )


PEERS: dict[str, Callable[[Path], Timed]] = {
    peer.__name__: peer
    for peer in (
        trainer_resnet18,
        trainer_timm,
        fastai_images,
        one_pass_images,
        trainer_text,
        sentence_transformers_logistic,
        whisper_30s,
    )
}


def main() -> None:
    """Run one peer and print what it took."""
    name, folder = sys.argv[1], Path(sys.argv[2]) if len(sys.argv) > 2 else Path()
    timed = PEERS[name](folder)
    print(json.dumps({"seconds": timed.seconds, "accuracy": timed.accuracy, "note": timed.note}))


if __name__ == "__main__":
    main()
