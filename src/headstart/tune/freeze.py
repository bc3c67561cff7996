"""Freeze: the one owner of what is frozen in a network, by stage name.

It decides together what other tools decide apart, and so get wrong: gradients, train or eval mode (and with
it the statistics of normalisation layers and dropout), and what the optimizer holds. A frozen stage stays in
eval mode even when somebody calls `network.train()`; no frozen parameter reaches an optimizer; the names of
all that is frozen are saved with the run and checked when it goes on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from torch import Tensor, nn

from headstart.errors import OptionError, TrainingError, did_you_mean


class Staged(Protocol):
    """What Freeze needs of a backbone: its module, and to which stage everything belongs."""

    @property
    def module(self) -> nn.Module: ...
    @property
    def stages(self) -> tuple[str, ...]: ...
    def stage_of(self, name: str, /) -> int: ...


class Freeze:
    """Hold stages of a backbone frozen until released.

    Args:
        backbone: the backbone; its module is changed in place (`requires_grad`, modes), never its weights.
        frozen: names of the frozen stages.

    Raises:
        OptionError: there is no such stage, or trained stages share all their weights with frozen ones.
    """

    def __init__(self, backbone: Staged, frozen: Sequence[str]) -> None:
        for name in frozen:
            if name not in backbone.stages:
                raise OptionError(
                    f"there is no stage '{name}' to freeze; the stages are {', '.join(backbone.stages)}."
                    f"{did_you_mean(name, backbone.stages)}"
                )
        self._root = self.module = backbone.module
        self.stages = backbone.stages
        self.frozen = tuple(name for name in backbone.stages if name in set(frozen))
        indices = {backbone.stages.index(name) for name in self.frozen}
        owners = {name: backbone.stage_of(name) for name in _all_tensors(self._root)}
        self.frozen_tensors = tuple(name for name, stage in owners.items() if stage in indices)
        self.trained_tensors = tuple(name for name, stage in owners.items() if stage not in indices)
        self._eval_modules = _modules_in_eval(self._root, owners, indices)
        self._requires_grad = {name: p.requires_grad for name, p in self._root.named_parameters()}
        free = {name for name in self._requires_grad if name in set(self.trained_tensors)}
        # what the network itself holds fixed (sinusoidal positions) stays so, unless all of it came fixed
        self._to_train = {name for name in free if self._requires_grad[name]} or free
        self._modes = {name: module.training for name, module in self._root.named_modules()}
        self._apply()
        self._check_that_something_trains()

    def train(self, mode: bool = True) -> None:
        """Put the trained part in train mode, or all in eval mode; the frozen part is in eval mode always."""
        self._root.train(mode)

    def trained_parameters(self) -> dict[str, nn.Parameter]:
        """The parameters that train, by name in the network."""
        return {n: p for n, p in self._root.named_parameters() if n in self._to_train}

    def trained_state(self) -> dict[str, Tensor]:
        """Parameters and buffers of the trained part, by name: all that training may change."""
        tensors = _all_tensors(self._root)
        return {name: tensors[name].detach() for name in self.trained_tensors}

    def load_trained_state(self, state: dict[str, Tensor]) -> None:
        """Put saved values of the trained part back, in place.

        Raises:
            TrainingError: the names are not those of the trained part.
        """
        tensors = _all_tensors(self._root)
        if set(state) != set(self.trained_tensors):
            wrong = sorted(set(state) ^ set(self.trained_tensors))
            raise TrainingError(
                f"the saved weights are not those of the trained stages: {len(wrong)} names differ, "
                f"{wrong[0]} among them"
            )
        for name, value in state.items():
            tensors[name].detach().copy_(value)

    def parameter_groups(
        self, head: nn.Module, *, lr: float, head_lr: float, weight_decay: float
    ) -> list[dict[str, Any]]:
        """Optimizer groups: the trained stages, then the head, each with and without weight decay.

        Vectors (biases, affine parameters of normalisation) are not decayed. Every group carries a `name` and
        its own peak rate as `peak_lr`; its parameters are named, so that a saved optimizer can be told apart.
        """
        network = [(f"network.{n}", p) for n, p in self.trained_parameters().items()]
        heads = [(f"head.{n}", p) for n, p in head.named_parameters()]
        groups = []
        for part, parameters, rate in (("network", network, lr), ("head", heads, head_lr)):
            for decayed in (True, False):
                chosen = [(n, p) for n, p in parameters if (p.ndim > 1) == decayed]
                if chosen:
                    decay = weight_decay if decayed else 0.0
                    name = part if decayed else f"{part}, not decayed"
                    groups.append(
                        {"params": chosen, "lr": rate, "peak_lr": rate, "weight_decay": decay, "name": name}
                    )
        return groups

    def state_dict(self) -> dict[str, Any]:
        """What is frozen, by name, as plain values; it does not depend on what others did to the flags."""
        return {
            "stages": list(self.stages),
            "frozen": list(self.frozen),
            "trained_parameters": list(self.trained_parameters()),
            "frozen_tensors": list(self.frozen_tensors),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Check that a saved state is this one, and put every flag and mode back.

        Raises:
            TrainingError: something else was frozen when the state was saved.
        """
        for key, value in self.state_dict().items():
            if state.get(key) != value:
                raise TrainingError(
                    f"what is frozen differs from the saved run in '{key}': it was {_brief(state.get(key))}, "
                    f"it is {_brief(value)}. Resume with the same source and the same --freeze"
                )
        self._apply()

    def release(self) -> None:
        """Give the network back as it was found: flags, modes and its own `train`."""
        for module in self._eval_modules:
            module.__dict__.pop("train", None)
        for name, parameter in self._root.named_parameters():
            parameter.requires_grad_(self._requires_grad[name])
        for name, module in self._root.named_modules():
            module.training = self._modes[name]

    def _apply(self) -> None:
        for name, parameter in self._root.named_parameters():
            parameter.requires_grad_(name in self._to_train)
            if name not in self._to_train:
                parameter.grad = None
        for module in self._eval_modules:
            module.training = False
            module.__dict__["train"] = _StayInEval(module)

    def _check_that_something_trains(self) -> None:
        if self.frozen and len(self.frozen) < len(self.stages) and not self.trained_parameters():
            self.release()
            raise OptionError(
                f"nothing is left to train: the stages after {self.frozen[-1]} "
                "have no parameters of their own (in ALBERT all layers share theirs). Freeze all or none"
            )


class _StayInEval:
    """The `train` of a module in eval mode: its children decide for themselves, itself it stays."""

    def __init__(self, module: nn.Module) -> None:
        self.module = module

    def __call__(self, mode: bool = True) -> nn.Module:
        for child in self.module.children():
            child.train(mode)
        self.module.training = False
        return self.module


def _all_tensors(root: nn.Module) -> dict[str, Tensor]:
    return {**dict(root.named_parameters()), **dict(root.named_buffers())}


def _modules_in_eval(root: nn.Module, owners: dict[str, int], frozen: set[int]) -> list[nn.Module]:
    """The modules that must stay in eval mode.

    These are all modules that hold a tensor of a frozen stage, containers of frozen and trained stages too:
    in train mode one may drop whole layers or mask hidden states, as Wav2Vec2's encoder does, and so disturb
    what is frozen inside it. A module without tensors (dropout, an activation) goes with the module that
    holds it, or with what is registered before it.
    """
    stages_in: dict[str, set[int]] = {}
    for name, stage in owners.items():
        parts = name.split(".")
        for depth in range(len(parts)):
            stages_in.setdefault(".".join(parts[:depth]), set()).add(stage)
    result, last = [], 0
    for path, module in root.named_modules():
        stages = stages_in.get(path)
        if stages is None:
            around = stages_in.get(path.rpartition(".")[0], set())
            stages = stages_in[path] = around if len(around) == 1 else {last}
        last = max(stages) if len(stages) == 1 else last
        if stages & frozen:
            result.append(module)
    return result


def _brief(value: Any) -> str:
    if isinstance(value, list) and len(value) > 6:
        return f"{', '.join(map(str, value[:3]))} ... ({len(value)} in all)"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
