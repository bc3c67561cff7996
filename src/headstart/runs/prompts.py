"""tokenizer.json: a tokenizer that adds its prompt and cuts at its maximum length, so that it takes bare texts.

The prompt's tokens are put into the template that adds the special tokens. That is exact if the tokens of
"prompt + text" are those of the prompt followed by those of the text; if they are not (byte-level pieces
take the space before a word), a normaliser puts the prompt before the text. Both are compared with
"prompt + text" on trial texts; if neither is equal, the tokenizer is left without its prompt, and the card
shows how to add it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

TRIALS = (
    "a",
    "An example, of a text: with 12 numbers!",
    "  two  spaces\tand a line\nbreak ",
    "Ünïcödé 你好 🙂",
    "UPPER lower Mixed",
    "(brackets) [too]",
    "unbelievably-long-hyphenated-words everywhere " * 4,
)
_PROMPT = "prompt"


def prompt_is_inside(preprocessing: Mapping[str, Any]) -> bool:
    """Whether tokenizer.json of a run adds the prompt itself; True for other items than texts.

    Args:
        preprocessing: `to_json()` of the run's preprocessing.
    """
    if preprocessing["modality"] != "text":
        return True
    return tokenizer_with_prompt(
        *(preprocessing[name] for name in ("tokenizer_json", "prompt", "max_length"))
    )[1]


def tokenizer_with_prompt(tokenizer_json: str, prompt: str, max_length: int) -> tuple[str, bool]:
    """Write prompt and length into a tokenizer.

    Args:
        tokenizer_json: a `tokenizers.Tokenizer` as JSON.
        prompt: what is put before every text; may be "".
        max_length: tokens at most, special tokens included.

    Returns:
        The tokenizer as JSON, and whether the prompt is inside (True for an empty prompt).
    """
    plain = _limited(tokenizer_json, max_length)
    if not prompt:
        return plain, True
    special = [token["content"] for token in json.loads(tokenizer_json).get("added_tokens", [])][:3]
    trials = (*TRIALS, *(f"a {token} b" for token in special))
    expected = _encode(plain, [prompt + text for text in trials])
    for candidate in (_by_template(plain, prompt, expected, trials), _by_normaliser(plain, prompt)):
        if candidate is not None and _encode(candidate, trials) == expected:
            return candidate, True
    return plain, False


def tokenizer_settings(tokenizer_json: str, max_length: int, pad_token: str) -> dict[str, Any]:
    """The content of tokenizer_config.json: a class that takes tokenizer.json as it is.

    Args:
        tokenizer_json: a `tokenizers.Tokenizer` as JSON.
        max_length: tokens at most.
        pad_token: the padding token.
    """
    settings = {
        # A class of its own family would build the tokenizer anew from the vocabulary and lose the prompt.
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": max_length,
        "padding_side": "right",
        "truncation_side": "right",
        "model_input_names": ["input_ids", "attention_mask"],
        "clean_up_tokenization_spaces": False,
        "pad_token": pad_token,
    }
    unknown = json.loads(tokenizer_json)["model"].get("unk_token")
    return {**settings, "unk_token": unknown} if isinstance(unknown, str) else settings


def _limited(tokenizer_json: str, max_length: int) -> str:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_str(tokenizer_json)
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_length)
    limited: str = tokenizer.to_str()
    return limited


def _encode(tokenizer_json: str, texts: Sequence[str]) -> list[list[int]]:
    from tokenizers import Tokenizer

    return [encoding.ids for encoding in Tokenizer.from_str(tokenizer_json).encode_batch(list(texts))]


def _by_template(plain: str, prompt: str, expected: list[list[int]], trials: Sequence[str]) -> str | None:
    content = json.loads(plain)
    template = _template(content.get("post_processor"))
    if template is None:
        return None
    bare = _encode(plain, [trials[0]])[0]
    ids = _inserted(expected[0], bare)
    if ids is None:
        return None
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_str(plain)
    tokens = [tokenizer.id_to_token(token) for token in ids]
    template["special_tokens"][_PROMPT] = {"id": _PROMPT, "ids": ids, "tokens": tokens}
    for name in ("single", "pair"):
        place = next(i for i, piece in enumerate(template[name]) if "Sequence" in piece)
        template[name].insert(place, {"SpecialToken": {"id": _PROMPT, "type_id": 0}})
    return json.dumps({**content, "post_processor": template}, ensure_ascii=False)


def _inserted(longer: list[int], shorter: list[int]) -> list[int] | None:
    """What `longer` has after a start and before an end that it shares with `shorter`; the end goes first."""
    end = 0
    while end < len(shorter) and longer[-1 - end] == shorter[-1 - end]:
        end += 1
    start = len(shorter) - end
    return longer[start : len(longer) - end] if longer[:start] == shorter[:start] else None


def _template(processor: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The post-processor as a template, whichever of its forms the file has."""
    if processor is None:
        return None
    kind = processor.get("type")
    if kind == "TemplateProcessing":
        return json.loads(json.dumps(processor)) if _has_text(processor) else None
    if kind == "Sequence":
        found = [_template(part) for part in processor["processors"]]
        return next((template for template in found if template is not None), None)
    if kind not in ("BertProcessing", "RobertaProcessing"):
        return None
    (cls, cls_id), (sep, sep_id) = processor["cls"], processor["sep"]

    def special(name: str, kind: int) -> dict[str, Any]:
        return {"SpecialToken": {"id": name, "type_id": kind}}

    def text(name: str, kind: int) -> dict[str, Any]:
        return {"Sequence": {"id": name, "type_id": kind}}

    between = [special(sep, 0)] if kind == "RobertaProcessing" else []
    second = 0 if kind == "RobertaProcessing" else 1
    single = [special(cls, 0), text("A", 0), special(sep, 0)]
    return {
        "type": "TemplateProcessing",
        "single": single,
        "pair": [*single, *between, text("B", second), special(sep, second)],
        "special_tokens": {
            name: {"id": name, "ids": [number], "tokens": [name]}
            for name, number in ((cls, cls_id), (sep, sep_id))
        },
    }


def _has_text(template: Mapping[str, Any]) -> bool:
    return all(any("Sequence" in piece for piece in template[name]) for name in ("single", "pair"))


def _by_normaliser(plain: str, prompt: str) -> str:
    content = json.loads(plain)
    prepend = {"type": "Prepend", "prepend": prompt}
    old = content.get("normalizer")
    both = {"type": "Sequence", "normalizers": [prepend, old]} if old else prepend
    return json.dumps({**content, "normalizer": both}, ensure_ascii=False)
