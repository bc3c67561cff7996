"""The advised cut against the truth, training at every cut: `python -m benchmarks.cuts [SET ...] [--small]`.

Small training parts and large held-out ones of real sets, seeds 0 and 1 (of the draw of the items, the folds and the
training). At cut k the first k stages are frozen and the others are trained for a few epochs, all training items
learned from and the last epoch taken; at the last cut nothing is trained and the head alone is fitted. Every second cut
is taken, and the advised one. No result is
replaced by the head alone, as `fit` would do, so that every cut shows what it gives. Each row goes into
benchmarks/results/cuts.json as soon as it is done, so the command can be stopped and called again (remove the file to
start over). It ends with the table of held-out accuracy at each cut, and how far below the best cut the advised one is;
the number to reach: within 1 point on average over the sets.
"""

from __future__ import annotations

import csv
import json
import random
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.work import MINILM, MOBILENET, ROOT, SHARED, WHISPER, write_between
from headstart.files import write_text

if TYPE_CHECKING:
    from headstart.choose import Choice
    from headstart.fitting.workspace import Workspace

RESULTS = ROOT / "benchmarks" / "results" / "cuts.json"
SEEDS = (0, 1)
CIFAR = f"{ROOT / 'examples' / 'cifar_resnet.py'}:CifarResNet"
LIMIT = 1.0  # points below the best cut, on average over the sets

Results = dict[str, dict[str, Any]]
Row = dict[str, str]


@dataclass(frozen=True)
class Slice:
    """A small training part and a large held-out one, drawn from a set by a seed.

    Attributes:
        column: of the items in the set's table.
        source: folder of the weights.
        epochs: of each training.
        n_train, n_test: number of items; of whole groups at least so many for learning.
        group: column of what stays on one side; None: every item is a group.
        part: of the set; None: all.
        arch: of a network of one's own.
    """

    column: str
    source: Path
    epochs: int
    n_train: int
    n_test: int
    group: str | None = None
    part: str | None = None
    arch: str | None = None


SLICES = {
    "trec": Slice("text", MINILM, 4, 150, 500),
    "pacs": Slice("file", SHARED / "weights" / "resnet20_cifar10", 6, 150, 600, arch=CIFAR),
    "chest_xray": Slice("file", MOBILENET, 4, 96, 240, "patient", "train"),
    "emodb": Slice("file", WHISPER, 3, 150, 240, "speaker"),
}
NAMES = tuple(SLICES)


def main() -> None:
    """Run the rows of the sets that were named, or every missing row, and print the table."""
    words = [word for word in sys.argv[1:] if not word.startswith("--")]
    small = "--small" in sys.argv
    results: Results = json.loads(RESULTS.read_text()) if RESULTS.exists() and not small else {}
    for seed in SEEDS:
        for name in words or NAMES:
            measure(name, seed, results, small=small)
    print(table(results))
    if not small:
        write_between("cuts", table(results), "ranking.md")


def measure(name: str, seed: int, results: Results, *, small: bool) -> None:
    """Take the advice, then train at every second cut and at the advised one, and store each result."""
    with tempfile.TemporaryDirectory() as temporary:
        prepared: list[tuple[Workspace, Choice]] = []

        def prepare() -> tuple[Workspace, Choice]:
            if not prepared:
                workspace = _workspace(name, seed, Path(temporary), small=small)
                prepared.append((workspace, _choice(workspace)))
            return prepared[0]

        if f"{name}/{seed}" not in results:
            _keep(f"{name}/{seed}", _advice(prepare()[1]), results, small=small)
        advice = results[f"{name}/{seed}"]
        for cut in _cuts(len(advice["stages"]), advice["advised_cut"]):
            row = f"{name}/{seed}/{cut}"
            if row not in results:
                _keep(row, _trained(*prepare(), cut), results, small=small)
                print(f"{row}: {results[row]['accuracy']:.3f}, {results[row]['seconds']:.0f} s", flush=True)


def _cuts(n_stages: int, advised: int) -> list[int]:
    """Nothing trained, the advised cut, all trained, the last stage; then every second cut, or of few stages each."""
    step = 2 if n_stages > 4 else 1
    return list(dict.fromkeys((n_stages, advised, 0, n_stages - 1, *range(n_stages - 1, 0, -step))))


def _keep(row: str, found: dict[str, Any], results: Results, *, small: bool) -> None:
    results[row] = found
    if not small:
        RESULTS.parent.mkdir(parents=True, exist_ok=True)
        write_text(RESULTS, json.dumps(results, indent=1) + "\n")


def _advice(choice: Choice) -> dict[str, Any]:
    """What the training items alone say: the profile, the advised cut and what the head reads."""
    return {
        "stages": [row.stage for row in choice.profile],
        "profile": [round(row.score, 4) for row in choice.profile],
        "advised_cut": choice.advised_cut,
        "head": list(choice.stages),
    }


def _workspace(name: str, seed: int, folder: Path, *, small: bool) -> Workspace:
    from headstart.clock import Clock
    from headstart.fitting.options import fit_options
    from headstart.fitting.plan import plan_fit
    from headstart.fitting.preflight import check_machine
    from headstart.fitting.reading import read_labelled
    from headstart.fitting.workspace import Workspace

    chosen = SLICES[name]
    options = fit_options(
        data=write_slice(name, seed, folder, small=small), source=str(chosen.source), arch=chosen.arch,
        group=chosen.group,
        target="label", epochs=1 if small else chosen.epochs, batch_size=8, seed=seed, precision="fp32",
        follow_outside=True,
    )  # fmt: skip
    clock = Clock()
    plan, setting = plan_fit(read_labelled(options, clock), options, clock), check_machine(options)
    return Workspace(plan, setting, None, clock)


def _choice(workspace: Workspace) -> Choice:
    from headstart.fitting import head_alone

    return head_alone.choose(workspace, workspace.plan.data.positions("train"))


def _trained(workspace: Workspace, choice: Choice, cut: int) -> dict[str, Any]:
    """Train after a cut on all training items: which held-out items are right, and the seconds."""
    from headstart.fitting.evaluation import scores_of
    from headstart.fitting.result import Result
    from headstart.fitting.training import with_weights
    from headstart.tune import Policy

    plan = workspace.plan
    train, test = (plan.data.positions(part) for part in ("train", "test"))
    policy = Policy.at(cut, tuple(plan.source.stages))
    started, nothing = time.perf_counter(), train[:0]
    if cut == len(plan.source.stages):
        result = Result.head_alone(plan.source, choice, train, "")
    else:
        recipe = plan.recipe_for(policy)
        trained = workspace.training(policy, recipe, train, nothing, None, probe=choice.head).run()
        result = with_weights(workspace, trained, choice, train, nothing)
    seconds = time.perf_counter() - started
    right = scores_of(workspace, result, test).argmax(axis=1) == workspace.codes[test]
    return {
        "accuracy": float(right.mean()),
        "seconds": round(seconds, 1),
        "right": "".join(str(int(each)) for each in right),
    }


def write_slice(name: str, seed: int, folder: Path, *, small: bool = False) -> Path:
    """Draw a slice of a set and write it as a table with the columns item, label, split and group."""
    chosen, place = SLICES[name], SHARED / "data" / name
    train, test = draw(_rows(name), chosen, seed)
    if small:
        train, test = train[:40], test[:40]
    written = folder / f"{name}.csv"
    with written.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([chosen.column, "label", "split", chosen.group or "row"])
        for part, own in (("train", train), ("test", test)):
            for row in own:
                item = row["text"] if chosen.column == "text" else str(place / row["file"])
                writer.writerow([item, row["label"], part, row.get(chosen.group or "", "")])
    return written


def _rows(name: str) -> list[Row]:
    """The items of a set with their labels: the rows of its table, or files in folders of classes."""
    chosen, place = SLICES[name], SHARED / "data" / name
    path = place / (f"{name}.csv" if chosen.column == "text" else "metadata.csv")
    if not path.exists():
        files = sorted(each for each in place.rglob("*") if each.is_file())
        return [{"file": str(each.relative_to(place)), "label": each.parent.name} for each in files]
    with path.open(newline="", encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if chosen.part in (None, row.get("split"))]


def draw(rows: list[Row], chosen: Slice, seed: int) -> tuple[list[Row], list[Row]]:
    """Two parts that share no group and no item of the same content."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row[chosen.group or chosen.column], []).append(row)
    keys = sorted(groups)
    random.Random(seed).shuffle(keys)
    train: list[Row] = []
    test: list[Row] = []
    for key in keys:
        (train if len(train) < chosen.n_train else test).extend(groups[key])
    return train, random.Random(seed).sample(test, min(chosen.n_test, len(test)))


def table(results: Results) -> str:
    """Held-out accuracy at each cut, how far the advised cut is below the best one, and two plain rules beside it."""
    lines = [
        "| set, seed | source | advised cut | accuracy by cut | advised − best |",
        "|---|---|---|---|---|",
    ]
    below: dict[str, list[list[float]]] = {
        rule: [] for rule in ("advised", "all trained", "last stage alone")
    }
    for name in NAMES:
        own: dict[str, list[float]] = {rule: [] for rule in below}
        for seed in SEEDS:
            by_cut = _by_cut(results, name, seed)
            advice = results.get(f"{name}/{seed}")
            if advice is None or advice["advised_cut"] not in by_cut:
                continue
            n_stages, cut = len(advice["stages"]), advice["advised_cut"]
            trained = {key: value for key, value in by_cut.items() if key < n_stages}
            best = max(trained.values())
            for rule, key in zip(below, (cut, 0, n_stages - 1), strict=True):
                own[rule] += [trained[key] - best] if key in trained else []
            cells = ", ".join(
                f"{'**' if key == cut else ''}{key}: {value:.1f}{'**' if key == cut else ''}"
                for key, value in by_cut.items()
            )
            lines.append(
                f"| {name}, {seed} | {SLICES[name].source.name} | {cut} of {n_stages} | {cells} | "
                f"{own['advised'][-1]:+.1f} |"
            )
        for rule, found in own.items():
            below[rule] += [found] if found else []
    means = {
        rule: sum(sum(own) / len(own) for own in found) / len(found) for rule, found in below.items() if found
    }
    words = "; ".join(f"{rule}: {mean:+.2f}" for rule, mean in means.items())
    return "\n".join([*lines, "", f"Points below the best trained cut, mean over the sets: {words}."])


def _by_cut(results: Results, name: str, seed: int) -> dict[int, float]:
    """Accuracy in percent by cut, the lowest cut first; the last one trains nothing."""
    start = f"{name}/{seed}/"
    found = {
        int(row.removeprefix(start)): 100 * each["accuracy"]
        for row, each in results.items()
        if row.startswith(start)
    }
    return dict(sorted(found.items()))


if __name__ == "__main__":
    main()
