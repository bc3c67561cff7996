"""The lines of Python that use a run without headstart, written for its own preprocessing."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment

_NEEDS = {
    "image": "torch numpy pillow",
    "text": "torch tokenizers",
    "audio": "torch numpy soundfile soxr",
}
_NEEDS_OF_ONNX = {
    "image": "onnxruntime numpy pillow",
    "text": "onnxruntime numpy tokenizers",
    "audio": "onnxruntime numpy soundfile soxr",
}
_CALLS = {
    "image-classification": '("photo.jpg")',
    "text-classification": '("some text", top_k=None, truncation=True)',
    "audio-classification": "(samples)",
}


def program_lines(
    preprocessing: Mapping[str, Any],
    prompt_inside: bool = True,
    digests: Mapping[str, str] = MappingProxyType({}),
    onnx: str = "",
) -> str:
    """Python that loads model.pt2 or an ONNX file, prepares items as the run did, and gives probabilities.

    The lines define `predict(items)`, for paths or texts, and `classes`. They run in the run's folder.

    Args:
        preprocessing: `to_json()` of the run's preprocessing.
        prompt_inside: text: whether tokenizer.json adds the prompt itself.
        digests: sha256 of the run's files; the lines check those that they open.
        onnx: name of an ONNX file, which onnxruntime opens in place of model.pt2.
    """
    modality = preprocessing["modality"]
    facts = dict(preprocessing)
    if modality == "image":
        height, width = preprocessing["size"]
        crop = preprocessing["crop_pct"]
        facts |= {
            "height": height,
            "width": width,
            "scaled_height": math.floor(height / crop),
            "scaled_width": math.floor(width / crop),
            "filter": str(preprocessing["interpolation"]).upper(),
            "mean": list(preprocessing["mean"]),
            "std": list(preprocessing["std"]),
            "fill": tuple(round(255 * value) for value in preprocessing["mean"]),
        }
    facts |= {"prompt_inside": prompt_inside, "onnx": onnx}
    opened = (onnx, f"{onnx}.data") if onnx else ("model.pt2", "head.json")
    facts["digests"] = {name: digests[name] for name in (*opened, "tokenizer.json") if name in digests}
    return environment().get_template(f"{modality}.py.j2").render(facts).strip() + "\n"


def needed_packages(modality: str, *, onnx: bool = False) -> str:
    """The packages that `program_lines` import, by the names that pip takes.

    Args:
        modality: of the items.
        onnx: whether the lines open an ONNX file.
    """
    return (_NEEDS_OF_ONNX if onnx else _NEEDS)[modality]


def pipeline_lines(task: str) -> str:
    """Python that opens the run's folder with transformers."""
    loading = f'pipeline("{task}", model=".")'
    return f"from transformers import pipeline\n\nclassify = {loading}\nprint(classify{_CALLS[task]})\n"


@lru_cache(maxsize=1)
def environment() -> Environment:
    """The templates of this package: plain text, escaped only where a template says so."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    templates = Environment(
        loader=PackageLoader("headstart.runs"),
        undefined=StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    templates.filters["cell"] = cell
    templates.filters["in_code"] = in_code
    templates.filters["listed"] = listed
    return templates


def cell(value: object) -> str:
    """Text as it may stand in a Markdown table: no line break, no bar, no markup."""
    text = " ".join(str(value).split()) or "(empty)"
    for character in "\\`*_{}[]<>|#":
        text = text.replace(character, f"\\{character}")
    return text


def in_code(value: object) -> str:
    """Text as it may stand between backticks: no line break, no backtick."""
    return " ".join(str(value).split()).replace("`", "'") or "(empty)"


def listed(values: Sequence[object], limit: int = 20) -> str:
    """Values in one line, the rest counted: "a, b and 3 more"."""
    shown = ", ".join(cell(value) for value in values[:limit])
    return f"{shown} and {len(values) - limit:,} more" if len(values) > limit else shown
