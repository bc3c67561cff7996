"""export: the model of a finished run in a format that other programs read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from headstart.errors import OptionError, did_you_mean
from headstart.files import named_path

if TYPE_CHECKING:
    from headstart.runs.onnx_form import OnnxFile

FORMATS = ("onnx",)


def export(
    run: str | Path, *, format: str = "onnx", out: str | Path | None = None, force: bool = False
) -> OnnxFile:
    """Write the model of a finished run in another format, checked against the run.

    Beside the file, NAME.json has the facts of the check and NAME.md the lines of Python that use the file without
    headstart and torch.

    Args:
        run: its folder.
        format: "onnx", the Open Neural Network Exchange format (needs the extra `onnx`).
        out: the file to write, ending in .onnx; None: model.onnx in the run, where an earlier one is replaced.
        force: replace `out` if it exists.

    Returns:
        The file, what it takes, and how far it differs from the run.

    Raises:
        InputError: there is no such run, it holds no model, a library is missing, or the model cannot be exported:
            an operation has no counterpart, or the outputs differ by more than 0.0001.
        OptionError: another format, or `out` cannot be written or exists.
    """
    if format not in FORMATS:
        raise OptionError(
            f"format must be {', '.join(FORMATS)}, got {format!r}.{did_you_mean(format, FORMATS)}"
        )
    path = None if out is None else _checked_out(out, force=force)
    from headstart.runs.model import Model

    model = Model.open(run)
    from headstart.runs.onnx_card import check_tokenizer, write_beside
    from headstart.runs.onnx_form import write_onnx

    path = path or model.path / "model.onnx"
    check_tokenizer(model, path)
    made = write_onnx(model, path)
    write_beside(model, made)
    return made


def _checked_out(out: str | Path, *, force: bool) -> Path:
    """Where the file is written.

    Raises:
        OptionError: it has another ending, cannot be written, or one would be lost.
    """
    from headstart.runs.predictions import check_new

    path = named_path(out, "--out")
    if path.suffix.lower() != ".onnx":
        raise OptionError(f"--out must end in .onnx, got {out}")
    check_new(path, "model.onnx", force=force)
    return path
