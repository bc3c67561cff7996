"""One threaded pass over the items before anything is trained: digests, readability, fingerprints, durations.

Legend: N items, F bytes of a fingerprint. Pictures are decoded whole but at 1/8 of their size if they are
JPEGs (every bit of the stream is still read, so a truncated file is found); recordings are read whole, block
by block.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from headstart.data.content import Unreadable, content_digest, read_bytes
from headstart.data.examples import Modality
from headstart.data.images import load, n_frames, open_image, plain_colours
from headstart.data.items import Item
from headstart.errors import DataError
from headstart.progress import progress

SIDE = 16  # of the grey thumbnail that near copies are looked for with
_CHUNK = 64


@dataclass(frozen=True, eq=False)
class Scan:
    """What one pass over the items found.

    Args:
        digests: (N,) hex digest of each item's content, "" where unreadable.
        fingerprints: (N, F) uint8: pictures a grey thumbnail, texts a digest of the normalised text,
            recordings a coarse spectrogram; zeros where unreadable.
        problems: position to why the item cannot be read.
        seconds: (N,) float64 duration of recordings (NaN where unreadable), None for other modalities.
        notes: position to what a user should know about a readable item ("animated", "silent").
    """

    digests: np.ndarray
    fingerprints: np.ndarray
    problems: Mapping[int, str]
    seconds: np.ndarray | None = None
    notes: Mapping[int, str] = field(default_factory=dict)

    def take(self, positions: np.ndarray) -> Scan:
        """The scan of the items at some positions.

        Args:
            positions: int64 positions, in the order wanted.
        """
        new = {int(old): index for index, old in enumerate(positions)}
        return Scan(
            digests=self.digests[positions],
            fingerprints=self.fingerprints[positions],
            problems={new[old]: text for old, text in self.problems.items() if old in new},
            seconds=None if self.seconds is None else self.seconds[positions],
            notes={new[old]: text for old, text in self.notes.items() if old in new},
        )


@dataclass(frozen=True)
class Look:
    """What was found in one item."""

    digest: str
    fingerprint: np.ndarray
    seconds: float = float("nan")
    note: str = ""


def scan(
    items: Sequence[Item],
    modality: Modality,
    *,
    threads: int,
    advance: Callable[[int], None] | None = None,
) -> Scan:
    """Look at every item once.

    Args:
        items: N items.
        modality: "image", "text" or "audio".
        threads: that read and decode.
        advance: takes the number of items just done; None: a bar is shown.

    Returns:
        The scan; unreadable items are in `problems`, nothing is raised for them.
    """
    n_items, found = len(items), _Filling(items, modality)

    def work(start: int) -> int:
        positions = range(start, min(start + _CHUNK, n_items))
        for position in positions:
            found.look_at(position)
        return len(positions)

    pool = ThreadPoolExecutor(max_workers=max(1, threads), thread_name_prefix="scan")
    try:
        shown = (
            progress("Checking the data", total=n_items, unit="items")
            if advance is None
            else nullcontext(advance)
        )
        with shown as done:
            for n_done in pool.map(work, range(0, n_items, _CHUNK)):
                done(n_done)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)  # after an interrupt, queued items are not read
    return found.scan()


class _Filling:
    """A scan that threads fill, each at positions of its own."""

    def __init__(self, items: Sequence[Item], modality: Modality) -> None:
        n_items, self._items, self._look = len(items), items, _LOOKS[modality]
        self._digests = np.full(n_items, "", dtype=object)
        self._fingerprints = np.zeros((n_items, _WIDTHS[modality]), dtype=np.uint8)
        self._seconds = np.full(n_items, np.nan) if modality == "audio" else None
        self._problems: dict[int, str] = {}
        self._notes: dict[int, str] = {}

    def look_at(self, position: int) -> None:
        """Fill one position; an item that cannot be read becomes a problem."""
        try:
            seen = self._look(self._items[position])  # both may fail: a path may lead outside
        except DataError as error:
            self._problems[position] = str(error)
            return
        self._digests[position], self._fingerprints[position] = seen.digest, seen.fingerprint
        if self._seconds is not None:
            self._seconds[position] = seen.seconds
        if seen.note:
            self._notes[position] = seen.note

    def scan(self) -> Scan:
        """The scan, problems and notes in the order of the items."""
        return Scan(
            digests=self._digests,
            fingerprints=self._fingerprints,
            problems=dict(sorted(self._problems.items())),
            seconds=self._seconds,
            notes=dict(sorted(self._notes.items())),
        )


def look_at_image(item: Item) -> Look:
    """Digest and grey thumbnail of a picture, decoded whole.

    Raises:
        DataError: it cannot be read.
    """
    if isinstance(item, np.ndarray):
        head = f"{item.dtype}{item.shape}".encode()
        digest = content_digest(head + np.ascontiguousarray(item).tobytes())
        image = open_image(item)
        return Look(digest, _thumbnail(image))
    data = read_bytes(Path(item) if isinstance(item, str) else item)
    image = open_image(data)
    frames = n_frames(image)
    if frames is None:
        image = open_image(data)
    image.draft("L" if image.mode == "RGB" else image.mode, (2 * SIDE, 2 * SIDE))
    load(image)
    note = ""
    if frames is None:
        note = f"{image.format} with damaged pictures after the first, which is taken"
    elif frames > 1:
        note = f"{image.format} of {frames} frames: the first is taken"
    return Look(content_digest(data), _thumbnail(plain_colours(image)), note=note)


def _thumbnail(image: Image.Image) -> np.ndarray:
    """(SIDE * SIDE,) uint8 grey."""
    small = image.resize((SIDE, SIDE), Image.Resampling.BILINEAR, reducing_gap=3.0)
    return np.asarray(small if small.mode == "L" else small.convert("L")).reshape(-1)


def look_at_text(item: Item) -> Look:
    """Digest of a text and of its normalised form.

    Raises:
        Unreadable: it is empty.
    """
    text = str(item)
    if not text.strip():
        raise Unreadable("the text is empty")
    try:
        content = text.encode()
    except UnicodeEncodeError as error:
        raise Unreadable(f"half of a surrogate pair, {text[error.start]!a}, is not text") from None
    normal = hashlib.blake2b(normalised_text(text).encode(), digest_size=16).digest()
    return Look(content_digest(content), np.frombuffer(normal, dtype=np.uint8))


def normalised_text(text: str) -> str:
    """A text without case, accents' spelling, punctuation and white space: copies have the same.

    Args:
        text: any; one without letters or digits is kept as it is.
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    words = " ".join(re.findall(r"\w+", folded))
    return words or folded.strip()


def look_at_audio(item: Item) -> Look:
    """Digest, duration and coarse spectrogram of a recording, read whole.

    Raises:
        DataError: it cannot be read.
    """
    from headstart.data.audio import survey

    seen = survey(item)
    note = "silent" if float(np.abs(seen.waveform).max()) < 1e-4 else ""
    return Look(seen.digest, _spectrum(seen.waveform), seen.seconds, note)


def _spectrum(waveform: np.ndarray) -> np.ndarray:
    """(SIDE * SIDE,) uint8: level in dB of SIDE bands over SIDE stretches of time."""
    n_fft = 512
    starts = np.linspace(0, max(0, len(waveform) - n_fft), 2 * SIDE).astype(int)
    padded = np.pad(waveform, (0, max(0, n_fft - len(waveform))))
    frames = np.stack([padded[start : start + n_fft] for start in starts]) * np.hanning(n_fft).astype(
        np.float32
    )
    power = np.abs(np.fft.rfft(frames, axis=1)[:, 1:]) ** 2
    bands = power.reshape(SIDE, 2, SIDE, -1).mean(axis=(1, 3))
    level = 10.0 * np.log10(bands + 1e-10)
    return np.asarray(np.clip(level - level.max() + 80.0, 0, 80), dtype=np.uint8).reshape(-1)


_LOOKS: dict[str, Callable[[Item], Look]] = {
    "image": look_at_image,
    "text": look_at_text,
    "audio": look_at_audio,
}
_WIDTHS = {"image": SIDE * SIDE, "text": 16, "audio": SIDE * SIDE}
