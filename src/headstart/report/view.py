"""What the templates draw: the context's numbers as words, rows and places, section by section."""

from __future__ import annotations

from typing import Any

import numpy as np

from headstart.metrics import METRICS, VERIFICATION, metric_named
from headstart.report import charts
from headstart.report.context import LabelLike, ReportContext, Score, WrongItem
from headstart.report.notices import confused_pairs, notices, takeaways
from headstart.report.tables import confusion, limits, per_class
from headstart.report.words import (
    byte_size,
    counted,
    duration,
    held_out,
    interval,
    number,
    sentence,
    sentence_parts,
    verdict,
)
from headstart.units import UNITS

PHASES = {
    "data": "read the data",
    "source": "load the source",
    "scan": "read and check",
    "checks": "data checks",
    "load": "load the source",
    "features": "extract features",
    "extract": "extract features",
    "head": "choose depth and head",
    "baseline": "classical baseline",
    "baselines": "baselines",
    "tune": "train",
    "evaluate": "evaluate",
    "export": "export",
    "write": "write the run",
    "report": "this report",
}


def view(context: ReportContext) -> dict[str, Any]:
    """Everything the page shows, as plain values.

    Args:
        context: of the run.
    """
    headline = context.score(context.headline)
    drawn: dict[str, Any] = {
        "run": context.run,
        "created": context.created,
        "sentence": sentence(context),
        "sentence_parts": sentence_parts(context),
        "headline": _card(context.headline, headline) if headline else None,
        "held_out": held_out(context),
        "comparison": charts.comparison(context),
        "verdict": verdict(context),
        "notices": notices(context),
        "takeaways": takeaways(context),
        "cards": _cards(context),
        "verification": _verification(context),
        "confusion": confusion(context),
        "labels": [_label(context, row) for row in context.labels],
        "values": charts.predicted_against_true(context.values),
        "target": context.target,
        "task": context.task,
        "pairs": confused_pairs(context),
        "classes": per_class(context),
        "reliability": charts.reliability(context.calibration) if _any_bin(context) else [],
        "stages": _stages(context),
        "rate_curve": charts.rate_curve(context.metrics.get("rate_search")),
        "history": _history(context),
        "candidates": _candidates(context),
        "findings": context.findings,
        "parts": context.parts,
        "part_classes": list(context.classes or dict.fromkeys(c for p in context.parts for c in p.counts)),
        "split_origin": context.split_origin,
        "noun": (UNITS[context.modality].removesuffix("s"), UNITS[context.modality]),
        "depth": _depth(context),
        "profile_metric": metric_named(context.profile_metric).label.lower(),
        "gradient_notes": context.metrics.get("relative_gradient_norms", {}).get("notes"),
        "validation_metric": metric_named(context.validation_metric).label.lower(),
        "phases": _phases(context),
        "limits": limits(context),
        "command": context.command,
        "facts": _facts(context),
        "environment": context.environment,
        "wrong": [_wrong(item) for item in context.wrong],
        "modality": context.modality,
    }
    drawn["n_wrong"] = _n_wrong(context)
    drawn["sections"] = [(key, title) for key, title, shown in _sections(drawn) if shown]
    return drawn


def _sections(drawn: dict[str, Any]) -> list[tuple[str, str, Any]]:
    return [
        ("result", "Result", True),
        ("errors", "Where it goes wrong", drawn["confusion"]),
        ("labels", "Label by label", drawn["labels"]),
        ("values", "Predicted against true", drawn["values"]),
        ("worst", "Most wrong", drawn["wrong"]),
        ("calibration", "Calibration", drawn["reliability"]),
        ("depth", "Depth profile", drawn["depth"]),
        ("candidates", "What was tried", drawn["candidates"]),
        ("stages", "What was trained", drawn["stages"]),
        ("history", "Learning history", drawn["history"]),
        ("data", "Data", drawn["parts"] or drawn["findings"]),
        ("cost", "Time and memory", drawn["phases"]["rows"]),
        ("again", "Reproduce", drawn["command"] or drawn["facts"]),
        ("limits", "Limits", drawn["limits"]),
    ]


def _card(key: str, score: Score) -> dict[str, Any]:
    words = metric_named(key)
    return {
        "label": words.label,
        "value": number(score.value, key),
        "interval": interval(score, key),
        "hint": words.hint,
        "better": words.better,
    }


def _cards(context: ReportContext) -> list[dict[str, Any]]:
    scores = ((key, context.score(key)) for key in METRICS if key != context.headline)
    return [_card(key, score) for key, score in scores if score is not None]


def _verification(context: ReportContext) -> list[dict[str, Any]]:
    found = context.metrics.get("verification") or {}
    scores = ((key, Score.of(found.get(key))) for key in VERIFICATION)
    return [_card(key, score) for key, score in scores if score is not None]


def _label(context: ReportContext, row: LabelLike) -> dict[str, Any]:
    train = next((part.counts for part in context.parts if part.name == "train"), {})
    names = ("name", "n_items", "n_named", "precision", "recall", "f1", "average_precision")
    return {"n_train": train.get(row.name), **{name: getattr(row, name) for name in names}}


def _any_bin(context: ReportContext) -> bool:
    return any(b.n_items for b in context.calibration)


def _n_wrong(context: ReportContext) -> str:
    if context.confusion is None:
        return ""
    n_wrong = int(context.confusion.sum() - np.trace(context.confusion))
    return counted(context, n_wrong)


def _depth(context: ReportContext) -> dict[str, Any] | None:
    if len(context.profile) < 2:
        return None
    return charts.depth(context.profile, context.head_stages, context.profile_metric)


def _stages(context: ReportContext) -> list[dict[str, Any]]:
    """What the policy did to each stage; nothing where no stage trained."""
    norms = context.metrics.get("relative_gradient_norms", {}).get("stages", {})
    rows = [
        {
            "name": str(row["stage"]),
            "n_parameters": "" if row["n_parameters"] is None else f"{row['n_parameters']:,}",
            "fate": str(row["fate"]),
            "norm": "" if norms.get(row["stage"]) is None else f"{norms[row['stage']]:.3g}",
            "trains": bool(row["trains"]),
        }
        for row in context.metrics.get("stages", ())
    ]
    return rows if any(row["trains"] for row in rows if row["name"] != "head") else []


def _history(context: ReportContext) -> dict[str, Any] | None:
    if not context.history:
        return None
    losses = [("train_loss", "training"), ("validation_loss", "validation")]
    return {
        "loss": charts.curves(context.history, losses, "log_loss"),
        "score": charts.curves(context.history, [("score", "validation")], context.validation_metric),
        "score_label": metric_named(context.validation_metric).label,
        "rows": [
            {
                "epoch": f"{p.epoch:g}",
                "train_loss": _decimals(p.train_loss),
                "validation_loss": _decimals(p.validation_loss),
                "score": number(p.score, context.validation_metric) if p.score is not None else "",
                "seconds": duration(p.seconds) if p.seconds is not None else "",
            }
            for p in context.history
        ],
    }


def _decimals(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _candidates(context: ReportContext) -> list[dict[str, Any]]:
    metric = context.validation_metric
    scale = charts.Scale(
        [v for c in context.candidates if c.score for v in c.score], metric, charts.bound_of(metric)
    )
    return [
        {
            "name": c.name,
            "value": number(c.score.value, metric) if c.score else "not scored",
            "interval": interval(c.score, metric) if c.score else "",
            "seconds": "" if c.seconds is None else duration(c.seconds),
            "chosen": c.chosen,
            "note": c.note,
            **(charts.whisker(c.score, scale) if c.score else {"at": None}),
        }
        for c in context.candidates
    ]


def _phases(context: ReportContext) -> dict[str, Any]:
    seconds = {k: float(v) for k, v in context.metrics.get("seconds", {}).items() if v is not None}
    rows = charts.phases(seconds)
    for row in rows:
        row["words"] = PHASES.get(row["name"], row["name"].replace("_", " "))
        row["text"] = duration(row["seconds"])
        row["share"] = f"{row['width']:.0f}%"
    peak = context.metrics.get("peak_bytes")
    return {
        "rows": rows,
        "total": duration(seconds["total"]) if "total" in seconds else "",
        "imports": duration(seconds["imports"]) if seconds.get("imports") else "",
        "peak": byte_size(float(peak)) if peak else "",
    }


def _facts(context: ReportContext) -> dict[str, str]:
    facts = {"Source": context.source}
    if context.policy:
        facts["Freeze policy"] = context.policy
    if context.head_stages:
        facts["Head reads"] = ", ".join(context.head_stages)
    if context.trained_stages:
        facts["Trained stages"] = ", ".join(context.trained_stages)
    return {**facts, **context.provenance}


def _wrong(item: WrongItem) -> dict[str, Any]:
    allowed = {"image": "data:image/", "audio": "data:audio/"}.get(item.kind, "")
    height = 40.0
    step = 300 / max(1, len(item.peaks))
    bars = [
        {"x": round(k * step, 2), "y": round((height - h) / 2, 2), "h": round(h, 2)}
        for k, h in enumerate(max(1.5, peak * height) for peak in item.peaks)
    ]
    truth = item.probability_of_label
    return {
        "name": item.name,
        "label": item.label,
        "predicted": item.predicted,
        "sure": _share(item.probability),
        "sure_of_label": "" if truth is None else _share(truth),
        "kind": item.kind,
        "payload": item.payload if item.payload.startswith(allowed) else "",
        "bars": bars,
        "bar_width": round(step * 0.62, 2),
        "seconds": "" if item.seconds is None else duration(item.seconds),
    }


def _share(value: float) -> str:
    if value != value:  # not a number: labels and quantities have no one probability
        return ""
    if 0 <= value < 0.005:
        return "<1%"
    return ">99%" if 0.995 <= value < 1 else f"{100 * value:.0f}%"
