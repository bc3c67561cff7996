"""The result of an audit in one plain sentence."""

from __future__ import annotations

from headstart.metrics import metric_named
from headstart.runs.audit import AuditFacts, SizeVerdict
from headstart.units import counted

NAMES = {
    "classical": "classical features",
    "random": "the same network with random weights",
    "scratch": "the same network trained from scratch",
    "majority": "always answering with the most frequent class",
}


def sentence(facts: AuditFacts) -> str:
    """What was found, with all labels and with fewer.

    Args:
        facts: of the audit; its own sentence is not read.
    """
    final = facts.final
    labels = (
        f"all {final.n_labels:,} labels"
        if final.n_labels == facts.n_train
        else counted(final.n_labels, "labels")
    )
    how = difference_words(facts.metric, final)
    against = NAMES.get(final.against, final.against)
    if final.outcome == "positive":
        return f"Transfer helps with {labels}: {how} against {against}{_saved(facts)}."
    if final.outcome == "negative":
        return f"Transfer hurts with {labels}: {how} against {against}, which needs no pretrained weights."
    what = f"It cannot be told whether transfer helps with {labels}"
    if not final.against:
        return f"{what}: {final.gain.why}."
    shown = f"{how} against {against}" if final.gain.low is not None else final.gain.why
    return f"{what}: {shown}.{_fewer(facts)}"


def difference_words(metric: str, verdict: SizeVerdict) -> str:
    """A difference with its interval: "+5.1 points of accuracy (+1.2 to +9.0)"."""
    gain, shown = verdict.gain, metric_named(metric)
    if gain.value is None or gain.low is None or gain.high is None:
        return "no interval can be had"
    if shown.form == "percent":
        value, low, high = 100 * gain.value, 100 * gain.low, 100 * gain.high
        return f"{value:+.1f} points of {shown.label.lower()} ({low:+.1f} to {high:+.1f})"
    return f"{gain.value:+.3g} of {metric.replace('_', ' ')} ({gain.low:+.3g} to {gain.high:+.3g})"


def _saved(facts: AuditFacts) -> str:
    """What is saved against the method that the verdict is about, as a clause."""
    saved = facts.saved.get(facts.final.against)
    if saved is None or saved.factor.value is None or saved.bound == "not reached":
        return ""
    against = NAMES.get(saved.against, saved.against)
    n_labels = round(saved.n_transfer.value or 0)
    least = "at least " if saved.bound == "at least" else ""
    return (
        f"; it needs {n_labels} labels for what {against} reaches with {saved.n_labels} "
        f"({least}{saved.factor.value:.1f} times fewer)"
    )


def _fewer(facts: AuditFacts) -> str:
    """With how many labels it is decided, if it is not with all."""
    decided = [each for each in facts.verdicts[:-1] if each.outcome != "undecided"]
    if not decided:
        return ""
    last = decided[-1]
    word = "helps" if last.outcome == "positive" else "hurts"
    against = NAMES.get(last.against, last.against)
    return (
        f" With {last.n_labels} labels it {word}: {difference_words(facts.metric, last)} against {against}."
    )
