"""How much faster this machine is in bf16, measured once and kept in the folder of the feature store.

Features in bf16 and in float32 are stored under different keys, and a measurement near the limit can come out on
either side. With one kept answer every command chooses the same precision, and finds what another one stored.
"""

from __future__ import annotations

import contextlib
import json
import math
import platform
from pathlib import Path

import torch

from headstart.backbone import gain_of_bf16
from headstart.errors import HeadstartError
from headstart.files import read_regular, write_json

FILE = "precision.json"
_GAINS = "gain_of_bf16"
_waiting: dict[Path, float] = {}  # what was measured for a store whose folder does not exist yet


def kept_gain(root: Path) -> float:
    """How many times as fast as in float32 this machine multiplies in bf16, measured only if it is not kept yet.

    A file that is damaged or is something else is replaced; where none can be written, the answer is not kept. The
    folder is not made for it: a command that is refused later leaves nothing behind.

    Args:
        root: the folder of the feature store.
    """
    known = _read(root / FILE).get(_machine())
    if known is not None:
        return known
    measured = gain_of_bf16()
    if root.is_dir():
        return _keep(root, measured)
    return _waiting.setdefault(root, measured)


def keep_measured(root: Path) -> None:
    """Keep what was measured before the folder of the store was made.

    Args:
        root: the folder, which exists now.
    """
    if root in _waiting:
        _keep(root, _waiting.pop(root))


def _keep(root: Path, measured: float) -> float:
    """Write what was measured, unless another process was first; returns what is kept."""
    kept = _read(root / FILE)
    if _machine() not in kept:
        kept[_machine()] = measured
        with contextlib.suppress(OSError, HeadstartError):
            write_json(root / FILE, {_GAINS: kept})
    return kept[_machine()]


def _read(file: Path) -> dict[str, float]:
    """The gains that are kept, by machine; empty if the file is missing, damaged or something else."""
    try:
        content = json.loads(read_regular(file, follow=False).decode("utf-8"))
        gains = {str(machine): float(gain) for machine, gain in content[_GAINS].items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError):
        return {}
    return {machine: gain for machine, gain in gains.items() if math.isfinite(gain) and gain > 0}


def _machine() -> str:
    """What an answer holds for."""
    return f"{_processor()}, torch {torch.__version__}"


def _processor() -> str:
    """The name of this machine's processor."""
    with contextlib.suppress(OSError), open("/proc/cpuinfo", encoding="utf-8", errors="replace") as lines:
        for line in lines:
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()
