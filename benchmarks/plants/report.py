"""The tables of the plants: false alarms in both directions, hits, and the share undecided."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from scipy.stats import beta

from benchmarks.plants.measure import TRUTH, truth_of
from benchmarks.plants.worlds import WORLDS, World

Results = dict[str, dict[str, dict[str, Any]]]


def upper_limit(n_found: int, n_all: int) -> float:
    """The upper 95% limit of a share (Clopper and Pearson 1934, one-sided)."""
    return 1.0 if n_found >= n_all else float(beta.ppf(0.95, n_found + 1, n_all - n_found))


def text(results: Results, worlds: Sequence[World] = WORLDS) -> str:
    """All tables as Markdown.

    Args:
        results: by world and "truth" or number of the slice.
        worlds: that are reported.
    """
    kept = [world for world in worlds if _truth(results, world, world.sizes[-1]) == world.helps]
    without = [_outcomes(results, world) for world in kept if world.helps == "no"]
    helpers = [_outcomes(results, world) for world in kept if world.helps == "yes"]
    head = [_how_many(results, worlds, kept), "", *_summary(without, helpers)]
    return "\n".join([*head, "", *_by_kind(results, kept), "", *_truths(results, worlds)])


def _how_many(results: Results, worlds: Sequence[World], kept: Sequence[World]) -> str:
    """How many cases were measured, count and were also compared with a training from scratch."""
    measured = {
        world.name: [case for what, case in results.get(world.name, {}).items() if what != TRUTH]
        for world in worlds
    }
    n_all, n_measured = sum(world.n_slices for world in worlds), sum(map(len, measured.values()))
    n_kept = sum(len(measured[world.name]) for world in kept)
    n_scratch = sum("scratch" in case["methods"] for world in kept for case in measured[world.name])
    return (
        f"{n_measured} of {n_all} cases were measured. {n_kept} count, since their truth is known; in {n_scratch} of "
        "them training from scratch had time for a part of the draws."
    )


def _truth(results: Results, world: World, size: int) -> str:
    return truth_of(world, results.get(world.name, {}).get(TRUTH), size)


def _outcomes(results: Results, world: World) -> list[dict[int, str]]:
    """Of each case of a world, the outcome by number of labels; numbers at which the truth is unclear are left out."""
    known = [size for size in world.sizes if _truth(results, world, size) == world.helps]
    cases = results.get(world.name, {})
    found = [cases[str(number)] for number in range(world.n_slices) if str(number) in cases]
    return [
        {size: case["sizes"][str(size)]["outcome"] for size in known if str(size) in case["sizes"]}
        for case in found
        if str(world.sizes[-1]) in case["sizes"]
    ]


def _summary(without: list[list[dict[int, str]]], helpers: list[list[dict[int, str]]]) -> list[str]:
    lines = [
        "| what | goal | with all labels | with any number of labels |",
        "|---|---|---|---|",
    ]
    for what, worlds, wrong in (
        ("no benefit, called positive", without, "positive"),
        ("benefit, called negative", helpers, "negative"),
    ):
        cases = [case for world in worlds for case in world]
        last, any_ = (
            sum(_last(case) == wrong for case in cases),
            sum(wrong in case.values() for case in cases),
        )
        lines.append(f"| {what} | at most 5% | {_share(last, len(cases))} | {_share(any_, len(cases))} |")
    cases = [case for world in helpers for case in world]
    hits, ever = (
        sum(_last(case) == "positive" for case in cases),
        sum("positive" in c.values() for c in cases),
    )
    lines.append(
        f"| benefit, called positive | at least 80% | {hits} of {len(cases)} ({hits / max(1, len(cases)):.0%}) "
        f"| {ever} of {len(cases)} ({ever / max(1, len(cases)):.0%}) |"
    )
    for what, worlds in (("no benefit", without), ("benefit", helpers)):
        cases = [case for world in worlds for case in world]
        open_ = sum(_last(case) == "undecided" for case in cases)
        lines.append(
            f"| {what}, undecided | | {open_} of {len(cases)} ({open_ / max(1, len(cases)):.0%}) | |"
        )
    return lines


def _by_kind(results: Results, kept: Sequence[World]) -> list[str]:
    lines = [
        "| benefit | plant | data | cases | positive | undecided | negative |",
        "|---|---|---|---|---|---|---|",
    ]
    groups: dict[tuple[str, str, str], Counter[str]] = {}
    for world in sorted(kept, key=lambda each: each.helps):
        counts = groups.setdefault((world.helps, world.kind, world.modality), Counter())
        counts.update(_last(case) for case in _outcomes(results, world))
    for (helps, kind, modality), counts in groups.items():
        found = " | ".join(str(counts[outcome]) for outcome in ("positive", "undecided", "negative"))
        lines.append(f"| {helps} | {kind} | {modality} | {counts.total()} | {found} |")
    return lines


def _truths(results: Results, worlds: Sequence[World]) -> list[str]:
    """How the truth of each world is known, at the largest number of labels."""
    lines = [
        "| source, data | labels | planted | gain over the best without pretrained weights, points | known by |",
        "|---|---|---|---|---|",
    ]
    for world in worlds:
        found, size = results.get(world.name, {}).get(TRUTH), world.sizes[-1]
        if found is None:
            continue
        if found["by"] == "construction":
            gain, how = "at most 0", "construction"
        else:
            gains = found["sizes"][str(size)]["gains"]
            name = min(gains, key=lambda each: float(gains[each][0]))
            value, low, high = (100 * float(each) for each in gains[name])
            gain = f"{value:+.1f} ({low:+.1f} to {high:+.1f}), {name}"
            how = f"{found['n_held_out']:,} items, {found['n_seeds']} seeds"
            if _truth(results, world, size) != world.helps:
                how = f"dropped: {how}"
        lines.append(f"| {world.name} | {size} | {_planted(world)} | {gain} | {how} |")
    return lines


def _planted(world: World) -> str:
    return "no benefit" if world.helps == "no" else "benefit"


def _last(case: dict[int, str]) -> str:
    return case[max(case)]


def _share(n_found: int, n_all: int) -> str:
    if not n_all:
        return "none measured"
    return f"{n_found} of {n_all} ({n_found / n_all:.1%}; at most {upper_limit(n_found, n_all):.1%})"
