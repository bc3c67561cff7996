"""The findings on a shift in plain English, one sentence each, for the terminal and the report."""

from __future__ import annotations

from collections.abc import Sequence

from headstart.adapt.shift.diagnose import NO_OVERLAP, Diagnosis
from headstart.adapt.shift.differences import Difference
from headstart.adapt.shift.recordings import Windows
from headstart.adapt.shift.texts import UNKNOWN, Reading, Texts
from headstart.data.findings import listed
from headstart.metrics.interval import Interval, decimals


def sentences(found: Diagnosis, classes: Sequence[str]) -> list[str]:
    """Return what was found: the kind of shift first, then its numbers, missing and new classes, words.

    Args:
        found: the diagnosis.
        classes: names of the classes.
    """
    return [text for text, _ in _all(found, classes)]


def warnings(found: Diagnosis, classes: Sequence[str]) -> list[str]:
    """Return those sentences that a reader must know before trusting an adaptation.

    Args:
        found: the diagnosis.
        classes: names of the classes.
    """
    return [text for text, is_grave in _all(found, classes) if is_grave]


def _all(found: Diagnosis, classes: Sequence[str]) -> list[tuple[str, bool]]:
    """Every sentence, and whether it is a warning."""
    shifts = found.has_label_shift
    lines = [(_kind(found), shifts), (_size(found), False)]
    if shifts:
        lines.append((_shares(found, classes), True))
    if found.left is not None and found.left.value is not None:
        lines.append((f"With equal class shares the A-distance is {found.left}.", False))
    if shifts and found.shares.missing:
        names = listed([classes[c] for c in found.shares.missing])
        lines.append((f"The target seems to hold no items of {names}.", True))
    if found.new_classes.is_likely:
        beyond = _percent(found.new_classes.beyond_95)
        lines.append(
            (
                f"{beyond} of the target's items are further from every class than 95% of the source's items: the "
                "target may hold classes that the source lacks.",
                True,
            )
        )
    texts = found.texts
    return lines if texts is None else [*lines, *((line, found.unread) for line in text_sentences(texts))]


def advice(found: Diagnosis) -> str:
    """Return what to do about a shift.

    Args:
        found: the diagnosis.
    """
    if found.unread:
        return "Use an encoder that reads the languages of both domains: with this one no adaptation can be trusted."
    if found.kind == "none":
        return "Use the classifier as it is; nothing needs to be aligned."
    if found.kind == "label":
        return "Do not align the domains: that would remove signal. Let every class count the same in the source."
    if found.kind == "covariate" and found.from_summary:
        return (
            "Align the domains if you know that something has changed. Adapt from the data of the source, where you "
            "have it, to see whether it has."
        )
    if found.kind == "covariate":
        if found.certain:
            return "Align the domains; the class shares need no correction that could be estimated."
        return (
            "Align the domains, if the classes have about the same shares in both. Whether they have cannot be seen "
            "from the features: label some target items if you do not know."
        )
    if found.certain:
        return (
            "Let every class count the same in the source; an alignment has to weight the source to the target's class "
            "shares (--method standardise+infomax+bbse), or it removes signal."
        )
    return (
        "Do not align the domains: that makes the class shares equal, and removes signal if they are not. Let every "
        "class count the same in the source, and label some target items to be sure."
    )


def text_sentences(found: Texts) -> list[str]:
    """Return what was found about the texts of two domains.

    Args:
        found: the comparison.
    """
    lines = [
        f"{found.known_tokens:.0%} of the target's words occur in the source "
        f"({found.known_words:.0%} of its different words)."
    ]
    if found.hardly_read:
        lines.append(_unread("target", found.target, "source", found.source))
    if found.source_hardly_read:
        lines.append(_unread("source", found.source, "target", found.target))
    before, after = (next(iter(reading.scripts), "") for reading in (found.source, found.target))
    if before and after and before != after:
        lines.append(
            f"The source is written in {before.title()} letters, the target in {after.title()} ones."
        )
    return lines


def difference_sentences(found: Sequence[Difference]) -> list[str]:
    """Return one sentence for each statistic by which the domains differ strongly.

    Args:
        found: comparisons of statistics of pictures or recordings.
    """
    return [
        f"The domains differ in {each.name}: {_signed(decimals(each.source))} in the source, "
        f"{_signed(decimals(each.target))} in the target, a difference of {_signed(f'{float(each.difference):+.1f}')} "
        "deviations."
        for each in found
        if each.is_large
    ]


def _signed(number: str) -> str:
    """A number with a true minus, as in the tables of the report."""
    return number.replace("-", "−")


def window_sentences(found: Windows) -> list[str]:
    """Return one sentence if the windows of the domains differ.

    Args:
        found: the windows.
    """
    if not found.differ:
        return []
    cut = f" It cuts {found.cut:.0%} of the target's recordings." if found.cut else ""
    return [
        f"The longest recordings need a window of {found.source_seconds:g} s in the source and of "
        f"{found.target_seconds:g} s in the target. Features of different windows do not mix: extract both domains "
        f"in the source's window.{cut}"
    ]


def _unread(name: str, own: Reading, other_name: str, other: Reading) -> str:
    if own.unknown > UNKNOWN and own.unknown > other.unknown:
        why = (
            f"{own.unknown:.0%} of its words hold an unknown token, {other.unknown:.0%} of the {other_name}'s"
        )
    else:
        why = f"its tokenizer keeps {own.whole:.0%} of the long words whole, {other.whole:.0%} of the {other_name}'s"
    return f"This encoder hardly reads the {name}'s language: {why}. Use an encoder of that language."


def _kind(found: Diagnosis) -> str:
    if found.kind == "none":
        return "No shift between the domains was found."
    if found.kind == "label":
        likely = "Label shift" if found.certain else "Label shift, probably"
        return f"{likely}: the classes have other shares in the target, and little else differs."
    if found.kind == "both" and found.certain:
        return "Both: the items differ between the domains, and the classes have other shares in the target."
    if found.kind == "both":
        return (
            "Both, possibly: the items differ so much that nothing of the domains overlaps, and the class shares may "
            "differ too. This cannot be checked without target labels."
        )
    unknown = " The estimated class shares cannot be believed." if found.shares.is_strong else ""
    if found.from_summary:
        return (
            "Covariate shift is assumed: the run keeps means and spread of its items, not the items, so whether the "
            f"target's items differ from them cannot be told.{unknown}"
        )
    return f"Covariate shift: the items differ between the domains.{unknown}"


def _size(found: Diagnosis) -> str:
    told = "" if found.a_distance.low is None or found.a_distance.low < NO_OVERLAP else ", no overlap"
    p_value = found.size.p_value
    test = "" if p_value is None or found.from_summary else f" (MMD test: p = {p_value:.3f})"
    drawn = ", from items drawn from means and spread, which differ from real ones too"
    return f"A-distance {found.a_distance} of at most 2{told}{test}{drawn if found.from_summary else ''}."


def _shares(found: Diagnosis, classes: Sequence[str]) -> str:
    shares = found.shares
    changes = [abs(float(after) - before) for before, after in zip(shares.source, shares.target, strict=True)]
    largest = max(range(len(changes)), key=changes.__getitem__)
    target = shares.target[largest]
    more = (
        "" if found.after_alignment is None else f"; {found.after_alignment} if each domain is standardised"
    )
    return (
        f"Estimated class shares are {shares.distance} apart (0 to 1{more}): {classes[largest]} has "
        f"{shares.source[largest]:.0%} in the source and {_percent(target)} in the target."
    )


def _percent(share: Interval) -> str:
    if share.low is None or share.high is None:
        return f"{float(share):.0%}"
    return f"{float(share):.0%} ({share.low:.0%} to {share.high:.0%})"
