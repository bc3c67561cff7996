"""Measure skada's shallow methods on the pairs of `benchmarks.adaptation`; writes their table.

    python -m benchmarks.adaptation.peers [WORD ...] [--seeds N] [--report]

Runs in the environment of the benchmarks (benchmarks/requirements.txt), as a process of its own: importing skada sets
scikit-learn options for the whole process. The cases are those of benchmarks/results/adaptation.json, without the
imbalanced ones, of the better source of each pair. What was measured is kept in
benchmarks/results/adaptation_peers.json after every method, so the command can be stopped and called again; remove the
file to start over. Words choose the cases whose name holds all of them. `--report` measures nothing, and needs no
skada.
"""

from __future__ import annotations

import json
import os
from argparse import ArgumentParser
from itertools import zip_longest

os.environ.setdefault("OMP_NUM_THREADS", "1")

from benchmarks.adaptation.draws import SEEDS, Case, cases
from benchmarks.adaptation.peers_report import missing, text
from benchmarks.adaptation.report import Results, best_sources, pairs_of
from benchmarks.adaptation.sets import SETS
from benchmarks.work import ROOT, write_between
from headstart.files import write_text

AUTO = ROOT / "benchmarks" / "results" / "adaptation.json"
RESULTS = ROOT / "benchmarks" / "results" / "adaptation_peers.json"
PAGE, MARK = "adapt_results.md", "adaptation-peers"


def main() -> None:
    """Measure what is missing, then report."""
    asked = ArgumentParser(prog="python -m benchmarks.adaptation.peers")
    asked.add_argument("words", nargs="*")
    asked.add_argument("--seeds", type=int, default=len(SEEDS))
    asked.add_argument("--report", action="store_true", help="measure nothing")
    options = asked.parse_args()
    auto: Results = json.loads(AUTO.read_text())
    peers: Results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    if not options.report:
        _measure(_wanted(auto, options.words, options.seeds), peers)
    report = text(peers, auto)
    print(report)
    if f"<!-- {MARK} -->" in (ROOT / "docs" / PAGE).read_text():
        write_between(MARK, report, PAGE)


def _wanted(auto: Results, words: list[str], n_seeds: int) -> list[Case]:
    """Cases in turns over the data sets, so that a run that is stopped has measured some of each."""
    kept = {(pair.set_name, pair.source, pair.domains) for pair in best_sources(pairs_of(auto))}
    by_set: dict[tuple[int, str], list[Case]] = {}
    for case in cases():
        of_pair = (case.set_name, case.source, f"{case.start} > {case.end}")
        if case.imbalance or case.key not in auto or of_pair not in kept or case.seed >= n_seeds:
            continue
        if all(word in case.key for word in words):
            by_set.setdefault((case.seed, case.set_name), []).append(case)
    found = []
    for seed in SEEDS:
        turns = zip_longest(*(own for (of, _), own in by_set.items() if of == seed))
        found += [case for turn in turns for case in turn if case]
    return found


def _measure(wanted: list[Case], peers: Results) -> None:
    import torch

    from benchmarks.adaptation.measure import prepare
    from benchmarks.adaptation.skada_methods import PEERS, Inputs, measure

    torch.set_num_threads(1)
    of_key = {case.key: case for case in wanted}
    left = missing(list(of_key), [peer.name for peer in PEERS], peers)
    for number, (key, names) in enumerate(left, 1):
        case = of_key[key]
        inputs = Inputs(prepare(case), SETS[case.set_name].balanced_accuracy)
        for peer in PEERS:
            if peer.name not in names:
                continue
            found = measure(peer, inputs)
            peers.setdefault(key, {"methods": {}})["methods"][peer.name] = found
            write_text(RESULTS, _by_line(peers))
            scores = [f"{100 * row['score']:.1f}" for row in found["rows"]]
            print(
                f"{number} of {len(left)}: {key}: {peer.name}: {' '.join(scores)} "
                f"({found['seconds']:.1f} s; {'; '.join(found['errors'])})",
                flush=True,
            )


def _by_line(peers: Results) -> str:
    """JSON with one case per line."""
    rows = [f"{json.dumps(key)}: {json.dumps(found)}" for key, found in peers.items()]
    return "{\n" + ",\n".join(rows) + "\n}\n"


if __name__ == "__main__":
    main()
