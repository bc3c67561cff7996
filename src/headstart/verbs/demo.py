"""demo: handwritten digits from a network trained on letters, offline, compared with the same network from scratch.

At each number of labels per class, several seeds draw the labelled digits; both ways learn from the same ones
and are measured on the same held-out digits. Intervals are paired, over seeds (Student's t).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from headstart.files import named_path
from headstart.progress import progress, say

if TYPE_CHECKING:
    from headstart.choose import StageFeatures
    from headstart.runs.run import Run

SOURCE = "bundled:letters"
LABELS_A_CLASS = (1, 5, 50)
N_SEEDS = 5
N_HELD_OUT = 797
SCRATCH_STEPS = 80


@dataclass(frozen=True)
class Comparison:
    """Transfer against scratch at one number of labels per class; accuracies are means over seeds."""

    labels_a_class: int
    transfer: float
    scratch: float
    difference: float
    low: float
    high: float

    @property
    def words(self) -> str:
        """The verdict in words."""
        if self.low > 0:
            return "transfer helps"
        return "transfer hurts" if self.high < 0 else "no clear difference"


@dataclass(frozen=True)
class Demo:
    """What the demo found.

    Attributes:
        comparisons: one per number of labels.
        run: the run fitted to five labels per class, with its report.
        seconds: of the whole demo.
    """

    comparisons: Sequence[Comparison]
    run: Run
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """The result as a dictionary that JSON can hold."""
        return {
            "comparisons": [{**asdict(each), "verdict": each.words} for each in self.comparisons],
            "run": str(self.run.path),
            "seconds": self.seconds,
        }

    @property
    def text(self) -> str:
        """The result as lines of plain text."""
        lines = [
            "Handwritten digits: a network pretrained on letters, and the same network from scratch.",
            f"Accuracy on {N_HELD_OUT} digits held out, mean over {N_SEEDS} draws of the labels:",
            "",
            "  labels per class   transfer   scratch   difference, 95% interval",
        ]
        for each in self.comparisons:
            scores = f"{each.labels_a_class:>16}   {each.transfer:>8.1%}   {each.scratch:>7.1%}"
            gain, low, high = (100 * value for value in (each.difference, each.low, each.high))
            lines.append(f"  {scores}   {gain:+5.1f} ({low:+.1f} to {high:+.1f})  {each.words}")
        lines += ["", self.run.summary.rstrip(), "", f"  The demo took {self.seconds:.0f} s."]
        return "\n".join(lines)


def demo(out: str | Path | None = None) -> Demo:
    """Fit digits from letters, and compare with learning from scratch.

    Args:
        out: folder of the run fitted to five labels per class; None: `runs/demo`.
    """
    from headstart.fitting.options import fit_options
    from headstart.fitting.procedure import run_fit
    from headstart.heads.threads import single_threaded

    started = time.perf_counter()
    out = Path("runs") / "demo" if out is None else named_path(out, "--out")
    pictures, labels = _digits()
    held_out, pool = np.arange(N_HELD_OUT), np.arange(N_HELD_OUT, len(labels))
    picked = _draw(labels, pool, 5, seed=0)
    data = out.parent / f"{out.name}-data" / "digits.npz"
    data.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        data,
        train_images=pictures[picked], train_labels=labels[picked],
        test_images=pictures[held_out], test_labels=labels[held_out],
    )  # fmt: skip
    say(f"The digits are in {data}: 5 labelled per class, {N_HELD_OUT} held out")
    # not in the record of finished runs: these are not the user's data
    # One thread: networks so small gain nothing from more, and threads that wait for a busy core cost minutes.
    run = run_fit(fit_options(data=data, source=SOURCE, out=out, threads=1), recorded=False)
    with single_threaded():
        comparisons = _compare(pictures, labels, pool, held_out)
    return Demo(comparisons, run, time.perf_counter() - started)


def _digits() -> tuple[np.ndarray, np.ndarray]:
    """scikit-learn's digits as uint8 pictures (n_items, 8, 8), in a random order, and int64 labels."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    order = np.random.default_rng(0).permutation(len(digits.target))
    return (digits.images[order] * 255 / 16).astype(np.uint8), digits.target[order].astype(np.int64)


def _draw(labels: np.ndarray, pool: np.ndarray, n_a_class: int, seed: int) -> np.ndarray:
    """Positions of a given number of items per class of the pool."""
    random = np.random.default_rng(seed)
    return np.concatenate(
        [random.permutation(pool[labels[pool] == name])[:n_a_class] for name in np.unique(labels)]
    )


def _compare(
    pictures: np.ndarray, labels: np.ndarray, pool: np.ndarray, held_out: np.ndarray
) -> list[Comparison]:
    from headstart.choose import Rows, choose_head

    features, pixels = _features(pictures)
    names = labels.astype(str).astype(object)
    found = []
    with progress("Transfer against scratch", len(LABELS_A_CLASS) * N_SEEDS, "trainings") as advance:
        for n_a_class in LABELS_A_CLASS:
            pairs = []
            for seed in range(N_SEEDS):
                picked = _draw(labels, pool, n_a_class, seed)
                head = choose_head(Rows(features, picked), names[picked]).head
                vectors = np.concatenate([features.stage(i)[held_out] for i in head.stages], axis=1)
                transfer = float((head.predict(vectors) == names[held_out]).mean())
                pairs.append((transfer, _scratch(pixels, labels, picked, held_out, seed)))
                advance(1)
            found.append(_paired(n_a_class, np.array(pairs)))
    return found


def _features(pictures: np.ndarray) -> tuple[StageFeatures, Any]:
    """The source's pooled vectors of all digits, and the digits as its normalised pixels."""
    import torch

    from headstart.choose import ArrayFeatures
    from headstart.data import load_batches
    from headstart.sources import load_source

    source = load_source(SOURCE)
    everything = [np.arange(len(pictures))]
    _, inputs = next(load_batches(list(pictures), source.preprocessing, everything, threads=1))
    with torch.inference_mode():
        vectors = source.backbone.pooled(inputs)
    stages = tuple(source.stages)
    return ArrayFeatures(stages, tuple(vector.numpy() for vector in vectors)), inputs["pixels"]


def _scratch(pixels: Any, labels: np.ndarray, picked: np.ndarray, held_out: np.ndarray, seed: int) -> float:
    """Accuracy of the source's network with random weights, trained on the same labelled digits."""
    import torch

    from headstart.bundled.letters import CONFIG
    from headstart.bundled.network import LettersNet, train_classifier

    torch.manual_seed(seed)
    network = LettersNet(CONFIG)
    classifier = train_classifier(
        network,
        CONFIG["widths"][-1],
        pixels[picked],
        torch.from_numpy(labels[picked]),
        n_steps=SCRATCH_STEPS,
        lr=3e-3,
        seed=seed,
        batch_size=128,
    )
    with torch.inference_mode():
        guessed = classifier(network(pixels[held_out])).argmax(1).numpy()
    return float((guessed == labels[held_out]).mean())


def _paired(n_a_class: int, pairs: np.ndarray) -> Comparison:
    """Means of (n_seeds, 2) accuracies, and the interval of their paired difference."""
    from scipy.stats import t

    gain = pairs[:, 0] - pairs[:, 1]
    half = float(t.ppf(0.975, len(gain) - 1) * gain.std(ddof=1) / np.sqrt(len(gain)))
    mean = float(gain.mean())
    return Comparison(
        n_a_class, float(pairs[:, 0].mean()), float(pairs[:, 1].mean()), mean, mean - half, mean + half
    )
