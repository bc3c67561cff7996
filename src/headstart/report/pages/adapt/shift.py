"""The section on what kind of shift lies between the domains: its size, class shares, and how the items differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from headstart.adapt.shift.class_shares import STRONG
from headstart.metrics import Interval
from headstart.metrics.interval import decimals
from headstart.report.charts import Comparison, Gaps, Scale, ShareChart, class_shares, comparison, gaps
from headstart.report.pages.adapt.report import AdaptReport
from headstart.report.pages.adapt.words import as_code
from headstart.report.shell import Notice, Section, Table
from headstart.report.words import interval, number

_A_DISTANCES = (0.0, 2.0)  # the least and the largest
MOST_DRAWN = 20  # classes; of more, those whose shares differ most are drawn


@dataclass(frozen=True)
class Shift:
    """What is known of the shift."""

    kind: str
    certain: bool
    sentences: Sequence[str]
    advice: str
    size: Table
    distance: Comparison | None
    shares: ShareChart | None
    n_left_out: int
    shares_table: Table
    differences: Gaps | None
    difference_table: Table
    texts: Table | None


def shift_section(report: AdaptReport) -> Iterator[Section]:
    """The section on the kind of shift, if it was looked for."""
    shift = report.found.shift
    shares, n_left_out = _shares(report)
    if not shift and shares is None:
        return
    differences = list(shift.get("differences", ()))
    first, *sentences = shift.get("sentences", ()) or ("",)
    content = Shift(
        as_code(first),
        bool(shift.get("certain", True)),
        [as_code(text) for text in sentences],
        as_code(str(shift.get("advice", ""))),
        _size(report),
        _distance(shift),
        shares,
        n_left_out,
        _shares_table(report),
        _differences(differences),
        _difference_table(differences),
        _texts(shift.get("texts")),
    )
    yield Section("shift", "Which shift it is", "adapt/shift.html.j2", content, "", "Kind of shift")


def shift_notices(report: AdaptReport) -> Iterator[Notice]:
    """The advice on a label shift, which a reader must know first; other warnings are among the facts.

    Args:
        report: of the adaptation.
    """
    shift = report.found.shift
    advice = str(shift.get("advice", ""))
    if advice and report.has_label_shift and advice not in report.found.warnings:
        title = "Label shift" if shift.get("certain") else "Possible label shift"
        yield Notice("warning", title, as_code(advice))


def said_of_shift(report: AdaptReport) -> frozenset[str]:
    """What the section says in sentences: no notice repeats it."""
    shift = report.found.shift
    return frozenset((*shift.get("sentences", ()), str(shift.get("advice", ""))))


def _missing_names(report: AdaptReport) -> list[str]:
    shift = report.found.shift
    places = shift.get("shares", {}).get("missing", ()) if report.has_label_shift else ()
    return [report.found.classes[place].name for place in places if place < len(report.found.classes)]


def _interval(found: Any) -> Interval:
    return Interval(None) if found is None else Interval.of(found)


def _size(report: AdaptReport) -> Table:
    """The sizes of the shift as a table."""
    shift = report.found.shift
    columns = (("Measure", False), ("Value", True), ("95% interval", True), ("What it says", False))
    rows = []
    distance, left = _interval(shift.get("a_distance")), _interval(shift.get("left"))
    drawn = "; from drawn items, which differ from real ones too" if shift.get("from_summary") else ""
    for name, found, what in (
        (
            "Proxy A-distance",
            distance,
            f"0: a classifier cannot tell the domains apart; 2: it never errs{drawn}",
        ),
        ("The same with equal class shares", left, "what is left is not a matter of class shares"),
    ):
        if found.value is not None:
            rows.append((name, decimals(found.value), _ends(found), what))
    mmd = shift.get("mmd", {})
    if mmd.get("value") is not None:
        p = mmd.get("p_value")
        said = "" if p is None or drawn else "p < 0.001" if p < 0.001 else f"p = {p:.3f}"
        rows.append(
            (
                "MMD² (Gaussian kernel)",
                decimals(float(mmd["value"])).replace("-", "−"),
                "",
                f"0: alike; permutation test {said}" if said else "0: alike",
            )
        )
    shares = _interval(shift.get("shares", {}).get("distance"))
    if shares.value is not None and (shift.get("certain", True) or report.has_label_shift):
        rows.append(
            (
                "Distance of the class shares",
                decimals(shares.value),
                _ends(shares),
                f"total variation, estimated: 0 alike, 1 nothing in common; strong above {STRONG:g}",
            )
        )
    return Table("Size of the shift", columns, tuple(rows))


def _ends(found: Interval) -> str:
    return (
        "" if found.low is None or found.high is None else f"{decimals(found.low)} to {decimals(found.high)}"
    )


def _distance(shift: Mapping[str, Any]) -> Comparison | None:
    """The A-distance drawn, as it is and with equal class shares."""
    rows = [
        (name, note, found, ours)
        for name, note, found, ours in (
            ("The domains as they are", "", _interval(shift.get("a_distance")), True),
            ("With equal class shares", "source items drawn anew", _interval(shift.get("left")), False),
        )
        if found.value is not None
    ]
    return comparison(rows, "rmse", Scale(_A_DISTANCES, "rmse")) if len(rows) > 1 else None


def _shares(report: AdaptReport) -> tuple[ShareChart | None, int]:
    """Class shares drawn, those that differ most first if there are many; and how many are left out."""
    found = report.found
    known = [row for row in found.classes if row.share is not None and row.share.value is not None]
    if not known:
        return None, 0
    shown = known
    if len(known) > MOST_DRAWN:
        by_change = sorted(known, key=lambda row: -abs(float(row.share or 0.0) - row.source_share))
        shown = by_change[:MOST_DRAWN]
    missing = set(_missing_names(report))
    rows = []
    for row in shown:
        share = row.share or Interval(None)
        ends = f" ({interval(share)})" if interval(share) else ""
        text = (
            f"{row.name}: {number(row.source_share)} of the source, {number(share.value)}{ends} of "
            f"the target (estimated), {number(row.predicted)} of the answers"
        )
        badge = "seems missing" if row.name in missing else ""
        rows.append((row.name, row.source_share, share, row.predicted, text, badge))
    return class_shares(rows), len(known) - len(shown)


def _shares_table(report: AdaptReport) -> Table:
    if all(row.share is None for row in report.found.classes):
        known = (("Class", False), ("In the source", True), ("Among the answers", True))
        of_answers = (
            (row.name, number(row.source_share), number(row.predicted)) for row in report.found.classes
        )
        return Table("Shares of the classes", known, tuple(of_answers))
    columns = (
        ("Class", False),
        ("In the source", True),
        ("In the target, estimated", True),
        ("95% interval", True),
        ("Among the answers", True),
    )
    rows = tuple(
        (
            row.name,
            number(row.source_share),
            "" if row.share is None else number(row.share.value),
            "" if row.share is None else interval(row.share) or "none",
            number(row.predicted),
        )
        for row in report.found.classes
    )
    return Table("Shares of the classes", columns, rows)


def _differences(found: Sequence[Mapping[str, Any]]) -> Gaps | None:
    """By how many deviations statistics of the items differ."""
    rows = [
        (str(each["name"]), _means(each), _interval(each["difference"]), _difference_kind(each))
        for each in found
        if _interval(each["difference"]).value is not None
    ]
    return gaps(rows, "rmse") if rows else None


def _means(found: Mapping[str, Any]) -> str:
    source, target = (decimals(float(found[name])).replace("-", "−") for name in ("source", "target"))
    return f"{source} in the source, {target} in the target"


def _difference_kind(found: Mapping[str, Any]) -> str:
    """Large and beyond chance, or not (Cohen's "large" is 0.8 deviations)."""
    each = _interval(found["difference"])
    ends = [abs(end) for end in (each.low, each.high) if end is not None]
    beyond = each.low is not None and each.high is not None and each.low * each.high > 0
    return "large" if beyond and min(ends) > 0.8 else ""


def _difference_table(found: Sequence[Mapping[str, Any]]) -> Table:
    columns = (
        ("Statistic", False),
        ("Source", True),
        ("Target", True),
        ("Difference in deviations", True),
        ("95% interval", True),
    )
    rows = tuple(
        (
            str(each["name"]),
            decimals(float(each["source"])).replace("-", "−"),
            decimals(float(each["target"])).replace("-", "−"),
            decimals(float(_interval(each["difference"])), "+").replace("-", "−"),
            _ends(_interval(each["difference"])).replace("-", "−") or "none",
        )
        for each in found
    )
    return Table("How the items differ", columns, rows)


def _texts(found: Mapping[str, Any] | None) -> Table | None:
    """How the encoder reads the texts of both domains."""
    if not found:
        return None
    source, target = found["source"], found["target"]

    def scripts(of: Mapping[str, Any]) -> str:
        return ", ".join(f"{name.title()} {number(share)}" for name, share in list(of["scripts"].items())[:3])

    rows = (
        ("Tokens per word", decimals(source["pieces_per_word"]), decimals(target["pieces_per_word"])),
        ("Long words that are one token", number(source["whole"]), number(target["whole"])),
        ("Words with an unknown token", number(source["unknown"]), number(target["unknown"])),
        ("Words that occur in the source", "", number(found["known_tokens"])),
        ("Different words that occur in the source", "", number(found["known_words"])),
        ("Scripts", scripts(source), scripts(target)),
    )
    return Table("How the encoder reads the texts", (("", False), ("Source", True), ("Target", True)), rows)
