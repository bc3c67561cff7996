"""What the correction is, class by class, and which corrections were compared."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from headstart.report.pages.calibrate.report import CalibrateReport
from headstart.report.shell import Section, Table
from headstart.report.words import difference, number, points, share, signed

_TEMPLATE = "items/table.html.j2"


def correction_section(report: CalibrateReport) -> Iterator[Section]:
    """The section on temperature and biases."""
    found = report.found
    surer = "less" if found.temperature > 1 else "more"
    deck = (
        f"Log probabilities are divided by a temperature of {found.temperature:.3g}: the run is {surer} sure"
    )
    if not found.biases:
        deck += ". The order of the classes of an item stays as it was."
    else:
        deck += (
            ", and a bias is added per class: above 0 the class becomes likelier. Both are part of the head of the new "
            "run, so that every form of the model gives the corrected probabilities."
        )
    yield Section("correction", "The correction", _TEMPLATE, _classes(report), deck)


def candidates_section(report: CalibrateReport) -> Iterator[Section]:
    """The section on the corrections that were compared."""
    found = report.found
    columns = (
        ("Correction", False),
        ("Temperature", True),
        ("Log loss", True),
        ("Change", True),
        ("95% interval", True),
    )
    loss = report.before("log_loss")
    rows = [("none", "1", number(None if loss is None else loss.value, "log_loss"), "", "")]
    rows += [
        (
            f"{each.name}{' (chosen)' if each.name == found.method else ''}",
            f"{each.temperature:.3g}",
            number(each.log_loss, "log_loss"),
            points(float(each.change), "log_loss"),
            difference(each.change, "log_loss") or "none",
        )
        for each in found.candidates
    ]
    table = Table("Corrections that were compared", columns, tuple(rows))
    deck = "Log loss by cross-validation on the new items. Only a correction whose interval lies below 0 can be chosen."
    yield Section("candidates", "Corrections compared", _TEMPLATE, table, deck)


def _classes(report: CalibrateReport) -> Table:
    """One row per class or label: how often it occurs, and the mean of its probability before and after."""
    found, names = report.found, report.targets.classes
    codes = report.held_out.codes
    occurs = codes if codes.ndim == 2 else np.arange(len(names)) == codes[:, None]
    before, after = report.before_NC.mean(axis=0), report.held_out.outputs.mean(axis=0)
    what = "Label" if report.targets.task.many_per_item else "Class"
    columns: tuple[tuple[str, bool], ...] = (
        (what, False),
        ("Items", True),
        ("Share", True),
        ("Mean probability before", True),
        ("Mean probability after", True),
    )
    rows: list[tuple[str, ...]] = [
        (
            name,
            f"{int(occurs[:, code].sum()):,}",
            share(float(occurs[:, code].mean())),
            share(float(before[code])),
            share(float(after[code])),
        )
        for code, name in enumerate(names)
    ]
    if found.biases:
        columns = (*columns, ("Bias", True))
        rows = [
            (*row, "stays" if name in found.kept else signed(found.biases[name]))
            for row, name in zip(rows, names, strict=True)
        ]
    return Table(f"The correction by {what.lower()}", columns, tuple(rows))
