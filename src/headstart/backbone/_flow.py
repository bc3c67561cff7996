"""Which modules feed straight into which others: seen by running a network once on a made-up input.

The order of registration is not the order of calls, and a convolution whose output is also used elsewhere must
not absorb the batch norm after it. So each module's output is followed to the calls that use it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves

from headstart.backbone._calls import Forward, Inputs, Wrapper, as_call, eval_mode, replaced_forwards

_LOOKS_ONLY = ("__get__", "size", "dim", "stride", "numel", "__len__", "is_contiguous", "element_size")


class _CountUses(TorchFunctionMode):
    """Counts the calls that read each tensor; calls that only ask for its shape do not count."""

    def __init__(self) -> None:
        super().__init__()
        self.n_uses: Counter[int] = Counter()
        self.alive: list[Any] = []

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if getattr(func, "__name__", "") not in _LOOKS_ONLY:
            for leaf in tree_leaves((args, kwargs or {})):
                if isinstance(leaf, Tensor):
                    self.n_uses[id(leaf)] += 1
        output = func(*args, **(kwargs or {}))
        self.alive.append(output)
        return output


@contextmanager
def _out_of_place(network: nn.Module) -> Iterator[None]:
    """Keep activations from writing into their input, which would make two tensors look like one."""
    in_place = [module for module in network.modules() if getattr(module, "inplace", None) is True]
    try:
        for module in in_place:
            setattr(module, "inplace", False)  # noqa: B010
        yield
    finally:
        for module in in_place:
            setattr(module, "inplace", True)  # noqa: B010


class Flow:
    """The record of one pass.

    Attributes:
        inputs: of the network.
        n_calls: module -> how often it was called.
        output: of the network.
    """

    def __init__(self, network: nn.Module, inputs: Inputs) -> None:
        self.inputs = inputs
        self.n_calls: Counter[nn.Module] = Counter()
        self._gave: dict[int, list[nn.Module]] = defaultdict(list)
        self._took: dict[nn.Module, Tensor] = {}
        self._uses = _CountUses()
        parts = [module for module in network.modules() if module is not network]
        args, kwargs = as_call(inputs)
        watched = replaced_forwards({module: self._watch(module) for module in parts})
        quiet = eval_mode(list(network.modules())), _out_of_place(network)
        with torch.no_grad(), quiet[0], quiet[1], self._uses, watched:
            self.output = network(*args, **kwargs)

    def _watch(self, module: nn.Module) -> Wrapper:
        def wrap(forward: Forward) -> Forward:
            def watched(*args: Any, **kwargs: Any) -> Any:
                self.n_calls[module] += 1
                if args and isinstance(args[0], Tensor):
                    self._took[module] = args[0]
                output = forward(*args, **kwargs)
                if isinstance(output, Tensor):
                    self._uses.alive.append(output)
                    self._gave[id(output)].append(module)
                return output

            return watched

        return wrap

    def feeder(self, module: nn.Module, kinds: tuple[type[nn.Module], ...]) -> nn.Module | None:
        """Return the module of the given kinds whose output only `module` takes, if any.

        Both must have been called exactly once.
        """
        taken = self._took.get(module)
        if taken is None or self.n_calls[module] != 1 or self._uses.n_uses[id(taken)] != 1:
            return None
        for giver in self._gave[id(taken)]:
            if isinstance(giver, kinds) and self.n_calls[giver] == 1 and giver is not module:
                return giver
        return None
