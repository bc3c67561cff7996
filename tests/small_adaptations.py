"""Adaptations made on the spot, to look at and to test the report with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from headstart.adapt import Domains
from headstart.adapt.picture import Picture, picture
from headstart.adapting.sentence import sentence
from headstart.evidence import Verdict
from headstart.metrics import Interval
from headstart.report.pages.adapt import AdaptReport
from headstart.runs import DataFacts, Record, RunFacts, SourceFacts, SplitPart
from headstart.runs.adaptation import SOURCE_ONLY, AdaptationFacts, ClassRow, MethodRow

DOMAINS = ("books", "kitchen")
LABELS = {
    "none": "source only",
    "standardise": "each domain standardised",
    "coral": "the source given the target's correlations (CORAL)",
    "linear-ot": "the source moved by linear optimal transport",
    "class-ot": "the source moved by class-regularised optimal transport",
    "standardise+infomax": "each domain standardised, then information maximisation on the target",
}
ALL = tuple(LABELS)
GAINS = {"none": 0.0, "standardise": 0.043, "coral": 0.061, "linear-ot": 0.022, "class-ot": -0.034,
         "standardise+infomax": 0.018}  # fmt: skip
BELIEF = {"none": 0.842, "standardise": 0.881, "coral": 0.874, "linear-ot": 0.861, "class-ot": 0.836,
          "standardise+infomax": 0.889}  # fmt: skip
REASON = (
    "each domain standardised takes the place of source only: its circular validation is 3.9 points higher, more than "
    "the margin (2.0 points) and than chance explains (1.4 points)."
)
KEPT = (
    "source only is kept: the best other method, each domain standardised, has a circular validation only 0.9 points "
    "higher, not more than the margin (2.0 points)."
)


def around(value: float, half: float) -> Interval:
    return Interval(value, value - half, value + half)


def method_row(name: str, *, scored: bool = True, base: float = 0.712) -> MethodRow:
    """A method with what selectors say; with labels also the truth."""
    gain = GAINS.get(name, 0.0)
    scores = {"circular": BELIEF.get(name, 0.8), "nuclear": 0.61 + 0.4 * gain, "dev": -0.52 + gain}
    return MethodRow(
        name,
        LABELS.get(name, name),
        scores,
        0.0 if name == SOURCE_ONLY else 0.41,
        around(base + gain, 0.03) if scored else None,
        around(gain, 0.02) if scored and name != SOURCE_ONLY else None,
        1.0 if name == SOURCE_ONLY else 0.87,
    )


def class_rows(names: Sequence[str], scored: bool) -> tuple[ClassRow, ...]:
    """Classes of which some gain and some lose."""
    n_classes = len(names)
    rows = []
    for k, name in enumerate(names):
        share = (1 + k % 3) / sum(1 + j % 3 for j in range(n_classes))
        row = ClassRow(
            name,
            1 / n_classes,
            Interval(share, max(0.0, share - 0.04), min(1.0, share + 0.05)),
            min(1.0, share + 0.01),
        )
        if scored:
            n_items = 40 + 7 * (k % 5)
            row = replace(row, n_items=n_items, before=n_items // 2, after=n_items // 2 + (k % 4 - 1) * 4)
        rows.append(row)
    return tuple(rows)


def shift_found(
    kind: str = "covariate", *, missing: Sequence[int] = (), n_classes: int = 2
) -> dict[str, Any]:
    """What the diagnosis of a shift gives, as JSON holds it."""
    strong = kind in ("label", "both")
    sentences = {
        "none": "No shift between the domains was found.",
        "covariate": "Covariate shift: the items differ between the domains.",
        "label": "Label shift: the classes have other shares in the target, and little else differs.",
        "both": "Both, possibly: the items differ so much that nothing of the domains overlaps, and the estimated "
        "class shares differ too. This cannot be checked without target labels.",
    }
    advice = {
        "none": "Use the classifier as it is; nothing needs to be aligned.",
        "covariate": "Align the domains; the class shares need no correction that could be estimated.",
        "label": "Correct the class shares (--method label-shift); do not align the domains: that would remove signal.",
        "both": "Do not align the domains: that makes the class shares equal, and removes signal if they are not.",
    }
    return {
        "kind": kind,
        "certain": kind != "both",
        "mmd": {"value": 0.034, "p_value": 0.002, "n_source": 500, "n_target": 500},
        "a_distance": {"value": 1.42, "low": 1.31, "high": 1.52},
        "shares": {
            "source": [1 / n_classes] * n_classes,
            "target": [{"value": 1 / n_classes, "low": 0.1, "high": 0.7}] * n_classes,
            "distance": {"value": 0.31 if strong else 0.04, "low": 0.22 if strong else 0.0, "high": 0.4},
            "missing": list(missing),
            "disagreement": 0.03,
        },
        "after_alignment": {"value": 0.08, "low": 0.02, "high": 0.15},
        "left": {"value": 0.4, "low": 0.2, "high": 0.6} if strong else None,
        "new_classes": {
            "beyond_95": {"value": 0.06, "low": 0.04, "high": 0.08},
            "beyond_99": {"value": 0.01, "low": 0.0, "high": 0.03},
        },
        "sentences": [sentences[kind], "A-distance 1.42 (1.31 to 1.52) of at most 2 (MMD test: p = 0.002)."],
        "advice": advice[kind],
    }


DIFFERENCES = [
    {"name": "level (dB)", "source": -21.4, "target": -35.2,
     "difference": {"value": -1.9, "low": -2.1, "high": -1.7}},
    {"name": "bandwidth (kHz)", "source": 7.8, "target": 3.4,
     "difference": {"value": -3.4, "low": -3.7, "high": -3.1}},
    {"name": "length (s)", "source": 2.4, "target": 2.6,
     "difference": {"value": 0.2, "low": -0.1, "high": 0.5}},
]  # fmt: skip
TEXTS = {
    "source": {"n_words": 5000, "pieces_per_word": 1.2, "whole": 0.91, "unknown": 0.0,
               "scripts": {"LATIN": 1.0}},
    "target": {"n_words": 5000, "pieces_per_word": 2.9, "whole": 0.13, "unknown": 0.001,
               "scripts": {"LATIN": 0.98, "GREEK": 0.02}},
    "known_tokens": 0.18,
    "known_words": 0.07,
}  # fmt: skip


def drawn(aligned: bool = True, n_items: int = 200, n_features: int = 12) -> Picture | None:
    """Two domains apart, and with a method that moves features also on one another."""
    rng = np.random.default_rng(0)
    codes = rng.integers(2, size=n_items)
    middle = rng.normal(size=(2, n_features)) * 1.2
    x = rng.normal(size=(n_items, n_features)) + middle[codes]
    y = rng.normal(size=(n_items, n_features)) + middle[rng.integers(2, size=n_items)] + 1.4
    before = Domains(x.astype(np.float32), codes, y.astype(np.float32), 2)
    after = before.with_features(before.source_ND, before.target_MD - np.float32(1.4))
    return picture(before, after if aligned else None)


def adapt_report(
    names: Sequence[str] = ALL,
    *,
    returned: str = "standardise",
    outcome: Any = "positive",
    scored: bool = True,
    classes: Sequence[str] = ("negative", "positive"),
    kind: str = "covariate",
    modality: Any = "text",
    with_picture: bool = True,
    **changes: Any,
) -> AdaptReport:
    """The report of an adaptation.

    Args:
        names: of the methods, source only first.
        returned: the method that is returned.
        outcome: of the verdict, with labels.
        scored: whether labels of the target are known.
        classes: names of the classes.
        kind: of the shift.
        modality: of the items.
        with_picture: whether both domains are drawn.
        changes: of the facts.
    """
    facts: dict[str, Any] = {
        "names": DOMAINS,
        "method": returned,
        "reason": KEPT if returned == SOURCE_ONLY else REASON,
        "sentence": "",
        "chosen_by": "auto",
        "n_source": 2000,
        "n_target": 1000,
        "n_adapted": 1000,
        "n_scored": 1000 if scored else 0,
        "held_out": False,
        "stages": ("layer.5",),
        "in_domain": around(0.861, 0.015),
        "methods": tuple(method_row(name, scored=scored) for name in names),
        "classes": class_rows(classes, scored),
        "shift": shift_found(kind, n_classes=len(classes)),
        "ceiling": around(0.832, 0.02) if scored else None,
        "notes": (*shift_found(kind)["sentences"], shift_found(kind)["advice"]),
        "to_label": tuple(f"row {17 * k + 3}" for k in range(20)),
    }
    found = AdaptationFacts(**{**facts, **changes})
    judged = outcome if returned != SOURCE_ONLY else "undecided"
    if not found.sentence:
        found = replace(found, sentence=sentence(found, judged if scored else None))
    return reported(found, judged if scored else None, modality, drawn() if with_picture else None)


def reported(
    found: AdaptationFacts, outcome: Any, modality: Any = "text", picture: Picture | None = None
) -> AdaptReport:
    """The report of these facts."""
    classes = tuple(row.name for row in found.classes)
    data = DataFacts("data/reviews.csv", "ab" * 32, modality, "label", {"all": found.n_source}, len(classes))
    row = found.returned
    record = Record(
        kind="adapt",
        source=SourceFacts("./MiniLM", "3f1c0d5be9a0cd4e17b6a5", "net", 22_713_216, ("layer.4", "layer.5")),
        data=data,
        task="classification",
        n_train=found.n_source,
        n_test=found.n_scored,
        test=None if row.truth is None else {"accuracy": row.truth, "balanced_accuracy": row.truth},
        verdict=None
        if outcome is None
        else Verdict(outcome, "source only", row.gain or Interval(0.0, 0.0, 0.0), "", found.metric),
        seconds={"imports": 2.6, "data": 0.4, "source": 0.3, "features": 21.1, "head": 3.4, "adapt": 2.2,
                 "evaluate": 0.5, "total": 29.0},
        peak_bytes=712_000_000,
    )  # fmt: skip
    counts = {name: found.n_source // len(classes) for name in classes}
    run = RunFacts(
        "runs/kitchen",
        "headstart adapt reviews.csv --domain product --from books --to kitchen --source ./MiniLM --out runs/kitchen",
        classes,
        (SplitPart("all", found.n_source, None, counts),),
        "All labelled items are learned from.",
        environment={"headstart": "0.1.0", "torch": "2.14.1"},
        created="2026-11-30 00:10",
    )
    return AdaptReport(record, run, found, "headstart predict runs/kitchen NEW_ITEMS", picture)


def with_everything() -> AdaptReport:
    """Forty classes with long names, long domains, every finding, warnings and notes."""
    classes = [f"species-number-{k:02d} with_a_rather_long.name" for k in range(40)]
    names = ("photographs/of_the_first_hospital.2019", "drawings/made-by-several-hands_of-the-second.2024")
    methods = tuple(method_row(name) for name in ALL)
    broken = replace(
        method_row("subspace", scored=False), scores={}, agreement=None, note="fewer items than axes"
    )
    shift = {
        **shift_found("both", missing=(3, 4, 5), n_classes=40),
        "differences": DIFFERENCES,
        "texts": TEXTS,
    }
    return replace_names(
        adapt_report(
            outcome="undecided",
            classes=classes,
            methods=(*methods, broken),
            shift=shift,
            held_out=True,
            warnings=(
                "The target seems to hold no items of species-number-03 and species-number-04.",
                "The encoder hardly reads the target's language: its tokenizer keeps 13% of the long words whole. Use "
                "an encoder of that language.",
                "12 items of kitchen are labelled items of books too: scores on them are too high.",
            ),
            notes=("class-ot needs the package POT: pip install 'headstart[adapt]'.",),
        ),
        names,
    )


def replace_names(report: AdaptReport, names: tuple[str, str]) -> AdaptReport:
    """The same with other names of the domains."""
    found = replace(report.found, names=names)
    outcome = report.record.verdict.outcome if report.record.verdict else None
    return replace(report, found=replace(found, sentence=sentence(found, outcome)))
