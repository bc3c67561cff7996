"""A network as an ordered list of stages that can be cut anywhere between them, exactly.

Stages are found in the network, or named. The prefix of a cut is the frozen part: it runs once, and its state
can be stored, sliced and joined by item. The suffix gives what the whole network would, gradients included.

Example:
    >>> import torch
    >>> from torch import nn
    >>> network = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3)).eval()
    >>> backbone = Backbone(network, {"first": "0", "second": "2"})
    >>> inputs = torch.randn(5, 4)
    >>> state = backbone.prefix(inputs, cut=1)
    >>> bool(torch.equal(backbone.suffix(state, cut=1), backbone(inputs)))
    True
    >>> [tuple(vector.shape) for vector in backbone.pooled(inputs)]
    [(5, 8), (5, 3)]
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Mapping, Sequence
from threading import RLock
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_flatten

from headstart.backbone._calls import Inputs, as_call, count_items, eval_mode, take_items
from headstart.backbone._made_up import made_up_inputs
from headstart.backbone._owners import Start, assign_owners, trace_owners
from headstart.backbone._plan import Plan, named_inputs, run_prefix, run_suffix, state_noted, unnamed_inputs
from headstart.backbone._probe import make_plan
from headstart.backbone._trees import describe
from headstart.backbone.pooling import StagePooler
from headstart.backbone.stages import find_stages
from headstart.backbone.state import Layout, State
from headstart.errors import ArchitectureError, did_you_mean


class Backbone:
    """A network and its stages.

    Args:
        module: the network; `module(x)` or `module(**inputs)` gives its output.
        stages: stage name -> module path in the order they run, or the paths alone; None: found. A path that
            occurs several times stands for the first, second, ... call of one shared module. The first stage
            is everything that runs before the second begins, the last one everything after it began.

    Raises:
        ArchitectureError: no stages are found, or a path does not exist.
    """

    def __init__(self, module: nn.Module, stages: Mapping[str, str] | Sequence[str] | None = None) -> None:
        self.module = module
        named = find_stages(module) if stages is None else stages
        if not isinstance(named, Mapping):
            named = {path: path for path in named}
        if not named:
            raise ArchitectureError(
                f"{type(module).__name__} was given no stages; name at least one module path"
            )
        self.stages: tuple[str, ...] = tuple(named)
        self.paths: tuple[str, ...] = tuple(named.values())
        self._starts: tuple[Start, ...] = self._find_starts()
        self._plans: dict[Any, Plan] = {}
        self._seen: dict[int, int] = {}
        self._owners: dict[str, int] | None = None
        self._traced = False
        self._pooler: StagePooler | None = None
        self._lock = RLock()
        # listed once, since a walk over all modules takes longer than a small suffix
        self._modules = list(module.modules())

    def _find_starts(self) -> tuple[Start, ...]:
        modules = dict(self.module.named_modules())
        calls: Counter[str] = Counter()
        starts: list[Start] = []
        for name, path in zip(self.stages, self.paths, strict=True):
            if path not in modules:
                raise ArchitectureError(
                    f"stage '{name}': {type(self.module).__name__} has no module '{path}'."
                    + did_you_mean(path, modules)
                )
            starts.append((modules[path], calls[path]))
            calls[path] += 1
        return tuple(starts)

    @property
    def n_stages(self) -> int:
        return len(self.stages)

    def __call__(self, inputs: Inputs) -> Any:
        """Run the whole network.

        Args:
            inputs: a tensor of shape (N, ...), or a mapping of named tensors that are passed by name.
        """
        args, kwargs = as_call(inputs)
        return self.module(*args, **kwargs)

    def prefix(self, inputs: Inputs, cut: int) -> State:
        """Run the stages before a cut, in eval mode and without gradients.

        Args:
            inputs: a tensor of shape (N, ...), or a mapping of named tensors.
            cut: `0 <= cut <= n_stages`; the first stage that is not run.

        Raises:
            ArchitectureError: the network cannot be cut there; checked on the first items that pass.
        """
        self._check_cut(cut)
        with self._lock:
            if cut == 0:
                return _state_of_inputs(inputs)
            modules = list(self.module.modules())
            if cut == self.n_stages:
                with torch.no_grad(), eval_mode(modules):
                    return _state_of_output(self(inputs), count_items(inputs), cut)
            return run_prefix(self.module, modules, self._plan(inputs, cut), inputs)

    def suffix(self, state: State, cut: int) -> Any:
        """Run the stages from a cut on and return what the whole network would.

        Modes are kept as they are set; the stages before the cut cost nothing.

        Args:
            state: of `prefix` at the same cut, of any items.
            cut: the cut.
        """
        self._check_cut(cut)
        if state.layout.cut != cut:
            raise ValueError(f"a state of cut {state.layout.cut} was given for cut {cut}")
        if cut == 0:
            values = {
                name: tree.rebuild(state.tensors, f"input.{name}", state.n_items)
                for name, tree, _ in state.layout.inputs
            }
            return self(unnamed_inputs(values))
        if cut == self.n_stages:
            return state.layout.values[0][1].rebuild(state.tensors, "output", state.n_items)
        with self._lock:
            plan = self._plans.get(_layout_key(state.layout))
            if plan is None:
                raise ValueError("a state of another backbone: call `prefix` of this one on a batch first")
            return run_suffix(self.module, self._modules, plan, state)

    def pooled(self, inputs: Inputs) -> list[Tensor]:
        """Return one vector per item and stage: the mean over the item's own positions.

        For audio (inputs with `lengths`) the standard deviation follows the mean. The last stage's
        vector is the network's own output if that is a vector.

        Args:
            inputs: a tensor of shape (N, ...), or a mapping of named tensors.

        Returns:
            n_stages float32 tensors of shape (N, D_s).
        """
        with self._lock, torch.no_grad(), eval_mode(list(self.module.modules())):
            if not self._traced:
                self.trace(inputs)
            if self._pooler is None:
                self._pooler = self.pooler()
            args, kwargs = as_call(inputs)
            vectors: list[Tensor] = self._pooler(*args, **kwargs)
            return vectors

    def pooled_and_state(self, inputs: Inputs, cut: int) -> tuple[list[Tensor], State]:
        """Return the results of `pooled` and `prefix` from one pass.

        Args:
            inputs: a tensor of shape (N, ...), or a mapping of named tensors.
            cut: `0 < cut < n_stages`.

        Raises:
            ArchitectureError: the network cannot be cut there.
        """
        if not 0 < cut < self.n_stages:
            raise ValueError(f"0 < cut < {self.n_stages} must hold, got cut={cut}")
        with self._lock:
            plan = self._plan(inputs, cut)
            with state_noted(self.module, plan, inputs) as noted:
                vectors = self.pooled(inputs)
            return vectors, noted[0]

    def pooler(self) -> StagePooler:
        """Return the module that `pooled` runs; torch.export takes it."""
        return StagePooler(self.module, self._starts)

    def stage_of(self, name: str) -> int:
        """Return the stage that a parameter or buffer belongs to: the one that first uses it.

        If several stages call a module (ALBERT's layers), it is the first of them.

        Raises:
            KeyError: the network has no parameter or buffer of that name.
        """
        if not self._traced:
            self._trace_made_up()
        if self._owners is None:
            self._owners = assign_owners(self.module, self.paths, self._seen)
        return self._owners[name]

    def stage_modules(self, index: int) -> list[nn.Module]:
        """Return the outermost modules whose tensors all belong to a stage."""
        owners = {name: self.stage_of(name) for name in self._tensor_names()}
        found: list[str] = []
        for path, _ in self.module.named_modules():
            if any(path.startswith(f"{outer}.") for outer in found) or not path:
                continue
            own = {owner for name, owner in owners.items() if name.startswith(f"{path}.")}
            if own == {index}:
                found.append(path)
        return [self.module.get_submodule(path) for path in found]

    def _tensor_names(self) -> list[str]:
        named = [*self.module.named_parameters(remove_duplicate=False)]
        buffers = [*self.module.named_buffers(remove_duplicate=False)]
        return [name for name, _ in [*named, *buffers]]

    def trace(self, inputs: Inputs) -> None:
        """Run a few items once to find the order of stages and which stage uses which parameter.

        Raises:
            ArchitectureError: a stage never runs, or they run in another order than named.
        """
        last = count_items(inputs) - 1
        few = take_items(inputs, [0, last])
        with self._lock, eval_mode(list(self.module.modules())):
            _, began, self._seen = trace_owners(self.module, self._starts[1:], few)
        self._traced, self._owners = True, None
        if began != list(range(1, self.n_stages)):
            names = [self.stages[index] for index in began]
            raise ArchitectureError(
                f"the stages of {type(self.module).__name__} run in the order {names}, not as named: "
                f"{list(self.stages[1:])}. Name them in the order they run; each must run once per pass."
            )

    def _trace_made_up(self) -> None:
        """Trace on a made-up input, so that owners do not change with the first real input."""
        try:
            inputs = made_up_inputs(self.module)
            if inputs is not None:
                self.trace(inputs)
        except ArchitectureError:
            raise
        except Exception:
            # It takes other inputs: paths and registration order decide the owners until real items pass.
            return

    def __deepcopy__(self, memo: dict[int, Any]) -> Backbone:
        return Backbone(copy.deepcopy(self.module, memo), self.named_stages)

    def __reduce__(self) -> tuple[Any, ...]:
        return Backbone, (self.module, self.named_stages)

    @property
    def named_stages(self) -> dict[str, str]:
        """Stage name -> module path."""
        return dict(zip(self.stages, self.paths, strict=True))

    def _check_cut(self, cut: int) -> None:
        if not 0 <= cut <= self.n_stages:
            raise ValueError(f"0 <= cut <= {self.n_stages} must hold, got cut={cut}")

    def _plan(self, inputs: Inputs, cut: int) -> Plan:
        key = (cut, tuple(named_inputs(inputs)))
        if key not in self._plans:
            if not self._traced:
                self.trace(inputs)
            label = f"stage '{self.stages[cut]}' (cut {cut})"
            modules = list(self.module.modules())
            self._plans[key] = make_plan(self.module, modules, cut, self._starts[cut], inputs, label)
        return self._plans[key]


def _layout_key(layout: Layout) -> tuple[int, tuple[str, ...]]:
    return layout.cut, tuple(name for name, _, _ in layout.inputs)


def _state_of_inputs(inputs: Inputs) -> State:
    n_items = count_items(inputs)
    described = tuple((name, describe(value, n_items), True) for name, value in named_inputs(inputs).items())
    tensors: dict[str, Tensor] = {}
    for (name, tree, _), value in zip(described, named_inputs(inputs).values(), strict=True):
        tensors.update(tree.split(value, f"input.{name}"))
    return State(n_items, tensors, Layout(0, described, (), ()))


def _state_of_output(output: Any, n_items: int, cut: int) -> State:
    tree = describe(output, n_items)
    flat, _ = tree_flatten(output)
    if not any(leaf.kind == "items" for leaf in tree.leaves):
        shapes = [tuple(value.shape) for value in flat if isinstance(value, Tensor)]
        raise ArchitectureError(f"the output has no dimension of {n_items} items: shapes {shapes}")
    return State(n_items, tree.split(output, "output"), Layout(cut, (), (("output", tree),), ()))
