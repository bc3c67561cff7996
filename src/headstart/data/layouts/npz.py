"""Read an npz of arrays (MedMNIST's layout): only the pictures that are used are in memory.

Keys: `{train,val,test}_images` with `{train,val,test}_labels`, or `images`/`x`/`data` with `labels`/`y`.
Legend: N items, H height, W width. Images are uint8 (N, H, W) or (N, H, W, 3); labels (N,),
(N, 1), or (N, C) of 0 and 1 for several labels per picture.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from headstart.data.columns import require_column
from headstart.data.examples import Examples, string_array
from headstart.data.given_split import given_split, part_of
from headstart.data.items import ItemView
from headstart.data.layouts.npz_arrays import StoredArray, open_npz
from headstart.data.place import Place, ReadOptions
from headstart.errors import DataError

_IMAGE_KEYS = ("images", "image", "x", "data", "imgs")
_LABEL_KEYS = ("labels", "label", "y", "targets", "target")


DESCRIPTION = "an npz of arrays"


def matches(place: Place) -> bool:
    """Whether there is an npz file."""
    return place.is_file and place.suffix == ".npz"


def read(place: Place, options: ReadOptions) -> Examples:
    """Pictures and labels of an npz file.

    Raises:
        DataError: it is damaged, keys are missing, or shapes and types are not those of pictures.
    """
    path = place.path
    _refuse_columns(path, options)
    arrays = open_npz(path)
    found = _parts(arrays)
    if not found:
        raise DataError(
            f"{path} has no pictures: expected train_images with train_labels (and val_, test_), or images "
            f"with labels. Arrays: {', '.join(arrays) or 'none'}."
        )
    images: list[Sequence[Any]] = []
    labels: list[str] = []
    names: list[str] = []
    parts: list[str] = []
    for part, image_key, label_key in found:
        pictures = _pictures(path, image_key, arrays[image_key])
        images.append(pictures)
        names += [f"{image_key}[{index}]" for index in range(len(pictures))]
        parts += [part] * len(pictures)
        if label_key is not None:
            labels += _labels(path, label_key, arrays[label_key].whole(), len(pictures))
        elif options.labels_required:
            expected = image_key.replace("images", "labels")
            raise DataError(f"{path}: labels of {image_key} are missing; expected an array {expected}.")
        else:
            labels += [""] * len(pictures)
    labels, notes = _one_hot_as_classes(labels)
    parted = all(part_of(part) for part in parts) and (options.labels_required or "train" in parts)
    splits, origin = given_split(string_array(parts), "the arrays' names") if parted else (None, "")
    return Examples(
        modality="image",
        items=ItemView(images),
        names=string_array(names),
        labels=string_array(labels) if any(labels) else None,
        splits=splits,
        root=path.parent,
        split_origin=origin,
        notes=notes,
        where=str(path),
    )


def _refuse_columns(path: Path, options: ReadOptions) -> None:
    """Refuse options that name columns: arrays have labels alone."""
    if options.target is not None:
        require_column(options.target, ["label"], str(path), "--target")
    for option, name in (("--group", options.group), ("--domain", options.domain)):
        if name is not None:
            require_column(name, [], str(path), option)


def _parts(arrays: Iterable[str]) -> list[tuple[str, str, str | None]]:
    """(part, images' key, labels' key) of each part, train first; part "" if there is only one."""
    by_fold = {key.casefold(): key for key in arrays}
    found: list[tuple[str, str, str | None]] = []
    for prefix in ("train", "training", "val", "valid", "validation", "dev", "test"):
        for separator in ("_", "-", "."):
            image = next((k for n in _IMAGE_KEYS if (k := by_fold.get(f"{prefix}{separator}{n}"))), None)
            label = next((k for n in _LABEL_KEYS if (k := by_fold.get(f"{prefix}{separator}{n}"))), None)
            if image is None and separator == "_":
                image, label = by_fold.get(f"x_{prefix}"), by_fold.get(f"y_{prefix}")
            if image is not None:
                found.append((prefix, image, label))
                break
    if not found:
        image = next((by_fold[name] for name in _IMAGE_KEYS if name in by_fold), None)
        label = next((by_fold[name] for name in _LABEL_KEYS if name in by_fold), None)
        if image is not None:
            found.append(("", image, label))
    return found


def _pictures(path: Path, key: str, array: StoredArray) -> Any:
    """The array as a sequence of pictures, (H, W) or (H, W, 3)."""
    shape = array.shape
    channels_first = len(shape) == 4 and shape[3] not in (1, 3) and shape[1] in (1, 3)
    if len(shape) not in (3, 4) or (len(shape) == 4 and shape[3] not in (1, 3) and not channels_first):
        raise DataError(f"{path}, {key}: pictures must be (N, H, W) or (N, H, W, 3), got {shape}.")
    if array.dtype != np.uint8:
        raise DataError(
            f"{path}, {key}: pictures must be uint8 in 0..255, got {array.dtype}. Scale and convert them, "
            "for example (images * 255).round().astype('uint8')."
        )

    def plain(picture: np.ndarray) -> np.ndarray:
        if channels_first:
            picture = picture.transpose(1, 2, 0)
        return picture[..., 0] if picture.ndim == 3 and picture.shape[2] == 1 else picture

    if array.checksums is None:
        return [plain(picture) for picture in array.whole()]
    return replace(array, then=plain)


def _labels(path: Path, key: str, array: np.ndarray, n_items: int) -> list[str]:
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim == 2 and len(array) == n_items and np.isin(array, (0, 1)).all():
        return [json.dumps([str(column) for column in np.flatnonzero(row)]) for row in array]
    if array.ndim != 1 or len(array) != n_items:
        raise DataError(
            f"{path}, {key}: one label for each of {n_items:,} pictures is needed, got shape {array.shape}."
        )
    return [value.decode() if isinstance(value, bytes) else str(value) for value in array.tolist()]


def _one_hot_as_classes(labels: list[str]) -> tuple[list[str], tuple[str, ...]]:
    """Rows of 0 and 1 with a single 1 each are a way to write classes; any others are sets of labels."""
    given = [label for label in labels if label]
    if not given or not all(label.startswith("[") for label in given):
        return labels, ()
    rows = [json.loads(label) if label else [""] for label in labels]
    if any(len(row) != 1 for row in rows):
        return labels, ()
    note = "Each row of the labels holds a single 1: taken as one class each. For labels, pass --task multilabel."
    return [row[0] for row in rows], (note,)
