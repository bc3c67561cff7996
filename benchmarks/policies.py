"""Every policy on real data in every modality: `python -m benchmarks.policies [SET[/POLICY] ...] [--small]`.

Photos of ants and bees with mobilenetv2, 1,000 sentences of sst2 with MiniLM, 500 spoken digits with Whisper's
encoder, each through `headstart.fit` as `benchmarks.race` runs it; rows that exist are not run again. Printed for
every policy: its table of stages, the accuracy on the held-out part of what the run returns, whether that is the
trained network or the head alone, and the seconds of training. The table is written to docs/freezing.md.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from benchmarks import race
from benchmarks.work import write_between

SETS = ("hymenoptera", "sst2", "fsdd")
OTHERS = (
    "until:half",
    "only:half",
    "only:auto",
    "dora",
    "ia3",
    "first:half,lora",
    "first:half,gradual",
)  # lp-ft gives what none gives, since every training starts at the probe
POLICIES = (*race.POLICIES, *OTHERS, race.AUTO)


def main() -> None:
    """Run the rows that were named, or every missing row; print the tables of stages; write the table of results."""
    words = [word for word in sys.argv[1:] if not word.startswith("--")]
    small = "--small" in sys.argv
    stored = not small and race.RESULTS.exists()
    results: dict[str, Any] = json.loads(race.RESULTS.read_text()) if stored else {}
    for name in SETS:
        for policy in POLICIES:
            row = f"{name}/{policy}"
            if not words or row in words or name in words:
                race.measure(row, results, small=small)
            if row in results:
                print(f"{row}\n{_stages(results[row]['stages'])}", flush=True)
    text = table(results)
    print(text)
    if not small:
        write_between("policies", text, "freezing.md")


def table(results: dict[str, Any]) -> str:
    """What has been measured as Markdown."""
    lines = [
        "| set | policy | trained parameters | accuracy (95%) | head alone | returned | training |",
        "|---|---|---|---|---|---|---|",
    ]
    rows = [f"{name}/{policy}" for name in SETS for policy in POLICIES]
    lines += [_line(row.partition("/")[0], results[row]) for row in rows if row in results]
    if len(lines) == 2:
        return "Not measured yet."
    return "\n".join(lines)


def _line(name: str, found: dict[str, Any]) -> str:
    low, high = found["interval"]
    taken = found["chosen"] if found["chosen"] != "all" else "head alone"
    return (
        f"| {name} | `{found['policy']}` | {found['n_trained']:,} | {found['accuracy']:.3f} "
        f"({low:.3f} to {high:.3f}) | {found['alone']:.3f} | {taken} | {found['phases'].get('tune', 0.0):.0f} s |"
    )


def _stages(rows: list[dict[str, Any]]) -> str:
    from headstart.tune.policies.stage_table import StageRow, as_table

    return as_table([StageRow(**row) for row in rows])


if __name__ == "__main__":
    sys.exit(main())
