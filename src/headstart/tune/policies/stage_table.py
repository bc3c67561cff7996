"""What a policy does to each stage: typed rows for metrics.json and the report, and a table for the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from headstart.tune.policies.freeze import Freeze
from headstart.tune.policies.policy import Policy
from headstart.tune.policies.selections import WHOLE
from headstart.tune.recipes.recipe import Recipe


@dataclass(frozen=True)
class StageRow:
    """A stage, or the head, under a policy.

    Attributes:
        stage: its name.
        n_parameters: of the stage, adapters not counted; None for the head.
        fate: what happens to it, in words.
        trains: whether something in it trains; False if that is not chosen yet.
        what: which of its parameters train ("whole", "bias", ...); empty: none.
        n_trained: how many parameters train, adapters counted; None for the head.
        rate: the peak rate; None if nothing trains, or the rate is not found yet.
    """

    stage: str
    n_parameters: int | None
    fate: str
    trains: bool = False
    what: str = ""
    n_trained: int | None = 0
    rate: float | None = None


def policy_rows(
    policy: Policy, freeze: Freeze | None, recipe: Recipe, n_parameters: Sequence[int]
) -> list[StageRow]:
    """What a policy does to each stage and to the head.

    Args:
        policy: what is frozen.
        freeze: its owner; None if no stage trains, or the policy has not chosen yet.
        recipe: of the rates.
        n_parameters: number of parameters of each stage, in order, adapters not counted.
    """
    rows = [
        _row(index, policy, freeze, recipe, n)
        for index, (_, n) in enumerate(zip(policy.stages, n_parameters, strict=True))
    ]
    rate = recipe.head_lr if policy.trains_stages else None  # the head alone is fitted, not trained in steps
    fate = "trained" if rate is None else f"trained at {rate:g}"
    return [*rows, StageRow("head", None, fate, True, WHOLE.name, None, rate)]


def as_table(rows: Sequence[StageRow]) -> str:
    """The rows as text in columns, under a line of their names."""
    cells = [("stage", "parameters", "")]
    cells += [
        (row.stage, "" if row.n_parameters is None else f"{row.n_parameters:,}", row.fate) for row in rows
    ]
    width, number_width = (max(len(cell[column]) for cell in cells) for column in (0, 1))
    return "\n".join(f"{a:<{width}}  {b:>{number_width}}  {c}".rstrip() for a, b, c in cells)


def _row(index: int, policy: Policy, freeze: Freeze | None, recipe: Recipe, n_parameters: int) -> StageRow:
    stage, kind, selection = policy.stages[index], policy.kind, policy.selection
    if kind.chooses:
        how = {"gradients": "by its gradients", "race": "on validation"}[kind.chooses]
        return StageRow(stage, n_parameters, f"chosen {how}")
    if freeze is None or stage not in policy.trained:
        return StageRow(stage, n_parameters, "frozen")
    opens_in = max(1, len(policy.stages) - index) if policy.gradual else 1
    if recipe.steps is None and opens_in > recipe.epochs and policy.gradual:
        fate = f"frozen (it would open in epoch {opens_in} of {recipe.epochs})"
        return StageRow(stage, n_parameters, fate)
    n_trained = freeze.n_trained(stage)
    if not n_trained:
        return StageRow(stage, n_parameters, f"frozen (it has no {selection.words})")
    rate = None if isinstance(recipe.lr, str) else recipe.stage_rate(stage, policy.stages)
    at = "at the rate found" if rate is None else f"at {rate:g}"
    if policy.gradual:
        fate = f"trained {at} from epoch {opens_in}"
    elif selection == WHOLE:
        fate = f"trained {at}"
    elif policy.adapter is not None:
        fate = f"frozen, with {policy.adapter.method} adapters of {n_trained:,} {at}"
    else:
        fate = f"{selection.words} alone, {n_trained:,} of {n_parameters:,}, {at}"
    return StageRow(stage, n_parameters, fate, True, selection.name, n_trained, rate)
