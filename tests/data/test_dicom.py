"""Pictures in DICOM files, against values computed by hand."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest

from headstart.data.content import Unreadable
from headstart.data.dicom import is_dicom
from headstart.data.images import open_image

pydicom = pytest.importorskip("pydicom")

VALUES = np.array([[0, 100, 200], [300, 400, 1000]], dtype=np.uint16)


def encoded(values: np.ndarray, photometric: str = "MONOCHROME2", **more: Any) -> bytes:
    """An uncompressed DICOM file of grey values or RGB."""
    found = pydicom.Dataset()
    found.file_meta = pydicom.dataset.FileMetaDataset()
    found.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    found.file_meta.MediaStorageSOPClassUID = pydicom.uid.SecondaryCaptureImageStorage
    found.file_meta.MediaStorageSOPInstanceUID = pydicom.uid.generate_uid()
    bits = 8 * values.dtype.itemsize
    found.Rows, found.Columns = values.shape[:2] if values.ndim < 4 else values.shape[1:3]
    found.SamplesPerPixel = 3 if photometric == "RGB" else 1
    found.PhotometricInterpretation = photometric
    found.BitsAllocated = found.BitsStored = bits
    found.HighBit, found.PixelRepresentation = bits - 1, int(values.dtype.kind == "i")
    if photometric == "RGB":
        found.PlanarConfiguration = 0
    for name, value in more.items():
        setattr(found, name, value)
    found.PixelData = values.tobytes()
    file = io.BytesIO()
    pydicom.dcmwrite(file, found, enforce_file_format=True)
    return file.getvalue()


def pixels(data: bytes) -> np.ndarray:
    assert is_dicom(data)
    return np.asarray(open_image(data))


def test_without_a_window_the_values_span_the_range() -> None:
    np.testing.assert_array_equal(pixels(encoded(VALUES)), np.rint(VALUES / 1000 * 255))


def test_the_first_window_after_the_rescaling() -> None:
    """PS3.3 C.11.2.1.2.1: 0 up to c - 0.5 - (w - 1) / 2, 255 above c - 0.5 + (w - 1) / 2, a line between."""
    data = encoded(
        VALUES, RescaleSlope=2.0, RescaleIntercept=-100.0, WindowCenter=[300, 40], WindowWidth=[401, 80]
    )
    line = ((2.0 * VALUES - 100 - (300 - 0.5)) / 400 + 0.5) * 255
    np.testing.assert_array_equal(pixels(data), np.rint(np.clip(line, 0, 255)))


def test_signed_values_and_inverted_grey() -> None:
    values = np.array([[-1000, 0, 1000]], dtype=np.int16)
    np.testing.assert_array_equal(pixels(encoded(values)), [[0, 128, 255]])
    np.testing.assert_array_equal(pixels(encoded(values, "MONOCHROME1")), [[255, 128, 0]])
    narrow = encoded(values, WindowCenter=0, WindowWidth=2)
    np.testing.assert_array_equal(pixels(narrow), [[0, 255, 255]])


def test_colours_and_the_first_of_several_frames() -> None:
    colours = np.arange(18, dtype=np.uint8).reshape(2, 3, 3)
    np.testing.assert_array_equal(pixels(encoded(colours, "RGB")), colours)
    frames = np.stack([VALUES, VALUES[::-1]])
    data = encoded(frames[..., None], NumberOfFrames=2)
    np.testing.assert_array_equal(pixels(data), np.rint(VALUES / 1000 * 255))


def test_padding_is_black_and_does_not_widen_the_range() -> None:
    values = np.array([[0, 500, 1000, 65535]], dtype=np.uint16)
    np.testing.assert_array_equal(pixels(encoded(values, PixelPaddingValue=65535)), [[0, 128, 255, 0]])
    ranged = np.array([[0, 500, 1000, 65000, 65535]], dtype=np.uint16)
    data = encoded(ranged, "MONOCHROME1", PixelPaddingValue=65000, PixelPaddingRangeLimit=65535)
    np.testing.assert_array_equal(pixels(data), [[255, 128, 0, 0, 0]])


@pytest.mark.parametrize(
    "window",
    [{"WindowCenter": None, "WindowWidth": None}, {"WindowCenter": 5, "WindowWidth": 0}, {"WindowWidth": 40}],
)
def test_a_window_that_cannot_be_used_is_none(window: dict[str, Any]) -> None:
    np.testing.assert_array_equal(pixels(encoded(VALUES, **window)), np.rint(VALUES / 1000 * 255))


def test_palettes_become_colours() -> None:
    table = np.array([0, 100, 200, 250], dtype=np.uint16) * 257
    more = {f"{name}PaletteColorLookupTableDescriptor": [4, 0, 16] for name in ("Red", "Green", "Blue")}
    more |= {f"{name}PaletteColorLookupTableData": table.tobytes() for name in ("Red", "Green")}
    data = encoded(
        np.array([[0, 1], [2, 3]], np.uint8),
        "PALETTE COLOR",
        BluePaletteColorLookupTableData=bytes(8),
        **more,
    )
    expected = np.array([[0, 100], [200, 250]])
    found = pixels(data)
    np.testing.assert_array_equal(found[..., 0], expected)
    assert (found[..., 1] == expected).all() and (found[..., 2] == 0).all()


def test_one_value_is_black() -> None:
    assert (pixels(encoded(np.full((2, 2), 7, np.uint16))) == 0).all()


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (encoded(VALUES)[:-8], "a DICOM file without a picture that can be read"),
        (encoded(VALUES)[:140], "a DICOM file without a picture that can be read"),
        (encoded(VALUES, Rows=60_000, Columns=60_000), "3,600,000,000 pixels, more than"),
        (bytes(128) + b"DICM" + bytes(50), "a DICOM file without a picture"),
    ],
)
def test_damaged_files_are_named(data: bytes, told: str) -> None:
    with pytest.raises(Unreadable, match=told):
        open_image(data)


def test_without_pydicom_the_remedy_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pydicom", None)
    with pytest.raises(Unreadable, match=r"pip install 'headstart\[medical\]'"):
        open_image(encoded_before)


encoded_before = encoded(VALUES)
