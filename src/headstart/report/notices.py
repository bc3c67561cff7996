"""What a reader must know before trusting a number, derived from the numbers themselves."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from headstart.metrics import metric_named
from headstart.report.context import Notice, ReportContext, Severity
from headstart.report.words import (
    CLASSICAL,
    counted,
    interval,
    listed,
    many_of,
    number,
    plural,
)

FEW_ITEMS = 10
SMALL_TEST = 50
HIGH_ECE = 0.1


def notices(context: ReportContext) -> list[Notice]:
    """All warnings of a run, the gravest first: the caller's own, then the derived ones.

    Args:
        context: of the run.
    """
    found = [*context.notices, *_classical(context), *_majority(context), *_shift(context), *_small(context)]
    found += [*_calibration(context), *_checks(context)]
    order = {"error": 0, "warning": 1, "note": 2}
    return sorted(found, key=lambda notice: order[notice.severity])


def _classical(context: ReportContext) -> Iterator[Notice]:
    key = context.headline
    ours, theirs = context.score(key), context.baseline("classical", key)
    if ours is None or theirs is None or theirs.value < ours.value:
        return
    clear = context.metrics.get("verdict") == "negative"
    yield Notice(
        "warning",
        "The classical baseline wins" if clear else "The classical baseline does as well",
        f"{CLASSICAL[context.modality].capitalize()}: {number(theirs.value, key)} against "
        f"{number(ours.value, key)}, without any pretrained network. "
        f"{'Prefer it, try' if clear else 'The difference may be chance. Try'} another source, "
        "or let more of the network train (`--freeze auto`).",
    )


def _majority(context: ReportContext) -> Iterator[Notice]:
    ours, theirs = context.score("accuracy"), context.baseline("majority", "accuracy")
    if ours is None or theirs is None or ours.low is None or ours.low > theirs.value:
        return
    yield Notice(
        "warning",
        "Not clearly better than naming the most frequent class",
        f"That alone is right {number(theirs.value)} of the time; this result, {interval(ours)}.",
    )


def _shift(context: ReportContext) -> Iterator[Notice]:
    inside, outside = context.cross_validated, context.score(context.headline)
    if inside is None or outside is None or context.n_folds:
        return
    if outside.high is None or inside.low is None or outside.high >= inside.low:
        return
    key, auroc = context.headline, context.score("auroc")
    text = (
        f"Cross-validation inside the training part gave {number(inside.value, key)}, the held-out part "
        f"{number(outside.value, key)}: more than chance explains. "
    )
    if auroc is not None and auroc.value > 0.85 and auroc.value - outside.value > 0.08:
        text += (
            f"The ranking is still good (AUROC {number(auroc.value, 'auroc')}), so it is mostly the decision "
            "threshold that is off there: calibrate on items from where the model will be used."
        )
    else:
        text += "Expect the lower number, or worse, wherever the data differ from the training part."
    yield Notice("warning", "The held-out part looks different from the training part", text)


def _small(context: ReportContext) -> Iterator[Notice]:
    n_test = context.count("n_test")
    if 0 < n_test < SMALL_TEST:
        yield Notice(
            "warning",
            "Few held-out items",
            f"Only {counted(context, n_test)}: read the intervals, not the scores.",
        )
    few: dict[str, list[str]] = {}
    for part in context.parts:
        for name, n_items in part.counts.items():
            if n_items < FEW_ITEMS:
                few.setdefault(part.name, []).append(f"{name} ({n_items})")
    one, many = many_of(context.target)
    for part_name, names in few.items():
        shown = listed(names) if len(names) <= 4 else f"{', '.join(names[:3])} and {len(names) - 3} more"
        yield Notice(
            "warning" if part_name == "train" else "note",
            f"{plural(len(names), one, many).capitalize()} with fewer than {FEW_ITEMS} items in {part_name}",
            f"{shown}. What is said about {'it' if len(names) == 1 else 'each of them'} is uncertain.",
        )


def _calibration(context: ReportContext) -> Iterator[Notice]:
    ece = context.score("ece")
    if ece is not None and ece.value > HIGH_ECE:
        yield Notice(
            "warning",
            "Do not read the probabilities literally",
            f"They are off by {100 * ece.value:.1f} points on average; {overconfidence(context)}.",
        )


def overconfidence(context: ReportContext) -> str:
    """Which way the stated confidence is off, as half a sentence."""
    n_items = sum(b.n_items for b in context.calibration)
    if not n_items:
        return "see the calibration section"
    gap = sum(b.n_items * (b.confidence - b.accuracy) for b in context.calibration) / n_items
    if abs(gap) < 0.015:
        return "on the whole the model is as sure as it should be"
    way = "surer than it should be" if gap > 0 else "less sure than it could be"
    return f"on the whole the model is {way}, by {100 * abs(gap):.1f} points"


def _checks(context: ReportContext) -> Iterator[Notice]:
    grave = [f for f in context.findings if f.severity != "note"]
    if not grave:
        return
    worst: Severity = "error" if any(f.severity == "error" for f in grave) else "warning"
    texts = [f.message.rstrip(".") for f in grave[:2]]
    more = f" And {len(grave) - 2} more, below." if len(grave) > 2 else ""
    yield Notice(worst, "The data checks found something", ". ".join(texts) + "." + more)


def takeaways(context: ReportContext) -> dict[str, str]:
    """One sentence for the head of a section: what its picture shows."""
    return {
        "errors": _errors_takeaway(context),
        "labels": _labels_takeaway(context),
        "values": _values_takeaway(context),
        "calibration": _calibration_takeaway(context),
        "depth": _depth_takeaway(context),
        "stages": _stages_takeaway(context),
        "history": _history_takeaway(context),
    }


def confused_pairs(context: ReportContext, limit: int = 5) -> list[tuple[str, str, int, int]]:
    """The most frequent mix-ups: (true class, class named, how many, of how many)."""
    if context.confusion is None:
        return []
    matrix, names = context.confusion, context.classes
    pairs = [
        (names[row], names[column], int(matrix[row, column]), int(matrix[row].sum()))
        for row in range(len(names))
        for column in range(len(names))
        if row != column and matrix[row, column]
    ]
    return sorted(pairs, key=lambda pair: -pair[2])[:limit]


def _errors_takeaway(context: ReportContext) -> str:
    pairs = confused_pairs(context, 1)
    if not pairs:
        return "Every held-out item was named rightly." if context.confusion is not None else ""
    label, predicted, n_items, of = pairs[0]
    return f"The most common mix-up: “{label}” taken for “{predicted}”, {n_items:,} of {of:,} times."


def _labels_takeaway(context: ReportContext) -> str:
    scored = [row for row in context.labels if row.average_precision is not None]
    if not scored:
        return ""
    best, worst = (pick(scored, key=lambda row: row.average_precision or 0.0) for pick in (max, min))
    return (
        f"Best told: {best.name} (average precision {best.average_precision:.2f}); worst: {worst.name} "
        f"({worst.average_precision:.2f})."
    )


def _values_takeaway(context: ReportContext) -> str:
    if context.values is None:
        return ""
    errors = abs(context.values[:, 1] - context.values[:, 0])
    half, most = (float(v) for v in np.quantile(errors, [0.5, 0.9]))
    return f"Half of the held-out values are met within {half:.3g}, nine of ten within {most:.3g}."


def _calibration_takeaway(context: ReportContext) -> str:
    filled = [b for b in context.calibration if b.n_items]
    if not filled:
        return ""
    top = max(filled, key=lambda b: b.n_items)
    found = (
        f"Where it was about {100 * top.confidence:.0f}% sure, it was right {100 * top.accuracy:.0f}% of the "
        f"time ({counted(context, top.n_items)}); {overconfidence(context)}."
    )
    if context.task == "multilabel":
        found = (
            f"Labels that it gave about {100 * top.confidence:.0f}% were there {100 * top.accuracy:.0f}% of the "
            f"time ({top.n_items:,} labels of items)."
        )
    return f"{found}{_temperature(context)}"


def _temperature(context: ReportContext) -> str:
    """What temperature scaling did, as a sentence with a space before it."""
    found = context.metrics.get("calibration")
    if not found:
        return ""
    if found["temperature"] == 1:
        return " Its scores were not rescaled (temperature 1)."
    before, after = (100 * found[when]["ece"] for when in ("before", "after"))
    return (
        f" Its scores are divided by a temperature of {found['temperature']:.2f}: probabilities were off by "
        f"{before:.1f} points on average before that, and by {after:.1f} after."
    )


def _depth_takeaway(context: ReportContext) -> str:
    if len(context.profile) < 2:
        return ""
    best, last = max(context.profile, key=lambda p: p.score), context.profile[-1]
    key = context.profile_metric
    what = {"multilabel": "labels", "regression": context.target}.get(
        context.task, many_of(context.target)[0]
    )
    lead = f"{best.stage} reads the {what} best ({number(best.score, key)})"
    if best is last:
        return f"{lead}: the last stage, the usual choice, is right here."
    lost = best.score - last.score
    worse = metric_named(key).form == "percent"
    amount = f"{100 * lost:.1f} points" if worse else f"{lost:.3f}"
    if best.low is not None and last.score >= best.low:
        return f"{lead}; the last stage, the usual choice, is as good within the interval."
    return f"{lead}; the last stage, the usual choice, would lose {amount}."


def _stages_takeaway(context: ReportContext) -> str:
    if context.trained_stages:
        return ""
    return "This was tried; validation was for the head alone, so the network was returned as it came."


def _history_takeaway(context: ReportContext) -> str:
    scored = [p for p in context.history if p.score is not None]
    if scored:
        best = max(scored, key=lambda p: p.score or 0.0)
        shown = number(best.score, context.profile_metric)
        return f"Best on validation after epoch {best.epoch:g}: {shown}."
    losses = [p for p in context.history if p.validation_loss is not None]
    if not losses:
        return ""
    lowest = min(losses, key=lambda p: p.validation_loss or 0.0)
    return f"Lowest validation loss after epoch {lowest.epoch:g}: {lowest.validation_loss:.3f}."
