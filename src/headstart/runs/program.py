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

from headstart.errors import ArchitectureError, InputError, one_line, parsing
from headstart.files import atomic_path
from headstart.runs.inspection import NotAProgram, inspected, without_other_files
from headstart.runs.tracing import quiet_torch, trace

TOLERANCE = 1e-4
MAX_BATCH = 65_536


@dataclass(frozen=True)
class Inputs:
    """What a program takes: example tensors, the axes left open, and other sizes to check it at.

    Attributes:
        example: one tensor an argument, in the order of `forward`.
        open_axes: for each argument, axis -> (name, least, greatest); one name is one size.
        checks: tuples like `example`, of other sizes.
        names: of the arguments.
    """

    example: tuple[Tensor, ...]
    open_axes: tuple[Mapping[int, tuple[str, int, int]], ...]
    checks: tuple[tuple[Tensor, ...], ...]
    names: tuple[str, ...]

    def has(self, name: str) -> bool:
        """Whether an axis of that name is open."""
        return any(spec[0] == name for axes in self.open_axes for spec in axes.values())

    def without(self, name: str) -> Inputs:
        """The same with an axis fixed at its size in the example."""
        axes = tuple(
            {axis: spec for axis, spec in each.items() if spec[0] != name} for each in self.open_axes
        )
        fixed = [{axis for axis, spec in each.items() if spec[0] == name} for each in self.open_axes]

        def fits(check: tuple[Tensor, ...]) -> bool:
            pairs = zip(check, self.example, fixed, strict=True)
            return all(a.shape[axis] == b.shape[axis] for a, b, axes_ in pairs for axis in axes_)

        checks = tuple(check for check in self.checks if fits(check))
        return Inputs(self.example, axes, checks, self.names)


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


def image_inputs(height: int, width: int) -> Inputs:
    """Inputs of an image model: float32 pixels of shape (N, 3, height, width), N open."""
    pixels = torch.randn(5, 3, height, width, generator=_generator())
    return Inputs((pixels[:3],), ({0: ("batch", 1, MAX_BATCH)},), ((pixels[:1],), (pixels,)), ("pixels",))


def text_inputs(max_length: int, pad_id: int, vocabulary: int) -> Inputs:
    """Inputs of a text model: int64 input_ids and attention_mask, both (N, T), with N and T open.

    Args:
        max_length: greatest T.
        pad_id: the token of positions that the mask hides.
        vocabulary: number of tokens.
    """

    def batch(n_items: int, length: int) -> tuple[Tensor, Tensor]:
        length = min(length, max_length)
        ids = torch.randint(0, vocabulary, (n_items, length), generator=_generator())
        ids[ids == pad_id] = (pad_id + 1) % vocabulary
        mask = torch.ones_like(ids)
        mask[0, (length + 1) // 2 :] = 0
        ids[mask == 0] = pad_id
        return ids, mask

    axes = {0: ("batch", 1, MAX_BATCH), 1: ("length", 1, max_length)}
    names = ("input_ids", "attention_mask")
    return Inputs(batch(3, 21), (axes, axes), (batch(1, 9), batch(4, 40)), names)


def audio_inputs(samples: int, least_samples: int = 1, most_samples: int | None = None) -> Inputs:
    """Inputs of an audio model: float32 waveform of shape (N, samples), int64 lengths of shape (N,).

    Args:
        samples: the window of the data set.
        least_samples: the shortest window to allow; most networks need at least a few frames.
        most_samples: the longest window to allow; None: ten minutes at 16 kHz.
    """
    most_samples = most_samples or max(samples, 9_600_000)

    def batch(n_items: int, n_samples: int) -> tuple[Tensor, Tensor]:
        waveform = torch.randn(n_items, n_samples, generator=_generator()) * 0.1
        lengths = torch.full((n_items,), n_samples)
        lengths[0] = max(n_samples * 2 // 3, 1)
        waveform[0, int(lengths[0]) :] = 0
        return waveform, lengths

    axes = {0: ("batch", 1, MAX_BATCH), 1: ("samples", least_samples, most_samples)}
    longer = min(samples * 5 // 4, most_samples)
    other = longer if longer > samples else max(samples * 3 // 4, least_samples)
    checks = (batch(1, samples), batch(4, samples), batch(2, other))
    return Inputs(batch(3, samples), (axes, {0: axes[0]}), checks, ("waveform", "lengths"))


def export_program(
    module: nn.Module, inputs: Inputs, path: Path, may_fix: Sequence[str] = ("samples",), name: str = ""
) -> Exported:
    """Write a module as `model.pt2` and check what was written.

    Args:
        module: gives probabilities of shape (N, n_classes) for tensors like `inputs.example`; eval mode.
        inputs: examples, open axes, checks.
        path: the file to write.
        may_fix: axes that may be fixed if the module cannot be traced for any size.
        name: of the network, for messages; "": the module's class.

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
        for attempt in (inputs, *(inputs.without(axis) for axis in may_fix if inputs.has(axis))):
            try:
                difference = _try_export(module, attempt, path)
            except _Unfit as error:
                fault = fault or str(error)
                continue
            names = dict.fromkeys(spec[0] for axes in attempt.open_axes for spec in axes.values())
            seconds = time.perf_counter() - started
            return Exported(tuple(names), difference, seconds, path.stat().st_size)
        raise ArchitectureError(f"{name or type(module).__name__} cannot be written to {path.name}: {fault}")
    finally:
        module.train(was_training)


def run_program(path: Path) -> nn.Module:
    """Load a program written by `export_program`; call it with the tensors that the card names.

    Raises:
        InputError: the file is absent or damaged, or holds something else than a network.
    """
    if not path.is_file():
        raise InputError(f"there is no program at {path}; the run did not finish, or the file was moved")
    remedy = "it is damaged, or was not written by headstart; make the run again"
    with parsing(path, "a program", remedy), quiet_torch():
        return _opened(path)


def _opened(path: Path) -> nn.Module:
    program: nn.Module = torch.export.load(inspected(path)).module()
    return program


class _Unfit(Exception):
    """A module has no program with these open axes; the text says why."""


def _try_export(module: nn.Module, inputs: Inputs, path: Path) -> float:
    """Trace, save, load and compare; return the largest difference of a probability."""
    named = _WRAPPERS[inputs.names](module)
    try:
        program = trace(named, inputs.example, _dims(inputs), asserts=inputs.has("samples"))
    except Exception as error:  # torch.export passes on any error of the traced code
        raise _Unfit(f"torch.export: {one_line(error)}") from None
    _keep_operations_only(program)
    with atomic_path(path) as temporary:
        buffer = io.BytesIO()  # torch's own writer kills the process if the disk is full
        with quiet_torch():
            torch.export.save(program, buffer)
        temporary.write_bytes(without_other_files(buffer).getbuffer())
        try:
            with quiet_torch():
                written = _opened(temporary)
        except NotAProgram as error:  # it was written here, so it is the network that has something else
            raise _Unfit(str(error)) from None
        return _compare(module, written, inputs)


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


def _compare(module: nn.Module, program: nn.Module, inputs: Inputs) -> float:
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
        if not found <= TOLERANCE:
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


def _generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)
