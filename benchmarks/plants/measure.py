"""One audit of a slice, and the truth of a world: an audit of more seeds and all other items held out.

The truth is measured apart from the cases: it has its own draw of the training items, three times as many as the
largest number of labels, so that every seed learns from other items with each number of labels; and up to 1,000
held-out items. With a number of labels transfer

    cannot help  if the whole 95% interval of its gain over some method without pretrained weights is at or below 0
    helps        if the whole interval of its gain over each of them is above 0

and is unclear otherwise. Labels that are permuted over the items say nothing about them: by construction nothing can
be better than the most frequent answer.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.plants.data import Population, population
from benchmarks.plants.sources import arch_of, source
from benchmarks.plants.worlds import World

TRUTH = "truth"
TRUTH_SEED, TRUTH_SEEDS = 90_000, 5
POOLS = 3  # times the largest number of labels: training items of the truth
MOST_HELD_OUT = 1_000
NO_SCRATCH = "1s"  # random weights without training: there is no time for it


def measure(world: World, what: str, root: Path, *, small: bool = False) -> dict[str, Any]:
    """Run one audit.

    Args:
        world: the data set and the source.
        what: number of the slice, or "truth".
        root: of what the plants write.
        small: with one number of labels and two seeds, to see that everything runs.
    """
    whole = population(world.data, root)
    if what == TRUTH:
        if world.permuted:
            return {"by": "construction"}
        found = _audit(world, whole, root, None, small=small)
        return {"by": "measurement", **found}
    return _audit(world, whole, root, int(what), small=small)


def _audit(world: World, whole: Population, root: Path, number: int | None, *, small: bool) -> dict[str, Any]:
    import headstart

    n_train, n_held_out, seed, seeds = world.sizes[-1], world.n_held_out, number or 0, 3 + (number or 0) % 3
    if number is None:
        n_train = min(POOLS * world.sizes[-1], int(0.45 * len(whole.items)))
        n_held_out, seed, seeds = min(MOST_HELD_OUT, len(whole.items) - n_train), TRUTH_SEED, TRUTH_SEEDS
    sizes, seeds = (world.sizes[:1], 2) if small else (world.sizes, seeds)
    path = whole.slice(n_train, n_held_out, (sizes[0], sizes[-1]), seed=seed, permuted=world.permuted)
    started = time.process_time()
    arch = arch_of(world.source)
    with tempfile.TemporaryDirectory() as folder:
        audit = headstart.audit(
            path,
            source=source(world.source, root),
            **({"arch": arch} if arch else {}),
            target="label",
            labels=",".join(map(str, sizes)),
            seeds=seeds,
            seed=seed,
            budget=world.scratch if number == 0 and world.scratch and not small else NO_SCRATCH,
            threads=1,
            report=False,
            store=root / "store",
            out=Path(folder) / "audit",
        )
    facts = audit.facts
    return {
        "n_held_out": facts.n_held_out,
        "n_seeds": facts.n_seeds,
        "methods": [curve.role for curve in facts.curves],
        "seconds": time.process_time() - started,
        "notes": list(facts.notes),
        "sizes": {
            str(each.n_labels): {
                "outcome": each.outcome,
                "against": each.against,
                "p": each.p,
                "gains": {name: [gain.value, gain.low, gain.high] for name, gain in each.gains.items()},
            }
            for each in facts.verdicts
        },
    }


def truth_of(world: World, found: dict[str, Any] | None, size: int) -> str:
    """Whether transfer helps with a number of labels: "no", "yes" or "unclear".

    Args:
        world: the data set and the source.
        found: what `measure` found as its truth; None if it was not measured.
        size: number of labels.
    """
    if found is None or str(size) not in found.get("sizes", {str(size): None}):
        return "unclear"
    if found["by"] == "construction":
        return "no"
    gains = [each for each in found["sizes"][str(size)]["gains"].values() if each[1] is not None]
    if any(high <= 0 for _, _, high in gains):
        return "no"
    return "yes" if gains and all(low > 0 for _, low, _ in gains) else "unclear"
