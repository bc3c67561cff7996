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

from headstart.errors import DataError, shortened

_FILTERS = ("nearest", "bilinear", "bicubic", "lanczos", "box", "hamming")
_CROP_MODES = ("center", "squash", "border")
_LARGEST_SIDE = 4096  # pixels; a batch of images must fit in memory
_LARGEST_OFFSET = 1000  # of mean and deviation: far above 0..1, far below where float32 loses the picture
_LONGEST_SECONDS = 3600
LEAST_HZ, MOST_HZ = 100, 1_000_000  # of a recording
ALIKE_SECONDS = 1e-3  # two lengths of recordings that differ by less are the same


class _Record:
    """JSON and digest, the same for all preprocessing records."""

    modality: ClassVar[str]

    def to_json(self) -> dict[str, Any]:
        """The record as plain JSON values, with its modality."""
        return {"modality": self.modality, **json.loads(json.dumps(asdict(self)))}  # type: ignore[call-overload]

    def digest(self) -> str:
        """Hex digest of everything that decides how an item is decoded (64 characters)."""
        return hashlib.sha256(json.dumps(self.to_json(), sort_keys=True).encode()).hexdigest()

    def _check_numbers(
        self, name: str, low: float, high: float, *, n_values: int = 0, whole: bool = False
    ) -> None:
        """Refuse a field whose number, or each of its `n_values` numbers, is not in a range."""
        value = getattr(self, name)
        values = value if n_values else (value,)
        right = isinstance(values, (tuple, list)) and len(values) == (n_values or 1)
        if not right or not all(_is_number(one, whole) and low <= one <= high for one in values):
            kind = "whole number" if whole else "number"
            words = f"{n_values} {kind}s" if n_values else f"a {kind}"
            self._refuse(name, f"{words} from {low:g} to {high:.10g}")

    def _check_one_of(self, name: str, known: tuple[str, ...]) -> None:
        """Refuse a field that is not one of the known words."""
        if getattr(self, name) not in known:
            self._refuse(name, f"one of {', '.join(known)}")

    def _refuse(self, name: str, wanted: str) -> None:
        got = shortened(repr(getattr(self, name)))
        raise DataError(f"{self.modality} preprocessing: {name} must be {wanted}, got {got}")


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

    def __post_init__(self) -> None:
        """Refuse values that no picture can be prepared with.

        Raises:
            DataError: names the field, what it must be and what it is.
        """
        self._check_numbers("size", 1, _LARGEST_SIDE, n_values=2, whole=True)
        self._check_numbers("mean", -_LARGEST_OFFSET, _LARGEST_OFFSET, n_values=3)
        self._check_numbers("std", 1e-6, _LARGEST_OFFSET, n_values=3)
        self._check_one_of("interpolation", _FILTERS)
        self._check_numbers("crop_pct", 0.05, 1.5)  # checkpoints of timm have 0.875 to 1.15
        self._check_one_of("crop_mode", _CROP_MODES)


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

    def __post_init__(self) -> None:
        """Refuse a length or an id that no text can be prepared with.

        Raises:
            DataError: names the field, what it must be and what it is.
        """
        self._check_numbers("max_length", 1, 131_072, whole=True)
        self._check_numbers("pad_id", 0, 2**31 - 1, whole=True)


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

    def __post_init__(self) -> None:
        """Refuse a rate or a window that no recording can be prepared with.

        Raises:
            DataError: names the field, what it must be and what it is.
        """
        self._check_numbers("rate_hz", LEAST_HZ, MOST_HZ, whole=True)
        self._check_numbers("window_multiple_seconds", 0.01, _LONGEST_SECONDS)
        if self.max_seconds is not None:
            self._check_numbers("max_seconds", 0.01, _LONGEST_SECONDS)
        if self.window_samples is not None:
            self._check_numbers("window_samples", 1, _LONGEST_SECONDS * self.rate_hz, whole=True)

    @property
    def window_seconds(self) -> float:
        """Length of the window; no limit until `with_window` has seen the data."""
        return math.inf if self.window_samples is None else self.window_samples / self.rate_hz


Preprocessing: TypeAlias = ImagePreprocessing | TextPreprocessing | AudioPreprocessing

_RECORDS: dict[str, type[ImagePreprocessing] | type[TextPreprocessing] | type[AudioPreprocessing]] = {
    "image": ImagePreprocessing,
    "text": TextPreprocessing,
    "audio": AudioPreprocessing,
}


def preprocessing_from_json(values: Mapping[str, Any]) -> Preprocessing:
    """The record that `to_json` wrote.

    Raises:
        DataError: an unknown modality, a field that the record does not have, or a value of another type or
            out of its range.
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
    checked = record(**{name: _as_tuple(value) for name, value in given.items()})  # ranges, in plain words
    try:
        TypeAdapter[Any](record).validate_json(json.dumps(given), strict=True)
    except ValidationError as error:
        fault = error.errors()[0]
        name, got = fault["loc"][0] if fault["loc"] else "value", shortened(repr(fault["input"]))
        raise DataError(f"{record.modality} preprocessing: {name}: {fault['msg']}, got {got}") from None
    return checked


def _is_number(value: Any, whole: bool) -> bool:
    return isinstance(value, int if whole else int | float) and not isinstance(value, bool)


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
