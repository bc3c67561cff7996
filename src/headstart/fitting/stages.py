"""What a policy does to each stage: printed before training, and kept with the run."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from headstart.fitting.plan import Plan

if TYPE_CHECKING:
    from headstart.backbone import Backbone
    from headstart.fitting.result import Result
    from headstart.tune import Policy, Recipe
    from headstart.tune.policies.stage_table import StageRow


def stages_table(plan: Plan, policy: Policy | None = None) -> str:
    """Each stage with its parameters, and whether it is frozen or trains at which rate, as text.

    Args:
        plan: source, policy and recipe.
        policy: what is frozen; None: the policy of the plan.
    """
    from headstart.tune.policies.stage_table import as_table

    return as_table(_stage_rows(plan, policy or plan.policy, plan.recipe))


def planned_rows(plan: Plan) -> list[dict[str, Any]]:
    """The same as plain values."""
    return [asdict(row) for row in _stage_rows(plan, plan.policy, plan.recipe)]


def stage_rows(plan: Plan, result: Result) -> list[dict[str, Any]]:
    """The same for metrics.json: of the training that ran, with the rate that was found."""
    from headstart.tune import Policy

    trained, stages = result.trained, plan.policy.stages
    if trained is None:
        rows = _stage_rows(plan, Policy.parse("all", stages), plan.recipe)
    else:
        rows = _stage_rows(plan, Policy.parse(trained.policy, stages), trained.recipe)
    return [asdict(row) for row in rows]


def _stage_rows(plan: Plan, policy: Policy, recipe: Recipe) -> list[StageRow]:
    import torch

    from headstart.tune.policies.stage_table import policy_rows
    from headstart.tune.training.network_copy import network_to_train

    n_parameters = parameters_of_stages(plan.source.backbone)
    if policy.cut is None or not policy.trained:
        return policy_rows(policy, None, recipe, n_parameters)
    _, freeze = network_to_train(plan.source, policy, device=torch.device("cpu"), seed=0)
    return policy_rows(policy, freeze, recipe, n_parameters)


def parameters_of_stages(backbone: Backbone) -> list[int]:
    """Number of parameters of each stage of a backbone, in order."""
    counts = [0] * backbone.n_stages
    for name, parameter in backbone.module.named_parameters():
        counts[backbone.stage_of(name)] += parameter.numel()
    return counts
