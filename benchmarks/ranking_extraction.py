"""What the features of all sources of a ranking cost; `python -m benchmarks.ranking_extraction` prints one JSON line.

Timed in one run, in turn, the best of several each: the features of seven image sources on hymenoptera from files to an
empty store; the seven plain forward passes of the same prepared networks over batches that are decoded already; and
decoding once for each preprocessing. `--small` takes a few pictures once, to see that it works.
"""

from __future__ import annotations

import json
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from benchmarks.extraction import seconds_of
from benchmarks.work import ROOT, SHARED, photo_paths
from headstart.data.loading import Batch, load_batches, plan_batches
from headstart.data.scanning import scan
from headstart.features import Setting, Store, extract_pooled_of_many
from headstart.features.device import torch_threads
from headstart.features.extraction import compute_batches
from headstart.features.inference import InferenceNetwork, inference_network, inputs_for
from headstart.sources import load_source
from headstart.sources.source import Source

CIFAR = f"{ROOT / 'examples' / 'cifar_resnet.py'}:CifarResNet"
SOURCES = {
    "mobilenetv1_100.tf1_qat_in1k": None,
    "mobilenetv2_100.inat_bird": None,
    "mobilenetv2_100.inat_insect": None,
    "mobilenetv2_100.tf2_ptq_in1k": None,
    "resnet20_cifar10": CIFAR,
    "resnet56_cifar10": CIFAR,
    "tf_efficientnet_lite0.in1k": None,
}
"""The architecture of each source; None: its folder says it."""
REPEATS = 3
N_SMALL = 24


def decoded_by(sources: list[Source], photos: list[Path], setting: Setting) -> dict[str, list[Batch]]:
    """The batches of each preprocessing."""
    batches: dict[str, list[Batch]] = {}
    for source in sources:
        key = source.preprocessing.digest()
        if key not in batches:
            plan = plan_batches(photos, source.preprocessing, batch_size=setting.batch_size)
            batches[key] = list(load_batches(photos, source.preprocessing, plan, threads=setting.n_threads))
    return batches


def forward(network: InferenceNetwork, batches: list[Batch], setting: Setting) -> None:
    """A plain pass over decoded batches, on every core."""

    def plain(inputs: dict[str, Tensor], worker: int) -> list[dict[str, Tensor]]:
        backbone = network.backbones[worker]
        with torch.inference_mode():
            return [{"output": backbone(inputs_for(backbone, inputs)).float()}]

    with torch_threads(1):
        for _ in compute_batches(batches, plain, setting.n_workers):
            pass


def row(*, small: bool) -> dict[str, Any]:
    """The measurement."""
    photos = [Path(path) for part in ("train", "val") for path in photo_paths(part)[0]]
    photos = photos[:: len(photos) // N_SMALL] if small else photos
    setting = Setting.choose()
    sources = [load_source(str(SHARED / "weights" / name), arch=arch) for name, arch in SOURCES.items()]
    digests = scan(photos, "image", threads=setting.n_threads).digests
    networks = [inference_network(source, setting) for source in sources]

    def extract() -> None:
        with tempfile.TemporaryDirectory() as folder:
            for each in extract_pooled_of_many(sources, photos, digests, Store(folder), **setting.options):
                each.result()

    times: list[tuple[float, float, float]] = []
    for _ in range(1 if small else REPEATS):
        decoding = seconds_of(lambda: decoded_by(sources, photos, setting))
        batches = decoded_by(sources, photos, setting)
        passes = sum(
            seconds_of(partial(forward, network, batches[source.preprocessing.digest()], setting))
            for source, network in zip(sources, networks, strict=True)
        )
        times.append((seconds_of(extract), passes, decoding))
    ours, passes_alone, decoding = (min(side) for side in zip(*times, strict=True))
    return {
        "work": f"features of {len(sources)} sources from {len(photos)} JPEGs of hymenoptera",
        "precision": setting.precision,
        "threads": setting.n_threads,
        "n_preprocessings": len({source.preprocessing.digest() for source in sources}),
        "seconds": round(ours, 2),
        "forward_seconds": round(passes_alone, 2),
        "decoding_seconds": round(decoding, 2),
        "ratio_to_forward": round(ours / passes_alone, 3),
        "ratio_to_forward_and_decoding": round(ours / (passes_alone + decoding), 3),
    }


if __name__ == "__main__":
    print(json.dumps(row(small="--small" in sys.argv[1:])))
