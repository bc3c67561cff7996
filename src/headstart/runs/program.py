"""model.pt2: a module written as a program that runs with torch alone, and that program read again.

The module is traced by `torch.export` (not strict: forward hooks and plain Python in it are followed), with
the batch and the length left open, saved, loaded again and compared with the module at sizes that the trace
has not seen. A network whose trace is valid for one length only (it cuts a clip into a number of windows that
depends on the length) is written for that length alone, and the result says so.
"""

from __future__ import annotations

import io
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from headstart.errors import ArchitectureError, DiskFullError, InputError, one_line, parsing
from headstart.files import atomic_path
from headstart.runs.inspection import NotAProgram, archive_of, inspected, plain_members
from headstart.runs.kept_program import KeptPrograms
from headstart.runs.program_inputs import Inputs
from headstart.runs.tracing import quiet_torch, trace

TOLERANCE = 1e-4
TOLERANCE_OF_KEPT = 1e-5  # a program of an earlier run is refused sooner: it costs a trace


@dataclass(frozen=True)
class Exported:
    """What was written.

    Attributes:
        open_axes: names of the axes that may have any size.
        difference: largest difference of a probability between program and module, over the checks.
        seconds: time for trace, saving and checks.
        n_bytes: size of the file.
    """

    open_axes: tuple[str, ...]
    difference: float
    seconds: float
    n_bytes: int

    @classmethod
    def of(cls, inputs: Inputs, difference: float, started: float, path: Path) -> Exported:
        """What was written for some inputs.

        Args:
            inputs: with the axes that were left open.
            difference: see `Exported`.
            started: when, by `time.perf_counter`.
            path: of the file.
        """
        names = dict.fromkeys(spec[0] for axes in inputs.open_axes for spec in axes.values())
        return cls(tuple(names), difference, time.perf_counter() - started, path.stat().st_size)


def export_program(
    module: nn.Module,
    inputs: Inputs,
    path: Path,
    may_fix: Sequence[str] = ("samples",),
    name: str = "",
    kept: KeptPrograms | None = None,
) -> Exported:
    """Write a module as `model.pt2` and check what was written.

    Args:
        module: gives probabilities of shape (N, n_classes) for tensors like `inputs.example`; eval mode.
        inputs: examples, open axes, checks.
        path: the file to write.
        may_fix: axes that may be fixed if the module cannot be traced for any size.
        name: of the network, for messages; "": the module's class.
        kept: programs of earlier runs; None: it is traced in any case.

    Raises:
        ArchitectureError: the module cannot be traced, has operations that no program may have, or the program
            gives other numbers.
        DiskFullError: no room is left.
    """
    started = time.perf_counter()
    was_training = module.training
    module.eval()
    try:
        fault = ""
        attempts = (inputs, *(inputs.without(axis) for axis in may_fix if inputs.has(axis)))
        for attempt in attempts:
            if kept is not None and (found := _fill(module, attempt, path, kept)) is not None:
                return Exported.of(attempt, found, started, path)
        for attempt in attempts:
            try:
                return Exported.of(attempt, _trace(module, attempt, path, kept), started, path)
            except _Unfit as error:
                fault = fault or str(error)
        raise ArchitectureError(f"{name or type(module).__name__} cannot be written to {path.name}: {fault}")
    finally:
        module.train(was_training)


def run_program(path: Path) -> nn.Module:
    """Load a program written by `export_program`; call it with the tensors that the card names.

    Raises:
        InputError: the file is absent or damaged, or holds something else than a network.
    """
    module: nn.Module = open_program(path).module()
    return module


def open_program(path: Path) -> torch.export.ExportedProgram:
    """Read a program written by `export_program`: its graph, its weights and the sizes that its inputs may have.

    Raises:
        InputError: the file is absent or damaged, or holds something else than a network.
    """
    if not path.is_file():
        raise InputError(f"there is no program at {path}; the run did not finish, or the file was moved")
    remedy = "it is damaged, or was not written by headstart; make the run again"
    with parsing(path, "a program", remedy), quiet_torch():
        return _opened(path)


def takes_any_length(program: torch.export.ExportedProgram) -> bool:
    """Whether the second axis of a program's first input is open: the length of texts and recordings."""
    first = program.graph_signature.user_inputs[0]
    node = next(each for each in program.graph.nodes if each.name == first)
    return not isinstance(node.meta["val"].shape[1], int)


def _opened(path: Path) -> torch.export.ExportedProgram:
    return torch.export.load(inspected(path))


class _Unfit(Exception):
    """A module has no program with these open axes; the text says why."""


def _fill(module: nn.Module, inputs: Inputs, path: Path, kept: KeptPrograms) -> float | None:
    """Write the program of an earlier run with the module's weights, if there is one that agrees with the module.

    Returns:
        The largest difference of a probability; None: nothing was written.
    """
    named = _WRAPPERS[inputs.names](module)
    try:
        with torch.no_grad():
            named(*inputs.example)  # what a module remembers of its first batch is part of its structure
        filled = kept.filled(named, inputs)
        return None if filled is None else _write(module, inputs, path, filled, TOLERANCE_OF_KEPT)
    except DiskFullError:
        raise
    except Exception:  # a damaged one is any kind of error to the readers; it is traced anew, and replaced
        return None


def _trace(module: nn.Module, inputs: Inputs, path: Path, kept: KeptPrograms | None) -> float:
    """Trace the module and write the program; return the largest difference of a probability."""
    named = _WRAPPERS[inputs.names](module)
    try:
        program = trace(named, inputs.example, _dims(inputs), asserts=inputs.has("samples"))
    except Exception as error:  # torch.export passes on any error of the traced code
        raise _Unfit(f"torch.export: {one_line(error)}") from None
    _keep_operations_only(program)
    buffer = io.BytesIO()  # torch's own writer kills the process if the disk is full
    with quiet_torch():
        torch.export.save(program, buffer)
    members = plain_members(buffer)
    largest = _write(module, inputs, path, members, TOLERANCE)
    if kept is not None:
        kept.keep(named, inputs, members)
    return largest


def _write(
    module: nn.Module, inputs: Inputs, path: Path, members: Mapping[str, bytes], tolerance: float
) -> float:
    """Write a program, load it again and compare; return the largest difference of a probability."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(archive_of(members).getbuffer())
        try:
            with quiet_torch():
                written = _opened(temporary).module()
        except NotAProgram as error:  # it was written here, so it is the network that has something else
            raise _Unfit(str(error)) from None
        return _compare(module, written, inputs, tolerance)


def _keep_operations_only(program: torch.export.ExportedProgram) -> None:
    """Take out what a program does not need: example inputs, which are a pickle, and paths of this machine."""
    program.example_inputs = None
    for module in program.graph_module.modules():
        for node in module.graph.nodes if isinstance(module, torch.fx.GraphModule) else ():
            for name in (
                "stack_trace",
                "nn_module_stack",
                "source_fn_stack",
                "torch_fn",
                "from_node",
                "custom",
            ):
                node.meta.pop(name, None)


def _compare(module: nn.Module, program: nn.Module, inputs: Inputs, tolerance: float) -> float:
    largest = 0.0
    for tensors in inputs.checks:
        shapes = ", ".join(str(tuple(tensor.shape)) for tensor in tensors)
        with torch.no_grad():
            expected = module(*tensors)
            try:
                got = program(*tensors)
            except Exception as error:  # guards and kernels raise many kinds of errors
                fault = f"the program refuses inputs of shape {shapes}: {one_line(error)}"
                raise _Unfit(fault) from None
        found = difference(expected, got) if got.shape == expected.shape else float("inf")
        if not found <= tolerance:
            raise _Unfit(f"the program differs from the module by {found:.2g} for shape {shapes}")
        largest = max(largest, found)
    return largest


def difference(expected: Tensor, got: Tensor) -> float:
    """The largest difference, relative to the largest value if that is above 1 (no probability is)."""
    return float((expected - got).abs().max() / expected.abs().max().clamp(min=1.0))


def _dims(inputs: Inputs) -> tuple[dict[int, Any], ...]:
    dims: dict[str, Any] = {}
    for axes in inputs.open_axes:
        for name, least, greatest in axes.values():
            dims.setdefault(name, torch.export.Dim(name, min=least, max=greatest))
    return tuple({axis: dims[spec[0]] for axis, spec in axes.items()} for axes in inputs.open_axes)


class _OfPixels(nn.Module):
    """A module with a plain argument for each input, since a trace of `*inputs` takes other open axes."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, pixels: Tensor) -> Any:
        return self.module(pixels)


class _OfTokens(_OfPixels):
    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Any:  # type: ignore[override]
        return self.module(input_ids, attention_mask)


class _OfWaveforms(_OfPixels):
    def forward(self, waveform: Tensor, lengths: Tensor) -> Any:  # type: ignore[override]
        return self.module(waveform, lengths)


_WRAPPERS: Mapping[tuple[str, ...], type[_OfPixels]] = {
    ("pixels",): _OfPixels,
    ("input_ids", "attention_mask"): _OfTokens,
    ("waveform", "lengths"): _OfWaveforms,
}
