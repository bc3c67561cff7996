"""A tokenizer with its prompt inside gives what the prompt before the text gives."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from headstart.runs.prompts import tokenizer_settings, tokenizer_with_prompt

from .conftest import WORDS, tokenizer_json

PROMPT = "query: "


def encode(text: str, tokenizer: str, max_length: int = 12) -> list[int]:
    loaded = Tokenizer.from_str(tokenizer)
    loaded.enable_truncation(max_length)
    ids: list[int] = loaded.encode(text).ids
    return ids


@given(text=st.lists(st.sampled_from([*WORDS, "Hello", "[MASK]", "  ", "?!"]), max_size=20).map(" ".join))
@settings(max_examples=60, deadline=None)
def test_same_tokens_as_the_prompt_before_the_text(text: str) -> None:
    original = tokenizer_json()
    inside, is_inside = tokenizer_with_prompt(original, PROMPT, 12)
    assert is_inside
    assert Tokenizer.from_str(inside).encode(text).ids == encode(PROMPT + text, original)


def test_no_prompt_changes_nothing_but_the_length() -> None:
    plain, is_inside = tokenizer_with_prompt(tokenizer_json(), "", 4)
    assert is_inside
    assert Tokenizer.from_str(plain).encode("a b c word two").ids == encode("a b c word two", plain, 4)


def byte_level(post_processor: object) -> str:
    """A tokenizer whose words carry the space before them, as RoBERTa's do."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: index for index, token in enumerate(["<s>", "</s>", *alphabet])}
    tokenizer = Tokenizer(models.BPE(vocabulary, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    if post_processor is not None:
        tokenizer.post_processor = post_processor
    text: str = tokenizer.to_str()
    return text


@pytest.mark.parametrize(
    "post_processor",
    [
        None,
        processors.RobertaProcessing(("</s>", 1), ("<s>", 0)),
        processors.Sequence(
            [
                processors.ByteLevel(),
                processors.TemplateProcessing("<s> $A </s>", "<s> $A </s> $B", [("<s>", 0), ("</s>", 1)]),
            ]
        ),
    ],
)
def test_byte_level_tokenizers(post_processor: object) -> None:
    original = byte_level(post_processor)
    inside, is_inside = tokenizer_with_prompt(original, PROMPT, 40)
    assert is_inside
    for text in ("hello there", "a", "é 1"):
        assert Tokenizer.from_str(inside).encode(text).ids == encode(PROMPT + text, original, 40)


def test_a_tokenizer_that_cannot_hold_its_prompt_is_left_alone() -> None:
    vocabulary = {token: index for index, token in enumerate(["?", "query", "a", "b", "q"])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="?"))
    tokenizer.normalizer = normalizers.Replace(
        "a", "b"
    )  # looks like any other, yet "[a]" is a token of its own
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.add_special_tokens(["a"])
    inside, is_inside = tokenizer_with_prompt(tokenizer.to_str(), "q", 10)
    assert not is_inside
    assert json.loads(inside)["normalizer"]["type"] == "Replace"


def test_settings_name_a_class_that_takes_the_file_as_it_is() -> None:
    settings = tokenizer_settings(tokenizer_json(), 20, "[PAD]")
    assert settings["tokenizer_class"] == "PreTrainedTokenizerFast"
    assert (settings["model_max_length"], settings["pad_token"], settings["unk_token"]) == (
        20,
        "[PAD]",
        "[UNK]",
    )


@pytest.mark.real
def test_the_prompt_of_a_real_multilingual_encoder(shared: Path) -> None:
    original = (shared / "weights/multilingual-e5-small-latin/tokenizer.json").read_text()
    inside, is_inside = tokenizer_with_prompt(original, PROMPT, 64)
    assert is_inside
    for text in ("A great film.", "Ein Mann spielt Gitarre.", "¿Qué? <mask>", "word " * 100):
        assert Tokenizer.from_str(inside).encode(text).ids == encode(PROMPT + text, original, 64)
