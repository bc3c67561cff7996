"""What was done, what it was measured on, and whether transfer helped, as text."""

from __future__ import annotations

from collections.abc import Sequence

from headstart.metrics import metric_named
from headstart.report.pages.fit.report import FitReport
from headstart.report.shell import VerdictWords
from headstart.report.words import difference, duration, listed, lowered, number, points
from headstart.tune.policies.catalogue import kind_of
from headstart.units import counted

BASELINES = {
    "probe": ("Head alone", "a head on the pretrained features, nothing else trained"),
    "scratch": ("Trained from scratch", "the same network without its pretrained weights"),
    "classical": ("Classical features", "no pretrained weights"),
    "majority": ("Majority class", "always names the most frequent class"),
}
_BASELINE_WORDS = {
    "probe": "the head alone",
    "scratch": "the same network trained from scratch",
    "classical": "the classical baseline, which uses no pretrained weights",
    "the best in each fold": "the baseline without pretrained weights that was best in training, chosen in each fold",
}
CLASSICAL = {
    "image": "colour and gradient histograms, logistic",
    "text": "TF-IDF, logistic",
    "audio": "log-mel mean and deviation, logistic",
}

Emphasised = tuple[str, bool]


def answers(target: str) -> tuple[str, str]:
    """The noun for the classes of a target, singular and plural: ("speaker", "speakers")."""
    if target in ("label", "target", "class") or not target.isalpha():
        return "class", "classes"
    if target.endswith("s"):
        return target, target
    return target, target[:-1] + "ies" if target[-1] == "y" and target[-2:-1] not in "aeiou" else target + "s"


def sentence_parts(report: FitReport) -> list[Emphasised]:
    """The sentence that says what was done, as (text, emphasised) pairs."""
    trained, every = report.trained_stages, report.source.stages
    name = (report.source.name, True)
    parts: list[Emphasised]
    if is_classical(report):
        what = CLASSICAL[report.data.modality].split(",")[0]
        parts = [
            ("headstart returned ", False),
            ("classical features", True),
            (f" ({what}) in place of ", False),
            name,
        ]
    elif is_from_scratch(report):
        parts = [("headstart trained the network of ", False), name, (" from random weights", True)]
    elif trained:
        whole = len(trained) == len(every)
        span = "all" if whole else trained[0] if len(trained) == 1 else f"{trained[0]} to {trained[-1]}"
        done = kind_of(report.record.policy).done
        parts = [(f"headstart {done} ", False), (span, not whole), (" of ", False), name]
    else:
        read = _read_stages(report.head_stages, every)
        chosen = report.record.chosen
        kind = "linear" if chosen is None else chosen.head
        parts = [(f"headstart trained a {kind} head on ", False), *read, name]
    parts += [(" to ", False), *_purpose(report), (", from ", False)]
    parts.append((report.counted(report.record.n_train or 0), True))
    total = report.record.seconds.get("total")
    return [*parts, (f", in {duration(total)}." if total else ".", False)]


def is_from_scratch(report: FitReport) -> bool:
    """Whether the result was trained from random weights, without what the source has learned."""
    return report.record.chosen is not None and report.record.chosen.from_scratch


def is_classical(report: FitReport) -> bool:
    """Whether classical features were returned in the place of the network."""
    return report.record.chosen is not None and report.record.chosen.classical


def _read_stages(read: Sequence[str], every: Sequence[str]) -> list[Emphasised]:
    if not read:
        return []
    if len(read) == len(every) and len(read) > 1:
        return [(f"all {len(read)} stages", True), (" of ", False)]
    if len(read) > 3:
        return [(f"{len(read)} stages", True), (" of ", False)]
    return [(listed(read), True), (" of ", False)]


def _purpose(report: FitReport) -> list[Emphasised]:
    task, classes = report.targets.task, report.facts.classes
    one, many = answers(report.data.target)
    if not task.has_classes:
        return [("predict ", False), (report.data.target, True)]
    if task.many_per_item:
        return [("give each item any of ", False), (counted(len(classes), "labels"), True)]
    if len(classes) == 2 and one == "class":
        first, second = classes
        return [("tell ", False), (first, True), (" from ", False), (second, True)]
    return [("tell ", False), (f"{len(classes)} {many}", True), (" apart", False)]


def sentence(report: FitReport) -> str:
    """The sentence that says what was done, as plain text."""
    return "".join(text for text, _ in sentence_parts(report))


def classical_in_folds(report: FitReport) -> str:
    """In how many folds classical features were returned, and what the run holds, in words; "" if not guarded so."""
    found, n_folds = report.record.returned_in_folds, report.record.n_folds
    if "guard" not in report.record.extra or not n_folds or not found:
        return ""
    holds = "a head on the source" if not report.trained_stages else "the trained network"
    if is_classical(report):
        holds = "classical features"
    elif is_from_scratch(report):
        holds = "the network from scratch"
    return f"classical features in {found.get('classical', 0)} of {n_folds} folds; the run holds {holds}"


def held_out(report: FitReport) -> str:
    """What the scores were measured on, for use after "on"."""
    n_items = report.counted(report.record.n_test or 0)
    n_folds, group = report.record.n_folds, report.data.group
    if not n_folds:
        return f"{n_items} held out"
    by = ", groups kept together" if group else ""
    return f"{n_items}, each scored by a model that never saw it ({n_folds} folds{by})"


def fewer_items(report: FitReport, baseline: str) -> str:
    """How many items a baseline learned from, with a space before it; "" if as many as the result."""
    found, ours = report.learned_from(baseline), report.learned_from("result")
    if found is None or ours is None or found == ours:
        return ""
    return f" The baseline learned from {found:,} of the {report.counted(ours)} that the result learned from."


def how_chosen(report: FitReport) -> str:
    """By what the baseline of the verdict was chosen, with a space before it; "" if there was nothing to choose."""
    choice = report.record.extra.get("baseline_choice") or {}
    quality, key = choice.get("quality") or {}, chosen_by(report)
    if len(quality) < 2:
        return ""
    names = {**BASELINES, "majority": report.targets.task.words.constant}
    scores = listed([f"{lowered(names[name][0])} {number(value, key)}" for name, value in quality.items()])
    return f" The baseline was chosen on training folds ({lowered(counted_label(report, key))}: {scores})."


def chosen_by(report: FitReport) -> str:
    """Key of the metric that heads and baselines are chosen by: by weights, if there are any."""
    weights = report.record.extra.get("weights") or {}
    return report.targets.task.quality_name(balanced=bool(weights.get("balanced")))


def counted_label(report: FitReport, key: str) -> str:
    """The name of a metric of training or validation items, which count by their weights, if they have any."""
    label, weights = metric_named(key).label, report.record.extra.get("weights")
    return label if weights is None or weights["balanced"] else f"Weighted {lowered(label)}"


def learned_from_part(report: FitReport, baseline: str) -> str:
    """How many items a baseline learned from, with "; " before it; "" if as many as there were to learn from.

    Validation items, by which a training was chosen, are not learned from: not by the head alone beside it either.
    """
    found, record = report.learned_from(baseline), report.record
    if found is None:
        return ""
    if found != report.learned_from("result"):
        return f"; learned from {report.counted(found)}"
    n_all = (record.n_train or 0) + (record.n_validation or 0)
    if baseline != "probe" or record.n_folds or not report.trained_stages or found >= n_all:
        return ""
    return f"; learned from {found:,} of {report.counted(n_all)}, as this run"


def verdict(report: FitReport) -> VerdictWords | None:
    """The run's verdict in words; None if there is none."""
    found = report.record.verdict
    if found is None:
        return None
    baseline = _BASELINE_WORDS.get(found.against, "the baseline without pretrained weights")
    if found.against == "majority":
        baseline = report.targets.task.words.best_constant
    by, fewer = "", f"{fewer_items(report, found.against)}{how_chosen(report)}"
    if found.difference.value is not None:
        metric = lowered(metric_named(found.metric).label)
        whose = "" if report.record.scores_are_of_transfer else ", the best result from pretrained weights"
        by = f"{points(found.difference.value, found.metric)} of {metric}{whose} against {baseline}"
        ends = difference(found.difference, found.metric)
        missing = report.why_no_interval(found.difference)
        by += f" ({missing})" if missing else f" (95% interval of the difference: {ends})"
    if found.outcome == "positive":
        by = f"{by}." if by else f"Better than {baseline}."
        return VerdictWords("positive", "Transfer helped", f"{by}{fewer}")
    if found.outcome == "negative":
        by = f"{by}." if by else f"Worse than {baseline}."
        return VerdictWords("negative", "Transfer hurt", f"{by}{fewer}")
    tail = "The interval contains zero: these data cannot tell which is better."
    if found.difference.low is None:
        tail = "These data cannot tell which is better."
    return VerdictWords("undecided", "No clear difference", (f"{by}. {tail}" if by else tail) + fewer)
