"""What a policy does to each stage, told before training and kept with the run."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from headstart.verbs.prepare import Prepared

if TYPE_CHECKING:
    from headstart.backbone import Backbone
    from headstart.tune.groups import StageRow


def stages_table(job: Prepared) -> str:
    """Each stage with its parameters, and whether it is frozen or trains at which rate, as text."""
    from headstart.tune.groups import as_table

    return as_table(_stage_rows(job))


def stage_rows(job: Prepared) -> list[dict[str, Any]]:
    """The same as plain values, for metrics.json."""
    return [asdict(row) for row in _stage_rows(job)]


def _stage_rows(job: Prepared) -> list[StageRow]:
    import torch

    from headstart.tune.groups import policy_rows
    from headstart.tune.network import network_to_train

    n_parameters, policy = parameters_of_stages(job.source.backbone), job.policy
    if policy.cut is None or not policy.trained:
        return policy_rows(policy, None, job.recipe, n_parameters)
    _, freeze = network_to_train(job.source, policy, device=torch.device("cpu"), seed=0)
    return policy_rows(policy, freeze, job.recipe, n_parameters)


def parameters_of_stages(backbone: Backbone) -> list[int]:
    """Number of parameters of each stage of a backbone, in order."""
    counts = [0] * backbone.n_stages
    for name, parameter in backbone.module.named_parameters():
        counts[backbone.stage_of(name)] += parameter.numel()
    return counts
