"""How a source's inputs are made: one frozen record per modality."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, ClassVar, Literal, TypeAlias

import numpy as np
from pydantic import TypeAdapter, ValidationError

from headstart.errors import DataError


class _Record:
    """JSON and digest, the same for all preprocessing records."""

    modality: ClassVar[str]

    def to_json(self) -> dict[str, Any]:
        """The record as plain JSON values, with its modality."""
        return {"modality": self.modality, **json.loads(json.dumps(asdict(self)))}  # type: ignore[call-overload]

    def digest(self) -> str:
        """Hex digest of everything that decides how an item is decoded (64 characters)."""
        return hashlib.sha256(json.dumps(self.to_json(), sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class ImagePreprocessing(_Record):
    """How a picture becomes pixels: resize so that `size / crop_pct` is covered, crop, normalise.

    Args:
        size: (height, width) the network takes.
        mean: of the normalised channels, in 0..1.
        std: of the normalised channels, in 0..1.
        interpolation: "nearest", "bilinear", "bicubic", "lanczos", "box" or "hamming".
        crop_pct: share of the resized picture's shorter side that the crop keeps.
        crop_mode: "center" (cut the middle), "squash" (change the aspect ratio) or "border" (pad the rest).
    """

    modality: ClassVar[str] = "image"
    size: tuple[int, int] = (224, 224)
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)
    interpolation: str = "bicubic"
    crop_pct: float = 0.875
    crop_mode: Literal["center", "squash", "border"] = "center"


@dataclass(frozen=True)
class TextPreprocessing(_Record):
    """How a text becomes token ids.

    Args:
        tokenizer_json: a `tokenizers.Tokenizer` as JSON.
        max_length: tokens at most, special tokens included.
        prompt: put before every text ("query: ").
        pad_id: id of the padding token.
        pad_token: the padding token.
    """

    modality: ClassVar[str] = "text"
    tokenizer_json: str = ""
    max_length: int = 512
    prompt: str = ""
    pad_id: int = 0
    pad_token: str = "[PAD]"


@dataclass(frozen=True)
class AudioPreprocessing(_Record):
    """How a recording becomes a waveform: mono, at one rate, in one window for the whole data set.

    Args:
        rate_hz: samples per second that the network takes.
        window_samples: samples of every window; None until `with_window` has seen the data.
        max_seconds: longest window; longer recordings are cut. None: no limit.
        window_multiple_seconds: the window is rounded up to a multiple of this.
        fixed_window: the network takes one length only (`max_seconds`), whatever the data.
    """

    modality: ClassVar[str] = "audio"
    rate_hz: int = 16_000
    window_samples: int | None = None
    max_seconds: float | None = 30.0
    window_multiple_seconds: float = 1.0
    fixed_window: bool = False


Preprocessing: TypeAlias = ImagePreprocessing | TextPreprocessing | AudioPreprocessing

_RECORDS: dict[str, type[ImagePreprocessing] | type[TextPreprocessing] | type[AudioPreprocessing]] = {
    "image": ImagePreprocessing,
    "text": TextPreprocessing,
    "audio": AudioPreprocessing,
}


def preprocessing_from_json(values: Mapping[str, Any]) -> Preprocessing:
    """The record that `to_json` wrote.

    Raises:
        DataError: an unknown modality, a field that the record does not have, or a value of another type.
    """
    record = _RECORDS.get(str(values.get("modality")))
    if record is None:
        raise DataError(
            f"preprocessing must have a modality of {sorted(_RECORDS)}, got {values.get('modality')!r}."
        )
    given: dict[str, Any] = {name: value for name, value in values.items() if name != "modality"}
    unknown = sorted(set(given) - {entry.name for entry in fields(record)})
    if unknown:
        raise DataError(f"{record.modality} preprocessing has no field {', '.join(unknown)}.")
    plain: dict[str, Any] = {name: _as_tuple(value) for name, value in given.items()}
    try:
        TypeAdapter[Any](record).validate_json(json.dumps(given), strict=True)
    except ValidationError as error:
        fault = error.errors()[0]
        name = fault["loc"][0] if fault["loc"] else "value"
        raise DataError(
            f"{record.modality} preprocessing has a wrong {name}: {fault['msg']}, got {fault['input']!r}."
        ) from None
    return record(**plain)


def _as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def with_window(
    preprocessing: AudioPreprocessing, seconds: Iterable[float] | np.ndarray
) -> AudioPreprocessing:
    """Set the one window of a data set: its longest clip, rounded up, at most `max_seconds`.

    Args:
        preprocessing: a source's record.
        seconds: duration of each clip of the data set (NaN where unreadable).

    Returns:
        The record with `window_samples`; a network of fixed window gets `max_seconds`.
    """
    longest = float(np.nanmax(np.append(np.asarray(list(seconds), dtype=float), 0.0)))
    step = preprocessing.window_multiple_seconds
    # a clip of 2.0000001 s (resampling rounds) must not cost another second
    window = max(1, math.ceil(longest / step - 1e-3)) * step
    limit = preprocessing.max_seconds
    if limit is not None:
        window = limit if preprocessing.fixed_window else min(window, limit)
    return replace(preprocessing, window_samples=round(window * preprocessing.rate_hz))
