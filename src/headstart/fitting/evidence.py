"""The evidence of a run: scores with intervals, baselines beside them, verification, the verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from headstart.fitting.evaluation import Evaluation
from headstart.fitting.learner import Learner

if TYPE_CHECKING:
    from headstart.metrics import Interval

SPEAKER_TARGETS = ("speaker", "speaker_id")
CONTENT_COLUMNS = ("label", "target", "class")
N_CHOOSING = 500  # training items whose trials choose the embedding


@dataclass(frozen=True, eq=False)
class Evidence:
    """What is known of a result.

    Attributes:
        test: metric to interval, on items not learned from.
        baselines: the same of `majority`, `classical`, `scratch` (where run) and `probe`.
        verdict: outcome, what it was measured against, and the paired difference.
        verification: `eer` and `min_dcf`, for a speaker target.
        verification_notes: how many trials of which kind, and the scores of trials of one gender.
        calibration: `temperature`, and `ece` and `log_loss` `before` and `after` the scores are divided by it;
            empty for a quantity.
    """

    test: Mapping[str, Interval]
    baselines: Mapping[str, Mapping[str, Interval]]
    verdict: Any
    verification: Mapping[str, Any] | None = None
    verification_notes: Mapping[str, Any] = field(default_factory=dict)
    calibration: Mapping[str, Any] = field(default_factory=dict)


def gather(learner: Learner, evaluation: Evaluation) -> Evidence:
    """Measure a result and everything it is held against.

    Args:
        learner: data, features and options.
        evaluation: what the result gave on items it had not seen.
    """
    from headstart.evidence import judge

    positions = evaluation.positions
    codes, groups = learner.codes[positions], learner.job.examples.groups
    others = {"majority": _majority(learner, evaluation)}
    if learner.config.baseline:
        with learner.clock.phase("baseline"):
            others["classical"] = _classical(learner, evaluation)
    if evaluation.scratch is not None:
        others["scratch"] = evaluation.scratch
    without_pretraining = dict(others)
    others["probe"] = evaluation.probe
    with learner.clock.phase("evaluate"):
        own_groups = None if groups is None else groups[positions]
        told, notes = _verification(learner, evaluation)
        test = _scores(learner, positions, evaluation.probabilities)
        return Evidence(
            test=test,
            baselines={name: _scores(learner, positions, p) for name, p in others.items()},
            verdict=judge(
                codes, evaluation.probabilities, without_pretraining, own_groups, task=learner.targets.task
            ),
            verification=told,
            verification_notes=notes,
            calibration=_calibration(learner, evaluation, test),
        )


def _calibration(learner: Learner, evaluation: Evaluation, test: Mapping[str, Interval]) -> Mapping[str, Any]:
    """What temperature scaling did to the probabilities of the held-out items; without intervals."""
    task = learner.targets.task
    if not task.has_classes:
        return {}
    before = test
    if (evaluation.temperatures != 1).any():
        codes = learner.codes[evaluation.positions]
        unscaled_NC = task.unscaled(evaluation.probabilities, evaluation.temperatures[:, None])
        before = task.metrics(codes, unscaled_NC, n_resamples=1)
    return {
        "temperature": float(np.mean(evaluation.temperatures)),
        "before": {name: before[name].value for name in ("ece", "log_loss")},
        "after": {name: test[name].value for name in ("ece", "log_loss")},
    }


def _scores(learner: Learner, positions: np.ndarray, probabilities: np.ndarray) -> Mapping[str, Interval]:
    groups = learner.job.examples.groups
    own_groups = None if groups is None else groups[positions]
    return learner.targets.task.metrics(learner.codes[positions], probabilities, own_groups)


def _rounds(learner: Learner, evaluation: Evaluation) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Positions learned from, positions held out, rows of the evaluation: of each fold or the one split."""
    if evaluation.folds is None:
        everything = np.arange(len(evaluation.positions))
        return [(learner.job.positions("train"), evaluation.positions, everything)]
    folds, positions = evaluation.folds, evaluation.positions
    return [
        (positions[folds != fold], positions[folds == fold], np.flatnonzero(folds == fold))
        for fold in np.unique(folds)
    ]


def _majority(learner: Learner, evaluation: Evaluation) -> np.ndarray:
    """The shares of classes or labels, or the mean, of the training items, for every held-out item."""
    from headstart.evidence import majority

    n_classes = len(learner.classes)
    probabilities = np.zeros((len(evaluation.positions), n_classes), np.float32)
    for train, _, rows in _rounds(learner, evaluation):
        probabilities[rows] = majority(learner.codes[train], n_classes, len(rows), learner.targets.task)
    return probabilities


def _classical(learner: Learner, evaluation: Evaluation) -> np.ndarray:
    """Probabilities of the classical baseline, learned from the same items."""
    from headstart.data.items import take_items
    from headstart.evidence import extract_classical, fit_classical

    job, examples = learner.job, learner.job.examples
    used = np.unique(
        np.concatenate([np.r_[train, held_out] for train, held_out, _ in _rounds(learner, evaluation)])
    )
    row = np.full(len(examples), -1)
    row[used] = np.arange(len(used))
    features = extract_classical(
        take_items(examples.items, used), examples.modality, threads=learner.setting.n_threads
    )
    probabilities = np.zeros((len(evaluation.positions), len(learner.classes)), np.float32)
    for train, held_out, rows in _rounds(learner, evaluation):
        units = None if job.units is None else job.units[train]
        model = fit_classical(
            features,
            row[train],
            learner.labels[train],
            units,
            classes=learner.classes,
            task=learner.targets.task,
            seed=learner.config.seed,
        )
        probabilities[rows] = model.probabilities(features, row[held_out])
    return probabilities


def _verification(
    learner: Learner, evaluation: Evaluation
) -> tuple[Mapping[str, Any] | None, Mapping[str, Any]]:
    """EER and minDCF by centred cosine for a speaker target of recordings, else None.

    The embedding (the source's own, or a stage's vector) is the one with the least EER on trials of items
    learned from; its centre is their mean, with `--folds` that of the whole set.
    """
    from headstart.evidence import verify_speakers

    examples, positions = learner.job.examples, evaluation.positions
    if not examples.task.one_per_item or examples.modality != "audio":
        return None, {}
    if examples.target.lower() not in SPEAKER_TARGETS:
        return None, {}
    content, content_name = _content(learner)
    train = _rounds(learner, evaluation)[0][0]
    name, vectors = _best_embedding(learner, train, content)
    centred_on = positions if evaluation.folds is not None else train
    gender = examples.columns.get("gender")
    found = verify_speakers(
        vectors[positions],
        learner.labels[positions],
        centre=vectors[centred_on].mean(axis=0, dtype=np.float64),
        differ=None if content is None else content[positions],
        gender=None if gender is None else gender[positions],
        seed=learner.config.seed,
    )
    if found is None:
        return None, {}
    notes: dict[str, Any] = {
        "embedding": name,
        "same_speaker": found.n_targets,
        "other_speaker": found.n_others,
        "pairs_differ_in": content_name,
    }
    apart = found.same_gender
    if apart is not None:
        rates = {"eer": apart.eer.to_json(), "min_dcf": apart.min_dcf.to_json()}
        notes["one_gender"] = {**rates, "same_speaker": apart.n_targets, "other_speaker": apart.n_others}
    return {"eer": found.eer, "min_dcf": found.min_dcf}, notes


def _content(learner: Learner) -> tuple[np.ndarray | None, str]:
    """What is said in each recording, and its column: the group, else the usual label column."""
    examples = learner.job.examples
    if examples.groups is not None:
        return examples.groups, examples.group or "group"
    for name in CONTENT_COLUMNS:
        if name in examples.columns:
            return examples.columns[name], name
    return None, ""


def _best_embedding(
    learner: Learner, train: np.ndarray, content: np.ndarray | None
) -> tuple[str, np.ndarray]:
    """Name and vectors of the embedding with the least EER on trials of the training items."""
    from headstart.heads.verification import all_trials, cosine_scores, eer

    features = learner.features
    last = features.stage(-1)
    own = learner.own_embedding_width()
    leading = bool(getattr(learner.job.source.network, "embedding_is_mean", False))
    embeddings = {"the source's own embedding": last[:, :own] if leading else last[:, -own:]}
    embeddings |= {stage: features.stage(index) for index, stage in enumerate(features.stages)}
    few = np.sort(np.random.default_rng(learner.config.seed).permutation(train)[:N_CHOOSING])
    trials = all_trials(learner.labels[few], None if content is None else content[few])
    if not trials.is_target.any() or trials.is_target.all():
        return next(iter(embeddings.items()))
    errors = {
        name: float(eer(cosine_scores(vectors[few], trials, vectors[train].mean(axis=0)), trials.is_target))
        for name, vectors in embeddings.items()
    }
    best = min(errors, key=lambda name: errors[name])
    return best, embeddings[best]
