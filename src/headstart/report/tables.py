"""The confusion matrix, the scores class by class, and the limits of a run, as rows and sentences."""

from __future__ import annotations

from typing import Any

import numpy as np

from headstart.report.context import ReportContext
from headstart.report.words import counted

TABLE_CLASSES = 12
HEATMAP_CLASSES = 120


def confusion(context: ReportContext) -> dict[str, Any] | None:
    """The confusion matrix: a table for few classes, squares for many, nothing but the pairs for very many.

    Args:
        context: reads `confusion` (C, C) and `classes`.
    """
    matrix, names = context.confusion, context.classes
    if matrix is None or not len(names):
        return None
    totals = matrix.sum(axis=1)
    shares = matrix / np.maximum(totals[:, None], 1)
    rows, squares = [], []
    if len(names) <= TABLE_CLASSES:
        for row, name in enumerate(names):
            cells = [
                {
                    "n_items": int(n),
                    "share": round(float(s), 3),
                    "right": row == column,
                    "named": names[column],
                }
                for column, (n, s) in enumerate(zip(matrix[row], shares[row], strict=True))
            ]
            rows.append({"name": name, "total": int(totals[row]), "cells": cells})
    elif len(names) <= HEATMAP_CLASSES:
        squares = [
            {
                "x": int(column),
                "y": int(row),
                "share": round(float(shares[row, column]), 3),
                "right": bool(row == column),
                "tip": f"{names[row]}, named {names[column]}: {matrix[row, column]:,} of {totals[row]:,}",
            }
            for row, column in np.argwhere(matrix > 0)
        ]
    return {"names": names, "rows": rows, "squares": squares, "n_classes": len(names)}


def per_class(context: ReportContext) -> list[dict[str, Any]]:
    """One row a class: items, how many were found (recall), how often the name was right (precision), F1."""
    matrix, names = context.confusion, context.classes
    if matrix is None:
        return []
    train = next((part.counts for part in context.parts if part.name == "train"), {})
    rows = []
    for k, name in enumerate(names):
        right, of_class, named = int(matrix[k, k]), int(matrix[k].sum()), int(matrix[:, k].sum())
        rows.append(
            {
                "name": name,
                "n_train": train.get(name),
                "n_test": of_class,
                "recall": right / of_class if of_class else None,
                "precision": right / named if named else None,
                "f1": 2 * right / (of_class + named) if of_class + named else None,
            }
        )
    return rows


def limits(context: ReportContext) -> list[str]:
    """What this result does not say: the usual sentences that apply, then the caller's own."""
    n_test = counted(context, context.count("n_test"))
    found = [
        f"The scores hold for data like {'these' if context.n_folds else 'the held-out part'} ({n_test}): "
        "another camera, clinic, microphone or vocabulary is another distribution.",
    ]
    if context.group:
        groups = f" ({context.n_groups:,} in all)" if context.n_groups else ""
        found.append(
            f"Items of one {context.group}{groups} were kept together, and the intervals resample whole "
            f"groups: the scores are for a {context.group} never seen before."
        )
    else:
        found.append(
            "No group column was given. If several items come from one person, machine or recording, pass "
            "`--group`, else the scores may be too good."
        )
    if context.profile and not context.n_folds:
        found.append(
            "The depth profile was measured inside the training part; it chose the depth, it is no result."
        )
    return [*found, *context.limits]
