"""Labels that may be wrong, with what is likelier."""

from __future__ import annotations

from collections.abc import Iterator

from headstart.report.items.gallery import Answer, Gallery, gallery_item
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
            "" if report.record.n_folds else PARTS[each.part],
        )
        for each, item in list(zip(checked.suspects, report.suspects))[: N_SHOWN[modality]]
    ]
    low, high = MEASURED
    deck = (
        f"{_what_was_found(report)} The least probable label comes first; all are in label_errors.csv. When 5% of the "
        f"labels of other sets were flipped as a test, {low:.0%} to {high:.0%} of the top of such a list were flipped "
        f"ones, more with a more accurate head. {_judged_by(report)}"
    )
    yield Section(
        "label-errors",
        "Labels that may be wrong",
        "items/gallery.html.j2",
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
        f"{_estimate(report).capitalize()} look wrong, or their items cannot be recognised",
        "They contradict the cross-validated probabilities more than chance explains; items that are damaged or unlike "
        "the others do so too. The likeliest ones are shown "
        "under “Labels that may be wrong” and listed in label_errors.csv: look at them, correct the data, fit again.",
    )


def _what_was_found(report: FitReport) -> str:
    assert report.checked is not None
    n_suspects, of = len(report.checked.suspects), report.counted(report.checked.n_checked)
    if report.checked.noise.is_clear:
        return (
            f"{n_suspects:,} of {of} {'is' if n_suspects == 1 else 'are'} likely to have a wrong label: "
            f"{_estimate(report)} look wrong, more than chance explains, or their items cannot be recognised."
        )
    return (
        f"{n_suspects:,} of {of} {'has' if n_suspects == 1 else 'have'} an improbable label. Right labels can be "
        "improbable too, and this is no more than chance explains: most may be right."
    )


def _judged_by(report: FitReport) -> str:
    if report.record.n_folds:
        return "Every item is judged by a model that did not learn from it."
    return "Training items are judged by cross-validation of the head alone, held-out ones by the result."


def _estimate(report: FitReport) -> str:
    """How many labels of the items learned from look replaced."""
    assert report.checked is not None
    part, n_items = next(iter(report.checked.n_items.items()))
    n_labels = n_items * report.checked.n_answers
    n_wrong = max(1, round(report.checked.noise.share * n_labels))
    return f"about {n_wrong:,} of {n_labels:,} labels of the {PARTS[part]}"
