"""What our loop costs over a bare PyTorch loop of the same steps: `python -m benchmarks.overhead`.

Both train the same network on the same items in memory, in batches of the same number and sizes, with fused AdamW,
clipped gradients, a cosine of rates, the same precision and, for texts, the same kernel of attention; the bare loop
is the one at `bare`, and its network is put together by hand. They take turns, and the overhead is the median of the
ratios of the pairs, with its 95% interval by order statistics: single pairs differ by a tenth either way. The last
line printed is JSON.
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.stats import quantile_test
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from benchmarks.extraction import random_source
from benchmarks.sets import SETS
from benchmarks.work import MINILM, n_threads
from headstart.data import scan
from headstart.data.loading import load_batches, plan_batches
from headstart.data.preprocessing import ImagePreprocessing
from headstart.features import Setting, Store, extract_states
from headstart.sources import Source, load_source
from headstart.tune import Part, Policy, Recipe, Training

Batches = Callable[[np.ndarray], tuple[Any, ...]]
BATCH_SIZE, LR, DECAY, CLIP = 16, 1e-4, 0.01, 1.0


class Case:
    """One comparison: items, a policy, and the same work by hand.

    Args:
        name: for the table.
        source: what is trained.
        items, labels: what is learned from.
        cut: stages that are frozen, 0 for none.
        epochs: of each repetition.
        by_hand: of (network, inputs of the items by bucket): the embedding as a bare loop would write it.
        folder: of the store.
    """

    def __init__(
        self,
        name: str,
        source: Source,
        items: Sequence[Any],
        labels: np.ndarray,
        cut: int,
        epochs: int,
        by_hand: Callable[[nn.Module], nn.Module],
        folder: Path,
    ) -> None:
        self.name, self.source, self.items, self.labels, self.epochs = name, source, items, labels, epochs
        self.cut, self.by_hand = cut, by_hand
        self.setting = Setting.choose(threads=n_threads())
        self.store = Store(folder)
        self.digests = scan(items, source.modality, threads=n_threads()).digests
        self.classes = tuple(str(code) for code in range(int(labels.max()) + 1))
        self.buckets, self.inputs = self._in_memory()

    def ours(self) -> float:
        """Seconds of the epochs of our loop; the network and the stored states are made before."""
        recipe = Recipe.for_modality(
            self.source.modality,
            epochs=self.epochs,
            batch_size=BATCH_SIZE,
            lr=LR,
            weight_decay=DECAY,
            clip_norm=CLIP,
            augment="none",
        )
        training = Training(
            self.source,
            Part(self.items, self.digests, self.labels),
            None,
            self.classes,
            policy=Policy.parse(f"first:{self.cut}" if self.cut else "none", tuple(self.source.stages)),
            recipe=recipe,
            store=self.store,
            setting=self.setting,
        )
        return sum(row["seconds"] for row in training.run().history if row["epoch"] > 0)

    def bare(self) -> float:
        """Seconds of the bare loop."""
        network = self.by_hand(copy.deepcopy(self.source.network)).train()
        labels = torch.from_numpy(self.labels)
        with torch.no_grad():
            width = network(*(tensor[:2] for tensor in self.inputs[0])).shape[1]
        return bare(
            network, nn.Linear(width, len(self.classes)), self.inputs, self.buckets, labels, self.epochs,
            torch.bfloat16 if self.setting.precision == "bf16" else None,
            plain_attention=self.source.modality == "text",
        )  # fmt: skip

    def _in_memory(self) -> tuple[list[np.ndarray], list[tuple[Tensor, ...]]]:
        """The items that may share a batch, and their inputs as tensors."""
        if self.cut:
            states = extract_states(
                self.source, self.items, self.digests, self.cut, self.store,
                precision=self.setting.precision, device="cpu", threads=self.setting.n_threads,
            )  # fmt: skip
            stored = [states.batch(bucket).tensors for bucket in states.buckets]
            names = ("arg.0", "input.attention_mask")
            return list(states.buckets), [tuple(s[name] for name in names if name in s) for s in stored]
        preprocessing, n_items = self.source.preprocessing, len(self.items)
        buckets = plan_batches(self.items, preprocessing, batch_size=n_items, tokens_per_batch=sys.maxsize)
        if self.source.modality == "image":
            return buckets, [(torch.from_numpy(np.asarray(self.items)),)]
        loaded = load_batches(self.items, preprocessing, buckets, threads=1)
        return buckets, [tuple(inputs.values()) for _, inputs in loaded]


def bare(
    network: nn.Module,
    head: nn.Module,
    inputs: Sequence[tuple[Tensor, ...]],
    buckets: Sequence[np.ndarray],
    labels: Tensor,
    n_epochs: int,
    dtype: torch.dtype | None,
    plain_attention: bool = False,
) -> float:
    """A plain loop, and the seconds of its epochs."""
    random = np.random.default_rng(0)
    parameters = [p for p in (*network.parameters(), *head.parameters()) if p.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=LR, weight_decay=DECAY, fused=True)
    n_steps = n_epochs * sum(math.ceil(len(bucket) / BATCH_SIZE) for bucket in buckets)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, n_steps)
    attention = partial(sdpa_kernel, SDPBackend.MATH) if plain_attention else nullcontext
    total = torch.zeros(())
    started = time.perf_counter()
    for _ in range(n_epochs):
        batches = [
            (number, rows)
            for number, bucket in enumerate(buckets)
            for rows in np.array_split(random.permutation(len(bucket)), math.ceil(len(bucket) / BATCH_SIZE))
        ]
        for index in random.permutation(len(batches)):
            number, rows = batches[index]
            picked = torch.from_numpy(rows)
            with torch.autocast("cpu", torch.bfloat16, enabled=dtype is not None), attention():
                embedding = network(*(tensor[picked] for tensor in inputs[number]))
            loss = nn.functional.cross_entropy(head(embedding.float()), labels[buckets[number][rows]])
            loss.backward()
            nn.utils.clip_grad_norm_(parameters, CLIP)
            optimizer.step()
            optimizer.zero_grad()
            schedule.step()
            total += loss.detach() * len(rows)
    float(total)
    return time.perf_counter() - started


class LastLayer(nn.Module):
    """The last layer of MiniLM and its pooling."""

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.layer = network.model.encoder.layer[-1]

    def forward(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """The embedding of stored hidden states."""
        out = self.layer(hidden, mask[:, None, None, :].bool()).float()
        weights = mask[:, :, None].float()
        return nn.functional.normalize((out * weights).sum(1) / weights.sum(1), dim=1)


class Whole(nn.Module):
    """The whole network on pictures in memory, normalised as they are used."""

    def __init__(self, network: nn.Module, preprocessing: ImagePreprocessing) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("scale", 1 / (255 * torch.tensor(preprocessing.std)))
        self.register_buffer("shift", torch.tensor(preprocessing.mean) / torch.tensor(preprocessing.std))

    def forward(self, pixels: Tensor) -> Tensor:
        """The embedding of uint8 pixels (N, H, W, 3)."""
        return self.network((pixels * self.scale - self.shift).permute(0, 3, 1, 2))


def cases(folder: Path, small: bool) -> list[Case]:
    """What is compared: on stored states and live, pictures and sentences."""
    n_texts, n_pictures = (48, 16) if small else (1000, 244)
    split = SETS["sst2"].split(0)
    texts, codes = split.train[:n_texts], np.array(split.codes("train")[:n_texts])
    minilm = load_source(str(MINILM))
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (n_pictures, 224, 224, 3), dtype=np.uint8)
    classes = np.arange(n_pictures) % 2
    preprocessing = ImagePreprocessing(crop_pct=1.0)
    resnet = random_source("resnet18", preprocessing)
    n_resnet, n_minilm = len(resnet.stages), len(minilm.stages)

    def layer4(network: Any) -> nn.Module:
        return nn.Sequential(network.model.layer4, network.model.global_pool)

    few = n_pictures // 4
    return [
        Case("resnet18, layer4 on stored states", resnet, pixels, classes, n_resnet - 1, 1, layer4, folder),
        Case("resnet18, all of it, live", resnet, pixels[:few], classes[:few], 0, 1,
             lambda network: Whole(network, preprocessing), folder),
        Case("MiniLM, last layer on stored states", minilm, texts, codes, n_minilm - 1, 1, LastLayer, folder),
        Case("MiniLM, all of it, live", minilm, texts[: n_texts // 4], codes[: n_texts // 4], 0, 1,
             lambda network: network, folder),
    ]  # fmt: skip


def compare(case: Case, repeats: int) -> dict[str, Any]:
    """Let the loops take turns; the first turn of each is not counted."""
    pairs = []
    for turn in range(repeats + 1):
        first, second = (case.ours, case.bare) if turn % 2 else (case.bare, case.ours)
        one, two = first(), second()
        pairs.append((one, two) if turn % 2 else (two, one))
    ours, bare_ = (statistics.median(side) for side in zip(*pairs[1:], strict=True))
    ratios = [own / other for own, other in pairs[1:]]
    interval = quantile_test(ratios, q=1, p=0.5).confidence_interval()
    return {
        "work": case.name,
        "ours": ours,
        "bare": bare_,
        "overhead": statistics.median(ratios) - 1,
        "interval": [interval.low - 1, interval.high - 1],
        "pairs": pairs[1:],
        "precision": case.setting.precision,
    }


def main() -> None:
    """Compare, and print a line a case and all of it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--small", action="store_true", help="a few items, to see that everything runs")
    told = parser.parse_args()
    torch.set_num_threads(n_threads())
    found = []
    with tempfile.TemporaryDirectory() as temporary:
        for case in cases(Path(temporary), told.small):
            row = compare(case, 1 if told.small else told.repeats)
            print(
                f"{row['work']}: {row['ours']:.2f} s, bare {row['bare']:.2f} s, {row['overhead']:+.1%}",
                flush=True,
            )
            found.append(row)
    print(json.dumps({"rows": found}))


if __name__ == "__main__":
    main()
