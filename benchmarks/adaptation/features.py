"""Pooled features of every item of a data set at every stage of a source, extracted once and kept on disk."""

from __future__ import annotations

import os
import tempfile
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.adaptation.draws import items_of
from benchmarks.adaptation.sets import ARCH, SETS
from benchmarks.work import SHARED
from headstart.choose import ArrayFeatures
from headstart.data import AudioPreprocessing, scan, with_window
from headstart.features import Store, extract_pooled
from headstart.sources import Source, load_source
from headstart.sources.batch_norm import with_statistics_of


def root() -> Path:
    """The folder of what this benchmark keeps: that of HEADSTART_ADAPTATION, or one of the temporary folder."""
    place = os.environ.get("HEADSTART_ADAPTATION")
    return Path(place) if place else Path(tempfile.gettempdir()) / "headstart-adaptation"


def source_of(name: str, modality: str) -> Source:
    """A source by the name of its folder or its URI.

    Args:
        name: of the source.
        modality: of the items.
    """
    uri = name if ":" in name else str(SHARED / "weights" / name)
    return load_source(uri, arch=ARCH.get(name), modality=modality)  # type: ignore[arg-type]


def features_of(set_name: str, source_name: str) -> ArrayFeatures:
    """Features of a whole data set by a source; recordings in the window of all of them.

    Args:
        set_name: of the data set.
        source_name: of the source.
    """
    path = root() / f"{set_name}-{source_name}.npz".replace(" ", "-").replace(":", "-")
    if not path.exists():
        _write(path, _extract(set_name, source_name))
    return _read(path)


def own_statistics(set_name: str, source_name: str, rows: np.ndarray) -> ArrayFeatures:
    """Features of some items by a source with the batch-norm statistics of these items.

    Args:
        set_name: of the data set.
        source_name: of the source.
        rows: positions of the items in the data set.
    """
    digest = zlib.crc32(np.asarray(rows, dtype=np.int64).tobytes())
    path = root() / f"{set_name}-{source_name}-bn-{digest:08x}.npz".replace(" ", "-").replace(":", "-")
    if not path.exists():
        data, of = items_of(set_name), SETS[set_name]
        items = [data.items[row] for row in rows]
        digests = scan(items, of.modality, threads=1).digests  # type: ignore[arg-type]
        source = with_statistics_of(source_of(source_name, of.modality), items, digests, threads=1)
        with tempfile.TemporaryDirectory() as folder:
            features = extract_pooled(source, items, digests, Store(Path(folder)), threads=1)
            arrays = tuple(features.stage(index) for index in range(features.n_stages))
        _write(path, ArrayFeatures(features.stages, arrays))
    return _read(path)


def _read(path: Path) -> ArrayFeatures:
    with np.load(path) as held:
        return ArrayFeatures(tuple(held.files), tuple(held[name] for name in held.files))


def _write(path: Path, found: ArrayFeatures) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".npz", delete=False) as file:
        np.savez(file, **dict(zip(found.stages, found.arrays, strict=True)))  # type: ignore[arg-type]
    Path(file.name).replace(path)


def _extract(set_name: str, source_name: str) -> ArrayFeatures:
    of = SETS[set_name]
    data = items_of(set_name)
    source = source_of(source_name, of.modality)
    seen = scan(data.items, of.modality, threads=1)  # type: ignore[arg-type]
    if isinstance(source.preprocessing, AudioPreprocessing):
        source = replace(source, preprocessing=with_window(source.preprocessing, seen.seconds))
    features = extract_pooled(source, data.items, seen.digests, Store(), threads=1)
    return ArrayFeatures(features.stages, tuple(features.stage(i) for i in range(features.n_stages)))
