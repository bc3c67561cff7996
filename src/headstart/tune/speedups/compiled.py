"""Compiled blocks: what trains is turned into fused machine code by torch.compile before the first step.

A cut lives in hooks and in replaced forwards around the stages, at which a compiler of the whole network
would break. So the blocks inside the trained stages are compiled one by one, from the forward
inside whatever is around it; blocks of one kind share their code. Shapes are left open, since a text's length
and the last batch differ.

When not to use it: on a CPU, where compiling took 10 to 18 seconds of one core and steps became slower
(docs/training.md has what was measured).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from headstart import processes
from headstart.errors import OptionError, TrainingError, one_line
from headstart.tune.speedups.activation_checkpoints import Checkpointed, Staged, pieces_of


class Compiled:
    """Compile the blocks of some stages until released.

    Args:
        backbone: the backbone; its modules get a `forward` of their own, no weight or name changes.
        stages: names of the stages to compile: those that train.

    Raises:
        OptionError: there is no C++ compiler.
    """

    def __init__(self, backbone: Staged, stages: Sequence[str]) -> None:
        check_compiler()
        self.modules: list[nn.Module] = pieces_of(backbone, stages)
        self._before = [module.__dict__.get("forward") for module in self.modules]
        for module in self.modules:
            module.__dict__["forward"] = _Fused(module.forward)

    def release(self) -> None:
        """Restore the modules' own forward."""
        for module, before in zip(self.modules, self._before, strict=True):
            if isinstance(module.__dict__.get("forward"), _Fused):
                del module.__dict__["forward"]
                if before is not None:
                    module.__dict__["forward"] = before
        self.modules, self._before = [], []


@contextmanager
def aided(backbone: Staged, stages: Sequence[str], *, compiled: bool, checkpointed: bool) -> Iterator[None]:
    """Train with compiled blocks, with activation checkpoints, with both or none, for the length of a block.

    Args:
        backbone: the backbone.
        stages: names of those that train.
        compiled: whether their blocks are compiled.
        checkpointed: whether their activations are computed again in the backward pass.

    Raises:
        OptionError: there is no C++ compiler, or several processes share the batches.
    """
    fused = Compiled(backbone, stages) if compiled else None
    again = Checkpointed(backbone, stages) if checkpointed else None
    try:
        yield
    finally:
        if again is not None:
            again.release()
        if fused is not None:
            fused.release()


class _Fused:
    """A forward that is compiled for training and plain in evaluation."""

    def __init__(self, forward: Any) -> None:
        self.forward = forward
        self.compiled: Any = torch.compile(forward, dynamic=True)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not torch.is_grad_enabled():
            return self.forward(*args, **kwargs)
        try:
            return self.compiled(*args, **kwargs)
        except Exception as error:
            if not type(error).__module__.startswith(("torch._dynamo", "torch._inductor")):
                raise
            raise TrainingError(
                f"this network cannot be compiled here ({one_line(error)}): remove --compile"
            ) from error


def check_compiler() -> None:
    """Refuse to compile without a C++ compiler or in several processes, before anything long is done.

    Raises:
        OptionError: there is none, or several processes share the batches.
    """
    if processes.count() > 1:
        raise OptionError("--compile is for one process: remove it, or start without a launcher")
    compiler = os.environ.get("CXX", "g++")
    if shutil.which(compiler) is None:
        raise OptionError(
            f"--compile needs a C++ compiler and there is no '{compiler}': install g++ "
            "(such as apt-get install g++), name another in CXX, or remove --compile"
        )
