"""Which layers of a network can have an adapter, so that adapting and merging them is exact.

An adapter replaces a layer's call. It has no effect on a layer whose weight something else reads (attention
through a fused kernel, tied weights), is wrong on one whose weight is computed again at each call (weight
norm), and changes a frozen stage if that stage calls the same layer. Module classes do not show any of this, so
the network runs once on two items and every use of every weight is noted.

Also left out: grouped, dilated and otherwise padded convolutions, which peft's low-rank layers do not follow;
convolutions over time for ia3; layers inside torch's own attention and encoder layers, which read weights
directly at inference (peft's adapter of the former rounds the frozen weights at every pass); layers narrower
than the rank; for dora, layers with a row of zeros (it divides by the norm of rows).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import is_parametrized
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves

from headstart.backbone import Backbone, eval_mode, made_up_inputs
from headstart.errors import OptionError, did_you_mean
from headstart.tune.adapters.kinds import Adapter

Inputs = Tensor | Mapping[str, Any]


def adaptable_layers(
    network: nn.Module,
    stages: Mapping[str, str],
    trained: Sequence[str],
    adapter: Adapter,
    inputs: Inputs | None = None,
) -> dict[str, nn.Module]:
    """Find the layers that can have an adapter.

    Args:
        network: the network.
        stages: stage name -> module path, in order.
        trained: names of the stages whose layers are looked at.
        adapter: the adapter.
        inputs: two items or more; None: made up. If none can be made up, layers are chosen by their class and
            the stage that holds them.

    Returns:
        Path -> layer, in the network's order.

    Raises:
        OptionError: there is no such stage, no such layer, or each is narrower than the rank.
    """
    for name in trained:
        if name not in stages:
            raise OptionError(
                f"there is no stage '{name}'; the stages are {', '.join(stages)}.{did_you_mean(name, stages)}"
            )
    kind = {path: layer for path, layer in _own_layers(network).items() if _is_of_a_kind(layer, adapter)}
    backbone = Backbone(network, stages)
    uses = _watch(backbone, kind, inputs)
    free = {list(stages).index(name) for name in trained}
    fitting = {
        path: layer
        for path, layer in kind.items()
        if backbone.stage_of(f"{path}.weight") in free and (uses is None or uses.allow(path, free))
    }
    if not fitting:
        raise OptionError(
            f"the network has no layer that {adapter.method} fits in the trained stages "
            f"({_brief(trained)}): it fits linear layers and ungrouped convolutions whose weights nothing else "
            "reads. Train whole stages instead (--freeze first:K), or their norms or biases (norm, bias)"
        )
    return fitting if adapter.method == "ia3" else _wide_enough(fitting, adapter)


def _wide_enough(layers: Mapping[str, nn.Module], adapter: Adapter) -> dict[str, nn.Module]:
    sides = {path: _smaller_side(layer) for path, layer in layers.items()}
    widest = max(sides.values())
    if adapter.rank > widest:
        raise OptionError(
            f"1 <= rank <= {widest} must hold for {adapter.method} here (the smaller side of the widest layer "
            f"of the trained stages), got rank={adapter.rank}"
        )
    return {path: layer for path, layer in layers.items() if sides[path] >= adapter.rank}


def _smaller_side(layer: nn.Module) -> int:
    """Of the weight as a matrix: outputs by inputs times the kernel's positions."""
    weight = layer.get_parameter("weight")
    return min(weight.shape[0], weight[0].numel())


def _own_layers(network: nn.Module) -> dict[str, nn.Module]:
    """The layers that occur once in the network and share no parameter with another."""
    from transformers.pytorch_utils import Conv1D

    places = Counter(id(module) for _, module in network.named_modules(remove_duplicate=False))
    named: dict[int, set[int]] = defaultdict(set)  # parameter -> modules that hold it
    for module in network.modules():
        for parameter in module.parameters(recurse=False):
            named[id(parameter)].add(id(module))
    closed = [
        f"{path}."
        for path, module in network.named_modules()
        if isinstance(module, nn.MultiheadAttention | nn.TransformerEncoderLayer)
    ]
    return {
        path: module
        for path, module in network.named_modules()
        if isinstance(module, nn.Linear | nn.Conv1d | nn.Conv2d | Conv1D)
        and path
        and places[id(module)] == 1
        and all(len(named[id(parameter)]) == 1 for parameter in module.parameters(recurse=False))
        and not path.startswith(tuple(closed))
    }


def _is_of_a_kind(layer: nn.Module, adapter: Adapter) -> bool:
    """Whether peft's layer computes exactly what this layer does, plus the adapter."""
    if is_parametrized(layer) or not isinstance(layer._parameters.get("weight"), nn.Parameter):
        return False
    weight = layer.get_parameter("weight")
    if not weight.is_floating_point() or "forward" in vars(layer):
        return False
    if isinstance(layer, nn.Conv1d | nn.Conv2d):
        plain = type(layer) in (nn.Conv1d, nn.Conv2d) and layer.groups == 1 and layer.padding_mode == "zeros"
        if adapter.method == "ia3":
            return plain and isinstance(layer, nn.Conv2d)
        if not plain or set(layer.dilation) != {1}:
            return False
    elif isinstance(layer, nn.Linear) and type(layer).forward is not nn.Linear.forward:
        return False
    if adapter.method != "dora":
        return True
    rows = weight.detach().flatten(1) if isinstance(layer, nn.Linear | nn.Conv1d | nn.Conv2d) else weight.T
    return bool((rows.detach().norm(dim=1) > 0).all())


@dataclass(frozen=True)
class _Uses:
    """How one pass used each layer.

    Attributes:
        stages: path -> the stages that use it.
        misused: paths of the layers whose parameters are read outside their own call.
        reached: paths of the layers that the output depends on.
    """

    stages: Mapping[str, set[int]]
    misused: set[str]
    reached: set[str]

    def allow(self, path: str, free: set[int]) -> bool:
        return path in self.reached and path not in self.misused and self.stages[path] <= free


class _Watch(TorchFunctionMode):
    """Notes in which stage and inside which layer's call the parameters of layers are used."""

    def __init__(self, layers: Mapping[str, nn.Module]) -> None:
        super().__init__()
        self._path_of = {id(p): path for path, layer in layers.items() for p in layer.parameters(False)}
        self.running: list[str] = []
        self.stage = 0
        self.stages: dict[str, set[int]] = defaultdict(set)
        self.misused: set[str] = set()

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        output = func(*args, **(kwargs or {}))
        if any(isinstance(leaf, Tensor) for leaf in tree_leaves(output)):  # else a shape or dtype is read
            for leaf in tree_leaves((args, kwargs)):
                path = self._path_of.get(id(leaf))
                if path is not None:
                    self.stages[path].add(self.stage)
                    if self.running[-1:] != [path]:
                        self.misused.add(path)
        return output

    def begins(self, path: str) -> Callable[..., None]:
        return lambda *_: self.running.append(path)

    def ends(self, *_: Any) -> None:
        self.running.pop()


def _watch(backbone: Backbone, layers: Mapping[str, nn.Module], inputs: Inputs | None) -> _Uses | None:
    """Run two items through the network; None if none can be made up."""
    network = backbone.module
    try:
        items = made_up_inputs(network) if inputs is None else inputs
        if items is None:
            return None
        with _as_at_inference(network, list(layers.values())), ExitStack() as hooks:
            watch = _Watch(layers)
            _follow_stages(backbone, watch, hooks)
            for path, layer in layers.items():
                hooks.enter_context(_removed_after(layer.register_forward_pre_hook(watch.begins(path))))
                hooks.enter_context(_removed_after(layer.register_forward_hook(watch.ends)))
            with watch:
                output = backbone(items)
            floats = [t for t in tree_leaves(output) if isinstance(t, Tensor) and t.requires_grad]
            weights = [layer.get_parameter("weight") for layer in layers.values()]
            reached = torch.autograd.grad([t.sum() for t in floats], weights, allow_unused=True)
    except Exception:
        if inputs is not None:
            raise
        return None  # the network does not take the made-up inputs
    return _Uses(
        watch.stages, watch.misused, {p for p, g in zip(layers, reached, strict=True) if g is not None}
    )


def _follow_stages(backbone: Backbone, watch: _Watch, hooks: ExitStack) -> None:
    """Tell the watch when each stage begins: at its module's first call, or a later one if paths repeat."""
    calls: Counter[str] = Counter()
    for path in dict.fromkeys(backbone.paths):
        indices = [index for index, other in enumerate(backbone.paths) if other == path]

        def begin(*_: Any, path: str = path, indices: Sequence[int] = indices) -> None:
            if calls[path] < len(indices):
                watch.stage = indices[calls[path]]
            calls[path] += 1

        module = backbone.module.get_submodule(path)
        hooks.enter_context(_removed_after(module.register_forward_pre_hook(begin)))


@contextmanager
def _removed_after(handle: Any) -> Iterator[None]:
    try:
        yield
    finally:
        handle.remove()


@contextmanager
def _as_at_inference(network: nn.Module, layers: Sequence[nn.Module]) -> Iterator[None]:
    """Eval mode, with gradients of the layers' weights; modes and flags are restored after."""
    flags = [(parameter, parameter.requires_grad) for parameter in network.parameters()]
    weights = {id(layer.get_parameter("weight")) for layer in layers}
    try:
        # only weights: EfficientFormer caches tensors made from its biases, with their graph
        for parameter, _ in flags:
            parameter.requires_grad_(id(parameter) in weights)
        with eval_mode(list(network.modules())), torch.enable_grad():
            yield
    finally:
        for parameter, flag in flags:
            parameter.requires_grad_(flag)


def _brief(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) <= 6 else f"{', '.join(names[:3])} ... {names[-1]}"
