"""Would the default have been chosen without the data set that it is judged on? One data set is left out at a time.

    python -m benchmarks.adaptation.left_out [--report]

Every method below is fitted on every balanced pair with the first seed (those of amcd have a default of their own).
For each data set, the method that gains most on the others is taken, each of them counting the same, and measured on
the pairs of the one that was left out. Circular validation vetoes it as it does in `auto`. Networks with batch norm may
also take the methods on each domain's own statistics. What was measured is kept in
benchmarks/results/adaptation_left_out.json.
"""

from __future__ import annotations

import json
import os
from argparse import ArgumentParser
from collections.abc import Iterable, Mapping
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from benchmarks.adaptation.draws import Case, cases
from benchmarks.adaptation.measure import SOURCE_ONLY, prepare, scored
from benchmarks.adaptation.report import HARM
from benchmarks.adaptation.sets import SETS
from benchmarks.work import ROOT, write_between
from headstart.adapt import auto
from headstart.files import write_text

RESULTS = ROOT / "benchmarks" / "results" / "adaptation_left_out.json"
METHODS = (
    "standardise",
    "coral",
    "linear-ot",
    "subspace",
    "infomax",
    "infomax+balanced",
    "mcc",
    "standardise+infomax",
    "standardise+infomax+balanced",
    "standardise+infomax+rebalanced",
    "standardise+mcc",
    "standardise+mcc+rebalanced",
)
WITH_STATISTICS = tuple(f"bn+{name}" for name in METHODS if name.startswith("standardise"))
Found = Mapping[str, Mapping[str, Mapping[str, float]]]
"""From the key of a case and a method to its score and its circular validation."""


def methods(case: Case) -> tuple[str, ...]:
    """The methods that are tried on a case.

    Args:
        case: the pair.
    """
    return (*METHODS, *WITH_STATISTICS) if SETS[case.set_name].has_batch_norm else METHODS


def data_of(key: str) -> str:
    """The data set of a case, which several names can share ("pacs lite0").

    Args:
        key: of the case.
    """
    return key.split(" ")[0]


def gain(rows: Mapping[str, Mapping[str, float]], method: str) -> float:
    """Of a method over source only on one pair, 0 if circular validation vetoes it.

    Args:
        rows: of the pair, by method.
        method: its text.
    """
    alone, own = rows[SOURCE_ONLY], rows[method]
    taken = auto.choose((SOURCE_ONLY, method), (alone["circular"], own["circular"])).index
    return own["score"] - alone["score"] if taken else 0.0


def mean_gain(found: Found, keys: Iterable[str], method: str) -> float:
    """Over data sets, each the mean over its pairs.

    Args:
        found: what was measured.
        keys: of the pairs.
        method: its text.
    """
    by_data: dict[str, list[float]] = {}
    for key in keys:
        by_data.setdefault(data_of(key), []).append(gain(found[key], method))
    return float(np.mean([np.mean(gains) for gains in by_data.values()]))


def text(found: Found) -> str:
    """The table as Markdown.

    Args:
        found: what was measured.
    """
    has_statistics = {key for key, rows in found.items() if WITH_STATISTICS[0] in rows}
    lines = [
        "| left out | networks | best on the others | gain where left out | harmed | the default there |",
        "|---|---|---|---|---|---|",
    ]
    for label, keys, names, default in (
        ("any", list(found), METHODS, auto.ALIGNED),
        ("with batch norm", sorted(has_statistics), WITH_STATISTICS, auto.REBALANCED),
    ):
        for data in dict.fromkeys(map(data_of, keys)):
            inside = [key for key in keys if data_of(key) == data]
            others = [key for key in keys if data_of(key) != data]
            if others:
                best = max(names, key=lambda name: mean_gain(found, others, name))
                gains = [gain(found[key], best) for key in inside]
                harmed = f"{sum(each < HARM for each in gains)} of {len(gains)}"
                here = f"{100 * mean_gain(found, inside, default):+.1f}"
                lines.append(
                    f"| {data} | {label} | {best} | {100 * np.mean(gains):+.1f} | {harmed} | {here} |"
                )
    return "\n".join(lines)


def main() -> None:
    """Measure what is missing, then report."""
    import torch

    torch.set_num_threads(1)
    asked = ArgumentParser(prog="python -m benchmarks.adaptation.left_out")
    asked.add_argument("--report", action="store_true", help="measure nothing")
    options = asked.parse_args()
    found: dict[str, Any] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    wanted = [
        case for case in cases() if not (case.seed or case.imbalance or case.set_name.startswith("amcd"))
    ]
    for case in wanted:
        if case.key not in found and not options.report:
            found[case.key] = scored(prepare(case), (SOURCE_ONLY, *methods(case)))
            write_text(RESULTS, json.dumps(found, indent=1) + "\n")
            print(case.key, flush=True)
    report = text(found)
    print(report)
    write_between("adaptation-left-out", report, "adapt_results.md")


if __name__ == "__main__":
    main()
