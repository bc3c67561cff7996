"""Numbers and facts of a run in plain words, shared by the page and the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

from headstart import units
from headstart.metrics import metric_named
from headstart.report.context import ReportContext, Score
from headstart.tune.policies.catalogue import kind_of

BASELINES = {
    "probe": ("Head alone", "a linear head on the pretrained features, nothing else trained"),
    "scratch": ("Trained from scratch", "the same network without its pretrained weights"),
    "classical": ("Classical features", "no pretrained weights"),
    "majority": ("Majority class", "always names the most frequent class"),
}
CONSTANT = {
    "multilabel": ("Share of each label", "gives every item the labels' frequencies"),
    "regression": ("Mean", "always says the mean of the training items"),
}
RIVALS = {
    "probe": "the head alone",
    "scratch": "the same network trained from scratch",
    "classical": "the classical baseline, which uses no pretrained weights",
    "majority": "always naming the most frequent class",
}
CLASSICAL = {
    "image": "colour and gradient histograms, logistic",
    "text": "TF-IDF, logistic",
    "audio": "log-mel mean and deviation, logistic",
}


def lowered(label: str) -> str:
    """A metric's name inside a sentence: abbreviations stay as they are."""
    return label if label.isupper() or label[1:2].isupper() else label.lower()


def number(value: float | None, key: str = "accuracy") -> str:
    """A metric's value as read: 95.5% or 0.946; "n/a" for None."""
    if value is None:
        return "n/a"
    return f"{100 * value:.1f}%" if metric_named(key).form == "percent" else f"{value:.3f}"


def interval(score: Score, key: str = "accuracy") -> str:
    """The 95% interval as read, "93.4 to 97.2%", or "" where there is none."""
    if score.low is None or score.high is None:
        return ""
    if metric_named(key).form == "percent":
        return f"{100 * score.low:.1f} to {100 * score.high:.1f}%"
    return f"{score.low:.3f} to {score.high:.3f}"


def points(difference: float, key: str = "accuracy") -> str:
    """A signed difference: "+2.4 points" for shares, "+0.021" for other numbers."""
    if metric_named(key).form != "percent":
        return signed(difference, 1, 3)
    text = signed(difference, 100, 1)
    return f"{text} point" if text[1:] == "1.0" else f"{text} points"


def signed(value: float, factor: float = 100, digits: int = 1) -> str:
    """A number with its sign, a true minus, and no sign on zero."""
    text = f"{factor * value:+.{digits}f}"
    if float(text) == 0:
        return text[1:]
    return text.replace("-", "−")


def duration(seconds: float) -> str:
    """Seconds as read: 0.8 s, 21 s, 3 min 20 s, 2 h 5 min."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s" if whole % 60 else f"{whole // 60} min"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def byte_size(n_bytes: float) -> str:
    """Bytes as read: 512 MB, 1.8 GB (powers of 1000)."""
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if n_bytes >= size:
            amount = n_bytes / size
            return f"{amount:.1f} {unit}" if amount < 10 and unit == "GB" else f"{amount:.0f} {unit}"
    return f"{n_bytes:.0f} bytes"


def plural(n_items: int, one: str, many: str) -> str:
    """A count with its noun: "1 image", "1,200 images"."""
    return f"{n_items:,} {one if n_items == 1 else many}"


def counted(context: ReportContext, n_items: int) -> str:
    """A count with the noun of the modality: "535 recordings"."""
    return units.counted(n_items, units.UNITS[context.modality])


def listed(words: Sequence[str]) -> str:
    """Words as a list in a sentence: "a, b and c"."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else ""


def many_of(target: str) -> tuple[str, str]:
    """The noun for the classes of a target, singular and plural: ("speaker", "speakers")."""
    if target in ("label", "target", "class") or not target.isalpha():
        return "class", "classes"
    if target.endswith("s"):
        return target, target
    return target, target[:-1] + "ies" if target[-1] == "y" and target[-2:-1] not in "aeiou" else target + "s"


def sentence_parts(context: ReportContext) -> list[tuple[str, bool]]:
    """The sentence that says what was done, as (text, emphasised) pairs.

    Args:
        context: of the run; reads the stages, the source, the counts, the classes and the time.
    """
    trained, read, every = context.trained_stages, context.head_stages, context.all_stages
    name = (context.name_of_source, True)
    parts: list[tuple[str, bool]]
    if trained:
        whole = len(trained) == len(every) or not every
        span = "all" if whole else trained[0] if len(trained) == 1 else f"{trained[0]} to {trained[-1]}"
        parts = [(f"headstart {_done(context)}", False), (span, not whole), (" of ", False), name]
    else:
        parts = [(f"headstart trained a {context.head} on ", False), *_read_stages(read, every), name]
    parts += [(" to ", False), *_purpose(context), (", from ", False)]
    parts.append((counted(context, context.count("n_train")), True))
    total = context.metrics.get("seconds", {}).get("total")
    return [*parts, (f", in {duration(total)}." if total else ".", False)]


def _done(context: ReportContext) -> str:
    """What was done to the trained stages: "fine-tuned ", "trained the biases in "."""
    policy = str(context.metrics.get("chosen", {}).get("policy", "none"))
    return f"{kind_of(policy).done} "


def _read_stages(read: Sequence[str], every: Sequence[str]) -> list[tuple[str, bool]]:
    if not read:
        return []
    if len(read) == len(every) and len(read) > 1:
        return [(f"all {len(read)} stages", True), (" of ", False)]
    if len(read) > 3:
        return [(f"{len(read)} stages", True), (" of ", False)]
    return [(listed(read), True), (" of ", False)]


def _purpose(context: ReportContext) -> list[tuple[str, bool]]:
    one, many = many_of(context.target)
    if not context.classes:
        return [("predict ", False), (context.target, True)]
    if context.task == "multilabel":
        return [("give each item any of ", False), (f"{len(context.classes)} labels", True)]
    if len(context.classes) == 2 and one == "class":
        first, second = context.classes
        return [("tell ", False), (first, True), (" from ", False), (second, True)]
    return [("tell ", False), (f"{len(context.classes)} {many}", True), (" apart", False)]


def sentence(context: ReportContext) -> str:
    """The sentence that says what was done, as plain text."""
    return "".join(text for text, _ in sentence_parts(context))


def held_out(context: ReportContext) -> str:
    """What the scores were measured on, for use after "on"."""
    n_items = counted(context, context.count("n_test"))
    if not context.n_folds:
        return f"{n_items} held out"
    by = f", {context.group}s kept together" if context.group else ""
    return f"{n_items}, each scored by a model that never saw it ({context.n_folds} folds{by})"


class Verdict(NamedTuple):
    """Whether transfer helped: the outcome, a title and a sentence in plain words."""

    outcome: Literal["positive", "negative", "undecided"]
    title: str
    text: str


def verdict(context: ReportContext) -> Verdict | None:
    """Put the run's verdict in words, or None where none was made."""
    outcome = context.metrics.get("verdict")
    found: Mapping[str, Any] = context.metrics.get("verdict_evidence") or {}
    if outcome not in ("positive", "negative", "undecided"):
        return None
    key = found.get("metric") or context.headline
    rival = RIVALS.get(str(found.get("against", "")), "the best baseline without pretrained weights")
    if found.get("against") == "majority" and context.task in CONSTANT:
        rival = "the best constant answer"
    difference = Score.of(found.get("difference"))
    by = (
        f"{points(difference.value, key)} of {lowered(metric_named(key).label)} against {rival}"
        if difference
        else ""
    )
    if difference and difference.low is not None and difference.high is not None:
        factor, digits = (100, 1) if metric_named(key).form == "percent" else (1, 3)
        low, high = signed(difference.low, factor, digits), signed(difference.high, factor, digits)
        by += f" (95% interval of the difference: {low} to {high})"
    if outcome == "positive":
        return Verdict("positive", "Transfer helped", f"{by}." if by else f"Better than {rival}.")
    if outcome == "negative":
        return Verdict("negative", "Transfer hurt", f"{by}." if by else f"Worse than {rival}.")
    tail = "The interval contains zero: these data cannot tell which is better."
    return Verdict("undecided", "No clear difference", f"{by}. {tail}" if by else tail)
