"""Features without pretrained weights, for the classical baseline of each modality.

image   colour and gradient histograms: joint 4 x 4 x 4 colour histograms of the four quarters, and 9
        orientations of the gradient in 8 x 8 cells, each scaled by the energy around it (after Dalal and
        Triggs 2005), on the picture squeezed to 128 x 128
audio   log-mel spectrogram, 64 bands, 25 ms windows every 10 ms: mean and deviation over time, and the
        deviation of its change from frame to frame; once with an absolute floor (level and room kept),
        once relative to the clip's loudest band, floor at -80 dB (level taken out)
text    the texts themselves: words are counted by the model (see `classical_text`)

Cross-validation chooses between the two audio forms: floor and level can matter as much as a network.

Legend: N items, D features, H W space, T frames, M bands.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from headstart.data.audio import decode_audio
from headstart.data.examples import Modality
from headstart.data.images import decode_image
from headstart.data.items import Item
from headstart.data.preprocessing import ImagePreprocessing
from headstart.processes import available_cores

Array = NDArray[np.float32]
PICTURE = ImagePreprocessing(size=(128, 128), interpolation="bilinear", crop_pct=1.0, crop_mode="squash")
N_CELLS, N_ORIENTATIONS = 8, 9
RATE_HZ, WINDOW, HOP, N_FFT, N_BANDS = 16_000, 400, 160, 512, 64
MAX_SECONDS = 60.0


@dataclass(frozen=True, eq=False)
class ClassicalFeatures:
    """Features of N items, in one or more forms to choose from.

    Attributes:
        modality: of the items.
        forms: (N, D) float32 arrays by name; none for texts.
        texts: of shape (N,), for texts alone.
    """

    modality: Modality
    forms: Mapping[str, Array] = field(default_factory=dict)
    texts: Sequence[str] = ()

    @property
    def n_items(self) -> int:
        """N."""
        return len(next(iter(self.forms.values()), self.texts))

    def followed_by(self, more: ClassicalFeatures) -> ClassicalFeatures:
        """The features of these items, and of more after them."""
        forms = {name: np.concatenate([rows, more.forms[name]]) for name, rows in self.forms.items()}
        return ClassicalFeatures(self.modality, forms, [*self.texts, *more.texts])


def extract_classical(
    items: Sequence[Item], modality: Modality, *, threads: int | None = None
) -> ClassicalFeatures:
    """Read the items and return their classical features.

    Args:
        items: N paths, arrays or texts.
        modality: of the items.
        threads: items decoded at once; None: as many as cores.

    Raises:
        DataError: an item cannot be decoded.
    """
    with ThreadPoolExecutor(threads or available_cores()) as pool:
        return begin_classical(items, modality, pool)()


def begin_classical(
    items: Sequence[Item], modality: Modality, pool: ThreadPoolExecutor
) -> Callable[[], ClassicalFeatures]:
    """Begin to read items in the threads of a pool.

    Args:
        items: N paths, arrays or texts.
        modality: of the items.
        pool: one task per item is added to it; an item is read when its task begins.

    Returns:
        A function that waits and returns the features. It raises a DataError if an item cannot be decoded; items that
        were not begun are then left out.
    """
    if modality == "text":
        return lambda: ClassicalFeatures(modality, texts=[str(item) for item in items])
    describe: Callable[[Item], dict[str, Array]] = describe_image if modality == "image" else describe_audio
    rows = pool.map(lambda index: describe(items[index]), range(len(items)))

    def wait() -> ClassicalFeatures:
        listed = list(rows)
        return ClassicalFeatures(
            modality, {name: np.stack([row[name] for row in listed]) for name in listed[0]}
        )

    return wait


def describe_image(item: Item) -> dict[str, Array]:
    """Return the colour and gradient histograms of a picture."""
    x_HW3 = decode_image(item, PICTURE).permute(1, 2, 0).numpy()
    return {"histograms": np.concatenate([colour_histogram(x_HW3), gradient_histogram(x_HW3)])}


def colour_histogram(x_HW3: NDArray[np.uint8]) -> Array:
    """Return the square roots of the colour shares of the four quarters, of shape (4 * 64,)."""
    high = (x_HW3 >> 6).astype(np.intp)
    code = high[..., 0] * 16 + high[..., 1] * 4 + high[..., 2]
    height, width = code.shape
    quarter = (np.arange(height) * 2 // height)[:, None] * 2 + np.arange(width) * 2 // width
    counts = np.bincount((quarter * 64 + code).ravel(), minlength=256)
    return np.asarray(np.sqrt(counts / (height * width / 4)), dtype=np.float32)


def gradient_histogram(x_HW3: NDArray[np.uint8]) -> Array:
    """Return the gradient orientations of 8 x 8 cells, of shape (576,)."""
    grey = x_HW3.mean(axis=2, dtype=np.float32)
    down, right = np.gradient(grey)
    strength = np.hypot(down, right)
    bin_HW = np.floor(np.arctan2(down, right) / np.pi * N_ORIENTATIONS).astype(np.intp) % N_ORIENTATIONS
    height, width = grey.shape
    cell = (np.arange(height) * N_CELLS // height)[:, None] * N_CELLS + np.arange(width) * N_CELLS // width
    counts = np.bincount(
        (cell * N_ORIENTATIONS + bin_HW).ravel(),
        weights=strength.ravel(),
        minlength=N_CELLS * N_CELLS * N_ORIENTATIONS,
    )
    cells = counts.reshape(N_CELLS, N_CELLS, N_ORIENTATIONS)
    energy = np.pad(np.square(cells).sum(axis=2), 1, mode="edge")
    around = np.lib.stride_tricks.sliding_window_view(energy, (3, 3)).sum(axis=(2, 3))
    scaled = cells / np.sqrt(around + 1e-3)[..., None]
    return np.asarray(scaled, dtype=np.float32).ravel()


def describe_audio(item: Item) -> dict[str, Array]:
    """Return the two forms of log-mel statistics of a recording."""
    mel_TM = mel_power(decode_audio(item, RATE_HZ, MAX_SECONDS))
    loudest = max(float(mel_TM.max()), 1e-10)
    relative = np.log(np.maximum(mel_TM / loudest, 1e-8))
    return {"absolute": over_time(np.log(mel_TM + 1e-6)), "relative": over_time(relative)}


def over_time(x_TM: Array) -> Array:
    """Return mean, deviation and deviation of the change over time, of shape (3 M,)."""
    change = np.diff(x_TM, axis=0) if len(x_TM) > 1 else np.zeros_like(x_TM)
    return np.concatenate([x_TM.mean(axis=0), x_TM.std(axis=0), change.std(axis=0)]).astype(np.float32)


def mel_power(waveform: Array) -> Array:
    """Return the power in 64 mel bands, 20 Hz to 8 kHz, of shape (T, M), for a waveform at 16 kHz."""
    waveform = np.pad(waveform, (0, max(0, WINDOW - len(waveform))))
    frames = np.lib.stride_tricks.sliding_window_view(waveform, WINDOW)[::HOP]
    spectrum = np.abs(np.fft.rfft(frames * np.hanning(WINDOW).astype(np.float32), N_FFT, axis=1))
    return np.asarray(np.square(spectrum).astype(np.float32) @ mel_bank().T)


def mel_bank() -> Array:
    """Return triangular mel filters (O'Shaughnessy 1987), of shape (M, N_FFT // 2 + 1)."""
    low, high = 2595 * np.log10(1 + np.array([20.0, RATE_HZ / 2]) / 700)
    edges = 700 * (10 ** (np.linspace(low, high, N_BANDS + 2) / 2595) - 1)
    frequencies = np.fft.rfftfreq(N_FFT, 1 / RATE_HZ)
    up = (frequencies - edges[:-2, None]) / np.diff(edges)[:-1, None]
    down = (edges[2:, None] - frequencies) / np.diff(edges)[1:, None]
    return np.maximum(0, np.minimum(up, down)).astype(np.float32)
