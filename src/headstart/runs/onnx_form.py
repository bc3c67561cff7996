"""model.onnx: the program of a run in the Open Neural Network Exchange format, compared with the run before it is kept.

The exported program (model.pt2) is translated by `torch.onnx`, with the axes open that are open there, and without the
names of files and lines that the translator adds. onnxruntime then runs the file, and the largest difference of a
probability from model.pt2 decides whether it is kept (`headstart.runs.onnx_check`).

A file of this format holds at most 2 GB. Above that, the weights are in a second file beside it, NAME.data, which must
be copied with it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from headstart.errors import InputError, one_line
from headstart.files import atomic_path
from headstart.progress import waiting
from headstart.run_files import PROGRAM
from headstart.runs.model import Model
from headstart.runs.onnx_check import TOLERANCE, Compared, compare, unit_of
from headstart.runs.program import open_program
from headstart.runs.program_inputs import Inputs, example_inputs
from headstart.runs.tracing import quiet_torch
from headstart.tasks import task_named

MOST_INSIDE = (
    1_900_000_000  # bytes of weights inside of the file; its format cannot hold 2 GiB with the graph
)
_EXTRA = "export --format onnx needs the extra: pip install 'headstart[onnx]'"
_INSTEAD = f"use {PROGRAM}, which runs with torch alone"


@dataclass(frozen=True)
class OnnxFile:
    """A model.onnx that agrees with its run.

    Attributes:
        path: of the file.
        data: the file beside it that holds the weights; None: they are inside.
        inputs: name of each input to its shape, in which a text is an open axis.
        output: "probabilities" or "values".
        compared: how far it differs from the run.
        opset: version of the operations.
        n_bytes: size of the file, with `data`.
    """

    path: Path
    data: Path | None
    inputs: dict[str, tuple[int | str, ...]]
    output: str
    compared: Compared
    opset: int
    n_bytes: int

    @property
    def text(self) -> str:
        """The result as lines of plain text."""
        inputs = "; ".join(f"{name} ({', '.join(map(str, sizes))})" for name, sizes in self.inputs.items())
        beside = "" if self.data is None else f"\nIts weights are in {self.data.name} beside it: copy both."
        what = "a probability" if self.output == "probabilities" else "the quantity, in standard deviations,"
        return (
            f"{self.path} ({self.n_bytes / 1e6:,.1f} MB) takes {inputs}.\n"
            f"It differs from the run by at most {self.compared.difference:.1e} in {what} at "
            f"{len(self.compared.shapes)} sizes of input ({TOLERANCE:g} is allowed).{beside}\n"
            f"How to run it without headstart: {self.path}.md"
        )

    def to_json(self) -> dict[str, Any]:
        """What NAME.json beside the file holds, without the machine's paths."""
        return {
            **asdict(self),
            "path": self.path.name,
            "data": None if self.data is None else self.data.name,
            "tolerance": TOLERANCE,
        }


def write_onnx(model: Model, path: Path) -> OnnxFile:
    """Translate the program of a run, compare it with the run, and write it whole or not at all.

    Args:
        model: the run.
        path: the file to write; an earlier one is replaced in one step.

    Raises:
        InputError: a library is missing, the program has an operation that cannot be translated, or the result
            differs from the run by more than the tolerance.
        DiskFullError: no room is left.
    """
    _require_libraries()
    program = open_program(model.path / PROGRAM)
    inputs = _as_traced(_example_inputs(model), program)
    output = "probabilities" if task_named(model.task).has_classes else "values"
    with waiting("Translating model.pt2 to ONNX …"):
        translated = _translated(program, inputs, output, model.path)
        translated.metadata_props.update(classes=json.dumps(model.classes), task=model.task)
    data = _data_beside(translated, path)
    with _written(translated, path, data) as (file, held):
        asked = (program.module(), inputs, str(model.path), _INSTEAD, unit_of(model.path))
        compared = compare(file, *asked, probabilities=output == "probabilities")
        n_bytes = sum(each.stat().st_size for each in (file, held) if each is not None)
    shapes = {value.name: tuple(_sizes(value.shape)) for value in translated.graph.inputs}
    return OnnxFile(path, data, shapes, output, compared, translated.opset_imports[""], n_bytes)


def _require_libraries() -> None:
    try:
        import onnxruntime  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError:
        raise InputError(_EXTRA) from None


def _example_inputs(model: Model) -> Inputs:
    described = model.preprocessing.to_json()
    if described["modality"] != "text":
        return example_inputs(described, 0)
    from tokenizers import Tokenizer

    return example_inputs(described, Tokenizer.from_str(described["tokenizer_json"]).get_vocab_size())


def _as_traced(inputs: Inputs, program: torch.export.ExportedProgram) -> Inputs:
    """The inputs with those axes fixed that the program has fixed.

    Raises:
        InputError: the program takes something else than the run's preprocessing gives.
    """
    shapes = _shapes(program)
    if list(shapes) != list(inputs.names):
        raise InputError(
            f"{PROGRAM} takes {', '.join(shapes)}, not {', '.join(inputs.names)}: make the run again"
        )
    fixed = {
        axes[axis][0]
        for axes, shape in zip(inputs.open_axes, shapes.values(), strict=True)
        for axis in axes
        if isinstance(shape[axis], int)
    }
    for name in fixed:
        inputs = inputs.without(name)
    return inputs


def _shapes(program: torch.export.ExportedProgram) -> dict[str, tuple[Any, ...]]:
    """The shape of each input of a program; an open axis is a symbol."""
    taken = set(program.graph_signature.user_inputs)
    nodes = (node for node in program.graph.nodes if node.op == "placeholder" and node.name in taken)
    return {node.name: tuple(node.meta["val"].shape) for node in nodes}


def _translated(program: torch.export.ExportedProgram, inputs: Inputs, output: str, run: Path) -> Any:
    """The program as an `onnx_ir.Model`, its open axes under their own names.

    Raises:
        InputError: an operation cannot be translated.
    """
    from onnx_ir.passes.common import ClearMetadataAndDocStringPass

    named = zip(_shapes(program).values(), inputs.open_axes, strict=True)
    names = {str(shape[axis]): axes[axis][0] for shape, axes in named for axis in axes}
    try:
        with quiet_torch():
            translated = torch.onnx.export(
                program,
                (),
                dynamo=True,
                verbose=False,
                output_names=[output],
                custom_translation_table={torch.ops.aten.hypot.default: _hypot},
            )
            model = None if translated is None else translated.model
    except Exception as error:  # torch.onnx passes on any error of a translation
        raise InputError(f"{run} cannot be exported to ONNX ({_innermost(error)}): {_INSTEAD}") from None
    ClearMetadataAndDocStringPass()(model)  # what is left of the trace, such as names of operations of torch
    _rename_axes(model, names)
    return model


def _hypot(self: Any, other: Any) -> Any:
    """The length of gradients in classical features of pictures, which the translator lacks."""
    from onnxscript import opset18

    return opset18.Sqrt(opset18.Add(opset18.Mul(self, self), opset18.Mul(other, other)))


def _innermost(error: BaseException) -> str:
    while error.__cause__ is not None:
        error = error.__cause__
    return one_line(error)


def _rename_axes(model: Any, names: dict[str, str]) -> None:
    """Give open axes names such as "batch" in place of the tracer's own, also in what is computed from them."""
    import onnx_ir

    if not names:
        return
    pattern = re.compile(r"\b(" + "|".join(map(re.escape, names)) + r")\b")
    values = [*model.graph.inputs, *(value for node in model.graph.all_nodes() for value in node.outputs)]
    for value in values:
        if value.shape is None or value.shape.is_static():
            continue
        renamed = [
            pattern.sub(lambda found: names[found[0]], size) if isinstance(size, str) else size
            for size in _sizes(value.shape)
        ]
        value.shape = onnx_ir.Shape(renamed)


def _sizes(shape: Any) -> Iterator[int | str]:
    return (size if isinstance(size, int) else str(size.value) for size in shape)


def _data_beside(model: Any, path: Path) -> Path | None:
    """The file beside an ONNX file that holds its weights; None if they are small enough to be inside."""
    n_bytes = sum(each.const_value.nbytes for each in model.graph.initializers.values() if each.const_value)
    return None if n_bytes <= MOST_INSIDE else path.with_name(f"{path.name}.data")


@contextmanager
def _written(model: Any, path: Path, data: Path | None) -> Iterator[tuple[Path, Path | None]]:
    """Yield a whole file and that of its weights under temporary names; both are put in place if the block ends well.

    Args:
        model: an `onnx_ir.Model`.
        path: of the file; an earlier one is there until then.
        data: of its weights, the same; None: they are inside.
    """
    import onnx_ir

    with ExitStack() as stack:
        temporary = stack.enter_context(atomic_path(path))
        held = None if data is None else stack.enter_context(atomic_path(data))
        if held is not None:
            _move_weights(model, held)
        onnx_ir.save(model, temporary)
        yield temporary, held
        if data is not None:
            _refer_to(model, data)  # by the name that it gets at the end of this block
            onnx_ir.save(model, temporary)


def _move_weights(model: Any, data: Path) -> None:
    """Write the weights to a file of their own, and let the model read them from there."""
    import onnx_ir

    onnx_ir.external_data.unload_from_model(
        model,
        data.parent,
        data.name,
        size_threshold_bytes=1024,  # small ones, such as shapes, must be inside
    )


def _refer_to(model: Any, data: Path) -> None:
    """Change the name of the file that a model reads its weights from."""
    import onnx_ir

    for value in model.graph.initializers.values():
        held = value.const_value
        if isinstance(held, onnx_ir.ExternalTensor):
            value.const_value = onnx_ir.ExternalTensor(
                data.name, held.offset, held.length, held.dtype,
                shape=held.shape, name=held.name, base_dir=data.parent,
            )  # fmt: skip
