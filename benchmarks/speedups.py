"""What each speed-up of training gains: `python -m benchmarks.speedups [ROW ...]`.

A network of MiniLM's shape with random weights trains on texts with and without the speed-up, in turn; the ratio is
the median over the pairs. One row per file of tune/speedups, and one for the clipping of gradients.
"""

from __future__ import annotations

import argparse
import copy
import json
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.work import n_threads
from headstart.tune.loop.step import clip_gradients
from headstart.tune.speedups.activation_checkpoints import Checkpointed
from headstart.tune.speedups.attention import quicken_attention
from headstart.tune.speedups.compiled import Compiled
from headstart.tune.speedups.dropout import quicken_dropout
from headstart.tune.speedups.seen_rows import train_seen_rows

N_ITEMS, N_TOKENS, N_STEPS = 16, 24, 4


class Layers:
    """The layers of a network as one trained stage."""

    stages = ("layers",)

    def __init__(self, network: Any) -> None:
        self.network = network

    def stage_modules(self, index: int) -> list[nn.Module]:
        """The list of layers."""
        return [self.network.encoder.layer]


@dataclass(frozen=True)
class Row:
    """One comparison.

    Attributes:
        name: on the command line.
        work: for the table.
        change: puts the speed-up on a network; None: `clip` alone differs.
        base: what both sides have.
        clip: clips the gradients of the side with the speed-up.
        warm_up: steps that are not counted.
    """

    name: str
    work: str
    change: Callable[[nn.Module], object] | None
    base: Callable[[nn.Module], object] = lambda network: None
    clip: Callable[[list[nn.Parameter], float], object] = nn.utils.clip_grad_norm_
    warm_up: int = 1


def inputs() -> dict[str, Tensor]:
    """A batch of texts of different lengths."""
    random = torch.Generator().manual_seed(0)
    lengths = torch.randint(N_TOKENS // 2, N_TOKENS + 1, (N_ITEMS, 1), generator=random)
    ids = torch.randint(1000, 3000, (N_ITEMS, N_TOKENS), generator=random)
    return {"input_ids": ids, "attention_mask": (torch.arange(N_TOKENS) < lengths).long()}


def seen(network: nn.Module) -> None:
    """Train only the rows of tokens that occur: 2,000 of 30,522."""
    train_seen_rows(network, inputs(), torch.arange(1000, 3000))


ROWS = (
    Row("dropout", "dropout drawn in words of 64 bits", quicken_dropout),
    Row("attention", "attention by plain products, short texts", quicken_attention, base=quicken_dropout),
    Row("seen-rows", "only the rows of tokens that occur", seen, base=quicken_dropout),
    Row("clip", "gradients below the limit left alone", None, base=quicken_dropout, clip=clip_gradients),
    Row("checkpoints", "activation checkpoints", lambda network: Checkpointed(Layers(network), ("layers",))),
    Row("compile", "compiled blocks", lambda network: Compiled(Layers(network), ("layers",)), warm_up=3),
)


def network_of(n_layers: int) -> nn.Module:
    """A network of MiniLM's shape."""
    from transformers import BertConfig, BertModel

    torch.manual_seed(0)
    shape = {"hidden_size": 384, "num_attention_heads": 12, "intermediate_size": 1536}
    return BertModel(BertConfig(num_hidden_layers=n_layers, **shape)).train()


@contextmanager
def noting_kept(kept: dict[int, int], weights: set[int]) -> Iterator[None]:
    """Note the bytes that a forward pass keeps for its backward pass, by address, weights left out."""

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        yield


class Side:
    """One network that takes steps.

    Args:
        network: trained in place.
        clip: of its gradients.
        warm_up: steps that are not counted.
    """

    def __init__(self, network: nn.Module, clip: Callable[..., object], warm_up: int) -> None:
        self.network, self.clip, self.batch = network, clip, inputs()
        self.parameters = [p for p in network.parameters() if p.requires_grad]
        self.optimizer = torch.optim.AdamW(self.parameters, lr=1e-5, fused=True)
        kept: dict[int, int] = {}
        with noting_kept(kept, {p.untyped_storage().data_ptr() for p in network.parameters()}):
            self.loss().backward()
        self.optimizer.zero_grad()
        self.kept_bytes = sum(kept.values())
        self.seconds(warm_up)

    def loss(self) -> Tensor:
        """The mean square of the first token's output."""
        first: Tensor = self.network(**self.batch).last_hidden_state[:, 0]
        return first.square().mean()

    def seconds(self, n_steps: int) -> float:
        """The time of some steps."""
        started = time.perf_counter()
        for _ in range(n_steps):
            self.loss().backward()
            self.clip(self.parameters, 1e6)
            self.optimizer.step()
            self.optimizer.zero_grad()
        return time.perf_counter() - started


def compare(row: Row, repeats: int, n_layers: int) -> dict[str, Any]:
    """Let both sides take turns."""
    network = network_of(n_layers)
    row.base(network)
    plain = Side(copy.deepcopy(network), nn.utils.clip_grad_norm_, row.warm_up)
    if row.change is not None:
        row.change(network)
    quick = Side(network, row.clip, row.warm_up)
    pairs = [(plain.seconds(N_STEPS), quick.seconds(N_STEPS)) for _ in range(repeats)]
    return {
        "row": row.name,
        "work": row.work,
        "plain": statistics.median(one for one, _ in pairs),
        "with": statistics.median(two for _, two in pairs),
        "ratio": statistics.median(one / two for one, two in pairs),
        "kept_for_backward": quick.kept_bytes / max(1, plain.kept_bytes),
    }


def main() -> None:
    """Compare, print one line per row, and all of it as JSON."""
    names = [row.name for row in ROWS]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("rows", nargs="*", help=f"of {', '.join(names)}; all by default")
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--small", action="store_true", help="one layer, to see that everything runs")
    told = parser.parse_args()
    if unknown := set(told.rows) - set(names):
        raise SystemExit(f"there is no row {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    torch.set_num_threads(n_threads())
    found = []
    for row in ROWS:
        if not told.rows or row.name in told.rows:
            result = compare(row, 1 if told.small else told.repeats, 1 if told.small else 6)
            print(
                f"{row.name}: {row.work}: {result['plain']:.2f} s without, {result['with']:.2f} s with, "
                f"{result['ratio']:.2f}x as fast, {result['kept_for_backward']:.2f}x kept for the backward pass",
                flush=True,
            )
            found.append(result)
    print(json.dumps({"rows": found}))


if __name__ == "__main__":
    main()
