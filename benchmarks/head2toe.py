"""Head2Toe-style selection over all stages, measured against the heads that are tried: `python -m benchmarks.head2toe`.

Head2Toe (Evci, Dumoulin, Larochelle and Mozer 2022, "Head2Toe: Utilizing intermediate representations for better
transfer learning", section 3.2) trains a linear head on the features of all layers, scores each feature by the norm of
its row of weights, keeps the best fraction and trains a new head on these. Here the group lasso is a ridge head that is
fitted again and again, each feature scaled by the root of its last norm (the quadratic bound of the group lasso). The
fraction, the kind of head and its penalty are chosen by cross-validation on the training items, the selection made
anew without each fold.

Held-out accuracy on six sets, two sources each, three splits, against the head that
`fit --freeze all` chooses, and against the head on all stages together that is tried there. Each row goes into
benchmarks/results/head2toe.json as soon as it is done. The table goes to docs/ranking.md.

Legend: N items, D features of all stages, C classes, R rank.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.ranking.sets import SETS, Items, read
from benchmarks.ranking.sources import ARCH, extract
from benchmarks.work import ROOT, SHARED, write_between
from headstart.choose import ArrayFeatures
from headstart.choose.fit_head import fit_head
from headstart.choose.head import _preferred
from headstart.choose.profile import probe_stages
from headstart.choose.tried_head import Trial, TriedHead
from headstart.choose.try_heads import try_heads
from headstart.data.splits import fold_indices, holdout_indices
from headstart.files import write_text
from headstart.heads.logistic import fit_logistic
from headstart.heads.reduce import standardiser
from headstart.sources import load_source
from headstart.tasks import CLASSIFICATION, Targets

RESULTS = ROOT / "benchmarks" / "results" / "head2toe.json"
WANTED = ("hymenoptera", "pacs photo", "pacs art_painting", "sst2", "trec", "emodb emotion")
SOURCES = {
    "image": ("mobilenetv2_100.tf2_ptq_in1k", "resnet56_cifar10"),
    "text": ("all-MiniLM-L6-v2", "multilingual-e5-small-latin"),
    "audio": ("whisper-tiny.en-encoder", "yamnet_audioset"),
}
SEEDS = (0, 1, 2)
FRACTIONS = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
RIDGE, LOGISTIC = np.logspace(-0.5, -5.5, 8), np.logspace(0, -4, 7)
N_TIMES = 4  # fits of the group lasso

Float = np.ndarray
Row = dict[str, Any]


@dataclass(frozen=True)
class How:
    """A fraction of the features, the kind of head on them and its penalty."""

    fraction: float
    kind: str
    penalty: float


def relevance(x_ND: Float, y_NC: Float) -> Float:
    """Norm of each feature's weights under a group lasso, of shape (D,); its penalty by leave-one-out ridge."""
    scale_D = np.ones(x_ND.shape[1])
    norm_D = scale_D
    y_NC = y_NC - y_NC.mean(axis=0)
    for _ in range(N_TIMES):
        scaled = x_ND * np.sqrt(scale_D)
        scaled = scaled - scaled.mean(axis=0)
        values, vectors = _eigen(scaled)
        target = vectors.T @ y_NC
        errors = []
        for penalty in RIDGE:
            shrunk = values / (values + penalty * values.sum())
            leverage = np.square(vectors) @ shrunk + 1 / len(x_ND)
            left_out = (y_NC - (vectors * shrunk) @ target) / np.maximum(1 - leverage, 1e-3)[:, None]
            errors.append(np.square(left_out).sum())
        best = RIDGE[int(np.argmin(errors))]
        weight_DC = scaled.T @ ((vectors / (values + best * values.sum())) @ target)
        norm_D = np.linalg.norm(weight_DC, axis=1) * np.sqrt(scale_D)
        scale_D = norm_D / max(norm_D.mean(), 1e-30)
    return norm_D


def _eigen(x_ND: Float) -> tuple[Float, Float]:
    """Eigenvalues above rounding and eigenvectors of the Gram matrix of centred rows."""
    values, vectors = np.linalg.eigh((x_ND @ x_ND.T).astype(np.float64))
    keep = values > values.max() * 1e-6
    return values[keep], vectors[:, keep]


class Selected:
    """The features of some items, standardised and in the order of their relevance by these items alone."""

    def __init__(self, x_ND: Float, y_NC: Float) -> None:
        self.how = standardiser(x_ND)
        self.x_ND, self.y_NC = self.how.apply(x_ND), y_NC
        self.order = np.argsort(-relevance(self.x_ND, y_NC))

    def logits(self, other_MD: Float, wanted: list[How]) -> dict[How, Float]:
        """Scores of other items by heads of one fraction, each of shape (M, C)."""
        kept = self.order[: max(2, round(wanted[0].fraction * len(self.order)))]
        own, other = self.x_ND[:, kept], self.how.apply(other_MD)[:, kept]
        mean = own.mean(axis=0)
        own, other = own - mean, other - mean
        values, vectors = _eigen(own)
        axes_DR = (own.T @ (vectors / np.sqrt(values))).astype(np.float32)
        z_NR, z_MR = own @ axes_DR, other @ axes_DR
        found = {}
        for how in wanted:
            if how.kind == "ridge":
                y_mean = self.y_NC.mean(axis=0)
                shrunk = (values + how.penalty * values.sum())[:, None]
                found[how] = z_MR @ (z_NR.T @ (self.y_NC - y_mean) / shrunk) + y_mean
            else:
                weight, bias = fit_logistic(z_NR, self.y_NC.argmax(axis=1), self.y_NC.shape[1], how.penalty)
                found[how] = z_MR @ weight.T + bias
        return found


def head2toe(x_ND: Float, trial: Trial) -> tuple[TriedHead, How, float]:
    """The best out-of-fold logits, how they were made, and the seconds of one core."""
    started = time.process_time()
    y_NC = np.eye(trial.n_outputs)[trial.targets]
    wanted = [
        [How(f, kind, float(p)) for kind, path in (("ridge", RIDGE), ("logistic", LOGISTIC)) for p in path]
        for f in FRACTIONS
    ]
    out: dict[How, Float] = {how: np.zeros(y_NC.shape, np.float32) for each in wanted for how in each}
    for fold in np.unique(trial.folds):
        inside, outside = np.flatnonzero(trial.folds != fold), np.flatnonzero(trial.folds == fold)
        selected = Selected(x_ND[inside], y_NC[inside])
        for each in wanted:
            for how, logits in selected.logits(x_ND[outside], each).items():
                out[how][outside] = logits
    tried = {how: trial.scored(how.kind, (), how.penalty, logits) for how, logits in out.items()}
    best = min(tried, key=lambda how: tried[how].loss)
    return tried[best], best, time.process_time() - started


def measure(name: str, source_name: str, items: Items, seed: int) -> Row:
    """One split of a set: held-out accuracy of the heads that are tried and of the selection."""
    arch = None if source_name not in ARCH else str(ROOT / ARCH[source_name])
    features = extract(load_source(str(SHARED / "weights" / source_name), arch=arch), items)
    arrays = [features.stage(index) for index in range(features.n_stages)]
    train, test = _split(items, seed)
    labels = items.labels.astype(object)
    targets = Targets(CLASSIFICATION, tuple(sorted(set(labels[train]))))
    codes = targets.encode([str(label) for label in labels[train]])
    groups = None if items.groups is None else items.groups[train]
    trial = Trial(CLASSIFICATION, codes, targets.n_outputs, fold_indices(codes, groups, 5, 0), groups)
    own = ArrayFeatures(features.stages, tuple(array[train] for array in arrays))
    started = time.process_time()
    probed = probe_stages(own, trial, 1)
    tried = try_heads(probed, trial, 1, last_only=False)
    seconds = time.process_time() - started
    heads = [fit_head(each, reduced, own, codes, targets) for reduced, each in tried]
    accuracies = [
        float((h.predict(np.concatenate([arrays[s][test] for s in h.stages], axis=1)) == labels[test]).mean())
        for h in heads
    ]
    probes, candidates = [each for _, each in probed], [each for _, each in tried]
    chosen = _preferred(probes, candidates, trial).index
    together = next(index for index, each in enumerate(candidates) if len(each.stages) == len(arrays))
    x_ND = np.concatenate(arrays, axis=1)
    selection, how, selecting = head2toe(x_ND[train], trial)
    everything = Selected(x_ND[train], np.eye(targets.n_outputs)[codes])
    predicted = np.asarray(targets.classes)[everything.logits(x_ND[test], [how])[how].argmax(axis=1)]
    accuracy = float((predicted == labels[test]).mean())
    is_taken = _preferred(probes, [*candidates, selection], trial).index == len(candidates)
    return {
        "set": name, "source": source_name, "seed": seed, "n_train": len(train), "n_test": len(test),
        "n_features": x_ND.shape[1], "chosen": accuracies[chosen], "together": accuracies[together],
        "head2toe": accuracy, "taken": bool(is_taken), "with_it": accuracy if is_taken else accuracies[chosen],
        "kind": how.kind, "fraction": how.fraction, "seconds": round(selecting, 2),
        "seconds_now": round(seconds, 2),
    }  # fmt: skip


def _split(items: Items, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Positions to learn from and to judge on: for seed 0 those of the set, else others of the same sizes."""
    test = items.test
    if seed:
        codes = np.unique(items.labels.astype(str), return_inverse=True)[1]
        _, held = holdout_indices(codes, items.groups, float(test.mean()), seed)
        test = np.isin(np.arange(len(test)), held)
    return np.flatnonzero(~test), np.flatnonzero(test)


def table(rows: list[Row]) -> str:
    """Mean held-out accuracy over splits, and the gains in points."""
    lines = [
        "| set | source | chosen now | all stages together | selection | selection − chosen | selection − together | "
        "taken by the rule | fraction kept |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name in WANTED:
        for source in dict.fromkeys(row["source"] for row in rows if row["set"] == name):
            own = [row for row in rows if (row["set"], row["source"]) == (name, source)]
            now, together, new = (_mean(own, key) for key in ("chosen", "together", "head2toe"))
            kept = ", ".join(f"{row['fraction']:g}" for row in own)
            lines.append(
                f"| {name} | {source} | {now:.1f} | {together:.1f} | {new:.1f} | {new - now:+.1f} | "
                f"{new - together:+.1f} | {sum(row['taken'] for row in own)} of {len(own)} | {kept} |"
            )
    sets = [[row for row in rows if row["set"] == name] for name in WANTED]
    gains = [_mean(own, "with_it") - _mean(own, "chosen") for own in sets if own]
    against = [_mean(own, "head2toe") - _mean(own, "together") for own in sets if own]
    lines += [
        "",
        f"Mean over the sets: selection − together {np.mean(against):+.2f} points, the largest {max(against):+.2f}; "
        f"what `fit` would gain if it tried the selection too: {np.mean(gains):+.2f}, the largest {max(gains):+.2f}. "
        f"Seconds of one core, mean: {np.mean([row['seconds'] for row in rows]):.1f} for the selection, "
        f"{np.mean([row['seconds_now'] for row in rows]):.1f} for everything that is tried now.",
    ]
    return "\n".join(lines)


def _mean(rows: list[Row], key: str) -> float:
    return 100 * float(np.mean([row[key] for row in rows]))


def main() -> None:
    """Measure every missing row, then write the table."""
    rows: list[Row] = json.loads(RESULTS.read_text()) if RESULTS.exists() else []
    done = {(row["set"], row["source"], row["seed"]) for row in rows}
    for modality, sets in SETS.items():
        for each in sets:
            missing = [
                (s, seed) for s in SOURCES[modality] for seed in SEEDS if (each.name, s, seed) not in done
            ]
            if each.name not in WANTED or not missing:
                continue
            items = read(each)
            for source, seed in missing:
                rows.append(measure(each.name, source, items, seed))
                print(rows[-1], flush=True)
                write_text(RESULTS, json.dumps(rows, indent=1) + "\n")
    print(table(rows))
    write_between("head2toe", table(rows), "ranking.md")


if __name__ == "__main__":
    main()
