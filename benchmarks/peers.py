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


def trainer_resnet18(folder: Path) -> Timed:
    """transformers Trainer on its own ResNet-18 of random weights, backbone frozen."""
    from transformers import ResNetConfig, ResNetForImageClassification

    _import_trainer()

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

    return _trainer_images(build, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225])


def trainer_timm(folder: Path) -> Timed:
    """transformers Trainer on the timm network of a folder, backbone frozen."""
    from torch import nn

    _import_trainer()

    class Wrapped(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = load_timm_folder(folder, 2)
            for name, parameter in self.model.named_parameters():
                parameter.requires_grad = name.startswith("classifier")

        def forward(self, pixel_values: Any, labels: Any = None) -> dict[str, Any]:
            logits = self.model(pixel_values)
            return {"loss": nn.functional.cross_entropy(logits, labels), "logits": logits}

    return _trainer_images(Wrapped, [0.5] * 3, [0.5] * 3)


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
    import torch
    from datasets import Dataset
    from transformers import AutoModelForSequenceClassification, AutoTokenizer, DataCollatorWithPadding

    _import_trainer()
    started = time.perf_counter()
    tokenizer = AutoTokenizer.from_pretrained(MINILM)
    model = AutoModelForSequenceClassification.from_pretrained(MINILM, num_labels=2, dtype=torch.float32)
    for parameter in model.base_model.parameters():
        parameter.requires_grad = False
    texts, labels, test_texts, test_labels = sentences()

    def tokenized(some_texts: list[str], some_labels: list[int]) -> Dataset:
        data = Dataset.from_dict({"text": some_texts, "labels": some_labels})
        return data.map(
            lambda row: tokenizer(row["text"], truncation=True), batched=True, remove_columns=["text"]
        )

    return _train(
        model, tokenized(texts, labels), tokenized(test_texts, test_labels), started,
        data_collator=DataCollatorWithPadding(tokenizer),
    )  # fmt: skip


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


def _trainer_images(build: Callable[[], Any], mean: list[float], std: list[float]) -> Timed:
    """The usual image-classification code: transforms on the fly, Trainer, evaluation each epoch."""
    import torch
    from PIL import Image
    from torchvision.transforms import (
        CenterCrop,
        Compose,
        Normalize,
        RandomHorizontalFlip,
        RandomResizedCrop,
        Resize,
        ToTensor,
    )

    tail = [ToTensor(), Normalize(mean, std)]
    train_transform = Compose([RandomResizedCrop(224), RandomHorizontalFlip(), *tail])
    test_transform = Compose([Resize(256), CenterCrop(224), *tail])

    class Photos(torch.utils.data.Dataset):  # type: ignore[type-arg]
        def __init__(self, part: str, transform: Compose) -> None:
            self.paths, self.labels = photo_paths(part)
            self.transform = transform

        def __len__(self) -> int:
            return len(self.paths)

        def __getitem__(self, index: int) -> dict[str, Any]:
            picture = Image.open(self.paths[index]).convert("RGB")
            return {"pixel_values": self.transform(picture), "labels": self.labels[index]}

    torch.manual_seed(0)
    started = time.perf_counter()
    return _train(build(), Photos("train", train_transform), Photos("val", test_transform), started)


def _import_trainer() -> None:
    """Have the Trainer imported before the clock starts."""
    from transformers import Trainer, TrainingArguments

    del Trainer, TrainingArguments


def _train(model: Any, train: Any, test: Any, started: float, **options: Any) -> Timed:
    from transformers import Trainer, TrainingArguments

    with tempfile.TemporaryDirectory() as temporary:
        arguments = TrainingArguments(
            output_dir=temporary, num_train_epochs=PEER_EPOCHS, eval_strategy="epoch", save_strategy="no",
            learning_rate=1e-3, report_to="none", disable_tqdm=True, remove_unused_columns=False, use_cpu=True,
        )  # fmt: skip
        trainer = Trainer(
            model=model, args=arguments, train_dataset=train, eval_dataset=test,
            compute_metrics=lambda p: {"accuracy": float((p.predictions.argmax(-1) == p.label_ids).mean())},
            **options,
        )  # fmt: skip
        setup = time.perf_counter() - started
        trainer.train()
        history = [row["eval_accuracy"] for row in trainer.state.log_history if "eval_accuracy" in row]
    return _scaled(setup, time.perf_counter() - started - setup, history[-1])


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
