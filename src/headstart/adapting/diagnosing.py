"""Which kind of shift lies between the two domains of an adaptation: on features, and on the items themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from headstart.adapting.extracted import ExtractedPair
from headstart.errors import DataError

if TYPE_CHECKING:
    from headstart.adapt.label_shift import Shares
    from headstart.adapt.shift import Diagnosis, Difference, Windows
    from headstart.data import DataSet
    from headstart.fitting.workspace import Workspace

LEAST_ITEMS = 10  # of the target, below which nothing is measured on features
MOST_ITEMS = 100  # of each domain that are decoded to be compared
MOST_TEXTS = 2_000


@dataclass(frozen=True, eq=False)
class Shift:
    """What kind of shift it is.

    Attributes:
        diagnosis: on features; None if there are too few items.
        shares: estimated shares of the classes in the target; None if there are too few items.
        differences: simple statistics of pictures or recordings, compared.
        windows: of recordings.
        sentences: what was found, one sentence each.
        warnings: those that a reader must know before trusting an adaptation.
        advice: what to do about it; "" if nothing is known.
        why: nothing is known about the features; "" if something is.
    """

    diagnosis: Diagnosis | None
    shares: Shares | None
    differences: Sequence[Difference]
    windows: Windows | None
    sentences: tuple[str, ...]
    warnings: tuple[str, ...]
    advice: str
    why: str = ""

    def to_json(self) -> dict[str, Any]:
        """The same as a dictionary that JSON can hold."""
        found: dict[str, Any] = {} if self.diagnosis is None else self.diagnosis.to_json()
        return {
            **found,
            "differences": [each.to_json() for each in self.differences],
            "windows": None if self.windows is None else self.windows.to_json(),
            "sentences": list(self.sentences),
            "advice": self.advice,
            "why": self.why,
        }


def diagnosed(pair: ExtractedPair) -> Shift:
    """Find out which kind of shift it is; never with a label of the target.

    Args:
        pair: both domains, with features.
    """
    from headstart.adapt.shift import (
        advice,
        difference_sentences,
        sentences,
        text_sentences,
        warnings,
        window_sentences,
    )

    differences, windows = _differences(pair), _windows(pair)
    of_items = difference_sentences(differences) + ([] if windows is None else window_sentences(windows))
    try:
        diagnosis, shares = _on_features(pair)
    except DataError as error:  # too few items to hold some out
        texts = _texts(pair)
        lines = [*([] if texts is None else text_sentences(texts)), *of_items]
        return Shift(None, None, differences, windows, tuple(lines), (), "", str(error))
    lines = [*sentences(diagnosis, pair.classes), *of_items]
    grave = tuple(warnings(diagnosis, pair.classes))
    return Shift(diagnosis, shares, differences, windows, tuple(lines), grave, advice(diagnosis))


def _on_features(pair: ExtractedPair) -> tuple[Diagnosis, Shares]:
    from headstart.adapt.alignments import ALIGNMENTS
    from headstart.adapt.label_shift import estimate_shares, predict
    from headstart.adapt.shift import diagnose

    domains, target = pair.plain.domains, pair.target
    if len(target.adapted) < LEAST_ITEMS:
        raise DataError(f"{len(target.adapted)} items of the target are too few to tell")
    units = None if target.data.units is None else target.data.units[target.adapted]
    given: dict[str, Any] = {"units_N": domains.groups_N, "units_M": units, "seed": domains.seed}
    plain = predict(domains)
    estimates = {
        name: estimate_shares(plain.source_NC, domains.codes_N, plain.target_MC, name, **given)
        for name in ("em", "bbse")
    }
    aligned = predict(ALIGNMENTS["standardise"].align(domains)[0])
    after = estimate_shares(aligned.source_NC, domains.codes_N, aligned.target_MC, "em", **given)
    from_summary = pair.domain.summary is not None
    found = diagnose(domains, estimates, after, units, _texts(pair), from_summary=from_summary)
    return found, estimates["em"]


def _texts(pair: ExtractedPair) -> Any:
    from headstart.adapt.shift import compare_texts
    from headstart.data import TextPreprocessing

    workspace, preprocessing = pair.domain.workspace, pair.domain.source.preprocessing
    if not isinstance(preprocessing, TextPreprocessing) or workspace is None:
        return None
    source, target = (
        [str(data.examples.items[position]) for position in positions]
        for data, positions in _both(pair, workspace, MOST_TEXTS)
    )
    return compare_texts(source, target, preprocessing)


def _differences(pair: ExtractedPair) -> Sequence[Difference]:
    """Pictures or recordings of both domains compared by simple statistics."""
    from headstart.adapt.shift import compare, picture_statistics, recording_statistics

    workspace = pair.domain.workspace
    measure = {"image": picture_statistics, "audio": recording_statistics}.get(pair.domain.source.modality)
    if workspace is None or measure is None:
        return ()
    found: list[Mapping[str, np.ndarray]] = []
    groups = []
    for data, positions in _both(pair, workspace, MOST_ITEMS):
        found.append(measure([data.examples.items[position] for position in positions]))
        groups.append(None if data.units is None else data.units[positions])
    return compare(found[0], found[1], groups[0], groups[1])


def _windows(pair: ExtractedPair) -> Windows | None:
    from headstart.adapt.shift import compare_windows
    from headstart.data import AudioPreprocessing

    workspace, preprocessing = pair.domain.workspace, pair.domain.source.preprocessing
    if workspace is None or not isinstance(preprocessing, AudioPreprocessing):
        return None
    seconds, of_target = workspace.plan.data.scan.seconds, pair.target.data.scan.seconds
    if seconds is None or of_target is None:
        return None
    return compare_windows(preprocessing, seconds, of_target[pair.target.adapted])


def _both(pair: ExtractedPair, workspace: Workspace, most: int) -> list[tuple[DataSet, np.ndarray]]:
    """Each domain with positions of a sample; of the target, items that are adapted on."""
    source, target = workspace.plan.data, pair.target
    adapted = target.adapted[_sample(len(target.adapted), most)]
    return [(source, _sample(len(source), most)), (target.data, adapted)]


def _sample(n_items: int, most: int) -> np.ndarray:
    """Positions spread evenly over the items."""
    return np.unique(np.linspace(0, n_items - 1, min(n_items, most)).astype(np.int64))
