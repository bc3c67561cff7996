"""The advice claims what the intervals show, and no more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from headstart.metrics import Interval
from headstart.ranking.advice import advised
from headstart.ranking.options import rank_options
from headstart.ranking.saving import next_command
from headstart.runs.ranking import Ranked, RankingFacts

CLASSICAL, RANDOM = "classical features", "a, random weights"


def _source(
    name: str, places: tuple[int, int], ms: float = 1.0, not_better: Mapping[str, bool] | None = None
) -> Ranked:
    return Ranked(
        name,
        "source",
        Interval(0.9),
        places,
        Interval(0.0),
        milliseconds=ms,
        not_better_than=not_better or {},
    )


def _facts(sources: Sequence[Ranked]) -> RankingFacts:
    baselines = [
        Ranked(CLASSICAL, "classical", Interval(0.5), (1, 9), Interval(-0.4)),
        Ranked(RANDOM, "random", Interval(0.5), (1, 9), Interval(-0.4)),
    ]
    return advised(RankingFacts("accuracy", [*sources, *baselines], {}, "", 60, 20))


@pytest.mark.parametrize(
    ("sources", "name", "words"),
    [
        ([_source("a", (1, 1)), _source("b", (2, 2))], "a", "Start from a, clearly better than b."),
        ([_source("a", (1, 1)), _source("b", (2, 3)), _source("c", (2, 3))], "a", "better than all others."),
        ([_source("a", (1, 2), 4.0), _source("b", (1, 2), 1.0)], "b", "take the fastest, b"),
        (
            [_source("a", (1, 2), 4.0), _source("b", (1, 2), 1.0), _source("c", (3, 3))],
            "a",
            "Start from a; b cannot be told apart from it, and it is 4.0 times as fast.",
        ),
        # c is not told apart from a, but b is clearly better than c: c is never advised
        (
            [_source("a", (1, 3), 3.0), _source("b", (1, 2), 2.9), _source("c", (2, 3), 0.1)],
            "a",
            "Start from a; b cannot be told apart from it.",
        ),
        ([_source("a", (1, 1))], "a", "Start from a."),
        # a is not better than a baseline: b is taken, which is not clearly better than a
        (
            [_source("a", (1, 2), not_better={CLASSICAL: False}), _source("b", (1, 2)), _source("c", (3, 3))],
            "b",
            "Start from b; a cannot be told apart from it.",
        ),
        (
            [_source("a", (1, 2), not_better={CLASSICAL: False}), _source("b", (1, 2))],
            "b",
            "cannot tell the sources apart: take b,",
        ),
        (
            [
                _source("a", (1, 2), not_better={CLASSICAL: True}),
                _source("b", (1, 2), not_better={CLASSICAL: False}),
            ],
            "a",
            "No source is better than classical features on these 60 items",
        ),
        (
            [_source(name, (2, 3), not_better={CLASSICAL: True, RANDOM: False}) for name in "ab"],
            "a",
            "Every source is clearly worse than classical features: transfer from them is negative",
        ),
    ],
)
def test_advice(sources: list[Ranked], name: str, words: str) -> None:
    facts = _facts(sources)
    assert facts.advised == name and words in facts.advice


def test_the_risk_is_part_of_the_advice() -> None:
    alike = replace(_source("a", (1, 1)), unclear=(CLASSICAL,))
    facts = _facts([alike, _source("b", (2, 2))])
    assert facts.advice == (
        "Start from a, clearly better than b. a is ahead of classical features, but not clearly."
    )
    assert "Transfer" not in _facts([_source("a", (1, 1)), replace(alike, name="b", places=(2, 2))]).advice
    both = [
        _source("a", (1, 2), not_better={CLASSICAL: False}),
        _source("b", (1, 2), not_better={RANDOM: False}),
    ]
    assert _facts(both).advice.endswith("Transfer may be negative: it is not better than classical features.")


def test_the_next_command_fits_the_same_split_with_the_same_features() -> None:
    options = rank_options(
        data="my photos", sources=["a", "b"], target="kind", seed=3, store="s", threads=1, precision="fp32"
    )
    assert next_command(options, _facts([_source("a", (1, 1)), _source("b", (2, 2))])) == (
        "headstart fit 'my photos' --source a --target kind --seed 3 --precision fp32 --threads 1 --store s"
    )
    plain = rank_options(data="x", sources=["a", "b"], follow_outside=True)
    assert next_command(plain, _facts([_source("a", (1, 1)), _source("b", (2, 2))])) == (
        "headstart fit x --source a --follow-outside"
    )
