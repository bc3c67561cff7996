"""What a reader must know before trusting a number, derived from the numbers themselves."""

from __future__ import annotations

from collections.abc import Iterator

from headstart.metrics import Interval, metric_named
from headstart.report.background import checks_notice
from headstart.report.items.calibration import calibration_notice
from headstart.report.items.decision import threshold_notice
from headstart.report.items.few import few_groups_notice, few_items_notice
from headstart.report.pages.fit.foreseen import foreseen_notice
from headstart.report.pages.fit.label_errors import label_errors_notice
from headstart.report.pages.fit.report import FitReport
from headstart.report.pages.fit.words import (
    CLASSICAL,
    answers,
    classical_in_folds,
    fewer_items,
    is_classical,
)
from headstart.report.shell import Notice, in_order
from headstart.report.words import difference, interval, listed, number, plural, points
from headstart.units import agreeing

FEW_ITEMS = 10
_ALL_GROUPS = (
    "Evaluate with `--folds 5`, so that every group is held out once; an interval needs 3 groups or more."
)


def notices(report: FitReport) -> tuple[Notice, ...]:
    """All warnings of a run, the most serious first."""
    return in_order(
        [
            *threshold_notice(report),
            *_reason(report),
            *_folds_differ(report),
            *_refit(report),
            *few_groups_notice(report, "" if report.record.n_folds else _ALL_GROUPS),
            *foreseen_notice(report),
            *_classical(report),
            *_majority(report),
            *_seen(report),
            *_shift(report),
            *few_items_notice(report),
            *_small_classes(report),
            *calibration_notice(report),
            *checks_notice(report),
            *label_errors_notice(report),
        ]
    )


def _reason(report: FitReport) -> Iterator[Notice]:
    reason = str(report.record.extra.get("reason", ""))
    guard = report.record.extra.get("guard")
    if guard is not None and not is_classical(report):
        yield Notice("note", "Guard", str(guard["reason"]))
    if reason:
        title = "Why this training" if report.trained_stages else "Why this head"
        yield Notice("note", "Why classical features" if is_classical(report) else title, reason)


def _folds_differ(report: FitReport) -> Iterator[Notice]:
    """What the guard returned in the folds: the score is that of the guarded procedure, not of one kind of result."""
    text, alike = classical_in_folds(report), report.record.scores_are_of_run
    if not text:
        return
    of = "" if alike else " The score is that of the guarded procedure, not of what this run holds."
    yield Notice(
        "note" if alike else "warning",
        "What the guard returned in the folds",
        f"{text[0].upper()}{text[1:]}.{of}",
    )


def _refit(report: FitReport) -> Iterator[Notice]:
    refit = report.record.extra.get("refit")
    if refit is None:
        return
    read = listed(refit["head_stages"])
    head = f"; its head reads {read}" if read else ""
    yield Notice(
        "note",
        "Learned again from every label",
        f"After the evaluation the model was trained again on all {report.counted(refit['n_train'])}, held-out ones "
        f"too{head}. Scores, profile and choices on this page are those of the model before.",
    )


def _classical(report: FitReport) -> Iterator[Notice]:
    """The baseline is not behind, by the paired difference in the verdict's metric."""
    key = report.targets.task.verdict_metric
    if is_classical(report):  # it is the result
        return
    ours, theirs, gap = report.score(key), report.baseline("classical", key), report.difference("classical")
    if ours is None or theirs is None or gap is None:
        return
    sign = 1 if metric_named(key).better == "higher" else -1
    if sign * float(gap) > 0:
        return
    ends = () if gap.low is None or gap.high is None else (sign * gap.low, sign * gap.high)
    clear = bool(ends) and max(ends) < 0
    titles = {
        True: "The classical baseline wins",
        False: "The classical baseline cannot be told apart from this result",
    }
    title = titles[clear] if float(gap) else "The classical baseline is as good as this result"
    between = difference(gap, key)
    between = f", 95% interval {between}" if between else ""
    yield Notice(
        "warning",
        title,
        f"{CLASSICAL[report.data.modality].capitalize()}: {number(theirs.value, key)} against "
        f"{number(ours.value, key)} (difference {points(float(gap), key)}{between}), without any pretrained network. "
        f"{_what_to_try(report, clear)}{fewer_items(report, 'classical')}",
    )


def _what_to_try(report: FitReport, clear: bool) -> str:
    """What may do better than a baseline that is not behind, in a sentence; a race has tried what can train."""
    if report.candidates:
        return "Prefer it, or try another source." if clear else "Try another source."
    first = "Prefer it, try another source" if clear else "Try another source"
    return f"{first}, or let more of the network train (`--freeze auto`)."


def _majority(report: FitReport) -> Iterator[Notice]:
    ours, theirs = report.score("accuracy"), report.baseline("majority", "accuracy")
    if ours is None or theirs is None or ours.low is None or ours.low > float(theirs):
        return
    yield Notice(
        "warning",
        "Not clearly better than naming the most frequent class",
        f"That alone is right {number(theirs.value)} of the time; this result, {interval(ours)}.",
    )


def _seen(report: FitReport) -> Iterator[Notice]:
    """Held-out items that are in the source's own training data, and the score without them."""
    found = report.record.extra.get("source_data") or {}
    without = found.get("without_seen")
    if without is None:
        return
    n_seen = found["n_copies"] + found["n_near_copies"]
    text = f"{agreeing(n_seen, 'It is', 'They are')} in its own training data ({found['name']}), as copies or near "
    text += f"copies, so the score on {agreeing(n_seen, 'it', 'them')} may be memory. "
    key = without["metric"]
    ours, left, gap = (
        report.score(key),
        Interval.of(without["test"].get(key)),
        Interval.of(without["difference"]),
    )
    if ours is None or left.value is None or gap.value is None:
        text += "No other item is left to measure it on." if not without["n_items"] else ""
    else:
        between = interval(left, key)
        change = difference(gap, key)
        text += (
            f"{metric_named(key).label}: {number(ours.value, key)} with {agreeing(n_seen, 'it', 'them')}, "
        )
        text += f"{number(left.value, key)}{f' ({between})' if between else ''} on the other "
        text += f"{report.counted(without['n_items'])}; the difference is {points(gap.value, key)}"
        text += f" (95% interval {change})." if change else "."
    yield Notice(
        "warning",
        f"The source has seen {n_seen:,} of {report.counted(report.record.n_test or 0)} held out",
        text,
    )


def _shift(report: FitReport) -> Iterator[Notice]:
    found, key, auroc = report.shift, report.targets.task.quality, report.score("auroc")
    if found is None or not found.is_clear:
        return
    text = (
        f"The head alone reached {number(found.inside, key)} by cross-validation inside the training part and "
        f"{number(found.outside, key)} on the held-out part: more than chance explains (95% interval of the "
        f"difference: {difference(found.difference, key)}). "
    )
    if auroc is not None and float(auroc) > 0.85 and float(auroc) - found.outside > 0.08:
        text += (
            f"The ranking is still good (AUROC {number(auroc.value, 'auroc')}), so it is mostly the decision "
            "threshold that is off there: `headstart calibrate` corrects it by labelled items from where the model "
            "will be used."
        )
    else:
        text += "Expect the lower number, or worse, wherever the data differ from the training part."
    yield Notice("warning", "The held-out part looks different from the training part", text)


def _small_classes(report: FitReport) -> Iterator[Notice]:
    one, many = answers(report.data.target)
    for part in report.facts.parts:
        names = [f"{name} ({n_items})" for name, n_items in part.counts.items() if n_items < FEW_ITEMS]
        if not names:
            continue
        shown = listed(names) if len(names) <= 4 else f"{', '.join(names[:3])} and {len(names) - 3} more"
        yield Notice(
            "warning" if part.name == "train" else "note",
            f"{plural(len(names), one, many).capitalize()} with fewer than {FEW_ITEMS} items in {part.name}",
            f"{shown}. {'Its scores are' if len(names) == 1 else 'Their scores are'} uncertain.",
        )
