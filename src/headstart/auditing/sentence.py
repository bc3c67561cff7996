"""The result of an audit in plain words: "Transfer helps with all 244 labels: accuracy is 26 points higher than …"."""

from __future__ import annotations

from collections.abc import Callable

from headstart.metrics import Interval, metric_named
from headstart.metrics.interval import decimals
from headstart.report.pages.audit.words import labels_words
from headstart.report.words import lowered, number
from headstart.runs.audit import AuditFacts, SizeVerdict
from headstart.units import counted

# inside a sentence: as an object, and as the subject of what it reaches
_NAMES = {
    "classical": ("classical features", "classical features reach"),
    "random": ("the same network with random weights", "the network with random weights reaches"),
    "scratch": ("the same network trained from scratch", "training from scratch reaches"),
    "majority": ("always the same answer", "always the same answer reaches"),
}
_SAVES = 1.05  # an interval of the factor that begins below it does not show that labels are saved
_INSTEAD = {
    "classical": "let headstart fit --guard return classical features",
    "scratch": "train the network from scratch",
}


def sentence(facts: AuditFacts) -> str:
    """What was found with all labels, and with fewer.

    Args:
        facts: of the audit; its own sentence is not read.

    Returns:
        What transfer does, a colon, and why.
    """
    final = facts.final
    labels = labels_words(facts, final.n_labels)
    if final.outcome == "positive":
        return f"Transfer helps with {labels}: {difference_words(facts.metric, final)}{_saved(facts)}.{_fewer(facts)}"
    if final.outcome == "negative":
        return (
            f"Transfer hurts with {labels}: {difference_words(facts.metric, final)}. "
            f"{_advice(final.against)}"
            f"{_fewer(facts)}"
        )
    return f"It is undecided whether transfer helps with {labels}: {_unclear(facts)}.{_fewer(facts)}"


def _advice(against: str) -> str:
    """What to do instead, if transfer hurts."""
    if against not in _INSTEAD:
        return "Try another source."
    instead = _INSTEAD[against]
    return f"{instead[0].upper()}{instead[1:]}, or try another source."


def method_words(name: str) -> str:
    """A method inside a sentence."""
    return _NAMES[name][0] if name in _NAMES else name


def difference_words(metric: str, verdict: SizeVerdict) -> str:
    """A difference with its interval: "accuracy is 5.1 points higher than with … (95% interval 1.2 to 9.0)"."""
    return _compared(metric, verdict.gain, f"with {method_words(verdict.against)}")


def _compared(metric: str, gain: Interval, what: str) -> str:
    """How a score differs from another."""
    shown = metric_named(metric)
    if gain.value is None:
        return "the difference could not be measured"
    is_percent, sign = shown.form == "percent", 1 if gain.value >= 0 else -1

    def written(value: float) -> str:
        text = f"{100 * value:.1f}" if is_percent else decimals(value)
        return text.lstrip("-") if float(text) == 0 else text.replace("-", "−")

    size = written(abs(gain.value))
    if float(size) == 0:
        return f"{lowered(shown.label)} is the same as {what}{_ends(gain, sign, written)}"
    unit = "" if not is_percent else " point" if size == "1.0" else " points"
    word = "higher" if sign > 0 else "lower"
    return f"{lowered(shown.label)} is {size}{unit} {word} than {what}{_ends(gain, sign, written)}"


def _ends(gain: Interval, sign: int, written: Callable[[float], str]) -> str:
    """The interval in the direction of the difference, in brackets."""
    if gain.low is None or gain.high is None:
        return f" ({gain.missing(grouped=False)})"
    if not _excludes_zero(
        gain
    ):  # in the direction of the metric, with signs, so that no direction is suggested
        ends = [written(end) if end <= 0 else f"+{written(end)}" for end in (gain.low, gain.high)]
        return f" (95% interval {ends[0]} to {ends[1]})"
    low, high = sorted((sign * gain.low, sign * gain.high))
    return f" (95% interval {written(low)} to {written(high)})"


def _unclear(facts: AuditFacts) -> str:
    """Why the verdict with all labels is undecided."""
    final = facts.final
    if not final.against:
        return final.gain.why
    shown = difference_words(facts.metric, final)
    if not _excludes_zero(final.gain):
        return shown
    unclear = [name for name, gain in final.gains.items() if not _excludes_zero(gain)]
    if unclear:
        return f"{shown}, but not clearly better than with {method_words(unclear[0])}"
    return f"{shown}, which is too little where several numbers of labels are looked at"


def _excludes_zero(gain: Interval) -> bool:
    return gain.low is not None and gain.high is not None and (gain.low > 0 or gain.high < 0)


def _saved(facts: AuditFacts) -> str:
    """What is saved against the method that the verdict is about, as a clause."""
    saved = facts.saved.get(facts.final.against)
    if saved is None or saved.factor.value is None or saved.bound == "not reached" or saved.factor.value < 1:
        return ""
    if saved.factor.low is not None and saved.factor.low < _SAVES:
        return ""
    n_labels, reach = round(saved.n_transfer.value or 0), _NAMES.get(saved.against, ("", ""))[1]
    if not reach or n_labels >= saved.n_labels:
        return ""
    about = "" if saved.bound == "at least" else "about "
    level = number(saved.level, facts.metric)
    return f", and {about}{n_labels:,} labels are enough for the {level} that {reach} with {saved.n_labels:,}"


def _fewer(facts: AuditFacts) -> str:
    """What holds with fewer labels, if the verdict is another there."""
    decided = [each for each in facts.verdicts[:-1] if each.outcome not in ("undecided", facts.final.outcome)]
    if not decided:
        return ""
    last = decided[-1]
    word = "helps" if last.outcome == "positive" else "hurts"
    return f" With {counted(last.n_labels, 'labels')} it {word}: {difference_words(facts.metric, last)}."
