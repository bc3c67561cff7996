"""The items themselves: paths, texts, encoded bytes or pixel arrays, fetched one by one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, TypeAlias, overload

import numpy as np

from headstart.errors import DataError

Item: TypeAlias = Path | str | bytes | np.ndarray

IMAGE_SUFFIXES = frozenset([
    "jpg", "jpeg", "jpe", "jfif", "png", "bmp", "gif", "webp", "tif", "tiff",
    "ppm", "pgm", "pbm", "pnm", "jp2", "ico", "avif", "dcm", "dicom",
])  # fmt: skip
AUDIO_SUFFIXES = frozenset([
    "wav", "flac", "ogg", "oga", "opus", "mp3", "aif", "aiff", "aifc", "au",
    "snd", "caf", "w64", "m4a", "aac", "wma", "mp4",
])  # fmt: skip
TEXT_SUFFIXES = frozenset(["txt"])


def suffix_modality(path: str | Path) -> Literal["image", "text", "audio"] | None:
    """The modality that a file's suffix stands for, None for any other suffix."""
    suffix = Path(path).suffix.lower().removeprefix(".")
    if suffix in IMAGE_SUFFIXES:
        return "image"
    if suffix in AUDIO_SUFFIXES:
        return "audio"
    return "text" if suffix in TEXT_SUFFIXES else None


def modality_of_items(items: Sequence[Any] | np.ndarray) -> Literal["image", "text", "audio"]:
    """The modality of a script's items: pictures as arrays, encoded bytes, paths by suffix, other strings as texts.

    Args:
        items: at least one item; the first decides.

    Raises:
        DataError: a path with an unknown suffix, or a type that cannot be an item.
    """
    first = items[0]
    if isinstance(first, np.ndarray):
        return "image"
    if isinstance(first, bytes):
        return _modality_of_bytes(first)
    if isinstance(first, str):
        found = suffix_modality(first) if len(first) < 4096 and Path(first).suffix else None
        return found if found in ("image", "audio") else "text"
    if isinstance(first, Path):
        found = suffix_modality(first)
        if found in ("image", "audio"):
            return found
        raise DataError(f"cannot tell from its suffix what {first} holds: pass modality='image' or 'audio'.")
    raise DataError(
        f"an item must be a path, a text or a uint8 picture, got {type(first).__name__}: "
        "pass a list of paths, a list of texts or an array of pictures."
    )


def _modality_of_bytes(encoded: bytes) -> Literal["image", "audio"]:
    """An encoded picture if PIL knows its header or it is a DICOM file, else a recording."""
    import io

    from PIL import Image, UnidentifiedImageError

    from headstart.data.dicom import is_dicom

    if is_dicom(encoded):
        return "image"
    try:
        Image.open(io.BytesIO(encoded))
    except (UnidentifiedImageError, OSError, ValueError):
        return "audio"
    return "image"


def is_one_picture(array: np.ndarray) -> bool:
    """Whether an array is one picture, of shape (H, W) or (H, W, 3), and not several of shape (H, W)."""
    is_numeric = np.issubdtype(array.dtype, np.number)
    return is_numeric and (array.ndim == 2 or (array.ndim == 3 and array.shape[2] == 3))


class ItemView(Sequence[Item]):
    """Items of one or more sequences in a chosen order; an item is read only when it is used.

    Args:
        parts: sequences one after the other (arrays may be memory maps).
        positions: which of their items, in which order; None for all.
        wrap: turns a value of a part into an item (for example a data set's row into bytes).
    """

    def __init__(
        self,
        parts: Sequence[Any],
        positions: np.ndarray | None = None,
        wrap: Callable[[Any], Item] | None = None,
    ) -> None:
        self._parts = list(parts)
        self._starts = np.cumsum([0] + [len(part) for part in self._parts])
        self._positions = (
            np.arange(self._starts[-1]) if positions is None else np.asarray(positions, dtype=np.int64)
        )
        self._wrap = wrap

    def __len__(self) -> int:
        return len(self._positions)

    @overload
    def __getitem__(self, index: int) -> Item: ...
    @overload
    def __getitem__(self, index: slice) -> ItemView: ...
    def __getitem__(self, index: int | slice) -> Item | ItemView:
        if isinstance(index, slice):
            return self.take(np.arange(len(self))[index])
        position = int(self._positions[index])
        if len(self._parts) == 1:
            found = self._parts[0][position]
        else:
            part = int(np.searchsorted(self._starts, position, side="right")) - 1
            found = self._parts[part][position - int(self._starts[part])]
        return found if self._wrap is None else self._wrap(found)

    def take(self, positions: np.ndarray) -> ItemView:
        """The items at some positions of this view, as a view."""
        return ItemView(self._parts, self._positions[positions], self._wrap)


def take_items(items: Sequence[Item], positions: np.ndarray) -> Sequence[Item]:
    """The items at some positions: a list for a list, a view that reads nothing for anything else.

    Args:
        items: N items.
        positions: int64 positions into them.
    """
    if isinstance(items, ItemView):
        return items.take(positions)
    if isinstance(items, np.ndarray):
        return ItemView([items], positions)
    return [items[int(position)] for position in positions]


def item_name(item: Item) -> str:
    """The name of an item in an error, if no better name is known."""
    if isinstance(item, Path):
        return str(item)
    if isinstance(item, str):
        return f"text {item[:40]!r}"
    return f"{type(item).__name__} item"
