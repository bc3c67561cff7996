"""Averages of weights: over the steps of one training, between its start and end, over several trainings.

    Average       exponential moving average over steps (Polyak and Juditsky 1992), what `ema` asks for
    interpolate   (1 - share) * start + share * end
    wise_ft       the share that is best on validation (Wortsman et al. 2022, "Robust fine-tuning of zero-shot
                  models"): all tensors, the head too, so both ends need the same head or a fitted one
    greedy_soup   members averaged as long as validation gains (Wortsman et al. 2022, "Model soups")

A state is a dictionary of named tensors. Floating tensors are averaged, the statistics of batch normalisation
among them; integer ones (`num_batches_tracked`) are never: they are those of the end, or of the best member.
Two networks can be averaged if they started from the same weights; otherwise the mean of two good networks is
a bad one, which validation then refuses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.optim.swa_utils import get_ema_multi_avg_fn

from headstart.errors import TrainingError

State = dict[str, Tensor]
Scores = tuple[float, float]
"""A value to maximise (accuracy), and one to minimise if the first is equal (loss)."""
Scoring = Callable[[State], Scores]
SHARES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)


class Average:
    """An exponential moving average of named tensors.

        average_t = d_t * average_(t-1) + (1 - d_t) * x_t,   d_t = min(decay, (1 + t) / (10 + t))

    The smaller decay of the first steps is TensorFlow's (`num_updates`): so that the average of a short
    training does not stay near the start. Tensors of low precision are averaged in float32.

    Args:
        tensors: what is averaged, by name: the trained tensors at their start.
        decay: `0 < decay < 1`.
    """

    def __init__(self, tensors: Mapping[str, Tensor], decay: float) -> None:
        self.decay, self.n_updates = decay, 0
        self.tensors: State = {name: _wide(tensor.detach()).clone() for name, tensor in tensors.items()}

    def update(self, tensors: Mapping[str, Tensor]) -> None:
        """Take in the values after a step.

        Args:
            tensors: all tensors of the average, by name.
        """
        self.n_updates += 1
        decay = min(self.decay, (1 + self.n_updates) / (10 + self.n_updates))
        by_type: dict[torch.dtype, tuple[list[Tensor], list[Tensor]]] = {}
        for name, average in self.tensors.items():
            value = tensors[name].detach()
            if average.is_floating_point():
                averages, values = by_type.setdefault(average.dtype, ([], []))
                averages.append(average)
                values.append(_wide(value))
            else:
                average.copy_(value)
        for averages, values in by_type.values():
            get_ema_multi_avg_fn(decay)(averages, values, None)  # type: ignore[no-untyped-call]

    @contextmanager
    def applied(self, tensors: Mapping[str, Tensor]) -> Iterator[None]:
        """The average in place of the values, for a block; afterwards the values are restored bit for bit.

        Args:
            tensors: all tensors of the average, by name; their values are exchanged in place.
        """
        before = {name: tensors[name].detach().clone() for name in self.tensors}
        self.copy_to(tensors)
        try:
            yield
        finally:
            for name, value in before.items():
                tensors[name].detach().copy_(value)

    def copy_to(self, tensors: Mapping[str, Tensor]) -> None:
        """Copy the average into tensors, in place."""
        for name, average in self.tensors.items():
            tensors[name].detach().copy_(average)

    def state_dict(self) -> dict[str, Any]:
        """Everything a resumed training needs to reach the same bits; tensors are not copied."""
        return {"decay": self.decay, "n_updates": self.n_updates, "tensors": dict(self.tensors)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put a saved average back.

        Raises:
            TrainingError: it is of other tensors or of another decay.
        """
        if set(state["tensors"]) != set(self.tensors) or state["decay"] != self.decay:
            raise TrainingError(
                "the saved moving average is not that of this training: resume with the same --freeze and ema"
            )
        self.n_updates = int(state["n_updates"])
        for name, value in state["tensors"].items():
            self.tensors[name].copy_(value)


@dataclass(frozen=True, eq=False)
class Interpolated:
    """The best weights on the line between a start and an end.

    Attributes:
        share: of the end, from 0 to 1.
        state: the weights there.
        scores: each share that was tried -> its score.
    """

    share: float
    state: State
    scores: dict[float, Scores]


@dataclass(frozen=True, eq=False)
class Soup:
    """The mean of the members that improved the validation score.

    Attributes:
        names: of the members in it, in the order they were added.
        state: the mean of their weights.
        score: its score.
    """

    names: tuple[str, ...]
    state: State
    score: Scores


def interpolate(start: Mapping[str, Tensor], end: Mapping[str, Tensor], share: float) -> State:
    """The weights at a point of the line between two states.

    Args:
        start: tensors by name.
        end: tensors by the same names, of the same shapes.
        share: of the end; 0 and 1 give the ends bit for bit.

    Returns:
        New tensors, in the precision of the end. Tensors that are not floating-point are those of the end (at
        share 0, of the start).

    Raises:
        ValueError: names or shapes differ.
    """
    _check_alike(start, end)
    if share in (0.0, 1.0):
        return {name: tensor.detach().clone() for name, tensor in (end if share else start).items()}
    return {name: _between(start[name].detach(), tensor.detach(), share) for name, tensor in end.items()}


def wise_ft(
    start: Mapping[str, Tensor], end: Mapping[str, Tensor], score: Scoring, shares: Sequence[float] = SHARES
) -> Interpolated:
    """Choose the point between start and end with the best validation score.

    The higher first score wins, then the lower second, then the larger share of the end.

    Args:
        start: the weights before training (with the head fitted on them).
        end: the weights after it.
        score: (accuracy, loss) of a state on validation.
        shares: what is tried.
    """
    scores = {share: score(interpolate(start, end, share)) for share in shares}
    best = max(scores, key=lambda share: (_rank(scores[share]), share))
    return Interpolated(best, interpolate(start, end, best), scores)


def greedy_soup(members: Sequence[tuple[str, Mapping[str, Tensor]]], score: Scoring) -> Soup:
    """Average members, the best first; each is kept only if it strictly improves the average.

    Args:
        members: (name, weights) of each; all of one architecture and one start.
        score: (accuracy, loss) of a state on validation.

    Returns:
        The soup; its score is never below the best member's.

    Raises:
        ValueError: there are no members, or their names or shapes differ.
    """
    if not members:
        raise ValueError("a soup needs at least one member")
    scored = [(score(dict(state)), name, state) for name, state in members]
    scored.sort(key=lambda entry: _rank(entry[0]), reverse=True)  # stable: equal members keep their order
    best, name, first = scored[0]
    names, mixture = [name], {key: tensor.detach().clone() for key, tensor in first.items()}
    for _, name, state in scored[1:]:
        _check_alike(mixture, state)
        tried = {
            key: _between(tensor, state[key].detach(), 1 / (len(names) + 1))
            if tensor.is_floating_point()
            else tensor
            for key, tensor in mixture.items()
        }
        found = score(tried)
        if _rank(found) > _rank(best):
            best, mixture = found, tried
            names.append(name)
    return Soup(tuple(names), mixture, best)


def _rank(scores: Scores) -> tuple[float, float]:
    """Scores as a sort key, higher is better; a score that is not a number is the worst."""
    high, low = scores
    return (high if high == high else -float("inf"), -low if low == low else -float("inf"))


def _between(start: Tensor, end: Tensor, share: float) -> Tensor:
    if not end.is_floating_point():
        return end.clone()
    return torch.lerp(_wide(start).to(_wide(end)), _wide(end), share).to(end.dtype)


def _wide(tensor: Tensor) -> Tensor:
    """A tensor of low precision as float32, another as it is."""
    return tensor.float() if tensor.dtype in (torch.bfloat16, torch.float16) else tensor


def _check_alike(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> None:
    if set(one) != set(other):
        differing = sorted(set(one) ^ set(other))
        raise ValueError(f"{len(differing)} tensors are in one state only, '{differing[0]}' among them")
    for name, tensor in one.items():
        if tensor.shape != other[name].shape:
            raise ValueError(f"'{name}' is of shape {tuple(tensor.shape)} and of {tuple(other[name].shape)}")
