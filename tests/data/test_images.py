"""Decoding pictures: geometry as timm's, every mode and every kind of damage."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from headstart.data import images
from headstart.data.images import IMAGE_FORMATS, MAX_PIXELS, decode_image, open_image
from headstart.data.loading import load_batches
from headstart.data.preprocessing import ImagePreprocessing
from headstart.data.scanning import scan
from headstart.errors import DataError

Picture = Callable[..., Image.Image]
PLAIN = ImagePreprocessing(size=(16, 16), crop_pct=1.0, crop_mode="squash", interpolation="nearest")


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("crop_mode", ["center", "squash", "border"])
@pytest.mark.parametrize(("size", "crop_pct"), [((64, 64), 0.875), ((48, 64), 0.95), ((32, 32), 1.0)])
@pytest.mark.parametrize("interpolation", ["bicubic", "bilinear"])
def test_geometry_is_that_of_timm(
    picture: Picture, crop_mode: str, size: tuple[int, int], crop_pct: float, interpolation: str
) -> None:
    from timm.data import create_transform

    preprocessing = ImagePreprocessing(
        size, interpolation=interpolation, crop_pct=crop_pct, crop_mode=crop_mode
    )  # type: ignore[arg-type]
    reference = create_transform(
        (3, *size),
        is_training=False,
        interpolation=interpolation,
        crop_pct=crop_pct,
        crop_mode=crop_mode,
        mean=preprocessing.mean,
        std=preprocessing.std,
    )
    for width, height in ((120, 90), (75, 131), (64, 64), (20, 50)):
        image = picture(width, width, height)
        expected = reference(image)
        (_, inputs), *_ = load_batches([encoded(image)], preprocessing, [np.array([0])], threads=1)
        grey_levels = (inputs["pixels"][0] - expected).abs() * 255 * 0.229
        assert grey_levels.max() <= 10 and grey_levels.mean() < 0.5
        assert inputs["pixels"].dtype == torch.float32


def test_a_drafted_jpeg_is_nearly_the_whole_one(picture: Picture) -> None:
    data = encoded(picture(1, 1200, 900), "JPEG", quality=90)
    preprocessing = ImagePreprocessing(size=(64, 64))
    drafted = decode_image(data, preprocessing).float()
    whole = decode_image(data, preprocessing, draft=False).float()
    assert (drafted - whole).abs().mean() < 2.0


@pytest.mark.parametrize("mode", ["L", "RGBA", "LA", "P", "1", "CMYK", "YCbCr", "I", "F"])
def test_every_mode_gives_rgb(picture: Picture, mode: str) -> None:
    grey = picture(3, 16, 16).convert("L")
    image = grey.convert("RGB").convert(mode) if mode not in ("L", "I", "F") else grey.convert(mode)
    data = encoded(image, "TIFF")
    pixels = decode_image(data, PLAIN).float()
    assert pixels.shape == (3, 16, 16)
    if mode not in ("1", "P"):
        assert (pixels[0] - torch.from_numpy(np.array(grey)).float()).abs().max() <= 4


def test_16_bit_grey_is_scaled_from_its_full_range() -> None:
    values = np.linspace(0, 65535, 256).astype(np.uint16).reshape(16, 16)
    pixels = decode_image(encoded(Image.fromarray(values)), PLAIN)
    np.testing.assert_array_equal(pixels[0].numpy(), np.arange(256).reshape(16, 16))


def test_transparency_is_laid_on_white() -> None:
    clear = Image.new("RGBA", (16, 16), (0, 0, 0, 0))
    assert decode_image(encoded(clear), PLAIN).min() == 255
    palette = Image.new("P", (16, 16), 0)
    palette.putpalette([10, 20, 30] + [0] * 765)
    assert decode_image(encoded(palette, transparency=0), PLAIN).min() == 255
    assert decode_image(encoded(palette), PLAIN)[:, 0, 0].tolist() == [10, 20, 30]


@pytest.mark.parametrize("turn", [1, 2, 3, 4, 5, 6, 7, 8])
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_exif_rotation_is_applied(picture: Picture, turn: int, kind: str) -> None:
    from PIL import ImageOps

    exif = Image.Exif()
    exif[0x0112] = turn
    data = encoded(picture(5, 60, 40), kind, exif=exif)
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    preprocessing = ImagePreprocessing(size=(24, 32))
    expected = decode_image(encoded(upright), preprocessing).float()
    got = decode_image(data, preprocessing, draft=False).float()
    assert (got - expected).abs().max() <= 2


def test_first_frame_of_an_animation(picture: Picture) -> None:
    frames = [picture(i, 16, 16) for i in range(3)]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    first = decode_image(encoded(frames[0], "GIF"), PLAIN)
    assert torch.equal(decode_image(data, PLAIN), first)


def huge_png(side: int) -> bytes:
    """A PNG whose header promises side x side pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"0"))
        + chunk(b"IEND", b"")
    )


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("side", [50_000, 10_000])
def test_too_many_pixels_are_refused(side: int) -> None:
    with pytest.raises(DataError, match=f"{MAX_PIXELS:,}"):
        decode_image(huge_png(side), PLAIN)


def test_damage_is_named(tmp_path: Path, picture: Picture) -> None:
    whole = encoded(picture(0, 200, 200), "JPEG")
    cases = {
        "empty.jpg": (b"", "the file is empty"),
        "cut.jpg": (whole[: len(whole) // 2], "truncated JPEG"),
        "text.png": (b"hello", "not a picture"),
        "cut.png": (encoded(picture(0))[:200], "PNG"),
    }
    for name, (data, message) in cases.items():
        path = tmp_path / name
        path.write_bytes(data)
        with pytest.raises(DataError, match=f"{name}: .*{message}"):
            decode_image(path, PLAIN)
    with pytest.raises(DataError, match="cannot be read"):
        decode_image(tmp_path / "missing.jpg", PLAIN)
    with pytest.raises(DataError, match="must be uint8"):
        decode_image(np.zeros((4, 4), np.float32), PLAIN)


def test_arrays_and_grey(picture: Picture) -> None:
    image = picture(2, 16, 16)
    array = np.asarray(image)
    np.testing.assert_array_equal(decode_image(array, PLAIN).permute(1, 2, 0).numpy(), array)
    grey = np.asarray(image.convert("L"))
    for shaped in (grey, grey[:, :, None]):
        pixels = decode_image(shaped, PLAIN)
        assert torch.equal(pixels[0], pixels[2])
        np.testing.assert_array_equal(pixels[0].numpy(), grey)


@pytest.mark.parametrize("shape", [(0, 4), (4, 0), (0, 0, 3)])
def test_an_array_without_pixels_is_named(shape: tuple[int, ...]) -> None:
    nothing = np.zeros(shape, np.uint8)
    with pytest.raises(DataError, match="the picture has no pixels"):
        decode_image(nothing, PLAIN)
    assert "the picture has no pixels" in scan([nothing], "image", threads=1).problems[0]


def test_a_random_crop_is_the_same_for_the_same_seed(picture: Picture) -> None:
    data = encoded(picture(1, 200, 150), "JPEG")
    preprocessing = ImagePreprocessing(size=(32, 32))
    first = decode_image(data, preprocessing, augment_seed=7)
    assert torch.equal(first, decode_image(data, preprocessing, augment_seed=7))
    assert not torch.equal(first, decode_image(data, preprocessing, augment_seed=8))
    assert first.shape == (3, 32, 32)


@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (5000, 1), (2, 3)])
@pytest.mark.parametrize("crop_mode", ["center", "squash", "border"])
def test_odd_shapes_give_the_size_asked_for(shape: tuple[int, int], crop_mode: str) -> None:
    preprocessing = ImagePreprocessing((24, 24), crop_mode=crop_mode)  # type: ignore[arg-type]
    pixels = decode_image(np.full(shape, 9, np.uint8), preprocessing)
    assert pixels.shape == (3, 24, 24)
    assert decode_image(np.full(shape, 9, np.uint8), preprocessing, augment_seed=1).shape == (3, 24, 24)


def test_only_listed_formats_are_opened(picture: Picture) -> None:
    for kind in ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "PPM", "JPEG2000", "ICO", "MPO"):
        assert open_image(encoded(picture(), kind)).format in (*IMAGE_FORMATS, "MPO")
    for kind in ("EPS", "PCX", "SGI", "TGA"):
        with pytest.raises(DataError, match="not a picture that can be read"):
            open_image(encoded(picture(), kind))


def test_of_a_thin_strip_the_crop_alone_is_resampled_in_the_exact_form_too(
    picture: Picture, monkeypatch: pytest.MonkeyPatch
) -> None:
    strip = ImagePreprocessing(size=(224, 224))
    decode_image(encoded(Image.new("RGB", (1, 20_000))), strip, draft=False)  # took 6 GB when resized whole
    monkeypatch.setattr(images, "MAX_PIXELS", 10_000)
    thin = encoded(picture(1, 20, 400))
    assert torch.equal(decode_image(thin, strip, draft=False), decode_image(thin, strip))
