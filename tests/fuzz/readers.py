"""One entry per reader of headstart: how valid input is made, which of its files are damaged, and what reads it.

To add a reader, write the two functions and add an entry to `READERS`.
"""

from __future__ import annotations

import io
import os
import shutil
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from PIL import Image

import small_data
import tiny

EIGHT = 8


@dataclass(frozen=True)
class Reader:
    """What one part of headstart reads.

    Attributes:
        name: of the reader.
        make: writes valid input below an empty folder, and returns the file or folder to read.
        read: reads it, and raises AssertionError if a value is wrong that should have been found damaged.
        patterns: of the files that may be damaged, relative to the folder.
        n_quick: trials in the ordinary test.
    """

    name: str
    make: Callable[[Path], Path]
    read: Callable[[Path], object]
    patterns: tuple[str, ...] = ("*",)
    n_quick: int = 25

    def may_damage(self, name: str) -> bool:
        """Whether a file may be damaged."""
        return any(fnmatch(name, pattern) for pattern in self.patterns)


def _read_data(place: Path, **options: Any) -> None:
    """Read, check and decode items as `fit` does before it knows a source."""
    from headstart.data import DataSet, load_batches, plan_batches

    data = DataSet.read(place, labels="optional", split=False, threads=1, **options)
    preprocessing = _preprocessing(data.examples.modality)
    if preprocessing is not None:
        batches = plan_batches(data.examples.items, preprocessing, batch_size=EIGHT)
        for _ in load_batches(data.examples.items, preprocessing, batches, threads=1):
            pass


def _preprocessing(modality: str) -> Any:
    from headstart.data import AudioPreprocessing, ImagePreprocessing

    if modality == "image":
        return ImagePreprocessing(size=(EIGHT, EIGHT), crop_pct=1.0)
    return AudioPreprocessing(rate_hz=8_000, window_samples=800) if modality == "audio" else None


def _pictures(n_items: int = 6, side: int = 12) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (n_items, side, side, 3), dtype=np.uint8)


def _images(root: Path) -> Path:
    folder = root / "images"
    for index, (ending, options) in enumerate(_IMAGE_FILES):
        path = folder / "ab"[index % 2] / f"{index}.{ending}"
        path.parent.mkdir(parents=True, exist_ok=True)
        first, *others = map(Image.fromarray, _pictures(3))
        pages = {"save_all": True, "append_images": others} if options.get("pages") else {}
        first.convert(options.get("mode", "RGB")).save(path, **pages, **options.get("save", {}))
    return folder


_LZW, _DEFLATE = ({"compression": f"tiff_{name}"} for name in ("lzw", "deflate"))
_IMAGE_FILES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("png", {}), ("png", {"mode": "P"}), ("png", {"mode": "I;16"}), ("jpg", {}), ("jpg", {"mode": "CMYK"}),
    ("jpg", {"save": {"progressive": True}}), ("webp", {}), ("gif", {"pages": True}), ("bmp", {}), ("ppm", {}),
    ("tiff", {}), ("tif", {"pages": True, "save": _LZW}), ("tif", {"save": _DEFLATE}),
)  # fmt: skip


def _medical(root: Path) -> Path:
    """DICOM files: plain, with a window, several frames, colours of a palette, run-length encoded."""
    import pydicom
    from pydicom.uid import ExplicitVRLittleEndian, RLELossless

    folder = root / "medical"
    grey = np.arange(64, dtype=np.uint16).reshape(8, 8) * 60
    kinds: tuple[dict[str, Any], ...] = (
        {}, {"WindowCenter": 1000, "WindowWidth": 900, "RescaleSlope": 1, "RescaleIntercept": -5},
        {"NumberOfFrames": 1}, {"PixelPaddingValue": 0}, {"coded": True},
    )  # fmt: skip
    for index, kind in enumerate(kinds):
        found = pydicom.Dataset()
        found.file_meta = pydicom.dataset.FileMetaDataset()
        found.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        found.file_meta.MediaStorageSOPClassUID = pydicom.uid.SecondaryCaptureImageStorage
        found.file_meta.MediaStorageSOPInstanceUID = f"1.2.3.{index + 1}"
        found.Rows = found.Columns = 8
        found.SamplesPerPixel, found.PhotometricInterpretation = 1, "MONOCHROME2"
        found.BitsAllocated = found.BitsStored = 16
        found.HighBit, found.PixelRepresentation = 15, 0
        found.PixelData = (grey + index).tobytes()
        for name, value in kind.items():
            if name != "coded":
                setattr(found, name, value)
        if "coded" in kind:
            found.compress(RLELossless, generate_instance_uid=False)
        path = folder / "ab"[index % 2] / f"{index}.dcm"
        path.parent.mkdir(parents=True, exist_ok=True)
        pydicom.dcmwrite(path, found, enforce_file_format=True)
    return folder


def _recordings(root: Path) -> Path:
    folder = root / "recordings"
    tone = 0.3 * np.sin(np.arange(900) / 5).astype(np.float32)
    kinds = (("wav", "PCM_16"), ("wav", "FLOAT"), ("wav", "PCM_U8"), ("wav", "MS_ADPCM"), ("flac", "PCM_16"),
             ("ogg", "VORBIS"), ("ogg", "OPUS"), ("mp3", "MPEG_LAYER_III"))  # fmt: skip
    for index, (ending, subtype) in enumerate(kinds):
        path = folder / "ab"[index % 2] / f"{index}.{ending}"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, np.stack([tone] * (1 + index % 2), 1), 8_000, subtype=subtype)
    return folder


_ROWS = [
    {"text": f"a small dog {i}", "label": "ab"[i % 2], "patient": f"p{i % 3}", "age": i} for i in range(12)
]


def _table(ending: str) -> Callable[[Path], Path]:
    def make(root: Path) -> Path:
        import json

        import pyarrow as pa
        import pyarrow.parquet as pq

        path = root / f"table.{ending}"
        if ending in ("csv", "tsv"):
            mark = "," if ending == "csv" else "\t"
            lines = [mark.join(map(str, row.values())) for row in (dict(zip(_ROWS[0], _ROWS[0])), *_ROWS)]
            path.write_text("\n".join(lines) + "\n")
        elif ending == "jsonl":
            path.write_text("".join(json.dumps(row) + "\n" for row in _ROWS))
        elif ending == "json":
            path.write_text(json.dumps(_ROWS))
        elif ending == "xlsx":
            import openpyxl

            book = openpyxl.Workbook()
            for cells in (list(_ROWS[0]), *(list(row.values()) for row in _ROWS)):
                book.active.append(cells)
            book.save(path)
        else:
            pq.write_table(pa.Table.from_pylist(_ROWS), path)
        return path

    return make


def _embedded(root: Path) -> Path:
    import pyarrow as pa
    import pyarrow.parquet as pq

    def png(picture: np.ndarray) -> bytes:
        Image.fromarray(picture).save(written := io.BytesIO(), "png")
        return written.getvalue()

    rows = [
        {"image": {"bytes": png(one), "path": None}, "label": "ab"[i % 2]}
        for i, one in enumerate(_pictures(12))
    ]
    pq.write_table(pa.Table.from_pylist(rows), root / "embedded.parquet")
    return root / "embedded.parquet"


def _file_table(root: Path) -> Path:
    return small_data.digit_table(root / "tables").parent


def _npz(root: Path) -> Path:
    """Compressed and not, in one folder: the reader takes each alone."""
    folder = root / "npz"
    folder.mkdir()
    small_data.digit_npz(folder / "plain.npz")
    with np.load(folder / "plain.npz") as arrays:
        np.savez_compressed(folder / "small.npz", **arrays)
    return folder


def _read_each(place: Path) -> None:
    """Read each file of a folder; the first refusal ends it."""
    for path in sorted(place.iterdir()):
        _read_data(path)


def _saved_set(root: Path) -> Path:
    import datasets

    datasets.disable_progress_bars()
    datasets.Dataset.from_list(_ROWS).save_to_disk(str(root / "saved"))
    return root / "saved"


def _weights(root: Path) -> Path:
    """A network of timm as one file of each kind, each in a folder of its own."""
    import torch
    from safetensors.torch import load_file

    folder = root / "weights"
    tiny.save_timm(folder / "safe")
    tensors = load_file(folder / "safe" / "model.safetensors")
    for name, options in (("zip", {}), ("old", {"_use_new_zipfile_serialization": False})):
        (folder / name).mkdir()
        shutil.copy(folder / "safe" / "config.json", folder / name)
        torch.save(tensors, folder / name / "model.pth", **options)
    sharded = folder / "sharded"
    sharded.mkdir()
    shutil.copy(folder / "safe" / "config.json", sharded)
    half = dict(list(tensors.items())[:9]), dict(list(tensors.items())[9:])
    _save_sharded(sharded, half)
    return folder


def _save_sharded(folder: Path, parts: tuple[dict[str, Any], ...]) -> None:
    from safetensors.torch import save_file

    where = {}
    for index, part in enumerate(parts):
        name = f"model-{index + 1:05}-of-{len(parts):05}.safetensors"
        save_file(part, str(folder / name))
        where |= dict.fromkeys(part, name)
    tiny.write_json(folder / "model.safetensors.index.json", {"metadata": {}, "weight_map": where})


def _each(reads: Iterable[Callable[[], object]]) -> None:
    """Make each read; all refusals are fine, and the last is passed on."""
    from headstart.errors import HeadstartError

    refused = None
    for read in reads:
        try:
            read()
        except HeadstartError as error:
            refused = error
    if refused is not None:
        raise refused


def _read_sources(place: Path) -> None:
    """Open each source."""
    from headstart.sources import load_source

    folders = sorted(path for path in place.iterdir() if path.is_dir())
    _each(partial(load_source, str(folder)) for folder in folders)


def _sources(root: Path) -> Path:
    """A tiny source of each modality, with the small files that its library reads."""
    folder = root / "sources"
    folder.mkdir()
    small_data.text_source(folder / "bert")
    modules = [
        {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
        {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
    ]
    tiny.write_json(folder / "bert" / "modules.json", modules)
    tiny.write_json(folder / "bert" / "1_Pooling" / "config.json", {"pooling_mode_mean_tokens": True})
    small_data.audio_source(folder / "wav2vec2")
    tiny.save_timm(folder / "timm")
    for one in folder.iterdir():
        card = "---\nlicense: mit\npipeline_tag: fill-mask\ndatasets: [a, b]\n---\n# A model\n"
        (one / "README.md").write_text(card)
    return folder


def _recipe(root: Path) -> Path:
    from headstart.verbs.recipes import copy_recipe, recipes

    return copy_recipe(recipes().split()[0], root / "recipe.yaml")


def _read_recipe(place: Path) -> None:
    from headstart.verbs.recipes import check_recipe

    check_recipe(place)


def _configuration(root: Path) -> Path:
    path = root / "headstart.yaml"
    lines = ("fit:", "  data: photos", "  source: bundled:letters", "  freeze: last:1", "  epochs: 3", "  lr: 0.001",
             "  head: standard", "  folds: 3", "  budget: 2m", "  seed: 7", "  group: patient")  # fmt: skip
    path.write_text("\n".join(lines) + "\n")
    return path


def _read_configuration(place: Path) -> None:
    from headstart.fitting.configuration import options_of_command

    options_of_command({}, place, None)


def _checkpoints(root: Path) -> Path:
    import torch

    from headstart.tune.loop.checkpoint import Checkpoints

    kept = Checkpoints(root / "training")
    for step in (1, 2):
        kept.save_last({"step": step, "weights": torch.full((50,), float(step))})
    kept.save_best({"step": 1, "weights": torch.ones(50)})
    return kept.folder


def _read_checkpoints(place: Path) -> None:
    from headstart.tune.loop.checkpoint import Checkpoints

    kept = Checkpoints(place)
    best = kept.read_best()
    for state in [*kept.candidates(), *([best] if best else [])]:
        assert bool((state["weights"] == state["step"]).all()) and len(state["weights"]) == 50, (
            "a wrong checkpoint"
        )


def _run(root: Path) -> Path:
    """A run of pictures, with the items to predict and their right probabilities beside it."""
    import headstart

    data = small_data.digit_npz(root / "digits.npz")
    place = root / "with-run"
    headstart.fit(
        data,
        small_data.LETTERS,
        out=place / "run",
        store=str(root / "store"),
        baseline=False,
        **small_data.SETTINGS,
    )
    np.savez(place / "items.npz", test_images=small_data.digits()[0][:6])
    predicted = headstart.predict(place / "run", place / "items.npz", threads=1)
    np.save(place / "right.npy", predicted.probabilities)
    return place


_RUN = tuple(
    f"with-run/run/{name}" for name in ("*.json", "*.jsonl", "*.yaml", "model.*", "*.parquet", "*.csv")
)


def _read_run(place: Path) -> None:
    """Predict, open the record, and take the run as a source: what is served is right, or is refused."""
    import headstart
    from headstart.runs import RunDirectory
    from headstart.sources import load_source

    def predict() -> None:
        found = headstart.predict(place / "run", place / "items.npz", threads=1).probabilities
        assert np.array_equal(found, np.load(place / "right.npy")), "wrong predictions"

    _each(
        (
            predict,
            lambda: load_source(f"run:{place / 'run'}"),
            lambda: RunDirectory.open(place / "run").record,
            lambda: RunDirectory.open(place / "run").predictions(),
            lambda: RunDirectory.open(place / "run").history,
            lambda: RunDirectory.open(place / "run").config,
        )
    )


def _learned_items(root: Path) -> Path:
    """By what a run knows its items again, without digests: these would refuse any change at once."""
    from headstart.runs import RunDirectory
    from headstart.runs.learned_items import LearnedItems

    run = RunDirectory.create(root / "run")
    LearnedItems(np.arange(20, dtype=np.int64), np.arange(20, 26, dtype=np.int64)).save(run)
    run.write_text("metrics.json", '{"format_version": 1}')
    return run.path


def _read_learned_items(place: Path) -> None:
    """Read them as `evaluate` does."""
    from headstart.runs.learned_items import LearnedItems

    found = LearnedItems.load(place)
    assert found is None or found.learned.ndim == found.seen.ndim == 1


def _statistics(root: Path) -> Path:
    """What a run keeps to be adapted with, without digests: these would refuse any change at once."""
    from headstart.adapt.summary import summarise
    from headstart.runs import RunDirectory
    from headstart.runs.training_statistics import save_statistics

    generator = np.random.default_rng(0)
    x_ND, codes_N = generator.normal(size=(40, 6)), np.arange(40) % 3
    run = RunDirectory.create(root / "run")
    save_statistics(run, summarise(x_ND, codes_N, 3, penalty=0.01))
    run.write_text("metrics.json", '{"format_version": 1}')
    return run.path


def _read_statistics(place: Path) -> None:
    """Read them as `adapt RUN` does, and use them: virtual items, and the map of a stream, are finite."""
    from headstart.adapt.stream import Stream
    from headstart.heads import LinearHead
    from headstart.runs.training_statistics import load_statistics

    zeros, ones = np.zeros(6, np.float32), np.ones(6, np.float32)
    head = LinearHead((0,), zeros, ones, np.zeros((3, 6), np.float32), zeros[:3], 1.0, ("a", "b", "c"))
    summary = load_statistics(place, head)
    stream = Stream(summary.mean, summary.total_deviation)
    virtual_ND, codes_N = summary.draw()
    stream.see(virtual_ND)
    assert np.isfinite(stream.map(virtual_ND)).all() and set(codes_N) <= {0, 1, 2}, "wrong virtual items"


def _store(root: Path) -> Path:
    place = root / "with-store"
    place.mkdir()
    np.save(place / "right.npy", _features(place / "store"))
    return place


def _features(store: Path) -> np.ndarray:
    from features.tiny_source import make_pictures, make_tiny_source
    from headstart.features import Store, extract_pooled

    items, digests = make_pictures(40)
    found = extract_pooled(
        make_tiny_source(), items, digests, Store(store), precision="fp32", threads=1, batch_size=8
    )
    return found.stacked(range(3))


def _read_store(place: Path) -> None:
    """Read every item; half of the damaged shards get the name of their checksum, and may then hold other values."""
    from headstart.features import Store

    renamed = [_with_right_name(path) for path in sorted(place.glob("store/*/*.safetensors"))]
    found, right = _features(place / "store"), np.load(place / "right.npy")
    assert found.shape == right.shape, "features of another shape"
    assert any(renamed) or np.array_equal(found, right), "wrong features"
    Store(place / "store").list()


def _with_right_name(path: Path) -> bool:
    """Rename a damaged shard, if its checksum is even; return whether it was."""
    if path.is_symlink() or not path.is_file():
        return False
    checksum = zlib.crc32(path.read_bytes())
    right = path.with_name(f"{path.name.split('-')[0]}-{checksum:08x}.safetensors")
    if right == path or checksum % 2:
        return False
    path.rename(right)
    return True


def _record(root: Path) -> Path:
    from headstart.past_runs import add
    from past_runs.some_runs import run

    place = root / "runs.sqlite"
    with _record_at(place):
        for number in range(60):
            add(run(source=f"timm:network-{number}", value=number / 60))
    return place


def _read_record(place: Path) -> None:
    """Read the record: a damaged one is a warning, and is left as it is."""
    from headstart.past_runs import read, score_table

    before = place.read_bytes() if place.is_file() else b""
    with _record_at(place):
        score_table(read())
    assert before == (place.read_bytes() if place.is_file() else b""), "the record was changed"


@contextmanager
def _record_at(place: Path) -> Iterator[None]:
    os.environ["HEADSTART_RECORD"] = str(place)
    try:
        yield
    finally:
        os.environ["HEADSTART_RECORD"] = "off"


READERS: tuple[Reader, ...] = (
    Reader("images", _images, _read_data, n_quick=18),
    Reader("medical", _medical, _read_data, ("medical/*/*.dcm",), n_quick=15),
    Reader("recordings", _recordings, _read_data, n_quick=15),
    *(
        Reader(ending, _table(ending), _read_data, n_quick=11)
        for ending in ("csv", "tsv", "json", "jsonl", "parquet", "xlsx")
    ),
    Reader("embedded", _embedded, _read_data, n_quick=12),
    Reader("files", _file_table, _read_data, ("tables/*.csv", "tables/files/*"), n_quick=12),
    Reader("npz", _npz, _read_each, n_quick=18),
    Reader("saved set", _saved_set, _read_data, n_quick=9),
    Reader("weights", _weights, _read_sources, n_quick=5),
    Reader("sources", _sources, _read_sources, ("*.json", "*.txt", "*.md"), n_quick=6),
    Reader("recipe", _recipe, _read_recipe, n_quick=15),
    Reader("configuration", _configuration, _read_configuration, n_quick=15),
    Reader("checkpoints", _checkpoints, _read_checkpoints, n_quick=12),
    Reader("run", _run, _read_run, _RUN, n_quick=5),
    Reader("statistics", _statistics, _read_statistics, ("run/training_statistics.safetensors",), n_quick=18),
    Reader(
        "learned items", _learned_items, _read_learned_items, ("run/learned_items.safetensors",), n_quick=12
    ),
    Reader("record", _record, _read_record, n_quick=15),
    Reader("store", _store, _read_store, ("with-store/store/*",), n_quick=15),
)
