"""Which recorded runs are used, and the table of their scores."""

from __future__ import annotations

import numpy as np

from headstart.past_runs import comparable, score_table
from past_runs.some_runs import run


def test_runs_of_the_same_kind_on_other_data() -> None:
    runs = [run(), run(data_digest="d1"), run(modality="text"), run(task="regression"), run(metric="r2")]
    kind = {"modality": "image", "task": "classification", "metric": "accuracy"}
    assert comparable(runs, **kind) == (runs[0], runs[1])
    assert comparable(runs, **kind, without="d0") == (runs[1],)
    assert comparable([], **kind) == ()


def test_the_last_run_of_a_source_on_a_data_set_counts() -> None:
    runs = [
        run(head_alone=0.5),
        run(source_digest="s1", head_alone=0.6),
        run(head_alone=0.7),
        run(data_digest="d1", source_digest="s1", head_alone=0.8),
        run(data_digest="d2", head_alone=None),
    ]
    table = score_table(runs, ["new", "s1"])
    assert table.data == ("d0", "d1") and table.sources == ("new", "s1", "s0")
    np.testing.assert_array_equal(table.scores, [[np.nan, 0.6, 0.7], [np.nan, 0.8, np.nan]])


def test_no_runs() -> None:
    assert score_table([], ["s0"]).scores.shape == (0, 1)
