"""Which one stage to train: the one with the largest relative gradient norm (auto-RGN).

    RGN(theta) = mean over batches b of ||dL_b/dtheta||_2 / ||theta||_2        a parameter tensor theta
    RGN(stage) = mean of RGN(theta) over the weight matrices and kernels of the stage

from Lee et al. 2023, "Surgical fine-tuning improves adaptation to distribution shifts" (ICLR 2023), which
takes 5 batches, and all of the network in eval mode. The stage to train is the one whose weights the new data
would change most, relative to their size.

Differences from the published code, which can divide by zero or choose wrongly: vectors (biases, norms' scales
and shifts, class tokens) are not counted, since they begin near zero and their ratios say little; nor are
tensors of less than a hundredth of their stage's values (BERT's token types), nor those of which all values are
zero. A batch with a gradient that is not finite is left out. Stages in which nothing is counted cannot be
chosen. With a random head every gradient comes from the head's own mistakes, so the head must be the probe.

Legend: N items.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from headstart import randomness
from headstart.errors import OptionError, TrainingError
from headstart.progress import say
from headstart.tune.loop.loop import Loop
from headstart.tune.loop.measure import unchanged
from headstart.tune.policies.policy import NEEDS_FITTED_HEAD, Policy
from headstart.units import counted

N_BATCHES = 5
_LEAST_SHARE = 0.01


@dataclass(frozen=True)
class RGN:
    """Relative gradient norms by stage.

    Attributes:
        stages: names, in order.
        values: of each stage; None if nothing in it could be counted.
        chosen: the stage with the largest value; of equal ones the later.
        notes: what was left out, and reasons for doubt, as sentences.
    """

    stages: tuple[str, ...]
    values: tuple[float | None, ...]
    chosen: str
    notes: tuple[str, ...] = ()

    def table(self) -> str:
        """The values as a table of stage and value, the chosen stage marked."""
        width = max(len("stage"), *map(len, self.stages))
        lines = [f"{'stage':<{width}}  relative gradient norm"]
        for stage, value in zip(self.stages, self.values, strict=True):
            told = "-" if value is None else f"{value:.4g}"
            lines.append(f"{stage:<{width}}  {told}{'  <- trained' if stage == self.chosen else ''}")
        return "\n".join(lines)

    def to_json(self) -> dict[str, Any]:
        """The table as plain values for metrics.json."""
        return {
            "stages": dict(zip(self.stages, self.values, strict=True)),
            "chosen": self.chosen,
            "notes": list(self.notes),
        }


def choose_stage(loop: Loop, *, random_loss: float | None, n_batches: int = N_BATCHES) -> RGN:
    """Measure the stages of a training that is about to begin; nothing is changed.

    Args:
        loop: with every stage open (policy `none`) and the probe as its head.
        random_loss: the loss of a head that prefers no class; None if the targets are not classes.
        n_batches: number of batches of the first epoch to measure on.

    Raises:
        OptionError: the head starts at random, or a stage is frozen.
        TrainingError: no batch gave finite gradients.
    """
    if loop.recipe.head_start == "random":
        raise OptionError(NEEDS_FITTED_HEAD)
    if loop.freeze.frozen:
        raise OptionError(f"every stage must be open to be measured, {loop.freeze.frozen[0]} is frozen")
    parameters = loop.freeze.trained_parameters()
    losses: list[float] = []

    def backward_passes() -> Iterator[None]:
        plan = loop.schedule.plan(1)[:n_batches]
        for number, (positions, inputs) in enumerate(
            loop.items.feed.batches(plan, seed=loop.seed, epoch=0, start=0)
        ):
            loop.optimizer.zero_grad()
            loss = loop.gradients(positions, inputs, epoch=1, step=number)
            losses.append(float(loss))
            yield

    with randomness.seeded(loop.seed), unchanged(loop):
        loop.freeze.train(False)
        loop.objective.eval()
        values, notes = relative_gradient_norms(parameters, backward_passes())
    doubts = _doubts(losses, random_loss)
    return by_stage(values, parameters, loop.freeze.stage_of, loop.freeze.stages, (*notes, *doubts))


def with_stage_chosen(policy: Policy, choose: Callable[[Policy], RGN]) -> tuple[Policy, RGN | None]:
    """The policy; for `only:auto`, that of the chosen stage, and the table of values is printed.

    Args:
        policy: any.
        choose: chooses by the gradients of a training of this policy; called only if the stage is not chosen yet.
    """
    if policy.kind.chooses != "gradients":
        return policy, None
    found = choose(Policy.parse("none", policy.stages))
    for line in (found.table(), *found.notes):
        say(line)
    return Policy.parse(f"only:{found.chosen}", policy.stages), found


def relative_gradient_norms(
    parameters: Mapping[str, nn.Parameter], backward_passes: Iterable[None]
) -> tuple[dict[str, float | None], tuple[str, ...]]:
    """The relative gradient norm of each tensor, averaged over batches.

    Args:
        parameters: by name.
        backward_passes: each step leaves one batch's gradients in the parameters.

    Returns:
        The norm of each tensor, None for a tensor of zeros; and what was left out, as sentences.

    Raises:
        TrainingError: no batch gave finite gradients.
    """
    sums = dict.fromkeys(parameters, 0.0)
    sizes = {name: float(parameter.detach().norm()) for name, parameter in parameters.items()}
    n_used = n_left_out = 0
    for _ in backward_passes:
        norms = {name: _norm(parameter.grad) for name, parameter in parameters.items()}
        if not all(map(math.isfinite, norms.values())):
            n_left_out += 1
            continue
        n_used += 1
        for name, norm in norms.items():
            sums[name] += norm
    if not n_used:
        raise TrainingError(
            "no gradient is a finite number, so no stage can be chosen. Try --precision fp32, or name "
            "the stage: --freeze only:STAGE"
        )
    notes = [f"{n_left_out} of {n_used + n_left_out} batches gave gradients that are not finite"] * bool(
        n_left_out
    )
    zeros = [name for name, size in sizes.items() if not size > 0 or not math.isfinite(size)]
    if zeros:
        notes.append(f"{counted(len(zeros), 'tensors')} of zeros left out, such as {zeros[0]}")
    values = {n: None if n in set(zeros) else sums[n] / n_used / sizes[n] for n in parameters}
    return values, tuple(notes)


def by_stage(
    values: Mapping[str, float | None],
    parameters: Mapping[str, nn.Parameter],
    stage_of: Callable[[str], str],
    stages: Sequence[str],
    notes: Sequence[str] = (),
) -> RGN:
    """Relative gradient norms of stages from those of tensors.

    Args:
        values: of each tensor; None is not counted.
        parameters: by the same names; vectors and tiny tensors are not counted.
        stage_of: the stage of a name.
        stages: names of all stages, in order.
        notes: passed on to the result.

    Raises:
        TrainingError: nothing was counted in any stage.
    """
    sizes: dict[str, int] = dict.fromkeys(stages, 0)
    for name, parameter in parameters.items():
        sizes[stage_of(name)] += parameter.numel()
    counted: dict[str, list[float]] = {stage: [] for stage in stages}
    for name, value in values.items():
        stage, parameter = stage_of(name), parameters[name]
        is_tiny = parameter.numel() < _LEAST_SHARE * sizes[stage]
        if value is not None and not is_tiny and not _is_vector(parameter):
            counted[stage].append(value)
    means = {stage: math.fsum(own) / len(own) if own else None for stage, own in counted.items()}
    best = max((v for v in means.values() if v is not None), default=None)
    if best is None:
        raise TrainingError(
            "no stage has a weight matrix to measure: name the stage with --freeze only:STAGE"
        )
    chosen = [stage for stage, value in means.items() if value == best][-1]
    empty = [stage for stage, value in means.items() if value is None]
    told = [f"nothing can be measured in {', '.join(empty)}"] if empty else []
    return RGN(tuple(stages), tuple(means.values()), chosen, (*notes, *told))


def _norm(gradient: Tensor | None) -> float:
    return 0.0 if gradient is None else float(gradient.detach().float().norm())


def _is_vector(parameter: Tensor) -> bool:
    """Whether all values lie along one dimension: (D,), (1, 1, D), (C, 1, 1)."""
    return parameter.numel() == max(parameter.shape, default=1)


def _doubts(losses: Sequence[float], random_loss: float | None) -> list[str]:
    """Reasons not to trust the gradients: for classes, a head that is not better than a random one."""
    mean = math.fsum(losses) / max(1, len(losses))
    if random_loss is None or mean < random_loss or not math.isfinite(mean):
        return []
    return [
        f"the head is no better than chance on what it was fitted to (loss {mean:.3g}, chance {random_loss:.3g}): "
        "these gradients say more about the head than about the stages"
    ]
