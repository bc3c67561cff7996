"""How several processes share the batches of a training.

Process r of n takes items r, r + n, r + 2n ... of every planned batch; gradients are added up by torch's
DistributedDataParallel, through accelerate. If a batch has fewer items than processes, a process without an
item runs one item with weight 0: every process must take part in every exchange.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from headstart import processes
from headstart.tune.feeds.feed import Machine
from headstart.tune.feeds.plan import Positions


class Sharing:
    """The share of this process.

    Args:
        machine: where it runs.
        whole: every process takes whole batches, and all do the same: for losses that are not divisible.

    Raises:
        OptionError: the launcher is configured to shard the network.
    """

    def __init__(self, machine: Machine, *, whole: bool = False) -> None:
        self.n = 1 if whole else processes.count()
        self.number = processes.number() if self.n > 1 else 0
        self.accelerator = _accelerator(machine)

    def own(self, plan: Sequence[Positions]) -> list[Positions]:
        """This process's items of each batch; the whole batch if it has no item of it."""
        if self.n == 1:
            return list(plan)
        shares = [batch[self.number :: self.n] for batch in plan]
        return [own if len(own) else batch for own, batch in zip(shares, plan, strict=True)]

    def wrapped(self, module: nn.Module) -> nn.Module:
        """The module of a step, with gradients over all processes; made again when other parameters train."""
        if self.n == 1:
            return module
        self.accelerator.free_memory()
        shared: nn.Module = self.accelerator.prepare_model(module)
        return shared

    def total(self, loss: Tensor) -> Tensor:
        """The sum of the shares of a loss."""
        return loss if self.n == 1 else processes.total(loss)


def _accelerator(machine: Machine) -> Any:
    from accelerate import Accelerator, DistributedDataParallelKwargs

    processes.check_not_sharded()
    if processes.count() == 1:
        return Accelerator()
    return Accelerator(
        cpu=machine.device.type == "cpu",
        mixed_precision="no",  # --precision decides
        kwargs_handlers=[DistributedDataParallelKwargs(find_unused_parameters=True)],
    )
