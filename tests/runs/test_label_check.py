"""The labels that may be wrong, as metrics.json and the table have them."""

from __future__ import annotations

import csv
import io

from headstart.evidence.label_errors import LabelNoise
from headstart.runs.label_check import N_LISTED, LabelCheck, Suspect

SUSPECTS = tuple(
    Suspect(k, f"row {k}", "test" if k % 4 == 0 else "train", "a,b", 'a"', 0.01 * k, 1 - 0.01 * k)
    for k in range(30)
)
CHECK = LabelCheck(SUSPECTS, {"train": 400, "test": 100}, LabelNoise(0.05, 1e-4))


def test_the_first_stand_in_the_record_and_all_in_the_table() -> None:
    record = CHECK.to_json()
    assert record["n_checked"] == {"train": 400, "test": 100} and CHECK.n_checked == 500
    assert record["n_suspicious"] == {"train": 22, "test": 8}
    rows = list(csv.DictReader(io.StringIO(CHECK.to_csv())))
    assert len(record["items"]) == N_LISTED and len(rows) == 30
    assert [row["item"] for row in rows[:N_LISTED]] == [item["item"] for item in record["items"]]
    assert rows[4]["part"] == "test" and rows[4]["label"] == "a,b" and float(rows[4]["probability"]) == 0.04
    assert CHECK.positions.tolist() == list(range(30))


def test_a_name_that_is_not_utf8_is_written_as_escapes() -> None:
    odd = LabelCheck((Suspect(0, "\udce9.png", "train", "a", "b", 0.1, 0.9),), {"train": 1}, CHECK.noise)
    assert "\\udce9.png" in odd.to_csv()
