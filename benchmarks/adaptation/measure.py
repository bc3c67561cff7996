"""One case: source only, `--method auto`, and what it chose among, on stored features; target labels only score.

Source only is what `fit --freeze all` returns on the source items: the head and the depth that their own
cross-validation chooses. All methods read the same stages.

Legend: N source items, M target items, C classes.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from benchmarks.adaptation.draws import Case, items_of
from benchmarks.adaptation.features import features_of, own_statistics, source_of
from benchmarks.adaptation.sets import GROUPS, SETS, in_domain
from headstart.adapt import Domains, LinearClassifier, auto
from headstart.adapt.alignments import ALIGNMENTS
from headstart.adapt.label_shift import estimate_shares, predict
from headstart.adapt.method import Method
from headstart.adapt.method_names import Parts
from headstart.adapt.selectors import CIRCULAR, SELECTORS, Comparison
from headstart.adapt.shift import Diagnosis, compare_texts, diagnose
from headstart.choose import Choice, Rows, choose_head
from headstart.choose.kinds import LOGISTIC
from headstart.choose.penalty import logistic_penalty
from headstart.choose.tried_head import Trial
from headstart.data import TextPreprocessing
from headstart.tasks import CLASSIFICATION

FREE = ("nuclear", "infomax", "class_ami")  # selectors that cost no fit
MOST_TEXTS = 2_000
SOURCE_ONLY = "source only"


@dataclass(frozen=True, eq=False)
class Prepared:
    """What methods start from.

    Attributes:
        choice: of the head on the source items.
        domains: features of both domains at the stages of the head.
        truth_M: true classes of the target items, of shape (M,).
        statistics: the same domains with batch-norm statistics of each; None: the source has no batch norm.
    """

    choice: Choice
    domains: Domains
    truth_M: np.ndarray
    statistics: Domains | None

    def score(self, logits_MC: np.ndarray, *, balanced: bool) -> float:
        """Accuracy on the target, or balanced accuracy.

        Args:
            logits_MC: of shape (M, C).
            balanced: whether classes count alike.
        """
        right = logits_MC.argmax(axis=1) == self.truth_M
        if balanced:
            return float(np.mean([right[self.truth_M == code].mean() for code in np.unique(self.truth_M)]))
        return float(right.mean())


def measure(case: Case) -> dict[str, Any]:
    """Return the scores of a case, as JSON can hold them.

    Args:
        case: the pair with its seed.
    """
    balanced = SETS[case.set_name].balanced_accuracy
    prepared = prepare(case)
    started = time.process_time()
    diagnosis = _diagnosed(case, prepared.domains)
    names = auto.candidates(
        diagnosis.kind,
        unread=diagnosis.unread,
        has_batch_norm=prepared.statistics is not None,
        n_target=len(prepared.truth_M),
        shares_C=prepared.domains.source_shares_C,
    ).names
    fitted, circular = _fit([SOURCE_ONLY, *names], prepared)
    found = auto.choose([SOURCE_ONLY, *names], [circular[name] for name in fitted])
    seconds = time.process_time() - started
    rows = {name: _row(prepared, name, fitted[name], balanced) for name in fitted}
    for name in fitted:
        rows[name]["circular"] = circular[name]
    return {
        "auto": [SOURCE_ONLY, *names][found.index],
        "score": rows[[SOURCE_ONLY, *names][found.index]]["score"],
        "source_only": rows[SOURCE_ONLY]["score"],
        "reason": found.reason,
        "kind": diagnosis.kind,
        "certain": diagnosis.certain,
        "unread": diagnosis.unread,
        "n_source": len(prepared.domains.codes_N),
        "n_target": len(prepared.truth_M),
        "stages": list(prepared.choice.stages),
        "expected": prepared.choice.expected,
        "penalty": prepared.domains.penalty,
        "seconds": seconds,
        "methods": rows,
    }


def scored(prepared: Prepared, names: Sequence[str]) -> dict[str, dict[str, float]]:
    """Accuracy and circular validation of methods.

    Args:
        prepared: the pair.
        names: of the methods.
    """
    fitted, circular = _fit(names, prepared)
    return {
        name: {
            "score": prepared.score(fitted[name].logits(_view(prepared, name)[0].target_MD), balanced=False),
            "circular": circular[name],
        }
        for name in names
    }


def prepare(case: Case) -> Prepared:
    """Choose the head on the source items, and take the features at its stages.

    Args:
        case: the pair with its seed.
    """
    data, features = items_of(case.set_name), features_of(case.set_name, case.source)
    start, end = case.start_rows, case.end_rows
    choice, groups = _choice(case.set_name, case.source, case.start, case.seed)
    code_of = {label: code for code, label in enumerate(choice.classes)}
    codes = np.array([code_of.get(label, -1) for label in data.labels])
    stages = choice.chosen.stages

    def at(rows: np.ndarray) -> np.ndarray:
        return np.concatenate([features.stage(index)[rows] for index in stages], axis=1)

    penalty = _penalty(choice, Rows(features, start), data.labels[start], groups)
    domains = Domains(
        at(start), codes[start], at(end), len(code_of), penalty, groups_N=groups, seed=case.seed
    )
    own = _own_statistics(case, domains, stages) if SETS[case.set_name].has_batch_norm else None
    return Prepared(choice, domains, codes[end], own)


@cache
def _choice(set_name: str, source: str, start: str, seed: int) -> tuple[Choice, np.ndarray | None]:
    case = Case(set_name, source, start, "", seed)
    rows, data = case.start_rows, items_of(set_name)
    groups = GROUPS[set_name]()[rows] if set_name in GROUPS else None
    features = Rows(features_of(set_name, source), rows)
    return choose_head(features, data.labels[rows], groups, seed=seed, n_threads=1), groups


def _penalty(choice: Choice, features: Rows, labels: np.ndarray, groups: np.ndarray | None) -> float:
    """Of a logistic head at the chosen stages, as `adapt` finds it: the chosen head's, or on the same folds."""
    same = [each for each in choice.tried_heads if each.stages == choice.chosen.stages]
    logistic = [each.penalty for each in same if each.kind == LOGISTIC.name]
    if logistic:
        return logistic[0]
    positions, classes = choice.positions, list(choice.classes)
    x_ND = np.concatenate([features.stage(index)[positions] for index in choice.chosen.stages], axis=1)
    codes = np.array([classes.index(label) for label in labels[positions]])
    trial = Trial(
        CLASSIFICATION, codes, len(classes), choice.folds, None if groups is None else groups[positions]
    )
    return logistic_penalty(x_ND, trial, choice.chosen.stages)


def _own_statistics(case: Case, domains: Domains, stages: tuple[int, ...]) -> Domains:
    """Both domains by networks with their own statistics: of the whole domain, or of the items that are drawn."""
    every = items_of(case.set_name).domains
    sides = []
    for name, other, rows, whole in (
        (case.start, case.end, case.start_rows, True),
        (case.end, case.start, case.end_rows, not case.imbalance),
    ):
        measured_on = in_domain(every, name, other) if whole else rows
        features = own_statistics(case.set_name, case.source, measured_on)
        places = np.searchsorted(measured_on, rows)
        sides.append(np.concatenate([features.stage(index)[places] for index in stages], axis=1))
    return domains.with_features(*sides)


def _diagnosed(case: Case, domains: Domains) -> Diagnosis:
    given: dict[str, Any] = {"units_N": domains.groups_N, "units_M": None, "seed": domains.seed}
    plain = predict(domains)
    estimates = {
        name: estimate_shares(plain.source_NC, domains.codes_N, plain.target_MC, name, **given)
        for name in ("em", "bbse")
    }
    aligned = predict(ALIGNMENTS["standardise"].align(domains)[0])
    after = estimate_shares(aligned.source_NC, domains.codes_N, aligned.target_MC, "em", **given)
    return diagnose(domains, estimates, after, None, _texts(case))


def _texts(case: Case) -> Any:
    source = source_of(case.source, SETS[case.set_name].modality)
    if not isinstance(source.preprocessing, TextPreprocessing):
        return None
    items = items_of(case.set_name).items
    sides = [[str(items[row]) for row in rows[:MOST_TEXTS]] for rows in (case.start_rows, case.end_rows)]
    return compare_texts(sides[0], sides[1], source.preprocessing)


def _source_only(prepared: Prepared) -> LinearClassifier:
    folded = prepared.choice.head.folded()
    assert folded is not None  # heads of classes are linear
    return LinearClassifier(folded.weight.numpy().astype(np.float64), folded.bias.numpy().astype(np.float64))


def _fit(names: Sequence[str], prepared: Prepared) -> tuple[dict[str, LinearClassifier], dict[str, float]]:
    """The classifier of each method and its circular validation."""
    fitted, circular = {}, {}
    for name in names:
        view, method = _view(prepared, name)
        fitted[name] = _source_only(prepared) if name == SOURCE_ONLY else method.fit(view)
        circular[name] = CIRCULAR.score(Comparison(view).candidate(method, fitted[name]))
    return fitted, circular


def _view(prepared: Prepared, name: str) -> tuple[Domains, Method]:
    if name == SOURCE_ONLY:
        return prepared.domains, Method()
    own_statistics_asked, method = Parts.of(name).batch_norm, Method.parse(name)
    if not own_statistics_asked:
        return prepared.domains, method
    assert prepared.statistics is not None
    return prepared.statistics, method


def _row(prepared: Prepared, name: str, fitted: LinearClassifier, balanced: bool) -> dict[str, float]:
    view, method = _view(prepared, name)
    candidate = Comparison(view).candidate(method, fitted)
    row = {"score": prepared.score(fitted.logits(view.target_MD), balanced=balanced)}
    return {**row, **{key: SELECTORS[key].score(candidate) for key in FREE}}
