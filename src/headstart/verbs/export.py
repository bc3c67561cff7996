"""export: the model of a finished run in a format that other programs read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from headstart.errors import OptionError, did_you_mean

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
        force: replace `out` and the files beside it if they exist.

    Returns:
        The file, what it takes, and how far it differs from the run.

    Raises:
        InputError: there is no such run, it holds no model, a library is missing, or the model cannot be exported:
            an operation has no counterpart, or the outputs differ by more than 0.0001.
        OptionError: another format; or `out` or a file beside it cannot be written or exists, or lies in another run.
    """
    if format not in FORMATS:
        raise OptionError(
            f"format must be {', '.join(FORMATS)}, got {format!r}.{did_you_mean(str(format), FORMATS)}"
        )
    from headstart.runs.onnx_place import check_place, checked_out

    path = None if out is None else checked_out(out, force=force)
    from headstart.runs.model import Model

    model = Model.open(run)
    path = path or model.path / "model.onnx"
    check_place(model, path)
    from headstart.runs.onnx_card import write_beside
    from headstart.runs.onnx_form import write_onnx

    made = write_onnx(model, path)
    write_beside(model, made)
    return made
