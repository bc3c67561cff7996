"""Small sources with random weights, written as the libraries themselves write them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

SENTENCE = "a small dog saw the red house and the blue car near old trees"
_WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *SENTENCE.split()]


def sizes(hidden: int = 32, layers: int = 2, heads: int = 2) -> dict[str, int]:
    """The sizes of a tiny transformer, as configurations of transformers name them."""
    return {
        "hidden_size": hidden,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "intermediate_size": 48,
    }


_AUDIO: dict[str, Any] = {
    **sizes(),
    "conv_dim": (16, 16, 16),
    "conv_kernel": (10, 3, 2),
    "conv_stride": (5, 2, 2),
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 4,
}


def save_text(folder: Path, model_type: str = "bert", **more: Any) -> torch.nn.Module:
    """Write a tiny text encoder with its tokenizer; return the model of transformers."""
    from transformers import AutoConfig, AutoModel

    torch.manual_seed(0)
    config = AutoConfig.for_model(
        model_type,
        **sizes(),
        vocab_size=len(_WORDS),
        max_position_embeddings=40,
        pad_token_id=0,
        **more,
    )
    model: torch.nn.Module = AutoModel.from_config(config)
    model.save_pretrained(folder)
    save_tokenizer(folder)
    return model.eval()


def save_tokenizer(folder: Path) -> None:
    """Write a tokenizer of whole words."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    ids = {word: i for i, word in enumerate(_WORDS)}
    ids |= {f"[unused{i}]": i for i in set(range(len(_WORDS))) - set(ids.values())}  # a hole is warned of
    tokenizer = Tokenizer(models.WordLevel(ids, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    write_json(folder / "tokenizer_config.json", {"pad_token": "[PAD]", "model_max_length": 512})


def save_audio(
    folder: Path, model_type: str, extractor: dict[str, Any] | None = None, **more: Any
) -> torch.nn.Module:
    """Write a tiny model of the Wav2Vec2 family with its feature extractor; return the model."""
    from transformers import AutoConfig, AutoModel

    torch.manual_seed(0)
    values = {**_AUDIO, **more}
    values.setdefault("num_feat_extract_layers", len(values["conv_dim"]))
    model: torch.nn.Module = AutoModel.from_config(AutoConfig.for_model(model_type, **values))
    model.save_pretrained(folder)
    settings = {
        "feature_extractor_type": "Wav2Vec2FeatureExtractor",
        "sampling_rate": 16000,
        "do_normalize": True,
    }
    write_json(folder / "preprocessor_config.json", {**settings, **(extractor or {})})
    return model.eval()


def save_vision(
    folder: Path, model_type: str, processor: dict[str, Any] | None = None, **more: Any
) -> torch.nn.Module:
    """Write a tiny vision model with its image processor; return the model of transformers."""
    from transformers import AutoConfig, AutoModel

    torch.manual_seed(0)
    model: torch.nn.Module = AutoModel.from_config(AutoConfig.for_model(model_type, **more))
    model.save_pretrained(folder)
    settings = {
        "size": {"height": 32, "width": 32},
        "image_mean": [0.5] * 3,
        "image_std": [0.5] * 3,
        "resample": 3,
    }
    write_json(folder / "preprocessor_config.json", {**settings, **(processor or {})})
    return model.eval()


def save_timm(folder: Path, architecture: str = "test_resnet", **more: Any) -> torch.nn.Module:
    """Write a tiny timm checkpoint with its config.json, classifier included; return the model."""
    import timm
    from safetensors.torch import save_file

    torch.manual_seed(0)
    model: torch.nn.Module = timm.create_model(architecture, pretrained=False, num_classes=7)
    own: dict[str, Any] = model.pretrained_cfg  # type: ignore[assignment]
    config = {
        "architecture": architecture,
        "num_classes": 7,
        "pretrained_cfg": {
            "input_size": [3, 64, 64],
            "mean": [0.4, 0.5, 0.6],
            "std": [0.2, 0.3, 0.4],
            "interpolation": "bicubic",
            "crop_pct": 0.9,
            "classifier": own["classifier"],
        },
        **more,
    }
    folder.mkdir(parents=True, exist_ok=True)
    save_file(model.state_dict(), str(folder / "model.safetensors"))
    write_json(folder / "config.json", config)
    return model.eval()


def write_json(path: Path, content: Any) -> None:
    """Write a JSON file, its folder too."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")


def read_json(path: Path) -> Any:
    """The content of a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))
