"""Labels of a data set that may be wrong, as a run lists them: in metrics.json, as a table, in the report."""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.evidence.label_errors import LabelNoise
from headstart.runs.cells import harmless

N_LISTED = 20  # in metrics.json and at most in the report; the table has all


@dataclass(frozen=True)
class Suspect:
    """An item whose label may be wrong.

    Attributes:
        position: of the item in the data set.
        item: its name.
        part: "train" or "test".
        label, suggested: as it is given, and what is likelier.
        probability: of the label; of several labels that of the least probable one.
        probability_of_suggested: of the other answer.
    """

    position: int
    item: str
    part: str
    label: str
    suggested: str
    probability: float
    probability_of_suggested: float


@dataclass(frozen=True)
class LabelCheck:
    """What the check of the labels found.

    Attributes:
        suspects: the least probable label first.
        n_items: how many items were checked, by part.
        noise: the share of the labels of the items learned from that look replaced at random.
        n_answers: labels that an item has or has not; 1 for classes.
    """

    suspects: tuple[Suspect, ...]
    n_items: Mapping[str, int]
    noise: LabelNoise
    n_answers: int = 1

    @property
    def positions(self) -> NDArray[np.intp]:
        """Of the suspects in the data set."""
        return np.array([each.position for each in self.suspects], dtype=np.intp)

    @property
    def n_checked(self) -> int:
        """How many items were checked in all."""
        return sum(self.n_items.values())

    def to_json(self) -> dict[str, Any]:
        """The entry of metrics.json."""
        return {
            "n_checked": dict(self.n_items),
            "n_suspicious": {part: sum(each.part == part for each in self.suspects) for part in self.n_items},
            "share_replaced": self.noise.share,
            "p_value": self.noise.p_value,
            "items": [_row(each) for each in self.suspects[:N_LISTED]],
        }

    def to_csv(self) -> str:
        """All suspects as CSV text, in which no cell is a formula (see `cells`)."""
        text = io.StringIO()
        columns = [field.name for field in dataclasses.fields(Suspect) if field.name != "position"]
        table = csv.DictWriter(text, columns, lineterminator="\n")
        table.writeheader()
        for each in self.suspects:
            row = _row(each)
            table.writerow({**row, **{name: harmless(row[name]) for name in ("item", "label", "suggested")}})
        # a file name that is not valid UTF-8 is read as surrogates: written as escapes
        return text.getvalue().encode("utf-8", "backslashreplace").decode("utf-8")


def _row(suspect: Suspect) -> dict[str, Any]:
    row = dataclasses.asdict(suspect)
    del row["position"]
    for name in ("probability", "probability_of_suggested"):
        row[name] = float(f"{row[name]:.4g}")
    return row
