"""The average of several candidates of one policy that were trained in a race, if it is better on validation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from headstart.heads.linear import LinearHead
from headstart.tune.averaging.averages import State, greedy_soup
from headstart.tune.race.candidate_run import CandidateRun
from headstart.tune.race.comparison import ValidationItems
from headstart.tune.speedups.seen_rows import seen_alone
from headstart.tune.training.result import Trained
from headstart.tune.training.training import Training

_HEAD = ("weight", "bias")


def members_of(best: CandidateRun, runs: Sequence[CandidateRun]) -> list[CandidateRun]:
    """Those that can be averaged with the best: the same policy from the same start, run to the end."""
    same = [
        run
        for run in runs
        if run.candidate.policy.text == best.candidate.policy.text
        and not run.candidate.from_scratch
        and run.is_done
        and run.reached
    ]
    return same if best in same else []


def soup_of(
    validation: ValidationItems, best: CandidateRun, runs: Sequence[CandidateRun]
) -> tuple[tuple[str, ...], Trained] | None:
    """Average the best with others of its policy, as long as validation strictly gains.

    Args:
        validation: the items that averages are scored on.
        best: its training measures the averages.
        runs: all of the race.

    Returns:
        The names in the soup and its result; None if no average is better than the best candidate.
    """
    members = members_of(best, runs)
    training = best.training if len(members) > 1 else None
    if not isinstance(training, Training) or best.candidate.policy.adapter is not None:
        return None
    results = {run.name: run.result() for run in members}
    first = results[best.name]

    def logits_of(state: State) -> NDArray[np.floating]:
        return _validated(training, *_parted(first, state))

    def measure(state: State) -> tuple[float, float]:
        found = validation.score(logits_of(state))
        return found.quality, found.loss

    soup = greedy_soup([(name, _joined(trained)) for name, trained in results.items()], measure)
    if len(soup.names) < 2:
        return None
    weights, head = _parted(first, soup.state)
    logits = logits_of(soup.state)
    found = validation.score(logits)
    head = replace(head, temperature=found.temperature)
    return soup.names, replace(
        first, state_dict=weights, head=head, validation=found, validation_logits=logits
    )


def _validated(training: Training, weights: State, head: LinearHead) -> NDArray[np.floating]:
    """Validation logits of other weights in a training's network."""
    held_out = training.held_out
    assert held_out is not None  # candidates are trained with validation
    own = training.head.linear.in_features  # the head of a result may read a longer vector, zeros elsewhere
    leading = bool(getattr(training.source.network, "embedding_is_mean", False))
    place = slice(0, own) if leading else slice(head.weight.shape[1] - own, None)
    own_weights = seen_alone(training.backbone.module, weights)
    values = {f"network.{name}": tensor for name, tensor in own_weights.items()}
    values["objective.head.linear.weight"] = torch.from_numpy(np.ascontiguousarray(head.weight[:, place]))
    values["objective.head.linear.bias"] = torch.from_numpy(head.bias)
    training.loop.weights.put(values)
    with training.setting.threads():
        return head.unit.outward(held_out.logits())


def _joined(trained: Trained) -> State:
    """Network and head as one state."""
    state: dict[str, Any] = {f"network.{name}": tensor for name, tensor in trained.state_dict.items()}
    return state | {f"head.{name}": torch.from_numpy(getattr(trained.head, name)) for name in _HEAD}


def _parted(like: Trained, state: Mapping[str, Tensor]) -> tuple[State, LinearHead]:
    """A joined state as a network's weights and a head."""
    weights = {name.removeprefix("network."): t for name, t in state.items() if name.startswith("network.")}
    head: dict[str, Any] = {name: state[f"head.{name}"].numpy() for name in _HEAD}
    return weights, replace(like.head, **head)
