"""What a sentence-transformers folder tells: pooling, normalisation, length, prompt, later layers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch.nn import functional as F

import tiny
from headstart.data.preprocessing import TextPreprocessing
from headstart.errors import SourceError
from headstart.sources import load_source
from headstart.sources.transformers.encoders import pool_tokens
from headstart.sources.transformers.sentence import text_preprocessing

STEPS = {"Transformer": "", "Pooling": "1_Pooling", "Dense": "2_Dense", "Normalize": "3_Normalize"}


def save_folder(folder: Path, steps: list[str], pooling: dict[str, Any]) -> Any:
    model = tiny.save_text(folder)
    modules = [
        {
            "idx": i,
            "name": str(i),
            "path": STEPS.get(step, step),
            "type": f"sentence_transformers.models.{step}",
        }
        for i, step in enumerate(steps)
    ]
    tiny.write_json(folder / "modules.json", modules)
    tiny.write_json(folder / "1_Pooling" / "config.json", {"word_embedding_dimension": 32, **pooling})
    return model


def preprocessing_of(folder: Path) -> TextPreprocessing:
    own = load_source(str(folder)).preprocessing
    assert isinstance(own, TextPreprocessing)
    return own


def tokens() -> dict[str, torch.Tensor]:
    mask = torch.tensor([[1] * 6, [1] * 3 + [0] * 3])
    return {"input_ids": torch.arange(12).reshape(2, 6) * mask, "attention_mask": mask}


@pytest.mark.parametrize(
    ("pooling", "modes"),
    [
        ({"pooling_mode_mean_tokens": True}, ["mean"]),
        ({"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}, ["cls"]),
        ({"pooling_mode_max_tokens": True, "pooling_mode_mean_tokens": True}, ["max", "mean"]),
        ({"pooling_mode_lasttoken": True}, ["lasttoken"]),
        ({"pooling_mode": "cls"}, ["cls"]),
        ({}, ["mean"]),
    ],
)
def test_pooling_and_normalisation_follow_the_folder(
    tmp_path: Path, pooling: dict[str, Any], modes: list[str]
) -> None:
    model = save_folder(tmp_path, ["Transformer", "Pooling", "Normalize"], pooling)
    source = load_source(str(tmp_path))
    assert source.config["pooling"]["modes"] == modes
    inputs = tokens()
    with torch.no_grad():
        hidden = model(**inputs)[0]
        pooled = torch.cat([pool_tokens(hidden, inputs["attention_mask"], mode) for mode in modes], 1)
        assert torch.allclose(source.network(**inputs), F.normalize(pooled, dim=1), atol=1e-6)


def test_each_way_of_pooling_sees_own_tokens_only() -> None:
    hidden = torch.arange(12.0).reshape(1, 4, 3)
    mask = torch.tensor([[1, 1, 0, 0]])
    assert pool_tokens(hidden, mask, "mean").tolist() == [[1.5, 2.5, 3.5]]
    assert pool_tokens(hidden, mask, "max").tolist() == [[3, 4, 5]]
    assert pool_tokens(hidden, mask, "cls").tolist() == [[0, 1, 2]]
    assert pool_tokens(hidden, mask, "lasttoken").tolist() == [[3, 4, 5]]
    assert torch.allclose(pool_tokens(hidden, mask, "mean_sqrt_len"), torch.tensor([[3.0, 5, 7]]) / 2**0.5)


def test_layers_after_the_pooling_are_taken(tmp_path: Path) -> None:
    model = save_folder(tmp_path, ["Transformer", "Pooling", "Dense"], {"pooling_mode_mean_tokens": True})
    own = {
        "in_features": 32,
        "out_features": 8,
        "bias": True,
        "activation_function": "torch.nn.modules.activation.Tanh",
    }
    tiny.write_json(tmp_path / "2_Dense" / "config.json", own)
    weight, bias = torch.randn(8, 32), torch.randn(8)
    save_file({"linear.weight": weight, "linear.bias": bias}, tmp_path / "2_Dense" / "model.safetensors")
    source = load_source(str(tmp_path))
    inputs = tokens()
    with torch.no_grad():
        mean = pool_tokens(model(**inputs)[0], inputs["attention_mask"], "mean")
        assert torch.allclose(source.network(**inputs), torch.tanh(mean @ weight.T + bias), atol=1e-5)
    assert source.provenance.files == ("model.safetensors", "model.safetensors")


@pytest.mark.parametrize(
    ("steps", "pooling", "message"),
    [
        (["Transformer", "Pooling", "WordWeights"], {}, "a step 'WordWeights'"),
        (
            ["Transformer", "Pooling"],
            {"pooling_mode_weightedmean_tokens": True},
            "pools by pooling_mode_weighted",
        ),
        (["Transformer", "Pooling"], {"pooling_mode": "median"}, "pools by median"),
    ],
)
def test_steps_that_are_not_known_are_refused(
    tmp_path: Path, steps: list[str], pooling: dict[str, Any], message: str
) -> None:
    save_folder(tmp_path, steps, pooling)
    with pytest.raises(SourceError, match=message):
        load_source(str(tmp_path))


def test_length_and_prompt_follow_the_folder(tmp_path: Path) -> None:
    save_folder(tmp_path, ["Transformer", "Pooling"], {})
    tiny.write_json(tmp_path / "sentence_bert_config.json", {"max_seq_length": 12})
    prompts = {"prompts": {"query": "query: ", "passage": "passage: "}, "default_prompt_name": "query"}
    tiny.write_json(tmp_path / "config_sentence_transformers.json", prompts)
    own = preprocessing_of(tmp_path)
    assert (own.max_length, own.prompt) == (12, "query: ")
    tiny.write_json(tmp_path / "config_sentence_transformers.json", {**prompts, "default_prompt_name": None})
    assert preprocessing_of(tmp_path).prompt == ""


def test_an_unknown_length_is_passed_over(tmp_path: Path) -> None:
    tiny.save_tokenizer(tmp_path)
    tiny.write_json(tmp_path / "tokenizer_config.json", {"pad_token": "[PAD]", "model_max_length": 1e30})
    assert text_preprocessing(tmp_path, {}).max_length == 512
    assert text_preprocessing(tmp_path, {"max_position_embeddings": 77}).max_length == 77


def test_lower_case_becomes_part_of_the_tokenizer(tmp_path: Path) -> None:
    from tokenizers import Tokenizer

    tiny.save_tokenizer(tmp_path)
    tiny.write_json(tmp_path / "sentence_bert_config.json", {"do_lower_case": True})
    tokenizer = Tokenizer.from_str(text_preprocessing(tmp_path, {}).tokenizer_json)
    assert tokenizer.encode("RED Dog").ids == tokenizer.encode("red dog").ids


def test_a_vocabulary_alone_makes_a_tokenizer(tmp_path: Path) -> None:
    from tokenizers import Tokenizer

    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "red", "dog"]
    (tmp_path / "vocab.txt").write_text("\n".join(words))
    tiny.write_json(tmp_path / "config.json", {"model_type": "bert"})
    tiny.write_json(tmp_path / "tokenizer_config.json", {"tokenizer_class": "BertTokenizer"})
    own = text_preprocessing(tmp_path, {"model_type": "bert"})
    assert Tokenizer.from_str(own.tokenizer_json).encode("Red dog").ids == [2, 5, 6, 3]
    assert own.pad_token == "[PAD]"


def test_without_a_tokenizer_it_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"has no tokenizer\.json, and none can be made"):
        text_preprocessing(tmp_path, {})
    (tmp_path / "tokenizer.json").write_text("{")
    with pytest.raises(SourceError, match="cannot be read"):
        text_preprocessing(tmp_path, {})
