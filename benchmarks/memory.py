"""Peak memory of a frozen fit on 100,000 small pictures: `python -m benchmarks.memory` prints it."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np

N_ITEMS, N_CLASSES, SIDE = 100_000, 10, 32


def pictures(folder: Path) -> Path:
    """An npz of random pictures with a faint mark of their class, written one class at a time."""
    random = np.random.default_rng(0)
    labels = random.integers(0, N_CLASSES, N_ITEMS)
    images = np.lib.format.open_memmap(
        folder / "images.npy", mode="w+", dtype=np.uint8, shape=(N_ITEMS, SIDE, SIDE, 3)
    )
    for start in range(0, N_ITEMS, 10_000):
        part = random.integers(0, 200, (10_000, SIDE, SIDE, 3), dtype=np.uint8)
        part[np.arange(10_000), 3 * labels[start : start + 10_000]] += 50
        images[start : start + 10_000] = part
    path = folder / "pictures.npz"
    held_out = N_ITEMS // 10
    np.savez(
        path,
        train_images=images[held_out:], train_labels=labels[held_out:],
        test_images=images[:held_out], test_labels=labels[:held_out],
    )  # fmt: skip
    return path


def main() -> None:
    """Fit in a process of its own, so that making the pictures does not count, and print its peak."""
    import json
    import subprocess
    import sys

    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        data = pictures(folder)
        started = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "headstart", "fit", str(data), "--source", "bundled:letters", "-q",
             "--out", str(folder / "run"), "--store", str(folder / "store"), "--no-baseline", "--no-report"],
            check=True,
        )  # fmt: skip
        metrics = json.loads((folder / "run" / "metrics.json").read_text())
        seconds = time.perf_counter() - started
    peak, accuracy = metrics["peak_bytes"] / 1e9, metrics["test"]["accuracy"]["value"]
    print(
        f"{N_ITEMS:,} pictures of {SIDE} px: peak {peak:.2f} GB (goal: under 2), {seconds:.0f} s, {accuracy:.3f}"
    )


if __name__ == "__main__":
    main()
