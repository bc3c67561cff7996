"""The data sets of the benchmark of adaptation: items with a class and a domain each, their sources and their pairs.

pacs        photo, art painting, cartoon, sketch: 7 classes, 32 pictures of each per domain
pacs lite0  the same with another network, which had no part in the choice of the default
amazon      books, dvd, electronics, kitchen: the sentiment of reviews
amcd        English and German: counterfactual sentences; .19 of the English and .69 of the German ones are
emodb sex   women and men: 7 emotions
emodb speech  neutral and emotional speech: 10 speakers
fsdd        each speaker, and the other five: 10 spoken digits
digits      scikit-learn's handwritten digits, and digits drawn as the letters of `headstart demo` were drawn
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.work import ROOT, SHARED

MOBILENET, LITE0 = "mobilenetv2_100.tf2_ptq_in1k", "tf_efficientnet_lite0.in1k"
MINILM, E5 = "all-MiniLM-L6-v2", "multilingual-e5-small-latin"
WHISPER, GE2E = "whisper-tiny.en-encoder", "resemblyzer-ge2e"
LETTERS = "bundled:letters"
ARCH = {GE2E: str(ROOT / "examples" / "ge2e.py") + ":SpeakerEncoder"}
REST = "the others"
N_DRAWN_PER_DIGIT = 180  # about as many as scikit-learn has


@dataclass(frozen=True, eq=False)
class Items:
    """The items of a data set.

    Attributes:
        items: N files, texts or pictures.
        labels: class of each, of shape (N,), text.
        domains: domain of each, of shape (N,), text.
    """

    items: Sequence[Any]
    labels: np.ndarray
    domains: np.ndarray


@dataclass(frozen=True)
class AdaptationSet:
    """A data set by name.

    Attributes:
        name: in tables.
        modality: of its items.
        sources: names of the networks; if several, a cross-validation on the source domain chooses.
        read: gives its items.
        balanced_accuracy: whether classes count alike.
        against_rest: whether a pair is a domain and all other items, instead of two domains.
        has_batch_norm: whether its sources have batch-norm layers.
    """

    name: str
    modality: str
    sources: tuple[str, ...]
    read: Callable[[], Items]
    balanced_accuracy: bool = False
    against_rest: bool = False
    has_batch_norm: bool = False

    def pairs(self, domains: np.ndarray) -> list[tuple[str, str]]:
        """Every ordered pair of domains.

        Args:
            domains: of the items, of shape (N,).
        """
        names = sorted(set(domains.tolist()))
        if self.against_rest:
            return [(name, REST) for name in names]
        return [(one, other) for one in names for other in names if one != other]


def in_domain(domains: np.ndarray, name: str, other: str) -> np.ndarray:
    """Positions of the items of a side of a pair.

    Args:
        domains: of the items, of shape (N,).
        name: of the side.
        other: name of the other side.
    """
    return np.flatnonzero(domains != other if name == REST else domains == name)


def _pacs() -> Items:
    folder = SHARED / "data" / "pacs"
    paths = sorted(folder.glob("*/*/*"))
    return _items(
        [str(path) for path in paths],
        [path.parent.name for path in paths],
        [path.parent.parent.name for path in paths],
    )


def _amazon() -> Items:
    rows = _rows("amazon_reviews", "amazon_reviews.csv")
    return _items(*([row[column] for row in rows] for column in ("text", "label", "domain")))


def _amcd() -> Items:
    rows = _rows("amcd", "amcd.csv")
    return _items(*([row[column] for row in rows] for column in ("text", "label", "language")))


def _emodb_sex() -> Items:
    rows = _rows("emodb", "metadata.csv")
    sexes = {"f": "women", "m": "men"}
    return _items(
        [str(SHARED / "data" / "emodb" / row["file"]) for row in rows],
        [row["label"] for row in rows],
        [sexes[row["gender"]] for row in rows],
    )


def _emodb_speech() -> Items:
    rows = _rows("emodb", "metadata.csv")
    return _items(
        [str(SHARED / "data" / "emodb" / row["file"]) for row in rows],
        [row["speaker"] for row in rows],
        ["neutral" if row["label"] == "neutral" else "emotional" for row in rows],
    )


def _fsdd() -> Items:
    rows = _rows("fsdd", "metadata.csv")
    return _items(
        [str(SHARED / "data" / "fsdd" / row["file"]) for row in rows],
        [row["label"] for row in rows],
        [row["speaker"] for row in rows],
    )


def _digits() -> Items:
    from sklearn.datasets import load_digits

    from headstart.bundled.letters import draw_characters

    written = load_digits()
    drawn, codes = draw_characters("0123456789", N_DRAWN_PER_DIGIT, seed=0)
    pictures = [*(written.images * 255 / 16).astype(np.uint8), *drawn]
    labels = [str(code) for code in (*written.target, *codes)]
    return _items(pictures, labels, ["handwritten"] * len(written.target) + ["drawn"] * len(drawn))


def _items(items: Sequence[Any], labels: Sequence[str], domains: Sequence[str]) -> Items:
    return Items(items, np.asarray(labels, dtype=object), np.asarray(domains, dtype=object))


def _rows(folder: str, name: str) -> list[dict[str, str]]:
    with (SHARED / "data" / folder / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


SPEECH = (WHISPER, GE2E)
SETS = {
    each.name: each
    for each in (
        AdaptationSet("pacs", "image", (MOBILENET,), _pacs, has_batch_norm=True),
        AdaptationSet("pacs lite0", "image", (LITE0,), _pacs, has_batch_norm=True),
        AdaptationSet("amazon", "text", (MINILM,), _amazon),
        AdaptationSet("amcd e5", "text", (E5,), _amcd, balanced_accuracy=True),
        AdaptationSet("amcd MiniLM", "text", (MINILM,), _amcd, balanced_accuracy=True),
        AdaptationSet("emodb sex", "audio", SPEECH, _emodb_sex),
        AdaptationSet("emodb speech", "audio", SPEECH, _emodb_speech),
        AdaptationSet("fsdd", "audio", SPEECH, _fsdd, against_rest=True),
        AdaptationSet("digits", "image", (LETTERS,), _digits, has_batch_norm=True),
    )
}


def _column(name: str) -> Callable[[], np.ndarray]:
    def read() -> np.ndarray:
        return np.asarray([row[name] for row in _rows("emodb", "metadata.csv")], dtype=object)

    return read


GROUPS = {"emodb sex": _column("speaker"), "emodb speech": _column("sentence")}
"""What folds keep together."""
