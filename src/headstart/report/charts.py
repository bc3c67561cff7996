"""Where the marks of each chart stand, in percent of its plot; the templates draw them as HTML and SVG.

All marks are placed in percent so that a chart fits any width with its text at full size. Numbers in the
result are plain floats from 0 to 100, so nothing of the data can reach the page's markup through them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from headstart.metrics import metric_named
from headstart.report.context import CalibrationBin, HistoryPoint, ProfilePoint, ReportContext, Score
from headstart.report.words import BASELINES, CLASSICAL, CONSTANT, interval, number


def nice_ticks(low: float, high: float, n_ticks: int = 5) -> list[float]:
    """Round numbers that cover an interval, the first at or below `low` and the last at or above `high`.

    Args:
        low, high: finite, low <= high.
        n_ticks: about how many are wanted.
    """
    span = high - low
    if span < 1e-6 * max(1.0, abs(high)):  # nothing to tell apart
        span = abs(high) if abs(high) > 1e-6 else 1.0
    raw = span / max(1, n_ticks - 1)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next((s * power for s in (1, 2, 2.5, 5, 10) if s * power >= raw * 0.999), 10 * power)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(step * k, 12) for k in range(first, max(last, first + 1) + 1)]


class Scale:
    """A linear scale from values to percent, with round ticks.

    Args:
        values: what must fit; None is passed over.
        bound: the scale never passes this value upward (1.0 for shares).
        key: the metric, for the ticks' text.
    """

    def __init__(self, values: Iterable[float | None], key: str = "accuracy", bound: float | None = None):
        known = [v for v in values if v is not None and math.isfinite(v)] or [0.0, 1.0]
        if max(known) - min(known) < 1e-6:  # one value, such as a perfect score, needs room beside it
            known.append(min(known) - 0.1 if min(known) >= 0.1 else min(known) + 0.1)
        ticks = nice_ticks(min(known), max(known))
        if bound is not None and max(known) <= bound:
            step = ticks[1] - ticks[0]
            ticks = [t for t in ticks if t <= bound + 1e-9]
            if ticks[-1] < max(known):
                ticks.append(bound)
            if len(ticks) < 2:  # every value is the bound
                ticks.insert(0, bound - step)
        self.low, self.high, self.key = ticks[0], ticks[-1], key
        self.values = ticks

    def at(self, value: float) -> float:
        """Percent of the way from the low end to the high end, kept inside."""
        return round(min(100.0, max(0.0, 100 * (value - self.low) / (self.high - self.low))), 3)

    @property
    def ticks(self) -> list[dict[str, Any]]:
        """Place and text of every tick."""
        percent = metric_named(self.key).form == "percent"
        return [{"at": self.at(t), "text": f"{100 * t:g}%" if percent else f"{t:g}"} for t in self.values]


def bound_of(key: str) -> float | None:
    """The largest value a metric can take, or None."""
    return None if key in ("log_loss", "rmse", "mae") else 1.0


def comparison(context: ReportContext) -> dict[str, Any]:
    """This run beside its baselines on the leading metric: rows of a dot and its interval.

    Args:
        context: of the run.

    Returns:
        {"rows": [{name, note, value, interval, ours, at, from, to}], "ticks", "key"}, best baseline first.
    """
    key = context.headline
    rows: list[tuple[str, str, Score, bool]] = []
    ours = context.score(key)
    if ours is not None:
        rows.append(("This run", "", ours, True))
    baselines = context.metrics.get("baselines", {})
    for name in [*(n for n in BASELINES if n in baselines), *(n for n in baselines if n not in BASELINES)]:
        score = context.baseline(name, key)
        if score is not None:
            title, note = BASELINES.get(name, (name.replace("_", " ").capitalize(), ""))
            note = CLASSICAL[context.modality] if name == "classical" else note
            if name == "classical" and context.task == "regression":
                note = note.replace("logistic", "ridge")
            if name == "majority" and context.task in CONSTANT:
                title, note = CONSTANT[context.task]
            rows.append((title, note, score, False))
    scale = Scale((v for row in rows for v in row[2]), key, bound_of(key))
    drawn = [
        {
            "name": title,
            "note": note,
            "value": number(score.value, key),
            "interval": interval(score, key),
            "ours": is_ours,
            **whisker(score, scale),
        }
        for title, note, score, is_ours in rows
    ]
    return {"rows": drawn, "ticks": scale.ticks, "key": key}


def whisker(score: Score, scale: Scale) -> dict[str, Any]:
    """Places of a score and of the ends of its interval."""
    low = scale.at(score.value if score.low is None else score.low)
    high = scale.at(score.value if score.high is None else score.high)
    return {"at": scale.at(score.value), "low": low, "high": high, "has_interval": score.low is not None}


def depth(profile: Sequence[ProfilePoint], chosen: Sequence[str], key: str) -> dict[str, Any]:
    """The depth profile: a dot with its interval at every stage, and the line and band through them.

    Args:
        profile: S points, in the order of the network.
        chosen: names of the stages that the head reads.
        key: what the scores are.
    """
    scale = Scale((v for p in profile for v in (p.score, p.low, p.high)), key, bound_of(key))
    dots = []
    for position, point in enumerate(profile):
        score = Score.of({"value": point.score, "low": point.low, "high": point.high}) or Score(point.score)
        dots.append(
            {
                "x": round(100 * (position + 0.5) / len(profile), 3),
                "stage": point.stage,
                "value": number(point.score, key),
                "interval": interval(score, key),
                "chosen": point.stage in chosen,
                **whisker(score, scale),
            }
        )
    return {
        "dots": dots,
        "line": polyline((d["x"], d["at"]) for d in dots),
        "band": polyline([(d["x"], d["high"]) for d in dots] + [(d["x"], d["low"]) for d in reversed(dots)]),
        "ticks": scale.ticks,
        "n_chosen": sum(d["chosen"] for d in dots),
        "every": max(1, math.ceil(len(dots) / 14)),
    }


def polyline(corners: Iterable[tuple[float, float]]) -> str:
    """Points in percent (x from the left, y from the bottom) as an SVG points attribute."""
    return " ".join(f"{x:.2f},{100 - y:.2f}" for x, y in corners)


def reliability(bins: Sequence[CalibrationBin]) -> list[dict[str, Any]]:
    """Bars of the reliability diagram and of the counts below it, in percent.

    Args:
        bins: of equal or unequal width, edges from 0 to 1.
    """
    largest = max((b.n_items for b in bins), default=0) or 1
    return [
        {
            "left": round(100 * b.low, 3),
            "width": round(100 * (b.high - b.low), 3),
            "accuracy": round(100 * b.accuracy, 3),
            "confidence": round(100 * b.confidence, 3),
            "gap_low": round(100 * min(b.accuracy, b.confidence), 3),
            "gap": round(100 * abs(b.accuracy - b.confidence), 3),
            "over": b.confidence > b.accuracy,
            "n_items": b.n_items,
            "share": round(100 * b.n_items / largest, 3),
            "few": b.n_items < 10,
        }
        for b in bins
    ]


def curves(
    history: Sequence[HistoryPoint], names: Sequence[tuple[str, str]], key: str
) -> dict[str, Any] | None:
    """Learning curves over epochs, one line a quantity; None where nothing of it was measured.

    Args:
        history: one point an epoch.
        names: (attribute of HistoryPoint, words for it) of the lines to draw.
        key: a metric for the axis's text.
    """
    series = []
    for attribute, words in names:
        measured = [(p.epoch, getattr(p, attribute)) for p in history if getattr(p, attribute) is not None]
        if measured:
            series.append((attribute, words, measured))
    if not series:
        return None
    epochs = [p.epoch for p in history]
    first, width = min(epochs), (max(epochs) - min(epochs)) or 1.0
    scale = Scale((v for _, _, measured in series for _, v in measured), key, bound_of(key))
    lines = []
    for attribute, words, measured in series:
        corners = [(round(100 * (epoch - first) / width, 3), scale.at(value)) for epoch, value in measured]
        dots = [
            {"x": x, "y": y, "text": f"epoch {epoch:g}: {number(value, key)}"}
            for (x, y), (epoch, value) in zip(corners, measured, strict=True)
        ]
        lines.append({"name": words, "kind": attribute, "points": polyline(corners), "dots": dots})
    return {"lines": lines, "ticks": scale.ticks, "first": f"{min(epochs):g}", "last": f"{max(epochs):g}"}


def rate_curve(search: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The loss over the rates that the rate finder tried, and the rate it took; None where it was not asked.

    Args:
        search: `rates`, `losses` and `suggestion`, as in metrics.json; rates stand on a logarithmic scale.
    """
    if search is None or len(search["rates"]) < 2:
        return None
    places = [math.log10(rate) for rate in search["rates"]]
    losses = [float(loss) for loss in search["losses"]]
    first, width = places[0], places[-1] - places[0]
    # past the turn the loss rises without bound: the picture ends a little above where it began
    scale = Scale([min(losses), losses[0] + 0.5 * (losses[0] - min(losses))], "log_loss")

    def across(place: float) -> float:
        return round(100 * (place - first) / width, 3)

    whole = range(math.ceil(first), math.floor(places[-1]) + 1)
    return {
        "points": polyline((across(x), scale.at(y)) for x, y in zip(places, losses, strict=True)),
        "ticks": scale.ticks,
        "rates": [{"at": across(power), "text": f"{10.0**power:g}"} for power in whole],
        "taken": across(math.log10(search["suggestion"])),
        "text": f"{search['suggestion']:.2g}",
        "reason": str(search.get("reason", "")),
    }


MOST_DOTS = 1_500
N_BARS = 25


def predicted_against_true(values: np.ndarray | None) -> dict[str, Any] | None:
    """Dots of prediction over truth on one scale, and bars of how many errors have which size.

    Args:
        values: (N, 2) truth and prediction; None: there are none.
    """
    if values is None or not len(values):
        return None
    scale = Scale([float(values.min()), float(values.max())], "rmse")
    step = max(1, math.ceil(len(values) / MOST_DOTS))
    dots = [
        {"x": scale.at(float(truth)), "y": scale.at(float(said)), "text": f"is {truth:.4g}, said {said:.4g}"}
        for truth, said in values[::step]
    ]
    errors = values[:, 1] - values[:, 0]
    widest = float(np.abs(errors).max()) or 1.0
    counts, _ = np.histogram(errors, bins=N_BARS, range=(-widest, widest))
    width = 100 / N_BARS
    bars = [
        {"left": round(k * width, 3), "width": round(width, 3), "height": round(100 * n / max(1, counts.max()), 3),
         "text": f"{int(n):,} off by {(2 * k / N_BARS - 1) * widest:.3g} to {(2 * (k + 1) / N_BARS - 1) * widest:.3g}"}
        for k, n in enumerate(counts)
    ]  # fmt: skip
    return {
        "dots": dots,
        "ticks": scale.ticks,
        "bars": bars,
        "edge": f"{widest:.3g}",
        "n_shown": len(dots),
        "n_items": len(values),
    }


def phases(seconds: dict[str, float]) -> list[dict[str, Any]]:
    """Bars one after the other, a bar a phase, in the order they ran; `total` and `imports` are left out.

    Args:
        seconds: by phase, as in metrics.json.
    """
    parts = {name: s for name, s in seconds.items() if name not in ("total", "imports") and s > 0}
    whole = sum(parts.values()) or 1.0
    rows, start = [], 0.0
    for name, s in parts.items():
        rows.append({"name": name, "seconds": s, "left": round(start, 3), "width": round(100 * s / whole, 3)})
        start += 100 * s / whole
    return rows
