"""Labels flipped on purpose, and how many of them the check of the labels lists, beside cleanlab.

Real sets, headstart's own features (stored once) and cross-validated probabilities. Every simulation draws its own
items and flips; 100 times fewer than the other parts make. Precision at the number planted: of as many items as were
flipped, first in the list, the share that was flipped; a list that is shorter counts as wrong from there on.
"""

from __future__ import annotations

from functools import partial
from statistics import mean
from typing import Any

import numpy as np

from benchmarks.work import HYMENOPTERA, MINILM, MOBILENET, SHARED, WHISPER

SHARE = 0.05
MOST_ITEMS = 1_000
SETS: dict[str, tuple[str, dict[str, Any]]] = {
    "hymenoptera, mobilenetv2": (str(HYMENOPTERA), {"source": str(MOBILENET)}),
    "fsdd digits, Whisper": (str(SHARED / "data" / "fsdd"), {"source": str(WHISPER), "target": "label"}),
    "trec, MiniLM": (str(SHARED / "data" / "trec" / "trec.csv"), {"source": str(MINILM)}),
    "sst2, MiniLM": (str(SHARED / "data" / "sst2" / "sst2.csv"), {"source": str(MINILM)}),
}
FLIPS = ("none", "at random", "to the next class")
OURS, PLAIN, PEER = "headstart", "self-confidence", "cleanlab"


def cells() -> list[dict[str, Any]]:
    """One cell per set."""
    try:
        import cleanlab  # noqa: F401
    except ModuleNotFoundError:
        raise SystemExit(
            "the part 'labels' compares with cleanlab, which is not installed here: make .venv-bench/ready, then "
            ".venv-bench/bin/python -m benchmarks.honesty labels"
        ) from None
    return [{"set": name} for name in SETS]


def simulate(cell: dict[str, Any], n: int) -> dict[str, Any]:
    """Check the labels of a set, clean and with two kinds of flips, with as many draws as n / 100."""
    features, codes, classes = _training_items(cell["set"])
    found = []
    for flip in FLIPS if len(classes) > 2 else FLIPS[:2]:
        draws = [_draw(features, codes, classes, flip, seed) for seed in range(max(1, n // 100))]
        found.append({"flip": flip, **{name: mean(draw[name] for draw in draws) for name in draws[0]}})
    return {"n_draws": max(1, n // 100), "found": found}


def table(rows: list[dict[str, Any]]) -> str:
    """The rows as Markdown."""
    lines = [
        f"Precision at the number planted, means of {rows[0]['n_draws']} draws of at most {MOST_ITEMS:,} items.",
        "",
        f"| set, labels flipped | head alone right | planted | {OURS} | {PLAIN} | {PEER} | listed by {OURS}, by "
        f"{PEER} | estimated | notice |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        for each in row["found"]:
            planted = each["planted"] > 0
            precision = " | ".join(f"{each[name]:.0%}" if planted else "" for name in (OURS, PLAIN, PEER))
            lines.append(
                f"| {row['set']}, {each['flip']} | {each['accuracy']:.1%} | {each['planted']:.0f} | {precision} "
                f"| {each['listed']:.0f}, {each['listed by peer']:.0f} | {each['estimated']:.0f} "
                f"| {each['notice']:.0%} |"
            )
    return "\n".join(lines)


def _training_items(name: str) -> tuple[Any, np.ndarray, tuple[str, ...]]:
    """Features of the training part of a set by its source, class numbers and class names."""
    from headstart.clock import Clock
    from headstart.fitting.options import fit_options
    from headstart.fitting.plan import plan_fit
    from headstart.fitting.preflight import check_machine
    from headstart.fitting.reading import read_labelled
    from headstart.fitting.workspace import Workspace

    data, more = SETS[name]
    options = fit_options(data=data, precision="fp32", threads=1, **more)
    plan = plan_fit(read_labelled(options, Clock()), options, Clock())
    workspace = Workspace(plan, check_machine(options), options.store, Clock())
    train = plan.data.positions("train")
    return workspace.features.take(train), workspace.codes[train], workspace.classes


def _draw(
    features: Any, codes: np.ndarray, classes: tuple[str, ...], flip: str, seed: int
) -> dict[str, float]:
    """Draw items, flip labels, and list the suspicious ones in every way."""
    from cleanlab.filter import find_label_issues

    from headstart.choose import choose_head
    from headstart.evidence.label_errors import label_errors

    random = np.random.default_rng(seed)
    rows = random.permutation(len(codes))[:MOST_ITEMS]
    truth, n_items = codes[rows], len(rows)
    flipped = random.permutation(n_items)[: round(SHARE * n_items) if flip != "none" else 0]
    step = random.integers(1, len(classes), len(flipped)) if flip == "at random" else 1
    given = truth.copy()
    given[flipped] = (truth[flipped] + step) % len(classes)
    labels = np.array(classes, dtype=object)[given]
    choice = choose_head(features.take(rows), labels, classes=classes, seed=seed, n_threads=1)
    outputs = choice.out_of_fold.astype(np.float64)
    own = outputs[np.arange(n_items), given]
    found = label_errors(outputs, given)
    peer = find_label_issues(given, outputs, return_indices_ranked_by="self_confidence", n_jobs=1)
    precision = partial(_precision, flipped)
    return {
        "accuracy": float((outputs.argmax(axis=1) == truth).mean()),
        "planted": len(flipped),
        OURS: precision(found.rows),
        PLAIN: precision(np.argsort(own, kind="stable")),
        PEER: precision(peer),
        "listed": len(found.rows),
        "listed by peer": len(peer),
        "estimated": found.noise.share * n_items,
        "notice": float(found.noise.is_clear),
    }


def _precision(flipped: np.ndarray, ranked: np.ndarray) -> float:
    """The share of flipped ones among the first of a list, as many as were flipped; 0 if none was."""
    return float(np.isin(ranked[: len(flipped)], flipped).sum() / max(1, len(flipped)))
