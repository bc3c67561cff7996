"""The data sets of the plants, written once as files or texts, and slices of them as tables."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from benchmarks.work import SHARED

DATA = SHARED / "data"
SIDE = 64  # of pictures that small networks see
N_SPECTROGRAMS = 1_500
MOST_WORDS = 60  # of a review


@dataclass(frozen=True, eq=False)
class Population:
    """A whole data set.

    Attributes:
        folder: of its files and tables.
        column: "file" or "text".
        items: names of files in the folder, or texts.
        labels: one per item.
    """

    folder: Path
    column: str
    items: list[str]
    labels: list[str]

    def slice(
        self, n_train: int, n_held_out: int, sizes: tuple[int, int], *, seed: int, permuted: bool
    ) -> Path:
        """Write a table with a column "split" of items that are drawn, and return its path.

        Args:
            n_train, n_held_out: number of items of both parts.
            sizes: not used for drawing; first and last number of labels, part of the name.
            seed: of the draw.
            permuted: whether labels are permuted over all items that are drawn.
        """
        rng = np.random.default_rng(seed)
        drawn = rng.permutation(len(self.items))[: n_train + n_held_out]
        labels = [self.labels[i] for i in drawn]
        if permuted:
            labels = [labels[i] for i in rng.permutation(len(labels))]
        path = self.folder / f"slice-{seed}-{n_train}-{n_held_out}-{sizes[0]}-{sizes[1]}-{int(permuted)}.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            out = csv.writer(file)
            out.writerow((self.column, "label", "split"))
            for place, (row, label) in enumerate(zip(drawn, labels, strict=True)):
                out.writerow((self.items[row], label, "train" if place < n_train else "test"))
        return path


def population(name: str, root: Path) -> Population:
    """A data set by name; its files are written below `root` the first time."""
    return _population(name, root)


@cache
def _population(name: str, root: Path) -> Population:
    folder = root / "data" / name.replace(" ", "-")
    make = MAKERS[name]
    if not folder.exists():
        building = root / "data" / f".{folder.name}-{np.random.SeedSequence().entropy}"
        building.mkdir(parents=True)
        with (building / "all.tsv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, delimiter="\t").writerows(make(building))
        try:
            building.rename(folder)
        except OSError:  # another process was first
            shutil.rmtree(building)
    with (folder / "all.tsv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file, delimiter="\t"))
    column = "text" if make in TEXTS else "file"
    return Population(folder, column, [row[0] for row in rows], [row[1] for row in rows])


Rows = list[tuple[str, str]]


def _digits(folder: Path) -> Rows:
    from sklearn.datasets import load_digits

    found = load_digits()
    return _pictures(folder, np.round(found.images * 255 / 16), [f"digit {code}" for code in found.target])


def _x_rays(folder: Path) -> Rows:
    with np.load(DATA / "pneumoniamnist" / "pneumoniamnist.npz") as held:
        images = np.concatenate([held[f"{part}_images"] for part in ("train", "val", "test")])
        codes = np.concatenate([held[f"{part}_labels"].ravel() for part in ("train", "val", "test")])
    return _pictures(folder, images, ["pneumonia" if code else "normal" for code in codes])


def _spectrograms(folder: Path) -> Rows:
    """Spoken digits as pictures: the logarithm of the power in 32 bands over 32 spans of time."""
    import soundfile
    from PIL import Image
    from scipy.signal import spectrogram

    rows = _table(DATA / "fsdd" / "metadata.csv")[:: 3_000 // N_SPECTROGRAMS]
    images = []
    for row in rows:
        wave, rate_hz = soundfile.read(DATA / "fsdd" / row["file"])
        power = np.log(spectrogram(wave, rate_hz, nperseg=256, noverlap=192)[2][:96] + 1e-9)
        image = Image.fromarray(((power - power.min()) / np.ptp(power) * 255).astype(np.uint8))
        images.append(np.asarray(image.resize((32, 32))))
    return _pictures(folder, np.stack(images), [f"digit {row['label']}" for row in rows])


def _pictures(folder: Path, images: np.ndarray, labels: list[str]) -> Rows:
    from PIL import Image

    for number, image in enumerate(images):
        Image.fromarray(np.asarray(image, dtype=np.uint8)).save(folder / f"{number}.png")
    return [(f"{number}.png", label) for number, label in enumerate(labels)]


def _small_pictures(folder: Path) -> Rows:
    """All four domains of pacs, small."""
    from PIL import Image

    rows = []
    for number, path in enumerate(sorted((DATA / "pacs").glob("*/*/*"))):
        with Image.open(path) as image:
            image.convert("RGB").resize((SIDE, SIDE)).save(folder / f"{number}.png")
        rows.append((f"{number}.png", path.parent.name))
    return rows


def _photos(*paths: Path) -> Callable[[Path], Rows]:
    def copy(folder: Path) -> Rows:
        rows = []
        for number, path in enumerate(sorted(path for place in paths for path in place.glob("*/*.*"))):
            name = f"{number}{path.suffix}"
            shutil.copy(path, folder / name)
            rows.append((name, path.parent.name))
        return rows

    return copy


def _recordings(name: str, column: str) -> Callable[[Path], Rows]:
    def copy(folder: Path) -> Rows:
        rows = []
        for row in _table(DATA / name / "metadata.csv"):
            shutil.copy(DATA / name / row["file"], folder)
            rows.append((Path(row["file"]).name, f"class {row[column]}"))
        return rows

    return copy


def _sentences(name: str) -> Callable[[Path], Rows]:
    def read(folder: Path) -> Rows:
        rows = {row["text"]: row["label"] for row in _table(DATA / name / f"{name}.csv")}
        return [(text, label) for text, label in rows.items() if len(text.split()) <= MOST_WORDS]

    return read


def _table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


MAKERS: dict[str, Callable[[Path], Rows]] = {
    "digits": _digits,
    "x-rays": _x_rays,
    "spectrograms": _spectrograms,
    "pictures": _small_pictures,
    "hymenoptera": _photos(DATA / "hymenoptera" / "train", DATA / "hymenoptera" / "val"),
    "pacs photos": _photos(DATA / "pacs" / "photo"),
    "sst2": _sentences("sst2"),
    "trec": _sentences("trec"),
    "amazon": _sentences("amazon_reviews"),
    "fsdd digits": _recordings("fsdd", "label"),
    "emodb emotions": _recordings("emodb", "label"),
    "emodb speakers": _recordings("emodb", "speaker"),
}
TEXTS = tuple(MAKERS[name] for name in ("sst2", "trec", "amazon"))
