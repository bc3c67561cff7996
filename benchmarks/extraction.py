"""How near extraction comes to what the machine can do; `python -m benchmarks.extraction` prints JSON lines.

The peak is this machine's own product of two square matrices of 2,048 in the precision of the run, its best
of many before and after. Extraction is timed from the items to the features in an empty store. All depths are
timed against one plain forward of the same prepared network over the same decoded batches.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.work import EMODB, MINILM, MOBILENET, WHISPER, photo_paths, sentences, write_between
from headstart.data.loading import load_batches, plan_batches
from headstart.data.preprocessing import AudioPreprocessing, ImagePreprocessing, with_window
from headstart.data.scanning import scan
from headstart.features import Setting, Store, extract_pooled
from headstart.features.device import torch_threads
from headstart.features.extraction import Compute, compute_batches
from headstart.features.inference import inference_network, inputs_for
from headstart.features.pooled_pass import named_by_stage
from headstart.sources import load_source
from headstart.sources.source import Provenance, Source

SIDE = 2048
N_ARRAYS = 512
REPEATS = 3


class Pictures(nn.Module):
    """A timm network of random weights (for speed alone) as a source's network."""

    def __init__(self, architecture: str) -> None:
        super().__init__()
        import timm

        torch.manual_seed(0)
        self.model = timm.create_model(architecture, num_classes=0)

    def forward(self, pixels: Tensor) -> Tensor:
        return self.model(pixels)


def random_source(architecture: str, preprocessing: ImagePreprocessing) -> Source:
    """A ResNet of random weights."""
    layers = {f"layer{number}": f"model.layer{number}" for number in range(1, 5)}
    return Source(
        uri=architecture,
        modality="image",
        network=Pictures(architecture).eval(),
        stages=layers,
        preprocessing=preprocessing,
        digest=f"random-{architecture}",
        provenance=Provenance(architecture, "timm", pretrained=False),
    )


def peak_flops(precision: str) -> float:
    """The machine's best rate of a square matrix product, in operations a second."""
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    a, b = torch.randn(SIDE, SIDE).to(dtype), torch.randn(SIDE, SIDE).to(dtype)
    return 2 * SIDE**3 / min(seconds_of(lambda: a @ b) for _ in range(20))


def seconds_of(work: Callable[[], object]) -> float:
    """How long some work takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def share_of_peak(name: str, items: Sequence[Any], preprocessing: ImagePreprocessing) -> dict[str, Any]:
    """Extract ResNet-50 features and compare their operations with the peak."""
    source = random_source("resnet50", preprocessing)
    precision = Setting.choose().precision
    with FlopCounterMode(display=False) as counter:
        source.network(torch.zeros(1, 3, *preprocessing.size))
    digests = scan(items, "image", threads=1).digests

    def extract() -> None:
        with tempfile.TemporaryDirectory() as folder:
            extract_pooled(source, items, digests, Store(folder))

    peak = peak_flops(precision)
    seconds = min(seconds_of(extract) for _ in range(REPEATS))
    peak = max(peak, peak_flops(precision))
    rate = counter.get_total_flops() * len(items) / seconds
    return {
        "work": f"resnet50 from {name}",
        "precision": precision,
        "n_items": len(items),
        "seconds": round(seconds, 2),
        "peak_gflops": round(peak / 1e9),
        "share_of_peak": round(rate / peak, 3),
    }


def profile_ratio(name: str, source: Source, items: Sequence[Any]) -> dict[str, Any]:
    """Time the vectors of all depths against one plain forward, over the same decoded batches."""
    setting = Setting.choose()
    batches = plan_batches(items, source.preprocessing, batch_size=setting.batch_size)
    decoded = list(load_batches(items, source.preprocessing, batches, threads=setting.n_threads))
    network = inference_network(source, setting)

    def pooled(inputs: dict[str, Tensor], worker: int) -> list[dict[str, Tensor]]:
        return [named_by_stage(network.pooled(inputs, worker))]

    def plain(inputs: dict[str, Tensor], worker: int) -> list[dict[str, Tensor]]:
        backbone = network.backbones[worker]
        with torch.inference_mode():
            return [{"output": backbone(inputs_for(backbone, inputs)).float()}]

    def run(compute: Compute) -> float:
        with torch_threads(1):
            return seconds_of(lambda: list(compute_batches(decoded, compute, setting.n_workers)))

    run(pooled)
    times = [(run(pooled), run(plain)) for _ in range(REPEATS)]
    all_depths, one_forward = (min(side) for side in zip(*times, strict=True))
    return {
        "work": f"all depths of {name} against one plain forward",
        "n_items": len(items),
        "seconds": round(all_depths, 2),
        "plain_seconds": round(one_forward, 2),
        "ratio": round(all_depths / one_forward, 3),
    }


def rows() -> list[dict[str, Any]]:
    """All measurements."""
    photos = [Path(path) for part in ("train", "val") for path in photo_paths(part)[0]]
    arrays = np.random.default_rng(0).integers(0, 256, (N_ARRAYS, 224, 224, 3), dtype=np.uint8)
    whisper = load_source(str(WHISPER))
    clips = sorted(EMODB.rglob("*.wav"))[:128] or sorted(EMODB.rglob("*.flac"))[:128]
    assert isinstance(whisper.preprocessing, AudioPreprocessing)
    seconds = scan(clips, "audio", threads=2).seconds
    assert seconds is not None
    whisper.preprocessing = with_window(whisper.preprocessing, seconds)
    resnet18 = random_source("resnet18", ImagePreprocessing())
    return [
        share_of_peak("decoded arrays", arrays, ImagePreprocessing(crop_pct=1.0)),
        share_of_peak("JPEGs", photos, ImagePreprocessing()),
        profile_ratio("resnet18", resnet18, photos),
        profile_ratio("mobilenetv2", load_source(str(MOBILENET)), photos),
        profile_ratio("MiniLM", load_source(str(MINILM)), sentences()[0][:1000]),
        profile_ratio("Whisper's encoder", whisper, clips),
    ]


def main() -> None:
    """Print the measurements, and write them as a table to docs/benchmarks.md."""
    lines = ["| work | measured | goal |", "|---|---|---|"]
    for row in rows():
        print(json.dumps(row), flush=True)
        if "ratio" in row:
            lines.append(f"| {row['work']} | {row['ratio']:.2f}x its time | at most 1.15x |")
        else:
            peak = f"{row['share_of_peak']:.0%} of {row['peak_gflops']} GFLOP/s ({row['precision']})"
            lines.append(f"| {row['work']} | {peak} | {'70%' if 'JPEG' in row['work'] else '80%'} |")
    write_between("machine", "\n".join(lines))


if __name__ == "__main__":
    main()
