"""Labels that may be wrong, with what is likelier."""

from __future__ import annotations

from collections.abc import Iterator

from headstart.report.pages.fit.gallery import Answer, Gallery, gallery_item
from headstart.report.pages.fit.report import FitReport
from headstart.report.shell import Notice, Section

N_SHOWN = {"image": 20, "text": 20, "audio": 5}
PARTS = {"train": "training part", "test": "held-out part"}
# precision on planted errors, the least and the largest of the sets of docs/evidence.md
MEASURED = (0.36, 0.98)


def label_errors_section(report: FitReport) -> Iterator[Section]:
    """The section, if a label is suspicious."""
    checked, modality = report.checked, report.data.modality
    if checked is None or not checked.suspects:
        return
    items = [
        gallery_item(
            item,
            each.item,
            modality,
            Answer("given", each.label, each.probability),
            Answer("likely", each.suggested, each.probability_of_suggested),
            PARTS[each.part],
        )
        for each, item in list(zip(checked.suspects, report.suspects))[: N_SHOWN[modality]]
    ]
    n_suspects = len(checked.suspects)
    low, high = MEASURED
    deck = (
        f"{n_suspects:,} of {report.counted(checked.n_checked)} {'has' if n_suspects == 1 else 'have'} a label that "
        f"is likely to be wrong; the least probable first, all of them in label_errors.csv. {_beside_chance(report)} "
        f"Of as many as were flipped in a test with 5% flipped labels, {low:.0%} to {high:.0%} were found: the more "
        "accurate the head, the more. Training items are judged by cross-validation of the head alone."
    )
    yield Section(
        "label-errors",
        "Labels that may be wrong",
        "fit/gallery.html.j2",
        Gallery(modality, items),
        deck,
        "Doubtful labels",
    )


def label_errors_notice(report: FitReport) -> Iterator[Notice]:
    """The notice, if labels contradict the probabilities clearly more often than chance explains."""
    if report.checked is None or not report.checked.noise.is_clear:
        return
    yield Notice(
        "warning",
        f"{_estimate(report).capitalize()} look wrong",
        "They contradict the cross-validated probabilities more than chance explains. The likeliest ones are shown "
        "under “Labels that may be wrong” and listed in label_errors.csv: look at them, correct the data, fit again.",
    )


def _beside_chance(report: FitReport) -> str:
    assert report.checked is not None
    if not report.checked.noise.is_clear:
        return "They are no more than chance explains, so most of the labels may be right."
    return f"More than chance explains: {_estimate(report)} look replaced."


def _estimate(report: FitReport) -> str:
    """How many labels of the items learned from look replaced."""
    assert report.checked is not None
    part, n_items = next(iter(report.checked.n_items.items()))
    n_wrong = max(1, round(report.checked.noise.share * n_items))
    return f"about {n_wrong:,} of {n_items:,} labels of the {PARTS[part]}"
