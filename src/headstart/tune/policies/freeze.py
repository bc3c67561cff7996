"""Freeze: the one owner of what is frozen in a network, by stage name.

It decides in one place what is otherwise decided in several, which leads to mistakes: gradients, train or eval
mode (and with it the statistics of normalisation layers and dropout), and what the optimizer holds. A frozen
stage stays in eval mode even if other code calls `network.train()`; no frozen parameter reaches an optimizer;
the names of the frozen tensors are saved with the run and checked when it is resumed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from torch import Tensor, nn

from headstart.errors import OptionError, TrainingError, did_you_mean
from headstart.tune.adapters.kinds import is_adapter
from headstart.tune.policies.selections import WHOLE, Selection
from headstart.units import agreeing, counted


class Staged(Protocol):
    """What Freeze needs of a backbone: its module, and to which stage everything belongs."""

    @property
    def module(self) -> nn.Module: ...
    @property
    def stages(self) -> tuple[str, ...]: ...
    def stage_of(self, name: str, /) -> int: ...


class Freeze:
    """Hold stages of a backbone frozen until thawed or released.

    Where only some parameters of a stage train (`selection`), the whole stage is in eval mode: its statistics
    and its dropout do not change, as in a frozen stage; only the adapters' own modules follow `train`.

    Args:
        backbone: the backbone; its module is changed in place (`requires_grad`, modes), never its weights.
        frozen: names of the frozen stages.
        selection: which parameters of the other stages train.
        later: those of the frozen stages that will be thawed, so that their weights are kept too.

    Raises:
        OptionError: there is no such stage, or the other stages have nothing to train.
    """

    def __init__(
        self,
        backbone: Staged,
        frozen: Sequence[str],
        selection: Selection = WHOLE,
        later: Sequence[str] = (),
    ) -> None:
        for name in frozen:
            if name not in backbone.stages:
                raise OptionError(
                    f"there is no stage '{name}' to freeze; the stages are {', '.join(backbone.stages)}."
                    f"{did_you_mean(name, backbone.stages)}"
                )
        self._root = self.module = backbone.module
        self.stages, self.selection, self.later = backbone.stages, selection, tuple(later)
        self._owners = {name: backbone.stage_of(name) for name in _all_tensors(self._root)}
        self._selected = selection.parameters(self._root)
        self._requires_grad = {name: p.requires_grad for name, p in self._root.named_parameters()}
        self._modes = {name: module.training for name, module in self._root.named_modules()}
        self._eval_modules: list[nn.Module] = []
        self._set(frozen)
        self._check_that_something_trains()

    def train(self, mode: bool = True) -> None:
        """Put the trained part in train mode, or everything in eval mode; the frozen part is always in eval mode."""
        self._root.train(mode)

    def thaw(self, stages: Sequence[str]) -> None:
        """Let more stages train from now on."""
        self._set([stage for stage in self.frozen if stage not in stages])

    def normalises_over_batches(self) -> bool:
        """Whether a trained stage normalises over the batch, which needs more than one item."""
        self.train()
        batch_norm = nn.modules.batchnorm._BatchNorm
        return any(isinstance(m, batch_norm) and m.training for m in self.module.modules())

    def stage_of(self, name: str) -> str:
        """The stage a parameter or buffer belongs to."""
        return self.stages[self._owners[name]]

    @property
    def open_stages(self) -> tuple[str, ...]:
        """The stages that are not frozen now."""
        return tuple(stage for stage in self.stages if stage not in self.frozen)

    def trained_parameters(self) -> dict[str, nn.Parameter]:
        """The parameters that train now, by name in the network."""
        return {n: p for n, p in self._root.named_parameters() if n in self._to_train}

    def n_trained(self, stage: str) -> int:
        """Number of parameters of a stage that train, now or once it is thawed."""
        free = self._free_of({name for name in self._requires_grad if name in set(self._may_change)})
        own = [
            p for name, p in self._root.named_parameters() if name in free and self.stage_of(name) == stage
        ]
        return sum(parameter.numel() for parameter in own)

    def trained_state(self) -> dict[str, Tensor]:
        """Everything that the training may change, by name: of the trained stages and of those thawed later."""
        tensors = _all_tensors(self._root)
        return {name: tensors[name].detach() for name in self._may_change}

    def load_trained_state(self, state: Mapping[str, Tensor]) -> None:
        """Put saved values of the trained part back, in place.

        Raises:
            TrainingError: the names are not those of the trained part.
        """
        tensors = _all_tensors(self._root)
        if set(state) != set(self._may_change):
            wrong = sorted(set(state) ^ set(self._may_change))
            raise TrainingError(
                f"the saved weights are not those of the trained stages: {counted(len(wrong), 'names')} "
                f"{agreeing(len(wrong), 'differs', 'differ')}, such as {wrong[0]}"
            )
        for name, value in state.items():
            tensors[name].detach().copy_(value)

    def state_dict(self) -> dict[str, Any]:
        """What is frozen, by name, as plain values; it does not depend on flags that other code changed."""
        return {
            "stages": list(self.stages),
            "frozen": list(self.frozen),
            "what": self.selection.name,
            "trained_parameters": list(self.trained_parameters()),
            "frozen_tensors": list(self.frozen_tensors),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Check that a saved state equals this one, and restore every flag and mode.

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
        """Restore the network as it was before: flags, modes and its own `train`."""
        self._let_follow()
        for name, parameter in self._root.named_parameters():
            parameter.requires_grad_(self._requires_grad[name])
        for name, module in self._root.named_modules():
            module.training = self._modes[name]

    def _set(self, frozen: Sequence[str]) -> None:
        """Freeze these stages and no others."""
        self._let_follow()
        self.frozen = tuple(name for name in self.stages if name in set(frozen))
        indices = {self.stages.index(name) for name in self.frozen}
        later = {self.stages.index(name) for name in self.later}
        trained = self._trainable_of({stage for stage in range(len(self.stages)) if stage not in indices})
        self.trained_tensors = tuple(trained)
        self.frozen_tensors = tuple(name for name in self._owners if name not in trained)
        self._may_change = tuple(self._trainable_of(set(self._owners.values()) - (indices - later)))
        free = {name for name in self._requires_grad if name in trained}
        self._to_train = self._free_of(free)
        if self.selection == WHOLE:
            self._eval_modules = _modules_in_eval(self._root, self._owners, indices)
        else:
            self._eval_modules = _all_but_adapters(self._root)
        self._apply()

    def _free_of(self, names: set[str]) -> set[str]:
        """Parameters that the network keeps fixed (sinusoidal positions) stay fixed, unless all of them came fixed."""
        return {name for name in names if self._requires_grad[name]} or names

    def _trainable_of(self, stages: set[int]) -> dict[str, None]:
        """Names of the tensors of these stages that training may change, in the network's order."""
        return {
            name: None
            for name, stage in self._owners.items()
            if stage in stages and (self.selection == WHOLE or name in self._selected)
        }

    def _let_follow(self) -> None:
        """Restore the own `train` of the modules in eval mode."""
        for module in self._eval_modules:
            module.__dict__.pop("train", None)

    def _apply(self) -> None:
        for name, parameter in self._root.named_parameters():
            parameter.requires_grad_(name in self._to_train)
            if name not in self._to_train:
                parameter.grad = None
        for module in self._eval_modules:
            module.training = False
            module.__dict__["train"] = _StayInEval(module)

    def _check_that_something_trains(self) -> None:
        to_come = any(name in self._requires_grad for name in self._may_change)
        if len(self.frozen) == len(self.stages) or self.trained_parameters() or to_come:
            return
        self.release()
        trained = [stage for stage in self.stages if stage not in self.frozen]
        if self.selection != WHOLE:
            raise OptionError(
                f"nothing is left to train: the stages {', '.join(trained)} have no {self.selection.missing}. "
                "Choose another --freeze"
            )
        if self.frozen:
            raise OptionError(
                f"nothing is left to train: the stages {', '.join(trained)} "
                "have no parameters of their own (in ALBERT all layers share theirs). Freeze all or none"
            )


def _all_but_adapters(root: nn.Module) -> list[nn.Module]:
    return [module for path, module in root.named_modules() if not is_adapter(path)]


class _StayInEval:
    """The `train` of a module in eval mode: it stays in eval mode, and its children have their own `train`."""

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

    These are all modules that hold a tensor of a frozen stage, also containers of frozen and trained stages: in
    train mode a container may drop whole layers or mask hidden states, as Wav2Vec2's encoder does, and so
    change what is frozen inside it. A module without tensors (dropout, an activation) belongs with the module
    that holds it, or with the one registered before it.
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
