"""What a reader must know before trusting the order, derived from the ranking itself."""

from __future__ import annotations

from collections.abc import Iterator

from headstart.report.background import checks_notice
from headstart.report.pages.rank.partial import partial_notice
from headstart.report.pages.rank.report import RankReport
from headstart.report.pages.rank.words import shown
from headstart.report.shell import Notice, in_order
from headstart.report.words import listed
from headstart.units import agreeing


def notices(report: RankReport) -> tuple[Notice, ...]:
    """All warnings of a ranking, the most serious first."""
    return in_order(
        [
            *_failed(report),
            *_worse(report),
            *_no_intervals(report),
            *_unclear(report),
            *(Notice("warning", "", text) for text in report.ranking.warnings),
            *(Notice("note", "", text) for text in report.ranking.notes),
            *checks_notice(report),
            *_same(report),
            *partial_notice(report),
            *_if_trained(report),
        ]
    )


def _failed(report: RankReport) -> Iterator[Notice]:
    for name, why in report.ranking.failed.items():
        yield Notice("warning", f"{report.names[name]} is not ranked", f"Reason: {why}")


def _worse(report: RankReport) -> Iterator[Notice]:
    """Sources that are not better than a baseline, those that are clearly worse first."""
    for clear in (True, False):
        found: dict[tuple[str, ...], list[str]] = {}
        for each in report.ranking.sources:
            than = tuple(name for name, is_clear in each.not_better_than.items() if is_clear == clear)
            if than:
                found.setdefault(than, []).append(report.names[each.name])
        for baselines, sources in found.items():
            they = agreeing(len(sources), "It is", "They are")
            yield Notice(
                "error" if clear else "warning",
                f"Negative transfer is {'likely' if clear else 'possible'} from {shown(sources)}",
                f"{they} {'clearly worse' if clear else 'not better'} than "
                f"{listed([report.names[name] for name in baselines])}.",
            )


def _no_intervals(report: RankReport) -> Iterator[Notice]:
    predicted, difference = report.first.predicted, report.ranking.ranked[-1].difference
    if predicted.low is None or difference.low is None:
        why = predicted.missing(grouped=report.data.group is not None) or "fewer than 5 independent units"
        yield Notice(
            "warning",
            "Nothing can be told apart",
            f"The order is a guess from too few items ({why}): label more.",
        )


def _unclear(report: RankReport) -> Iterator[Notice]:
    """Sources that are better than a baseline, but not clearly."""
    for baseline in (each for each in report.ranking.ranked if each.role != "source"):
        found = [report.names[each.name] for each in report.ranking.sources if baseline.name in each.unclear]
        if found:
            are, name = agreeing(len(found), "is", "are"), report.names[baseline.name]
            yield Notice(
                "warning",
                f"Not clearly better than {name}",
                f"{shown(found)} {are} ahead of {name} on these {report.counted(report.ranking.n_items)}, but not by "
                "more than these items can prove for all pairs at once.",
            )


def _same(report: RankReport) -> Iterator[Notice]:
    for each in report.ranking.sources:
        if each.same_as:
            others = [report.names[name] for name in each.same_as]
            give = agreeing(len(others), "gives", "give")
            text = f"{shown(others)} {give} the same features as {report.names[each.name]}."
            yield Notice("note", "Scored once", text)


def _if_trained(report: RankReport) -> Iterator[Notice]:
    """Which stages of the advised source a training should freeze."""
    source = report.ranking.advised_source
    n_frozen = source.advised_cut
    if n_frozen is None or not source.profile:
        return
    all_but_last = n_frozen == len(source.profile) - 1
    which = {0: "none of its stages", 1: "its first stage"}.get(
        n_frozen,
        "all but its last stage" if all_but_last else f"its first {n_frozen} of {len(source.profile)} stages",
    )
    option = f"--freeze first:{n_frozen}" if n_frozen else "--freeze none"
    text = f"Freeze {which} ({option})"
    if n_frozen and not all_but_last:
        text += f": in the depth profile no stage is clearly better than {source.profile[n_frozen - 1].stage}"
    yield Notice("note", f"If you train {report.names[source.name]}", f"{text}.")
