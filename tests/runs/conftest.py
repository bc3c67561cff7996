"""Small random sources of each kind, and a model made of one, as the verbs would hand it over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import tiny
from headstart.backbone import Backbone
from headstart.heads import Head
from headstart.heads.linear import LinearHead
from headstart.heads.predictor import Predictor
from headstart.runs.directory import RunDirectory
from headstart.runs.export import SavedModel, inputs_of, save_model
from headstart.sources import load_source

CLASSES = ("03", 'an odd, "name"', "é\n2")
EVERY = slice(None)
WORDS = [
    *"abc",
    "word",
    "two",
    "three",
    "the",
    "cat",
    "sat",
    "on",
    "mat",
    "query",
    *":.,!#",
    "hello",
    "world",
]


class StandardText(nn.Module):
    """A text classifier of transformers without its last layer: the class's own pooling."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model
        self.model.classifier = nn.Identity()

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        features: Tensor = self.model(input_ids=input_ids, attention_mask=attention_mask).logits
        return features


@dataclass
class Made:
    """A run with a model in it, and the module that it was made of."""

    run: RunDirectory
    predictor: nn.Module
    preprocessing: dict[str, Any]
    saved: SavedModel
    head: Head
    notes: dict[str, Any] = field(default_factory=dict)


def random_head(width: int, stages: tuple[int, ...], used: slice = EVERY) -> LinearHead:
    generator = np.random.default_rng(0)
    weight = generator.normal(size=(3, width)).astype(np.float32)
    weight = np.where(np.isin(np.arange(width), np.arange(width)[used]), weight, 0).astype(np.float32)
    return LinearHead(
        stages=stages,
        mean=generator.normal(size=width).astype(np.float32),
        scale=(0.5 + generator.random(width)).astype(np.float32),
        weight=weight / np.sqrt(width).astype(np.float32),
        bias=generator.normal(size=3).astype(np.float32),
        temperature=0.7,
        classes=CLASSES,
    )


def make(
    folder: Path,
    network: nn.Module,
    config: dict[str, Any],
    preprocessing: dict[str, Any],
    stages: tuple[int, ...] = (-1,),
    used: slice = EVERY,
    head_of: Callable[..., Any] = random_head,
) -> Made:
    """Make a run of a network with a random head on some stages."""
    backbone = Backbone(network, config["stages"])
    with torch.no_grad():
        vectors = backbone.pooler()(*inputs_of(preprocessing, network).example)
    indices = tuple(index % len(vectors) for index in stages)
    head = head_of(sum(vectors[index].shape[1] for index in indices), indices, used)
    predictor = Predictor(backbone, head).eval()
    run = RunDirectory.create(folder)
    saved = save_model(
        run,
        predictor=predictor,
        network=network,
        head=head,
        source_config=config,
        preprocessing=preprocessing,
    )
    run.write_json("metrics.json", {"format_version": 1})
    run.finish()
    return Made(run, predictor, preprocessing, saved, head)


@pytest.fixture(scope="session")
def timm_source(work: Path) -> Path:
    """A folder of a random resnet10t, as timm writes it."""
    own = {
        "input_size": [3, 48, 48],
        "mean": [0.4, 0.5, 0.6],
        "std": [0.3, 0.2, 0.25],
        "interpolation": "bicubic",
        "crop_pct": 0.875,
        "classifier": "fc",
    }
    tiny.save_timm(work / "resnet10t", "resnet10t", model_args={}, pretrained_cfg=own)
    return work / "resnet10t"


def image_model(folder: Path, timm_source: Path, stages: tuple[int, ...]) -> Made:
    source = load_source(str(timm_source))
    return make(folder, source.network, dict(source.config), source.preprocessing.to_json(), stages)


@pytest.fixture(scope="session")
def image_run(work: Path, timm_source: Path) -> Made:
    """A timm network with a head on its own output."""
    return image_model(work / "image", timm_source, (-1,))


@pytest.fixture(scope="session")
def two_stages(work: Path, timm_source: Path) -> Made:
    """The same with a head on two stages: no class of timm holds it."""
    return image_model(work / "two-stages", timm_source, (1, -1))


def tokenizer_json(lower: bool = True) -> str:
    """A small WordPiece tokenizer in BERT's manner."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]
    vocabulary = {token: index for index, token in enumerate(tokens)}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lower)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    tokenizer.add_special_tokens(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])
    text: str = tokenizer.to_str()
    return text


TEXT = {"modality": "text", "max_length": 20, "prompt": "query: ", "pad_id": 0, "pad_token": "[PAD]"}


def bert_config(**more: Any) -> Any:
    """The configuration of a tiny BERT over the words of the tokenizer."""
    from transformers import BertConfig

    torch.manual_seed(0)
    return BertConfig(**tiny.sizes(heads=4), vocab_size=5 + len(WORDS), max_position_embeddings=32, **more)


def make_text(
    folder: Path, network: nn.Module, config: Any, bert: str, stages: tuple[int, ...] = (-1,), **source: Any
) -> Made:
    """Make a run of a network that holds a tiny BERT at the path `bert`."""
    names = {"embeddings": f"{bert}.embeddings"}
    names |= {f"layer.{index}": f"{bert}.encoder.layer.{index}" for index in range(2)}
    described = {
        "library": "transformers",
        "modality": "text",
        "architecture": "BertModel",
        "config": config.to_dict(),
        "stages": names,
        **source,
    }
    preprocessing = {**TEXT, "tokenizer_json": tokenizer_json()}
    return make(folder, network.eval(), described, preprocessing, stages)


@pytest.fixture(scope="session")
def bert_run(work: Path) -> Made:
    """A tiny BERT with its own pooling, as --head standard trains it, and a prompt."""
    from transformers import BertForSequenceClassification

    config = bert_config(id2label={0: "of", 1: "the", 2: "source", 3: "own"})
    network = StandardText(BertForSequenceClassification(config))
    pooling = {"modes": ["standard"], "normalise": False}
    return make_text(work / "text", network, config, "model.bert", pooling=pooling)


@pytest.fixture(scope="session")
def mean_text_run(work: Path) -> Made:
    """A tiny BERT with the mean over tokens: no class of transformers holds it."""
    from transformers import BertModel

    from headstart.sources.transformers.encoders import TextNetwork

    config = bert_config()
    network = TextNetwork(BertModel(config, add_pooling_layer=False), ("mean",), True)
    pooling = {"modes": ["mean"], "normalise": True}
    return make_text(work / "mean", network, config, "model", (1, -1), pooling=pooling, pooler=False)


@pytest.fixture(scope="session")
def speech_maker(work: Path) -> Callable[..., Made]:
    def maker(name: str, norm: str = "group", used: slice | None = None) -> Made:
        folder = work / f"{name}-source"
        sizes = {**tiny.sizes(heads=4), "conv_kernel": (10, 8, 4), "conv_stride": (5, 8, 4), "vocab_size": 32}
        norms = {"feat_extract_norm": norm, "do_stable_layer_norm": norm == "layer"}
        tiny.save_audio(folder, "wav2vec2", **sizes, **norms)
        source = load_source(str(folder))
        preprocessing = {**source.preprocessing.to_json(), "window_samples": 16000}
        mean = slice(-32, None) if norm == "layer" else slice(32)
        return make(work / name, source.network, dict(source.config), preprocessing, used=used or mean)

    return maker


@pytest.fixture(scope="session")
def speech_run(speech_maker: Callable[..., Made]) -> Made:
    return speech_maker("speech")
