"""What an audit says in words, the same on the terminal and on the page."""

from __future__ import annotations

import re
from dataclasses import dataclass

from headstart.metrics import Interval
from headstart.report.pages.audit.report import AuditReport
from headstart.report.words import difference, duration, number, points
from headstart.runs.audit import AuditFacts, Saved, SizeVerdict
from headstart.units import counted

NOT_SHOWN = "not shown"  # the interval of the labels that transfer needs holds all of them
_SAME = 1.05  # factors closer to 1 than this are "about the same"


def labels_words(facts: AuditFacts, n_labels: int) -> str:
    """A number of labels: "20 labels", "all 244 labels"."""
    whole = "all " if n_labels == facts.n_train else ""
    return f"{whole}{counted(n_labels, 'labels')}"


def gain_words(report: AuditReport, gain: Interval) -> str:
    """A difference with its interval, without a unit: "+45.1 (+36.7 to +53.2)"; "none" if it was not measured."""
    key = report.audit.metric
    if gain.value is None:
        return "none"
    value, ends = points(gain.value, key).split(" ")[0], difference(gain, key)
    return f"{value} ({ends})" if ends else value


def p_words(p: float) -> str:
    """A p value: "0.012", "< 0.001"."""
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def took(seconds: float) -> str:
    """Seconds as read, also short ones: 0.77 s, 3.0 s, 2 min 5 s."""
    return f"{seconds:.2g} s" if seconds < 0.95 else duration(seconds)


@dataclass(frozen=True)
class Factor:
    """How many times less or more transfer needs.

    Attributes:
        value: such as "12 times fewer".
        ends: of its 95% interval, in short; "" if there is none.
        detail: what is compared.
        why: why there is no interval.
    """

    value: str
    ends: str
    detail: str
    why: str = ""


def labels_factor(report: AuditReport, saved: Saved) -> Factor:
    """How many times fewer labels transfer needs for the score of another method with all of its labels."""
    level, other = number(saved.level, report.audit.metric), report.names[saved.against]
    target = f"{level}, the score of {other} with {counted(saved.n_labels, 'labels')}"
    if saved.bound == "not reached":
        return Factor("none saved", "", f"transfer does not reach {target}")
    n_labels = saved.n_transfer.value
    if saved.factor.value is None or n_labels is None:
        return Factor("unknown", "", f"for {target}", saved.factor.why)
    needs = f"{round(n_labels):,} in place of {saved.n_labels:,}, for {target}"
    least = "at least " if saved.bound == "at least" else ""
    if not least and 1 / _SAME < saved.factor.value < _SAME:
        value = "as many"
    elif saved.factor.value > 1 and saved.factor.low is not None and saved.factor.low < _SAME:
        value = NOT_SHOWN
    elif saved.factor.value < 1:
        value = f"{_times(1 / saved.factor.value)} times as many"
    else:
        value = f"{least}{_times(saved.factor.value)} times fewer"
    return Factor(value, _label_ends(report, saved), needs, _why_no_ends(report, saved))


def _label_ends(report: AuditReport, saved: Saved) -> str:
    """The ends of the interval of the labels that transfer needs; open at the smallest and largest number."""
    low, high = saved.n_transfer.low, saved.n_transfer.high
    if low is None or high is None:
        return ""
    first, last = report.audit.verdicts[0].n_labels, report.audit.final.n_labels
    from_first, to_last = low <= first * 1.001, high >= last * 0.999  # beyond these nothing was measured
    if from_first and to_last:
        return "any number of labels"
    if to_last:
        return f"{round(low):,} labels or more"
    return f"up to {round(high):,} labels" if from_first else f"{round(low):,} to {round(high):,} labels"


def _why_no_ends(report: AuditReport, saved: Saved) -> str:
    """Why the labels that transfer needs have no interval: also if every number that was measured is clearly enough."""
    first = report.audit.transfer.points[0]
    if saved.n_transfer.low is None and saved.bound == "at least" and first.score.low is not None:
        return f"{counted(first.n_labels, 'labels')} already give clearly more"
    return saved.n_transfer.why


def time_factor(saved: Saved) -> Factor:
    """How many times faster or slower transfer reaches the same score, extraction counted."""
    seconds, factor = saved.seconds_transfer.value, saved.time_factor
    if saved.bound == "not reached":
        return Factor("none saved", "", "transfer does not reach that score")
    if seconds is None or not factor.value:
        return Factor("unknown", "", "", factor.why)
    detail = f"{took(seconds)} in place of {took(saved.seconds)}"
    bounded = saved.bound == "at least"
    if factor.value >= _SAME:
        value = f"{'at least ' if bounded else ''}{_times(factor.value)} times as fast"
        ends = _between(factor.low, factor.high)
    elif factor.value <= 1 / _SAME:
        value = f"{'at most ' if bounded else ''}{_times(1 / factor.value)} times as long"
        ends = _between(1 / factor.high, 1 / factor.low) if factor.low and factor.high else ""
    else:
        value, ends = "about as long", _between(factor.low, factor.high)
    return Factor(value, ends, detail, "" if bounded else factor.why)


def _between(low: float | None, high: float | None) -> str:
    if low is None or high is None or _times(low) == _times(high):
        return ""
    return f"{_times(low)} to {_times(high)} times"


def _times(factor: float) -> str:
    """A factor as read: "1.6", "12", "1,300"."""
    return f"{factor:.1f}" if factor < 9.95 else f"{factor:,.0f}"


def saved_words(report: AuditReport, saved: Saved) -> str:
    """What is saved against one method, in a sentence for the terminal."""
    other, level = report.names[saved.against], number(saved.level, report.audit.metric)
    target = f"the {level} of {other} with {counted(saved.n_labels, 'labels')}"
    if saved.bound == "not reached":
        return f"Transfer does not reach {target}: no labels and no time are saved."
    labels, time = labels_factor(report, saved), time_factor(saved)
    n_labels = "?" if saved.n_transfer.value is None else f"{round(saved.n_transfer.value):,}"
    first = f"For {target}, transfer needs {n_labels} labels: {labels.value}"
    if labels.value == NOT_SHOWN:
        first = f"For {target}, transfer may need {n_labels} labels; that it needs fewer is {NOT_SHOWN}"
    ends = f" (95% interval {labels.ends})" if labels.ends else f" ({labels.why})" if labels.why else ""
    slower = (saved.time_factor.value or 1) <= 1 / _SAME
    verb = "Transfer takes" if slower or time.value.startswith("about") else "Transfer is"
    return f"{first}{ends}. {verb} {time.value}: {time.detail}." if time.detail else f"{first}{ends}."


def verdict_words(verdict: SizeVerdict) -> str:
    """The verdict with one number of labels, in a word."""
    return {"positive": "helps", "negative": "hurts", "undecided": "undecided"}[verdict.outcome]


def needs_words(verdict: SizeVerdict) -> str:
    """What would decide an undecided comparison; "" if it has no interval, whose reason is given beside it."""
    return "" if verdict.gain.low is None else verdict.needs


def as_code(text: str) -> str:
    """A sentence whose options are marked as code: "use `--seeds 5`"."""
    return text if "`" in text else re.sub(r"(?<![\w`-])(--[a-z-]+(?: \d+)?)", r"`\1`", text)
