"""Where and how precisely networks run: the device, the precision, and the threads this process may use."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch

from headstart.backbone import bf16_is_faster
from headstart.errors import OptionError
from headstart.features.precision_record import kept_gain
from headstart.features.store import Store
from headstart.processes import available_cores

Precision = Literal["fp32", "bf16"]


def choose_device(device: str = "auto") -> torch.device:
    """Turn "auto" into the first of CUDA, MPS and CPU that this machine has.

    Raises:
        OptionError: this machine has no such device.
    """
    if device == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        chosen = torch.device(device)
    except RuntimeError as error:
        raise OptionError(f"device must be auto, cpu, cuda or mps, got {device!r}") from error
    there = {"cpu": 1, "cuda": torch.cuda.device_count(), "mps": int(torch.backends.mps.is_available())}
    if (chosen.index or 0) >= there.get(chosen.type, 0):
        raise OptionError(f"this machine has no device {device!r}; use --device auto or cpu")
    return chosen


def choose_precision(precision: str, device: torch.device, store: str | Path | None = None) -> Precision:
    """Turn "auto" into bf16 if the device is faster in it, else fp32.

    Args:
        precision: "auto", "fp32" or "bf16".
        device: where networks run.
        store: the folder of the feature store, which keeps what was measured; None: the default one.

    Raises:
        OptionError: it is not auto, fp32 or bf16.
    """
    if precision == "auto":
        return "bf16" if bf16_is_faster(device, lambda: kept_gain(Store(store).root)) else "fp32"
    if precision == "fp32":
        return "fp32"
    if precision == "bf16":
        return "bf16"
    raise OptionError(f"precision must be auto, fp32 or bf16, got {precision!r}")


@dataclass(frozen=True)
class Setting:
    """Where and how precisely networks run.

    Attributes:
        device: where.
        precision: "fp32" or "bf16".
        n_threads: cores to use.
    """

    device: torch.device
    precision: Precision
    n_threads: int

    @classmethod
    def choose(
        cls,
        device: str = "auto",
        precision: str = "auto",
        threads: int | None = None,
        store: str | Path | None = None,
    ) -> Setting:
        """Turn the values of the options into what this machine has.

        Args:
            device: "cpu", "cuda", "mps" or "auto".
            precision: "fp32", "bf16" or "auto".
            threads: cores to use; None: those this process may use.
            store: the folder of the feature store, which keeps what "auto" measured; None: the default one.

        Raises:
            OptionError: this machine has no such device, or a word is unknown.
        """
        chosen = choose_device(device)
        return cls(chosen, choose_precision(precision, chosen, store), threads or available_cores())

    @property
    def batch_size(self) -> int:
        """Images or recordings per batch; few on a CPU to stay in its caches (8 was best for MobileNet and ResNets)."""
        return 8 if self.device.type == "cpu" else 128

    @property
    def n_workers(self) -> int:
        """Batches computed at once: on a CPU one per core, each with one thread; else one."""
        return self.n_threads if self.device.type == "cpu" else 1

    @property
    def options(self) -> dict[str, Any]:
        """The arguments of `choose`, which every extraction takes: device, precision and threads by name."""
        return {"device": str(self.device), "precision": self.precision, "threads": self.n_threads}

    def threads(self) -> AbstractContextManager[None]:
        """Let torch compute with `n_threads` threads inside a block."""
        return torch_threads(self.n_threads)


@contextmanager
def torch_threads(n_threads: int) -> Iterator[None]:
    """Let torch compute with this number of threads inside a block."""
    before = torch.get_num_threads()
    if before != n_threads:
        torch.set_num_threads(n_threads)
    try:
        yield
    finally:
        if before != n_threads:
            torch.set_num_threads(before)
