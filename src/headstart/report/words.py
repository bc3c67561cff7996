"""Numbers as text, shared by the pages and the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from headstart.metrics import Interval, metric_named
from headstart.metrics.interval import decimals


def is_percent(key: str) -> bool:
    """Whether a metric is shown as a percentage."""
    return metric_named(key).form == "percent"


def lowered(label: str) -> str:
    """A metric's name inside a sentence: abbreviations stay as they are."""
    return label if label.isupper() or label[1:2].isupper() else label.lower()


def number(value: float | None, key: str = "accuracy") -> str:
    """A metric's value as read: 95.5% or 0.946; "n/a" for None."""
    if value is None:
        return "n/a"
    return f"{100 * value:.1f}%" if is_percent(key) else decimals(value)


def interval(score: Interval, key: str = "accuracy") -> str:
    """The 95% interval as read, "93.4 to 97.2%"; "" if there is none."""
    if score.low is None or score.high is None:
        return ""
    if is_percent(key):
        return f"{100 * score.low:.1f} to {100 * score.high:.1f}%"
    return f"{decimals(score.low)} to {decimals(score.high)}"


def difference(found: Interval, key: str) -> str:
    """The ends of the interval of a difference: "−1.7 to +19.2"; "" if there is none."""
    if found.low is None or found.high is None:
        return ""
    written = _signed_end if is_percent(key) else signed
    return f"{written(found.low)} to {written(found.high)}"


def _signed_end(value: float) -> str:
    """An end in percent; on which side of zero it lies decides, so that rounding must not hide it."""
    return signed_percent(value) if value == 0 or abs(value) >= 0.0005 else _true_signs(f"{100 * value:+.1g}")


def points(value: float, key: str = "accuracy") -> str:
    """A signed difference: "+2.4 points" for percentages, "+0.021" for other numbers."""
    if not is_percent(key):
        return signed(value)
    text = signed_percent(value)
    return f"{text} point" if text[1:] == "1.0" else f"{text} points"


def signed(value: float) -> str:
    """A number with its sign, a true minus, and no sign on zero."""
    return _true_signs(decimals(value, "+"))


def signed_percent(value: float) -> str:
    """The same of a share, in percent."""
    return _true_signs(f"{100 * value:+.1f}")


def _true_signs(text: str) -> str:
    return text.lstrip("+-") if float(text) == 0 else text.replace("-", "−")


def share(value: float | None) -> str:
    """A probability as read: "<1%", "37%", ">99%"; "" if it is not known."""
    if value is None:
        return ""
    if 0 <= value < 0.005:
        return "<1%"
    return ">99%" if 0.995 <= value < 1 else f"{100 * value:.0f}%"


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


def listed(words: Sequence[str]) -> str:
    """Words as a list in a sentence: "a, b and c"."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else ""


def letter(place: int) -> str:
    """The letter of a row: A for place 0, AA after Z."""
    later, last = divmod(place, 26)
    return (chr(64 + later) if later else "") + chr(65 + last)
