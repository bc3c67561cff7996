"""What a policy does to each stage, told before training and kept with the run."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from headstart.verbs.prepare import Prepared

if TYPE_CHECKING:
    from headstart.backbone import Backbone
    from headstart.tune import Policy, Recipe
    from headstart.tune.groups import StageRow
    from headstart.verbs.learned import Learned


def stages_table(job: Prepared, policy: Policy | None = None, recipe: Recipe | None = None) -> str:
    """Each stage with its parameters, and whether it is frozen or trains at which rate, as text.

    Args:
        job: the data and the source.
        policy: what is frozen; None: as the command asks.
        recipe: of the rates; None: as the command asks.
    """
    from headstart.tune.groups import as_table

    return as_table(_stage_rows(job, policy or job.policy, recipe or job.recipe))


def stage_rows(job: Prepared, learned: Learned) -> list[dict[str, Any]]:
    """The same as plain values, for metrics.json: of the training that was run, with the rate that was found."""
    from headstart.tune import Policy

    tuned, policy, recipe = learned.tuned, job.policy, job.recipe
    if tuned is not None:
        policy, recipe = Policy.parse(tuned.policy, policy.stages), tuned.recipe
    elif learned.auto is not None:
        policy = Policy.parse("all", policy.stages)
    return [asdict(row) for row in _stage_rows(job, policy, recipe)]


def _stage_rows(job: Prepared, policy: Policy, recipe: Recipe) -> list[StageRow]:
    import torch

    from headstart.tune.groups import policy_rows
    from headstart.tune.network import network_to_train

    n_parameters = parameters_of_stages(job.source.backbone)
    if policy.cut is None or not policy.trained:
        return policy_rows(policy, None, recipe, n_parameters)
    _, freeze = network_to_train(job.source, policy, device=torch.device("cpu"), seed=0)
    return policy_rows(policy, freeze, recipe, n_parameters)


def parameters_of_stages(backbone: Backbone) -> list[int]:
    """Number of parameters of each stage of a backbone, in order."""
    counts = [0] * backbone.n_stages
    for name, parameter in backbone.module.named_parameters():
        counts[backbone.stage_of(name)] += parameter.numel()
    return counts
