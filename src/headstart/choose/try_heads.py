"""The heads that are tried after the profile: on the last stage, on all together, and on those with the best probes."""

from __future__ import annotations

from headstart.choose.kinds import KINDS, RIDGE
from headstart.choose.tried_head import Trial, TriedHead
from headstart.heads.reduce import Reduced, combine
from headstart.heads.threads import parallel_map

N_SINGLE = 2  # single stages tried in addition to the last
MANY_ITEMS = 1_000  # with more items, several stages together get half the columns
COLUMNS_TOGETHER = 1_024
HOPELESS = 0.1  # a stage whose probe is this far below the best gets no logistic head


def try_heads(
    probed: list[tuple[Reduced, TriedHead]], trial: Trial, n_threads: int | None, last_only: bool
) -> list[tuple[Reduced, TriedHead]]:
    """Score heads on the last stage, on those with the best probes, and on all together; the last first."""
    last = len(probed) - 1
    order = sorted(range(last), key=lambda i: -probed[i][1].quality)
    picked: list[tuple[int, ...]] = [(last,), *((i,) for i in order[:N_SINGLE] if not last_only)]
    if last > 0 and not last_only:
        picked.insert(1, tuple(range(last + 1)))  # the longest work first

    best_probe = max(tried.quality for _, tried in probed)

    def score(stages: tuple[int, ...]) -> tuple[Reduced, TriedHead]:
        if len(stages) == 1:
            reduced, ridge = probed[stages[0]]
            if ridge.quality < best_probe - HOPELESS:
                return reduced, ridge
            return reduced, _best_head(reduced, trial, stages, ridge)
        n_columns = COLUMNS_TOGETHER if len(trial.targets) <= MANY_ITEMS else COLUMNS_TOGETHER // 2
        reduced = combine([probed[i][0] for i in stages], n_columns)
        return reduced, _best_head(reduced, trial, stages, None)

    return parallel_map(score, picked, n_threads)


def _best_head(reduced: Reduced, trial: Trial, stages: tuple[int, ...], ridge: TriedHead | None) -> TriedHead:
    """Return the head with the smallest loss on these stages, of every kind that suits.

    Args:
        reduced: rotated features of the stages.
        trial: what to score on.
        stages: their indices.
        ridge: the ridge head, if it has been scored already.
    """
    best = ridge or RIDGE.score(reduced, trial, stages)
    assert best is not None  # ridge suits every task
    for kind in KINDS.values():
        suits = kind.name != best.kind and (trial.weights is None or kind.takes_weights)
        tried = kind.score(reduced, trial, stages) if suits else None
        if tried is not None and not best.loss < tried.loss:
            best = tried
    return best
