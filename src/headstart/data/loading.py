"""Batches of decoded inputs, made ahead of the consumer in threads, in order.

An item's tensor depends on the item and the preprocessing alone: not on its neighbours, not on threads.
Decoders (libjpeg, Pillow's resize, libsndfile, soxr, numpy) release the interpreter lock, so threads are
enough.

Legend: N items of a batch, H height, W width, T tokens.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from headstart.data.audio import decode_audio, fit_window
from headstart.data.augment import (
    Augment,
    augment_text,
    augment_waveform,
    speed_factor,
    trivial_augment,
)
from headstart.data.geometry import CropPlan
from headstart.data.images import decode_pixels
from headstart.data.items import Item
from headstart.data.preprocessing import (
    AudioPreprocessing,
    ImagePreprocessing,
    Preprocessing,
    TextPreprocessing,
)
from headstart.data.texts import encode_all, encode_texts, pad_ids, padded_length
from headstart.errors import DataError

Batch = tuple[np.ndarray, dict[str, Tensor]]
_CHUNK = (
    8  # items per task: many enough to keep the cost of a task small, few enough to keep all threads busy
)
_MIN_AHEAD = 2


def plan_batches(
    items: Sequence[Item], preprocessing: Preprocessing, *, batch_size: int, tokens_per_batch: int = 2048
) -> list[np.ndarray]:
    """Positions of each batch.

    Args:
        items: N items.
        preprocessing: the source's.
        batch_size: items per batch, for pictures and recordings.
        tokens_per_batch: for texts: padded tokens per batch; each batch holds texts of one padded length.

    Returns:
        int64 arrays that together hold each position once: in order for pictures and recordings, from the
        longest to the shortest for texts (what needs most memory comes first).
    """
    if isinstance(preprocessing, TextPreprocessing):
        texts = [str(item) for item in items]
        lengths = np.array([len(ids) for ids in encode_all(texts, preprocessing)], dtype=np.int64)
        padded = np.array([padded_length(int(n), preprocessing.max_length) for n in lengths], dtype=np.int64)
        batches: list[np.ndarray] = []
        for width in sorted(set(padded.tolist()), reverse=True):
            inside = np.flatnonzero(padded == width)
            inside = inside[np.argsort(-lengths[inside], kind="stable")]
            step = max(1, tokens_per_batch // width)
            batches += [inside[start : start + step] for start in range(0, len(inside), step)]
        return batches
    positions = np.arange(len(items), dtype=np.int64)
    return [positions[start : start + batch_size] for start in range(0, len(items), max(1, batch_size))]


def load_batches(
    items: Sequence[Item],
    preprocessing: Preprocessing,
    batches: Sequence[np.ndarray],
    *,
    threads: int,
    digests: np.ndarray | None = None,
    augment: Augment | None = None,
    exact: bool = False,
) -> Iterator[Batch]:
    """Decode batches ahead in threads, in the order given.

    Args:
        items: all items, indexed by position.
        preprocessing: the source's; for recordings with `window_samples` set.
        batches: positions of each batch.
        threads: that decode.
        digests: (N,) digest of each item's content as the scan saw it: a file with another content is an error;
            None: contents are not compared.
        augment: a view to make in place of the evaluation input.
        exact: decode pictures bit for bit as the libraries do, which is slower.

    Yields:
        (positions, inputs): pictures {"pixels": float32 (N, 3, H, W), channels last in memory}; texts
        {"input_ids", "attention_mask": int64 (N, T)}; recordings {"waveform": float32 (N, window), "lengths":
        int64 (N,)}.

    Raises:
        DataError: an item cannot be decoded, or its file has changed; the first one in order is named.
    """
    maker = _maker(items, preprocessing, digests, augment, exact)
    n_ahead = _batches_ahead(batches, maker, threads)
    with ThreadPoolExecutor(max_workers=max(1, threads), thread_name_prefix="decode") as pool:
        waiting: deque[tuple[np.ndarray, dict[str, np.ndarray], list[Future[None]]]] = deque()
        try:
            for positions in batches:
                waiting.append(_start(pool, maker, np.asarray(positions, dtype=np.int64)))
                if len(waiting) > n_ahead:
                    yield _finish(waiting.popleft(), maker)
            while waiting:
                yield _finish(waiting.popleft(), maker)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _batches_ahead(batches: Sequence[np.ndarray], maker: _Maker, threads: int) -> int:
    """Number of batches prepared ahead: enough to give each thread two tasks, and no more."""
    longest = max((len(positions) for positions in batches), default=1)
    tasks = max(1, -(-longest // maker.chunk)) if maker.chunk else 1
    return max(_MIN_AHEAD, -(-2 * max(1, threads) // tasks))


@dataclass(frozen=True)
class _Maker:
    """How a batch is allocated, filled (in threads, rows at a time) and handed over."""

    allocate: Callable[[np.ndarray], dict[str, np.ndarray]]
    fill: Callable[[dict[str, np.ndarray], np.ndarray, int, int], None]
    hand_over: Callable[[dict[str, np.ndarray]], dict[str, Tensor]]
    chunk: int | None = _CHUNK


def _start(
    pool: ThreadPoolExecutor, maker: _Maker, positions: np.ndarray
) -> tuple[np.ndarray, dict[str, np.ndarray], list[Future[None]]]:
    arrays = maker.allocate(positions)
    step = maker.chunk or max(1, len(positions))
    futures = [
        pool.submit(maker.fill, arrays, positions, start, min(start + step, len(positions)))
        for start in range(0, len(positions), step)
    ]
    return positions, arrays, futures


def _finish(started: tuple[np.ndarray, dict[str, np.ndarray], list[Future[None]]], maker: _Maker) -> Batch:
    positions, arrays, futures = started
    for future in futures:
        future.result()
    return positions, maker.hand_over(arrays)


def _maker(
    items: Sequence[Item],
    preprocessing: Preprocessing,
    digests: np.ndarray | None,
    augment: Augment | None,
    exact: bool,
) -> _Maker:
    def digest_at(position: int) -> str:
        return "" if digests is None else str(digests[position])

    if isinstance(preprocessing, ImagePreprocessing):
        return _image_maker(items, preprocessing, digest_at, augment, exact)
    if isinstance(preprocessing, AudioPreprocessing):
        return _audio_maker(items, preprocessing, digest_at, augment)
    return _text_maker(items, preprocessing, augment)


def _image_maker(
    items: Sequence[Item],
    preprocessing: ImagePreprocessing,
    digest_at: Callable[[int], str],
    augment: Augment | None,
    exact: bool,
) -> _Maker:
    height, width = preprocessing.size
    # one row of the picture at a time: numpy's inner loop would otherwise be 3 long
    scale = np.tile(1.0 / (255.0 * np.array(preprocessing.std)), width).astype(np.float32)
    shift = np.tile(np.array(preprocessing.mean) / np.array(preprocessing.std), width).astype(np.float32)

    def allocate(positions: np.ndarray) -> dict[str, np.ndarray]:
        return {"pixels": np.empty((len(positions), height, width, 3), dtype=np.float32)}

    def fill(arrays: dict[str, np.ndarray], positions: np.ndarray, start: int, end: int) -> None:
        for row in range(start, end):
            position = int(positions[row])
            plan = None
            if augment is not None:
                plan = CropPlan(augment.item_seed(position), augment.crop_scale, flip=augment.flip)
            item, digest = items[position], digest_at(position)
            pixels = decode_pixels(item, preprocessing, plan, draft=not exact, digest=digest)
            if augment is not None and augment.kind == "trivial":
                pixels = trivial_augment(pixels, augment.item_seed(position))
            if pixels.ndim == 2:
                pixels = np.repeat(pixels[:, :, None], 3, axis=2)
            out = arrays["pixels"][row].reshape(height, width * 3)
            np.multiply(pixels.reshape(height, width * 3), scale, out=out)
            np.subtract(out, shift, out=out)

    def hand_over(arrays: dict[str, np.ndarray]) -> dict[str, Tensor]:
        return {"pixels": torch.from_numpy(arrays["pixels"]).permute(0, 3, 1, 2)}

    return _Maker(allocate, fill, hand_over)


def _audio_maker(
    items: Sequence[Item],
    preprocessing: AudioPreprocessing,
    digest_at: Callable[[int], str],
    augment: Augment | None,
) -> _Maker:
    window = preprocessing.window_samples
    if window is None:
        raise DataError(
            "recordings need one window for the data set: call with_window(preprocessing, scan.seconds)."
        )
    rate_hz = preprocessing.rate_hz
    seconds = window / rate_hz

    def allocate(positions: np.ndarray) -> dict[str, np.ndarray]:
        n_items = len(positions)
        return {
            "waveform": np.zeros((n_items, window), dtype=np.float32),
            "lengths": np.zeros(n_items, dtype=np.int64),
        }

    def fill(arrays: dict[str, np.ndarray], positions: np.ndarray, start: int, end: int) -> None:
        for row in range(start, end):
            position = int(positions[row])
            item, digest = items[position], digest_at(position)
            if augment is None:
                waveform = decode_audio(item, rate_hz, seconds, digest)
            else:
                seed = augment.item_seed(position)
                # a faster recording needs more samples to fill the window
                factor = speed_factor(seed, augment)
                taken = seconds if factor == 1.0 else (window + 1) * factor / rate_hz
                waveform = decode_audio(item, rate_hz, taken, digest)
                waveform = augment_waveform(waveform, seed, augment, rate_hz)
            arrays["waveform"][row], arrays["lengths"][row] = fit_window(waveform, window)

    return _Maker(allocate, fill, _as_tensors)


def _text_maker(items: Sequence[Item], preprocessing: TextPreprocessing, augment: Augment | None) -> _Maker:
    encoded = None if augment is not None else encode_all([str(item) for item in items], preprocessing)

    def fill(arrays: dict[str, Any], positions: np.ndarray, start: int, end: int) -> None:
        if encoded is not None:
            ids = [encoded[int(position)] for position in positions]
        else:
            assert augment is not None
            ids = encode_texts(
                [augment_text(str(items[int(p)]), augment.item_seed(int(p)), augment) for p in positions],
                preprocessing,
            )
        arrays["input_ids"], arrays["attention_mask"] = pad_ids(ids, preprocessing)

    return _Maker(lambda positions: {}, fill, _as_tensors, chunk=None)


def _as_tensors(arrays: dict[str, np.ndarray]) -> dict[str, Tensor]:
    return {name: torch.from_numpy(array) for name, array in arrays.items()}
