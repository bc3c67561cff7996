"""Which recorded runs are used, and the table of their scores."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from headstart.past_runs import comparable, score_table
from headstart.past_runs.tables import independent_items
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
    table = score_table([run(head_alone=None), run(n_test=0)], ["s0"])
    assert table.scores.shape == table.n_items.shape == (0, 1)


def test_how_many_items_a_score_is_worth() -> None:
    """As many as its interval says, which is wider with groups."""
    alone = run(
        n_test=400, head_alone=0.8, head_alone_low=0.7581, head_alone_high=0.8363
    )  # Wilson, 400 items
    assert 380 < independent_items(alone) <= 400
    grouped = run(n_test=400, head_alone=0.8, head_alone_low=0.70, head_alone_high=0.87)
    assert 60 < independent_items(grouped) < 100
    for ends in ({"head_alone_low": None}, {"head_alone_high": 1.0}, {"head_alone_low": -0.2}):
        assert independent_items(replace(alone, **ends)) == 400
    assert score_table([grouped]).n_items.tolist() == [[independent_items(grouped)]]
