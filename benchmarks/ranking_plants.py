"""Damaged sources among good ones: `python -m benchmarks.ranking_plants`.

Ten copies of real sources with other weights are ranked beside real ones on three sets. A plant must never come first,
and be named as no better than a baseline (classical features, or random weights of the best architecture).

    shuffled  the weights of each tensor in another order
    noise     each tensor replaced by normal noise of its mean and deviation
    half      half of the tensors shuffled, the others as they were
    scaled    noise as large as the weights added to them
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

import headstart
from benchmarks.work import ROOT, SHARED, write_between
from headstart.files import write_text

RESULTS = ROOT / "benchmarks" / "results" / "ranking-plants.json"
V1, V2, LITE = "mobilenetv1_100.tf1_qat_in1k", "mobilenetv2_100.tf2_ptq_in1k", "tf_efficientnet_lite0.in1k"
MINILM, E5, WHISPER = "all-MiniLM-L6-v2", "multilingual-e5-small-latin", "whisper-tiny.en-encoder"
Damage = Callable[[torch.Tensor, torch.Generator], torch.Tensor]


def _shuffled(weight: torch.Tensor, draws: torch.Generator) -> torch.Tensor:
    return weight.flatten()[torch.randperm(weight.numel(), generator=draws)].view_as(weight)


def _noise(weight: torch.Tensor, draws: torch.Generator) -> torch.Tensor:
    values = weight.float()
    deviation = float(values.std()) if values.numel() > 1 else 0.0
    found = float(values.mean()) + deviation * torch.randn(weight.shape, generator=draws)
    return (found.abs() if bool((values >= 0).all()) else found).to(weight.dtype)  # a variance stays positive


def _half(weight: torch.Tensor, draws: torch.Generator) -> torch.Tensor:
    return _shuffled(weight, draws) if float(torch.rand(1, generator=draws)) < 0.5 else weight


def _scaled(weight: torch.Tensor, draws: torch.Generator) -> torch.Tensor:
    values = weight.float()
    found = values + values.abs().mean() * torch.randn(weight.shape, generator=draws)
    return (found.abs() if bool((values >= 0).all()) else found).to(weight.dtype)


DAMAGES: dict[str, Damage] = {"shuffled": _shuffled, "noise": _noise, "half": _half, "scaled": _scaled}
CASES: dict[str, tuple[str, dict[str, str], tuple[str, ...], tuple[tuple[str, str], ...]]] = {
    "hymenoptera": (
        "hymenoptera",
        {},
        (V1, V2),
        ((V1, "shuffled"), (V2, "noise"), (V2, "shuffled"), (LITE, "half"), (LITE, "scaled")),
    ),
    "trec": ("trec/trec.csv", {}, (MINILM, E5), ((MINILM, "shuffled"), (MINILM, "noise"), (E5, "half"))),
    "emodb speakers": (
        "emodb",
        {"target": "speaker", "group": "sentence"},
        (WHISPER,),
        ((WHISPER, "shuffled"), (WHISPER, "scaled")),
    ),
}


def main() -> None:
    """Rank every case, and write the table of docs/ranking.md."""
    rows = [row for name in CASES for row in _planted(name)]
    print(text := table(rows))
    if "--small" not in sys.argv:
        write_text(RESULTS, json.dumps(rows, indent=1) + "\n")
        write_between("ranking-plants", text, "ranking.md")


def _planted(name: str) -> list[dict[str, object]]:
    path, options, real, plants = CASES[name]
    with tempfile.TemporaryDirectory() as folder:
        os.environ["HEADSTART_RECORD"] = "off"
        planted = {_copy(Path(folder), source, damage): (source, damage) for source, damage in plants}
        sources = [*(str(SHARED / "weights" / each) for each in real), *planted]
        ranking = headstart.rank(SHARED / "data" / path, sources, out=Path(folder) / "ranking", **options)
        first = ranking.best
        found = []
        for row in ranking.facts.sources:
            if row.name in planted:
                source, damage = planted[row.name]
                found.append(
                    {
                        "set": name,
                        "plant": f"{source}, {damage}",
                        "predicted": row.predicted.value,
                        "first": row.name == first,
                        "not_better_than": row.not_better_than,
                        "unclear": row.unclear,
                        "best": ranking.facts.sources[0].predicted.value,
                        "baselines": {
                            b.role: b.predicted.value for b in ranking.facts.ranked if b.role != "source"
                        },
                    }
                )
        failed = [
            {"set": name, "plant": f"{planted[uri][0]}, {planted[uri][1]}", "failed": why}
            for uri, why in ranking.facts.failed.items()
            if uri in planted
        ]
    return [*found, *failed]


def _copy(root: Path, source: str, damage: str) -> str:
    """A copy of a source with damaged weights."""
    folder = root / f"{source}-{damage}"
    shutil.copytree(SHARED / "weights" / source, folder)
    draws = torch.Generator().manual_seed(1)
    weights = {
        name: DAMAGES[damage](tensor, draws).contiguous() if tensor.is_floating_point() else tensor
        for name, tensor in load_file(folder / "model.safetensors").items()
    }
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    return str(folder)


def table(rows: list[dict[str, object]]) -> str:
    """One line per plant, then the counts."""
    lines = [
        "| set | plant | predicted | best source | baselines | first | named |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        if "failed" in row:
            lines.append(f"| {row['set']} | {row['plant']} | | | | no | not ranked: {row['failed']} |")
            continue
        baselines = ", ".join(f"{role} {100 * value:.1f}" for role, value in row["baselines"].items())  # type: ignore[attr-defined]
        named = ", ".join(
            f"{'clearly worse' if clear else 'not better'} than {'random weights' if 'random' in name else name}"
            for name, clear in row["not_better_than"].items()  # type: ignore[attr-defined]
        ) or ("not clearly better" if row["unclear"] else "no")
        lines.append(
            f"| {row['set']} | {row['plant']} | {100 * row['predicted']:.1f} | {100 * row['best']:.1f} "  # type: ignore[operator]
            f"| {baselines} | {'yes' if row['first'] else 'no'} | {named} |"
        )
    n_first = sum(bool(row.get("first")) for row in rows)
    n_named = sum("failed" in row or bool(row["not_better_than"]) for row in rows)
    n_unclear = sum("failed" in row or bool(row["not_better_than"] or row["unclear"]) for row in rows)
    return "\n".join(
        [
            *lines,
            "",
            f"Of {len(rows)} plants {n_first} came first, {n_named} were named as no better than a baseline, and "
            f"{n_unclear} as no better or not clearly better.",
        ]
    )


if __name__ == "__main__":
    main()
