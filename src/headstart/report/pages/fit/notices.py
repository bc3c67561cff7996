"""What a reader must know before trusting a number, derived from the numbers themselves."""

from __future__ import annotations

from collections.abc import Iterator

from headstart.report.pages.fit.calibration import calibration_of, overconfidence
from headstart.report.pages.fit.label_errors import label_errors_notice
from headstart.report.pages.fit.report import FitReport
from headstart.report.pages.fit.words import CLASSICAL, answers
from headstart.report.shell import Notice, in_order
from headstart.report.words import difference, interval, listed, number, plural

FEW_ITEMS = 10
FEW_GROUPS = 10
SMALL_TEST = 50
HIGH_ECE = 0.1


def notices(report: FitReport) -> tuple[Notice, ...]:
    """All warnings of a run, the most serious first."""
    return in_order(
        [
            *_reason(report),
            *_refit(report),
            *_few_groups(report),
            *_classical(report),
            *_majority(report),
            *_shift(report),
            *_small(report),
            *_calibration(report),
            *_checks(report),
            *label_errors_notice(report),
        ]
    )


def _reason(report: FitReport) -> Iterator[Notice]:
    reason = str(report.record.extra.get("reason", ""))
    if reason:
        yield Notice("note", "Why this head", reason)


def _refit(report: FitReport) -> Iterator[Notice]:
    refit = report.record.extra.get("refit")
    if refit is None:
        return
    read = listed(refit["head_stages"])
    yield Notice(
        "note",
        "Learned again from every label",
        f"After the evaluation the model was trained again on all {report.counted(refit['n_train'])}, held-out ones "
        f"too; its head reads {read}. Scores, profile and choices on this page are those of the model before.",
    )


def _few_groups(report: FitReport) -> Iterator[Notice]:
    measured_on = "train" if report.record.n_folds else "test"
    n_groups = next((part.n_groups for part in report.facts.parts if part.name == measured_on), None)
    if n_groups is not None and n_groups < FEW_GROUPS:
        yield Notice(
            "warning",
            f"The intervals rest on {n_groups} values of '{report.data.group or 'group'}'",
            "Whole groups are resampled, and so few groups say little about a new one. "
            "Evaluate with --folds, so that every group is held out once.",
        )


def _classical(report: FitReport) -> Iterator[Notice]:
    key, outcome = report.headline, report.record.verdict
    ours, theirs = report.score(key), report.baseline("classical", key)
    if ours is None or theirs is None or float(theirs) < float(ours):
        return
    clear = outcome is not None and outcome.outcome == "negative"
    yield Notice(
        "warning",
        "The classical baseline wins" if clear else "The classical baseline does as well",
        f"{CLASSICAL[report.data.modality].capitalize()}: {number(theirs.value, key)} against "
        f"{number(ours.value, key)}, without any pretrained network. "
        f"{'Prefer it, try' if clear else 'The difference may be chance. Try'} another source, "
        "or let more of the network train (`--freeze auto`).",
    )


def _majority(report: FitReport) -> Iterator[Notice]:
    ours, theirs = report.score("accuracy"), report.baseline("majority", "accuracy")
    if ours is None or theirs is None or ours.low is None or ours.low > float(theirs):
        return
    yield Notice(
        "warning",
        "Not clearly better than naming the most frequent class",
        f"That alone is right {number(theirs.value)} of the time; this result, {interval(ours)}.",
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
            "threshold that is off there: calibrate on items from where the model will be used."
        )
    else:
        text += "Expect the lower number, or worse, wherever the data differ from the training part."
    yield Notice("warning", "The held-out part looks different from the training part", text)


def _small(report: FitReport) -> Iterator[Notice]:
    n_test = report.record.n_test or 0
    if 0 < n_test < SMALL_TEST:
        yield Notice(
            "warning",
            "Few held-out items",
            f"Only {report.counted(n_test)}: read the intervals, not the scores.",
        )
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


def _calibration(report: FitReport) -> Iterator[Notice]:
    ece = report.score("calibration_error")
    if ece is not None and float(ece) > HIGH_ECE:
        yield Notice(
            "warning",
            "Do not read the probabilities literally",
            f"They are off by {100 * float(ece):.1f} points on average; {overconfidence(calibration_of(report))}.",
        )


def _checks(report: FitReport) -> Iterator[Notice]:
    grave = [f for f in report.facts.findings if f.severity != "note"]
    if not grave:
        return
    texts = [f.message.rstrip(".") for f in grave[:2]]
    more = f" And {len(grave) - 2} more, below." if len(grave) > 2 else ""
    yield Notice(
        "error" if any(f.severity == "error" for f in grave) else "warning",
        "The data checks found something",
        ". ".join(texts) + "." + more,
    )
