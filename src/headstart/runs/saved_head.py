"""Read the head of a run: head.json and head.safetensors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from headstart.errors import InputError, parsing
from headstart.heads import LinearHead
from headstart.run_files import check_files, read_checked
from headstart.tasks import task_named

_ARRAYS = ("mean", "scale", "weight", "bias")
_REMEDY = "copy the run again, or make it again"


def load_head(run: Path, done: str) -> LinearHead:
    """Read the linear head of a run of classes or labels, as it was fitted.

    Args:
        run: its folder.
        done: what is done with the run, for messages: "adapted".

    Raises:
        InputError: its head is not linear, or its files are damaged.
    """
    from safetensors.numpy import load_file

    described, path = read_checked(run, "head.json"), run / "head.safetensors"
    with parsing(run / "head.json", "the description of a head", _REMEDY):
        task, kind = task_named(described.get("task")), described.get("kind", "linear")
        classes, stages = tuple(described["classes"]), tuple(int(each) for each in described["stage_indices"])
    if kind != "linear":
        raise InputError(f"the head of {run} is {kind}: only linear heads can be {done}")
    check_files(run, ("head.safetensors",))
    with parsing(path, "a head", _REMEDY):
        found = load_file(path)
        fault = _fault(found, len(classes))
    if fault:
        raise InputError(f"{path} is damaged: {fault}; {_REMEDY}")
    arrays = {name: found[name] for name in _ARRAYS}
    return LinearHead(
        stages=stages, temperature=float(found["temperature"]), classes=classes, task=task, **arrays
    )


def _fault(found: dict[str, Any], n_classes: int) -> str:
    """What is wrong with the tensors; "" if nothing is."""
    width = found["mean"].shape[0]
    shapes = {
        "mean": (width,),
        "scale": (width,),
        "weight": (n_classes, width),
        "bias": (n_classes,),
        "temperature": (),
    }
    for name, shape in shapes.items():
        if found[name].shape != shape or found[name].dtype != np.float32:
            return f"{name} must be float32 of shape {shape}, got {found[name].dtype} of {found[name].shape}"
        if not np.isfinite(found[name]).all():
            return f"{name} holds a value that is not finite"
    wrong = (found["scale"] == 0).any() or not found["temperature"] > 0
    return "scale and temperature must not be 0" if wrong else ""
