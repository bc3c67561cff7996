"""Batches: in order, independent of threads and neighbours, failing at the item that is broken."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from headstart.data.augment import Augment
from headstart.data.loading import load_batches, plan_batches
from headstart.data.preprocessing import (
    AudioPreprocessing,
    ImagePreprocessing,
    TextPreprocessing,
    with_window,
)
from headstart.data.scanning import scan
from headstart.data.texts import LADDER, encode_texts, padded_length
from headstart.errors import DataError

SMALL = ImagePreprocessing(size=(16, 16))


def pictures(count: int, picture: Callable[..., Image.Image]) -> list[bytes]:
    items = []
    for seed in range(count):
        buffer = io.BytesIO()
        picture(seed, 40 + seed, 50).save(buffer, "JPEG")
        items.append(buffer.getvalue())
    return items


def test_batches_come_in_order_and_do_not_depend_on_threads(picture: Callable[..., Image.Image]) -> None:
    items = pictures(23, picture)
    batches = [np.array([5, 1]), np.arange(10, 23), np.array([0])]
    runs = [list(load_batches(items, SMALL, batches, threads=threads)) for threads in (1, 4)]
    for (positions, one), (_, four), wanted in zip(runs[0], runs[1], batches):
        np.testing.assert_array_equal(positions, wanted)
        assert torch.equal(one["pixels"], four["pixels"])
        assert one["pixels"].shape == (len(wanted), 3, 16, 16)
        assert one["pixels"].is_contiguous(memory_format=torch.channels_last)
    alone = next(load_batches(items, SMALL, [np.array([12])], threads=1))[1]["pixels"][0]
    assert torch.equal(alone, runs[0][1][1]["pixels"][2])


def test_arrays_load_like_files(picture: Callable[..., Image.Image]) -> None:
    stack = np.stack([np.asarray(picture(i, 16, 16).convert("L")) for i in range(4)])
    ((_, inputs),) = load_batches(stack, SMALL, [np.arange(4)], threads=2)  # type: ignore[arg-type]
    assert inputs["pixels"].shape == (4, 3, 16, 16)


def test_the_first_broken_item_is_named(picture: Callable[..., Image.Image], tmp_path: Path) -> None:
    items: list[object] = list(pictures(30, picture))
    for position in (20, 12):
        items[position] = tmp_path / f"{position}.jpg"
        (tmp_path / f"{position}.jpg").write_bytes(b"no")
    batches = plan_batches(items, SMALL, batch_size=8)  # type: ignore[arg-type]
    done = []
    with pytest.raises(DataError, match=r"12\.jpg"):
        for positions, _ in load_batches(items, SMALL, batches, threads=3):  # type: ignore[arg-type]
            done.append(positions[0])
    assert done == [0]


def test_a_consumer_may_stop_early(picture: Callable[..., Image.Image]) -> None:
    items = pictures(30, picture)
    batches = load_batches(items, SMALL, plan_batches(items, SMALL, batch_size=4), threads=2)
    next(batches)
    batches.close()  # type: ignore[attr-defined]


def test_recordings_share_one_window(recording: Callable[..., Path]) -> None:
    items = [recording(f"{i}.wav", seconds=0.5 + i, rate_hz=8000) for i in range(3)]
    preprocessing = with_window(AudioPreprocessing(rate_hz=16_000), [0.5, 1.5, 2.5])
    ((_, inputs),) = load_batches(items, preprocessing, [np.arange(3)], threads=2)
    assert inputs["waveform"].shape == (3, 48_000) and inputs["waveform"].dtype == torch.float32
    assert inputs["lengths"].tolist() == [8000, 24_000, 40_000]
    assert not inputs["waveform"][0, 8000:].any()
    with pytest.raises(DataError, match="with_window"):
        next(load_batches(items, AudioPreprocessing(), [np.arange(3)], threads=1))


def test_long_recordings_are_cut_at_the_window(recording: Callable[..., Path]) -> None:
    item = recording("long.wav", seconds=5.0)
    preprocessing = with_window(AudioPreprocessing(rate_hz=8000, max_seconds=2.0), [5.0])
    ((_, inputs),) = load_batches([item], preprocessing, [np.arange(1)], threads=1)
    assert inputs["waveform"].shape == (1, 16_000) and inputs["lengths"].tolist() == [16_000]


def test_texts_are_planned_by_padded_length(word_tokenizer: TextPreprocessing) -> None:
    items = ["a " * count for count in (1, 30, 5, 17, 64, 2, 500)]
    batches = plan_batches(items, word_tokenizer, batch_size=2, tokens_per_batch=64)
    assert sorted(int(p) for batch in batches for p in batch) == list(range(7))
    widths = []
    for positions, inputs in load_batches(items, word_tokenizer, batches, threads=2):
        width = inputs["input_ids"].shape[1]
        widths.append(width)
        assert len(positions) * width <= max(64, width)
        for row, position in enumerate(positions):
            n_tokens = min(len(items[position].split()) + 2, word_tokenizer.max_length)
            assert inputs["attention_mask"][row].sum() == n_tokens
            assert width == padded_length(n_tokens, word_tokenizer.max_length)
            assert (inputs["input_ids"][row, n_tokens:] == word_tokenizer.pad_id).all()
    assert widths == sorted(widths, reverse=True)


@settings(deadline=None, max_examples=200)
@given(st.integers(1, 9000), st.integers(8, 9000))
def test_padded_length_is_the_least_rung_that_fits(n_tokens: int, max_length: int) -> None:
    n_tokens = min(n_tokens, max_length)
    width = padded_length(n_tokens, max_length)
    assert n_tokens <= width <= max_length
    assert width == max_length or width <= max(LADDER[0], 2 * n_tokens)


def test_views_differ_and_repeat(picture: Callable[..., Image.Image], recording: Callable[..., Path]) -> None:
    items = pictures(3, picture)

    def load(view: int, order: list[int]) -> torch.Tensor:
        augment = Augment(seed=1, view=view, digests=["x", "y", "z"])
        ((_, inputs),) = load_batches(items, SMALL, [np.array(order)], threads=2, augment=augment)
        return inputs["pixels"]

    assert torch.equal(load(0, [0, 1, 2]), load(0, [2, 1, 0]).flip(0))
    assert not torch.equal(load(0, [0, 1, 2]), load(1, [0, 1, 2]))
    clip = recording("a.wav")
    preprocessing = with_window(AudioPreprocessing(), [1.0])
    first, again = (
        next(load_batches([clip], preprocessing, [np.arange(1)], threads=1, augment=Augment(seed=1)))[1]
        for _ in range(2)
    )
    plain = next(load_batches([clip], preprocessing, [np.arange(1)], threads=1))[1]
    assert torch.equal(first["waveform"], again["waveform"])
    assert not torch.equal(first["waveform"], plain["waveform"])


def test_text_views_drop_words(word_tokenizer: TextPreprocessing) -> None:
    items = ["a b " * 20]
    augment = Augment(seed=0, word_dropout=0.5)
    ((_, inputs),) = load_batches(items, word_tokenizer, [np.arange(1)], threads=1, augment=augment)
    assert 3 <= inputs["attention_mask"].sum() < 40


@pytest.mark.real
def test_real_pictures_agree_with_timm(shared: Path) -> None:
    from timm.data import create_transform

    files = sorted((shared / "data" / "hymenoptera").rglob("*.jpg"))[:6]
    preprocessing = ImagePreprocessing(mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))
    reference = create_transform(
        (3, 224, 224),
        is_training=False,
        interpolation="bicubic",
        crop_pct=0.875,
        mean=(0.5,) * 3,
        std=(0.5,) * 3,
    )
    ((_, inputs),) = load_batches(files, preprocessing, [np.arange(6)], threads=2)
    for path, pixels in zip(files, inputs["pixels"]):
        assert (pixels - reference(Image.open(path).convert("RGB"))).abs().max() < 0.04


def test_a_text_of_spaces_is_tokenised_to_its_end(word_tokenizer: TextPreprocessing) -> None:
    (ids,) = encode_texts([" " * 10_000 + "a b"], word_tokenizer)
    assert ids.tolist() == [2, 4, 5, 3]


def test_trivial_views_do_not_depend_on_order_or_threads(picture: Callable[..., Image.Image]) -> None:
    items = pictures(12, picture)
    view = Augment(seed=1, view=2, kind="trivial", digests=[f"d{n}" for n in range(12)])
    ((_, one),) = load_batches(items, SMALL, [np.arange(12)], threads=1, augment=view)
    ((_, other),) = load_batches(items, SMALL, [np.arange(12)[::-1]], threads=4, augment=view)
    assert torch.equal(one["pixels"], other["pixels"].flip(0))
    ((_, alone),) = load_batches(items, SMALL, [np.array([7])], threads=1, augment=view)
    assert torch.equal(alone["pixels"][0], one["pixels"][7])
    light = Augment(seed=1, view=2, digests=view.digests)
    ((_, plainer),) = load_batches(items, SMALL, [np.arange(12)], threads=1, augment=light)
    assert not torch.equal(one["pixels"], plainer["pixels"])


def test_grey_pictures_take_trivial_views() -> None:
    grey = np.random.default_rng(0).integers(0, 256, (6, 20, 20)).astype(np.uint8)
    view = Augment(seed=1, view=1, kind="trivial")
    ((_, inputs),) = load_batches(grey, SMALL, [np.arange(6)], threads=2, augment=view)  # type: ignore[arg-type]
    assert inputs["pixels"].shape == (6, 3, 16, 16)


def test_speed_fills_the_window_of_a_long_recording(tmp_path: Path) -> None:
    import soundfile

    from headstart.data.augment import speed_factor

    files = []
    for seconds in (0.5, 3.0):
        files.append(tmp_path / f"{seconds}.wav")
        soundfile.write(files[-1], np.full(int(8000 * seconds), 0.5, np.float32), 8000)
    preprocessing = AudioPreprocessing(rate_hz=8000, window_samples=8000)
    for view in range(1, 6):
        augment = Augment(seed=0, view=view, speed=0.4, shift=0.0)
        ((_, inputs),) = load_batches(files, preprocessing, [np.arange(2)], threads=1, augment=augment)
        factor = speed_factor(augment.item_seed(0), augment)
        assert inputs["lengths"].tolist() == [round(4000 / factor), 8000]
        assert inputs["waveform"].shape == (2, 8000)
        assert (inputs["waveform"][0, inputs["lengths"][0] :] == 0).all()
        assert (inputs["waveform"][1].abs() > 0.1).all()


def test_a_file_that_changed_since_the_scan_is_named(
    tmp_path: Path, picture: Callable[..., Image.Image], recording: Callable[..., Path]
) -> None:
    files = [tmp_path / f"{index}.png" for index in range(3)]
    for index, file in enumerate(files):
        picture(index).save(file)
    digests = scan(files, "image", threads=1).digests
    batches = plan_batches(files, SMALL, batch_size=2)
    assert len(list(load_batches(files, SMALL, batches, threads=1, digests=digests))) == 2
    picture(9).save(files[2])
    with pytest.raises(DataError, match=r"2\.png: its content changed after it was checked"):
        list(load_batches(files, SMALL, batches, threads=1, digests=digests))

    tones = [recording("a.wav"), recording("b.wav", pitch_hz=300.0)]
    seen = scan(tones, "audio", threads=1)
    heard = with_window(AudioPreprocessing(), seen.seconds)
    plan = plan_batches(tones, heard, batch_size=2)
    assert len(list(load_batches(tones, heard, plan, threads=1, digests=seen.digests))) == 1
    recording("b.wav", pitch_hz=500.0)
    with pytest.raises(DataError, match=r"b\.wav: its content changed"):
        list(load_batches(tones, heard, plan, threads=1, digests=seen.digests))
