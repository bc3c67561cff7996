"""Several processes that make one run: who is first, who waits, and what all of them agree on.

A launcher (`torchrun`, `accelerate launch`) starts the same command several times and gives each process its
number in the environment. All do the same, each a share of every batch; only the first one writes files and messages.
What depends on time or on a disk is decided by the first and sent to the others. With one process every
function here does nothing.

The exchanges are accelerate's. Written by hand: the number and count of processes, which must be known before
accelerate and torch are imported; errors that reach all processes (`from_first`); and the orderly end when one
process dies (`together`), for which accelerate has nothing.
"""

from __future__ import annotations

import atexit
import gc
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from headstart.errors import HeadstartError, OptionError, TrainingError
from headstart.progress import say, set_quiet

if TYPE_CHECKING:
    from torch import Tensor

T = TypeVar("T")

LONGEST_WAIT = timedelta(
    days=1
)  # the others wait while the first chooses a head; a dead process is noticed at once
_SIZES = ("WORLD_SIZE", "OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "MV2_COMM_WORLD_SIZE")
_RANKS = ("RANK", "OMPI_COMM_WORLD_RANK", "PMI_RANK", "MV2_COMM_WORLD_RANK")
_LOST = ("Connection closed by peer", "Connection reset", "Broken pipe", "NCCL", "Application timeout")


_alone = False


def count() -> int:
    """How many processes make the run."""
    return 1 if _alone else _launched()


@contextmanager
def alone() -> Iterator[None]:
    """A block that this process runs without the others, whatever it calls: no exchange, no share."""
    global _alone
    before, _alone = _alone, True
    try:
        yield
    finally:
        _alone = before


def number() -> int:
    """The number of this process; the first is 0."""
    return _from_environment(_RANKS, 0) if count() > 1 else 0


def count_here() -> int:
    """How many of them share this machine's cores."""
    return _from_environment(("LOCAL_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_SIZE"), 1) if _launched() > 1 else 1


def available_cores() -> int:
    """How many cores this process may use: those of the machine, shared with the other processes of the run."""
    if hasattr(os, "sched_getaffinity"):
        n_cores = len(os.sched_getaffinity(0))
    else:
        n_cores = os.cpu_count() or 1
    return max(1, n_cores // count_here())


def is_first() -> bool:
    """Whether this is the process that writes files and messages."""
    return number() == 0


def check_not_sharded() -> None:
    """Refuse a launcher's configuration that shards the network, which headstart does not support.

    Raises:
        OptionError: naming what to use instead.
    """
    if os.environ.get("ACCELERATE_USE_FSDP", "").lower() in ("1", "true"):
        raise OptionError(
            "`headstart fit` does not shard weights (FSDP): use a configuration with distributed_type MULTI_GPU, and "
            "for memory `checkpointing: true` in the recipe, --freeze first:K or lora (docs/training.md, FSDP)"
        )


def join(device_type: str) -> None:
    """Meet the other processes; may be called again.

    Args:
        device_type: where the run computes: "cuda" or "cpu".
    """
    if count() == 1:
        if "MASTER_ADDR" in os.environ and "ACCELERATE_USE_CPU" in os.environ and "RANK" not in os.environ:
            say(
                "the launcher started one process: for several on CPUs use `torchrun --nproc_per_node 2 -m "
                "headstart fit ...` or `accelerate launch --multi_gpu --num_processes 2 -m headstart fit ...`"
            )
        return
    from accelerate import PartialState

    # only after a block without an error: after an error no process waits for the others
    atexit.unregister(_leave)
    PartialState(cpu=device_type == "cpu", timeout=LONGEST_WAIT)
    if not is_first():
        set_quiet(True)


@contextmanager
def together(device_type: str) -> Iterator[None]:
    """A block that all processes run and end together, or not at all.

    Args:
        device_type: where the run computes: "cuda" or "cpu".

    Raises:
        TrainingError: another process ended early, or the launcher stopped this one.
    """
    join(device_type)
    if count() == 1:
        yield
        return
    with _launcher_stops():
        try:
            yield
            wait()
        except RuntimeError as error:
            if not _is_loss(error):
                raise
            lost = TrainingError(
                f"process {number()} of {count()}: another process of this run has ended, so this one ends too; "
                "the first message above says why"
            )
            for note in getattr(error, "__notes__", ()):  # how to resume
                lost.add_note(note)
            raise lost from error
    atexit.register(_leave)


def wait() -> None:
    """Wait until all processes have reached this point."""
    if count() > 1:
        _state().wait_for_everyone()


def from_first(make: Callable[[], T]) -> T:
    """The result of the first process, in all processes; its error reaches all of them too.

    Args:
        make: called in the first process alone; its result must be picklable.
    """
    if count() == 1:
        return make()
    from accelerate.utils import broadcast_object_list

    box: list[Any] = [None]
    if is_first():
        try:
            box = [(make(), None)]
        except HeadstartError as error:
            box = [(None, error)]
    broadcast_object_list(box)
    value, failure = box[0]
    if failure is not None:
        raise failure
    made: T = value
    return made


def share(parts: Sequence[T]) -> Sequence[T]:
    """The parts of some work that this process does: every n-th of n processes."""
    return parts[number() :: count()]


def jointly(work: Callable[[], T]) -> list[T]:
    """The results of all processes, by their numbers, once all have ended; an error in one is raised in all of them.

    Args:
        work: this process's share; its result must be picklable.

    Raises:
        HeadstartError: that of the first process that had one.
    """
    if count() == 1:
        return [work()]
    mine: tuple[T | None, HeadstartError | None]
    try:
        mine = work(), None
    except HeadstartError as error:
        mine = None, error
    results: list[Any] = gathered(mine)
    for _, failure in results:
        if failure is not None:
            raise failure
    return [value for value, _ in results]


@contextmanager
def first_goes_first() -> Iterator[None]:
    """A block that the first process runs alone; then the others, which find on the disk what it wrote."""
    if count() == 1:
        yield
        return
    with _state().main_process_first():
        yield


def decided(*flags: bool) -> tuple[bool, ...]:
    """The flags of the first process, in all of them."""
    if count() == 1:
        return flags
    import torch
    from accelerate.utils import broadcast

    tensor = torch.tensor([int(flag) for flag in flags], dtype=torch.int32, device=_state().device)
    return tuple(bool(flag) for flag in broadcast(tensor).tolist())


def total(tensor: Tensor) -> Tensor:
    """The sum of a tensor over all processes, the same bits in each."""
    if count() == 1:
        return tensor
    from accelerate.utils import reduce

    summed: Tensor = reduce(tensor.detach(), "sum")
    return summed


def gathered(value: T) -> list[T]:
    """The values of all processes, by their numbers."""
    if count() == 1:
        return [value]
    from accelerate.utils import gather_object

    values: list[T] = gather_object([value])
    return values


def _state() -> Any:
    from accelerate import PartialState

    return PartialState()


def _is_loss(error: RuntimeError) -> bool:
    return type(error).__name__ in ("DistBackendError", "DistNetworkError") or any(
        word in str(error) for word in _LOST
    )


@contextmanager
def _launcher_stops() -> Iterator[None]:
    """End this process cleanly at the launcher's SIGTERM, which is sent when another process has died."""

    def stop(signum: int, frame: Any) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # one is enough; the launcher kills after its own wait
        raise TrainingError(
            f"process {number()} of {count()} was stopped by the launcher, which does so when another process "
            "has ended; the first message above says why"
        )

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _leave() -> None:
    """Leave the group at the end of this program, which may form several runs, before the interpreter ends."""
    gc.collect()  # modules that exchange gradients keep a reference to the group
    _state().destroy_process_group()


def _launched() -> int:
    """How many processes the launcher started."""
    return _from_environment(_SIZES, 1) if "MASTER_ADDR" in os.environ else 1


def _from_environment(names: tuple[str, ...], default: int) -> int:
    return next((int(os.environ[name]) for name in names if os.environ.get(name, "").isdigit()), default)
