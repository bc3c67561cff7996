"""The one pass over the items: digests, damage, durations; nothing of it depends on threads."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from headstart.data.scanning import normalised_text, scan

Picture = Callable[..., Image.Image]


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def test_pictures(picture: Picture, tmp_path: Path) -> None:
    jpeg = encoded(picture(1, 300, 200), "JPEG")
    frames = [picture(i, 20, 20) for i in range(3)]
    items: list[object] = [
        jpeg,
        jpeg[: len(jpeg) * 2 // 3],
        b"",
        encoded(frames[0], "GIF", save_all=True, append_images=frames[1:]),
        tmp_path / "missing.png",
        jpeg,
    ]
    seen = scan(items, "image", threads=2)  # type: ignore[arg-type]
    assert sorted(seen.problems) == [1, 2, 4]
    assert "truncated JPEG" in seen.problems[1]
    assert "empty" in seen.problems[2]
    assert seen.digests[0] == seen.digests[5] != ""
    assert seen.digests[1] == "" and not seen.fingerprints[1].any()
    assert "GIF of 3 frames" in seen.notes[3]
    assert seen.seconds is None


def test_arrays_of_another_shape_are_another_content() -> None:
    flat = np.zeros((2, 8), np.uint8)
    seen = scan([flat, flat.reshape(4, 4), flat.copy()], "image", threads=1)
    assert seen.digests[0] != seen.digests[1] and seen.digests[0] == seen.digests[2]


def test_recordings(recording: Callable[..., Path], tmp_path: Path) -> None:
    (tmp_path / "bad.wav").write_bytes(b"RIFF")
    items = [
        recording("a.wav", seconds=0.5),
        recording("b.wav", seconds=1.25, rate_hz=8000, level=0.0),
        tmp_path / "bad.wav",
        recording("c.wav", seconds=0.0),
        recording("d.wav", channels=6, subtype="PCM_U8"),
    ]
    seen = scan(items, "audio", threads=2)
    assert seen.seconds is not None
    np.testing.assert_allclose(seen.seconds[[0, 1, 4]], [0.5, 1.25, 1.0])
    assert np.isnan(seen.seconds[[2, 3]]).all()
    assert sorted(seen.problems) == [2, 3]
    assert seen.notes == {1: "silent"}


def test_texts() -> None:
    seen = scan(["So it goes.", "so  it goes", "", "  \n", "!?"], "text", threads=1)
    assert sorted(seen.problems) == [2, 3]
    assert seen.digests[0] != seen.digests[1]
    np.testing.assert_array_equal(seen.fingerprints[0], seen.fingerprints[1])
    assert normalised_text("!?") == "!?"


@settings(deadline=None, max_examples=30)
@given(st.lists(st.text(max_size=8), min_size=1, max_size=200), st.integers(1, 4))
def test_digests_do_not_depend_on_threads_or_neighbours(texts: list[str], threads: int) -> None:
    together = scan(texts, "text", threads=threads)
    alone = [scan([text], "text", threads=1).digests[0] for text in texts[:5]]
    assert together.digests[:5].tolist() == alone


def test_take_moves_problems_along() -> None:
    seen = scan(["a", "", "b", ""], "text", threads=1).take(np.array([3, 2]))
    assert list(seen.problems) == [0]
    assert seen.digests[0] == "" and seen.digests[1] != ""


@pytest.mark.real
def test_real_pictures_are_all_readable(shared: Path) -> None:
    files = sorted((shared / "data" / "hymenoptera").rglob("*.jpg"))
    seen = scan(files, "image", threads=2)
    assert not seen.problems and len(set(seen.digests)) == 397


def test_a_damaged_later_page_does_not_end_the_scan(picture: Picture) -> None:
    pages = [picture(seed, 20, 20) for seed in range(3)]
    data = bytearray(encoded(pages[0], "TIFF", save_all=True, append_images=pages[1:]))
    first = struct.unpack_from("<I", data, 4)[0]
    n_tags = struct.unpack_from("<H", data, first)[0]
    second = struct.unpack_from("<I", data, first + 2 + 12 * n_tags)[0]
    struct.pack_into("<H", data, second + 2, 60_000)  # the width of the second page
    whole = encoded(pages[0], "TIFF")
    seen = scan([bytes(data), whole], "image", threads=1)
    assert not seen.problems
    assert seen.notes == {0: "TIFF with damaged pictures after the first, which is taken"}
    assert np.array_equal(seen.fingerprints[0], seen.fingerprints[1])


def test_half_of_a_surrogate_pair_is_no_text() -> None:
    seen = scan(["some words", "x \ud800"], "text", threads=1)
    assert list(seen.problems) == [1] and "surrogate pair, '\\ud800', is not text" in seen.problems[1]
