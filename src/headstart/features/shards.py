"""The shard file: named tensors of some items in the safetensors layout, whole or absent, with a checksum.

A shard is written under a temporary name and renamed when it is complete, so that no reader ever sees half of
one. Its name is `<composition>-<crc32>.safetensors`: what items it holds, and the checksum of all its
bytes. The layout is that of https://github.com/huggingface/safetensors (eight bytes with the header's
length, a JSON header, the data), written here part by part so that a shard never has to be joined in memory,
and with the same bytes for the same tensors. Any safetensors reader opens it.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch
from torch import Tensor

from headstart.files import open_regular, put_in_place
from headstart.locks import create_locked

SUFFIX = ".safetensors"
TEMPORARY = ".tmp-"
_CODES = {
    torch.float32: "F32",
    torch.bfloat16: "BF16",
    torch.float16: "F16",
    torch.float64: "F64",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.int16: "I16",
    torch.int8: "I8",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}
_DTYPES = {code: dtype for dtype, code in _CODES.items()}
_BUFFER_BYTES = 1 << 20


class DamagedShard(Exception):
    """A shard whose bytes are not the ones that were written."""


@dataclass(frozen=True)
class Layout:
    """Where one tensor lies in a shard.

    Attributes:
        dtype: its type.
        stored_shape: the shape of the bytes as they lie, axes in order of falling stride.
        axes: the order of the tensor's own axes in `stored_shape` (channels_last is (0, 2, 3, 1)).
        start: the first byte, counted from the beginning of the file.
        n_bytes: how many bytes.
    """

    dtype: torch.dtype
    stored_shape: tuple[int, ...]
    axes: tuple[int, ...]
    start: int
    n_bytes: int

    def empty(self, n_rows: int) -> Tensor:
        """A tensor of another number of rows in the same memory order, its values not set."""
        return self.in_order(torch.empty((n_rows, *self.stored_shape[1:]), dtype=self.dtype))

    def in_order(self, stored: Tensor) -> Tensor:
        """The tensor in its own axes, from one whose axes lie as stored."""
        return stored.permute(sorted(range(len(self.axes)), key=self.axes.__getitem__))


def write_shard(folder: Path, composition: str, tensors: Mapping[str, Sequence[Tensor]]) -> Path:
    """Write tensors as one shard, whole or not at all.

    Args:
        folder: where the shard goes.
        composition: the first part of its name, a digest of the items it holds.
        tensors: name to the parts of each tensor, to be joined along the first axis; on the CPU, of one shape
            except for the first axis, and of one memory order.

    Returns:
        The path of the shard.

    Raises:
        OSError: the disk is full or cannot be written; nothing is left behind.
    """
    header = _header(tensors)
    file, temporary = create_locked(folder, TEMPORARY)
    try:
        with file:
            checksum = _write(file, header, 0)
            for name in _file_order(tensors):
                for part in tensors[name]:
                    checksum = _write(file, _bytes_of(part), checksum)
            path = folder / f"{composition}-{checksum:08x}{SUFFIX}"
            put_in_place(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    return path


def verify_shard(path: Path) -> bool:
    """Return whether a shard has the checksum in its name; reads through one small buffer."""
    checksum = 0
    buffer = bytearray(_BUFFER_BYTES)
    view = memoryview(buffer)
    with open_regular(path, follow=False) as file:
        while n_read := file.readinto(buffer):
            checksum = zlib.crc32(view[:n_read], checksum)
    return path.name.removesuffix(SUFFIX).endswith(f"-{checksum:08x}")


def read_layout(path: Path) -> dict[str, Layout]:
    """Read the header of a shard.

    Raises:
        DamagedShard: the header cannot be read, or does not describe the file as `write_shard` would.
    """
    with open_regular(path, follow=False) as file:
        size = os.fstat(file.fileno()).st_size
        length = int.from_bytes(file.read(8), "little")
        if length > size:
            raise DamagedShard(path.name)
        text = file.read(length)
    try:
        header = json.loads(text)
        axes = json.loads(header.pop("__metadata__")["axes"])
        layouts = {
            name: Layout(
                dtype=_DTYPES[entry["dtype"]],
                stored_shape=tuple(entry["shape"]),
                axes=tuple(axes[name]),
                start=8 + length + entry["data_offsets"][0],
                n_bytes=entry["data_offsets"][1] - entry["data_offsets"][0],
            )
            for name, entry in header.items()
        }
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DamagedShard(path.name) from error
    end = 8 + length
    for layout in sorted(layouts.values(), key=lambda layout: (layout.start, layout.n_bytes)):
        if layout.start != end or not _is_consistent(layout):
            raise DamagedShard(path.name)
        end += layout.n_bytes
    if end != size:
        raise DamagedShard(path.name)
    return layouts


def _is_consistent(layout: Layout) -> bool:
    """Whether type, shape, axes and number of bytes agree, with the rows first."""
    shape, axes = layout.stored_shape, layout.axes
    numbers = (*shape, *axes, layout.start, layout.n_bytes)
    if not all(type(number) is int and number >= 0 for number in numbers):
        return False
    in_order = sorted(axes) == list(range(len(shape))) and axes[:1] == (0,)
    return in_order and layout.n_bytes == math.prod(shape) * layout.dtype.itemsize


def map_tensor(path: Path, layout: Layout) -> Tensor:
    """Map one tensor of a shard into memory; only the rows that are read are loaded.

    Args:
        path: the shard.
        layout: the tensor's place, of `read_layout`.

    Returns:
        The tensor in its own axes and memory order; writing to it does not change the file.
    """
    if layout.n_bytes == 0:
        stored = torch.empty(layout.stored_shape, dtype=layout.dtype)
    else:
        with open_regular(path, follow=False) as file:
            raw = np.memmap(file, dtype=np.uint8, mode="c", offset=layout.start, shape=(layout.n_bytes,))
        stored = torch.from_numpy(raw).view(layout.dtype).reshape(layout.stored_shape)
    return layout.in_order(stored)


def _file_order(tensors: Mapping[str, Sequence[Tensor]]) -> list[str]:
    """Names, the widest types first, so that a tensor starts at a multiple of its own element size."""
    return sorted(tensors, key=lambda name: (-tensors[name][0].element_size(), name))


def _header(tensors: Mapping[str, Sequence[Tensor]]) -> bytes:
    """The header of a shard, padded so that the data starts at a multiple of 8."""
    entries: dict[str, object] = {}
    axes: dict[str, tuple[int, ...]] = {}
    start = 0
    for name in _file_order(tensors):
        parts = tensors[name]
        order = memory_order(parts[0])
        shape = [sum(part.shape[0] for part in parts), *(parts[0].shape[axis] for axis in order[1:])]
        n_bytes = math.prod(shape) * parts[0].element_size()
        entries[name] = {
            "dtype": _CODES[parts[0].dtype],
            "shape": shape,
            "data_offsets": [start, start + n_bytes],
        }
        axes[name] = order
        start += n_bytes
    text = json.dumps({"__metadata__": {"axes": json.dumps(axes)}, **entries}, separators=(",", ":"))
    padded = text.encode() + b" " * (-len(text.encode()) % 8)
    return len(padded).to_bytes(8, "little") + padded


def memory_order(tensor: Tensor) -> tuple[int, ...]:
    """The axes of a tensor in order of falling stride, the item axis always first."""
    strides = tensor.stride()
    sizes = tensor.shape
    inner = list(range(1, tensor.dim()))
    inner.sort(key=lambda axis: (-strides[axis] if sizes[axis] > 1 else 0, axis))
    if tensor.is_contiguous():
        inner = list(range(1, tensor.dim()))
    return (0, *inner)


def _bytes_of(part: Tensor) -> memoryview:
    """The bytes of a tensor in its memory order, without a copy where it lies densely."""
    dense = part.detach().permute(memory_order(part)).contiguous()
    return memoryview(dense.reshape(-1).view(torch.uint8).numpy())  # type: ignore[arg-type]


def _write(file: BinaryIO, data: bytes | memoryview, checksum: int) -> int:
    """Write all of the data; returns the checksum carried on."""
    view = memoryview(data)
    checksum = zlib.crc32(view, checksum)
    while len(view):
        n_written = file.write(view)
        view = view[n_written:]
    return checksum
