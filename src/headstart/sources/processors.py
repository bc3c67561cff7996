"""Read preprocessor_config.json of a folder of transformers as headstart's own preprocessing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, cast

from headstart.data.preprocessing import AudioPreprocessing, ImagePreprocessing
from headstart.errors import DataError, SourceError

# PIL's numbers of the filters, as image processors store them.
_FILTERS = {0: "nearest", 1: "lanczos", 2: "bilinear", 3: "bicubic", 4: "box", 5: "hamming"}
_CropMode = Literal["center", "squash", "border"]


@contextmanager
def values_of(path: Path) -> Iterator[None]:
    """Name the file in the error for preprocessing that no input can be prepared with.

    Raises:
        SourceError: in the place of a DataError.
    """
    try:
        yield
    except DataError as error:
        raise SourceError(f"{path}: {error}") from None


def image_preprocessing(processor: Mapping[str, Any], where: Path) -> ImagePreprocessing:
    """Return an image processor's size, crop, filter, mean and deviation.

    A height and a width alone squash the image; a shortest edge keeps its aspect ratio and the middle is cut out.

    Args:
        processor: preprocessor_config.json.
        where: its folder, for the message.

    Raises:
        SourceError: the size is missing, or values are not rescaled to 0..1.
    """
    size = processor.get("size")
    if size is None or not processor.get("do_resize", True):
        raise SourceError(
            f"preprocessor_config.json in {where} does not give the size that images are resized to."
        )
    if not processor.get("do_rescale", True):
        raise SourceError(
            f"preprocessor_config.json in {where} keeps values in 0..255, which is not supported."
        )
    height, width, crop_pct, crop_mode = _geometry(processor, size)
    normalised = processor.get("do_normalize", True)
    mean = processor.get("image_mean") if normalised else (0.0, 0.0, 0.0)
    std = processor.get("image_std") if normalised else (1.0, 1.0, 1.0)
    if mean is None or std is None:
        raise SourceError(f"preprocessor_config.json in {where} does not give image_mean and image_std.")
    return ImagePreprocessing(
        size=(height, width),
        mean=three(mean),
        std=three(std),
        interpolation=_FILTERS.get(number := int(processor.get("resample", 2)), str(number)),
        crop_pct=crop_pct,
        crop_mode=crop_mode,
    )


def audio_preprocessing(processor: Mapping[str, Any], where: Path) -> AudioPreprocessing:
    """Return the rate and the window of a feature extractor.

    Args:
        processor: preprocessor_config.json.
        where: its folder, for the message.

    Raises:
        SourceError: the rate is missing.
    """
    rate_hz = processor.get("sampling_rate")
    if rate_hz is None:
        raise SourceError(
            f"preprocessor_config.json in {where} is missing or does not give sampling_rate: add it, as in "
            '{"sampling_rate": 16000, "do_normalize": true}.'
        )
    if processor.get("feature_extractor_type") == "ASTFeatureExtractor":
        seconds = int(processor.get("max_length", 1024)) * 0.01
        return AudioPreprocessing(rate_hz=int(rate_hz), max_seconds=seconds, fixed_window=True)
    return AudioPreprocessing(rate_hz=int(rate_hz), max_seconds=float(processor.get("chunk_length", 30)))


def crop_mode(named: Any) -> _CropMode:
    """Return how an image is fitted, "center" if nothing is named; the record refuses what it does not know."""
    return cast(_CropMode, named or "center")


def three(values: Any) -> tuple[float, float, float]:
    """Return one value per colour; a single value is used for all three."""
    listed = [float(values)] if isinstance(values, int | float) else [float(value) for value in values]
    red, green, blue = listed * 3 if len(listed) == 1 else listed
    return (red, green, blue)


def _geometry(processor: Mapping[str, Any], size: Any) -> tuple[int, int, float, _CropMode]:
    """Height, width, crop_pct and crop_mode of an image processor."""
    if isinstance(size, int):
        size = {"height": size, "width": size}
    crop = processor.get("crop_size")
    if crop is not None and processor.get("do_center_crop", False):
        height, width = (crop, crop) if isinstance(crop, int) else (crop["height"], crop["width"])
        if "shortest_edge" in size:
            return int(height), int(width), min(height, width) / size["shortest_edge"], "center"
        return int(height), int(width), min(height / size["height"], width / size["width"]), "squash"
    if "shortest_edge" in size:
        edge = int(size["shortest_edge"])
        # ConvNext's processor resizes to edge / crop_pct and cuts the middle out, and squashes from 384 px on
        crop_pct = float(processor.get("crop_pct") or 1.0)
        return edge, edge, crop_pct if edge < 384 else 1.0, "center" if edge < 384 else "squash"
    return int(size["height"]), int(size["width"]), 1.0, "squash"
