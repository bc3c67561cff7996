"""How far a model.onnx differs from the program of its run, at several batch sizes and lengths.

Made-up inputs can be so unlike real ones that every probability is nearly 0 or 1, whatever the scores before it are. So
the logarithms of the probabilities are compared too: they differ as the scores do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from headstart.errors import InputError, one_line
from headstart.run_files import read_checked
from headstart.runs.program import difference
from headstart.runs.program_inputs import Inputs

TOLERANCE = 1e-4  # a file that differs by more is not kept; see `Compared.difference`
LOG_TOLERANCE = 1e-2  # of the logarithm of a probability
_SMALLEST = 1e-30  # probabilities below it count as it: float32 ends there


@dataclass(frozen=True)
class Compared:
    """What the comparison found.

    Attributes:
        difference: the largest of a probability; of a quantity in standard deviations of what the run learned from.
        log_difference: the largest of the logarithm of a probability; None for a quantity.
        shapes: of the inputs that both were given, made up: noise for pictures and recordings, tokens for texts.
    """

    difference: float
    log_difference: float | None
    shapes: tuple[tuple[tuple[int, ...], ...], ...]


def compare(
    file: Path,
    program: Callable[..., Tensor],
    inputs: Inputs,
    run: str,
    instead: str,
    unit: float | None,
    *,
    probabilities: bool,
) -> Compared:
    """Run a file with onnxruntime, and the program of the run, on the same made-up inputs.

    Args:
        file: the ONNX file.
        program: of the run.
        inputs: its example and other sizes.
        run: for messages.
        instead: what to do if the file cannot be used.
        unit: of a quantity, see `unit_of`.
        probabilities: whether outputs are probabilities.

    Raises:
        InputError: onnxruntime cannot run the file, or it differs by more than the tolerance.
    """
    import onnxruntime

    from headstart.processes import available_cores

    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads, settings.log_severity_level = available_cores(), 3
    batches = (inputs.example, *inputs.checks)
    pairs = []
    try:
        session = onnxruntime.InferenceSession(file, settings, providers=["CPUExecutionProvider"])
        for tensors in batches:
            named = {name: tensor.numpy() for name, tensor in zip(inputs.names, tensors, strict=True)}
            with torch.inference_mode():
                pairs.append((program(*tensors), torch.from_numpy(session.run(None, named)[0])))
    except Exception as error:  # onnxruntime has many kinds of errors
        raise InputError(
            f"{run} cannot be exported to ONNX (onnxruntime: {one_line(error)}): {instead}"
        ) from None
    found = max(_difference(expected, got, unit) for expected, got in pairs)
    of_logs = (
        max(_difference(_logs(expected), _logs(got), 1.0) for expected, got in pairs)
        if probabilities
        else None
    )
    if not found <= TOLERANCE or not (of_logs or 0.0) <= LOG_TOLERANCE:
        logs = (
            ""
            if of_logs is None
            else f" (of their logarithms {of_logs:.2g}, and {LOG_TOLERANCE:g} is allowed)"
        )
        raise InputError(
            f"{run} cannot be exported to ONNX: its outputs would differ from the run's by up to {found:.2g}, and "
            f"{TOLERANCE:g} is allowed{logs}: {instead}"
        )
    return Compared(
        found, of_logs, tuple(tuple(tuple(each.shape) for each in tensors) for tensors in batches)
    )


def unit_of(run: Path) -> float | None:
    """The standard deviation of the quantity that a run learned, as its head.json has it; None if it has none."""
    unit = read_checked(run, "head.json").get("unit")
    return float(unit["factor"]) if unit else None


def _difference(expected: Tensor, got: Tensor, unit: float | None) -> float:
    if got.shape != expected.shape:
        return float("inf")
    if unit is None:
        return difference(expected, got)
    return float((expected - got).abs().max() / unit)


def _logs(probabilities: Tensor) -> Tensor:
    return probabilities.clamp(min=_SMALLEST).log()
