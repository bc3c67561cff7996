"""Where an ONNX file is written: refused before the long part if it cannot be, or if something would be lost."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from headstart.errors import DiskFullError, InputError, OptionError
from headstart.files import named_path, read_json, read_regular, write_error
from headstart.run_files import METRICS, UNFINISHED
from headstart.runs.predictions import check_new

if TYPE_CHECKING:
    from headstart.runs.model import Model

TOKENIZER = "tokenizer.json"
_BESIDE = (".json", ".md", ".data")  # endings of what is written beside NAME.onnx


def checked_out(out: str | Path, *, force: bool) -> Path:
    """The file of --out, once nothing is in its way.

    Args:
        out: as the user gave it.
        force: whether existing files may be replaced.

    Raises:
        OptionError: it has another ending, cannot be written, or it or a file beside it would be lost.
    """
    path = named_path(out, "--out")
    if path.suffix.lower() != ".onnx":
        raise OptionError(f"--out must end in .onnx, such as model.onnx, got {out}")
    for each in (path, *beside(path)):
        check_new(each, "model.onnx", force=force)
    _check_writable(path.parent, f"--out {path}")
    return path


def check_place(model: Model, out: Path) -> None:
    """Refuse a place where an ONNX file would be taken for another run's, or would lie beside another tokenizer.

    Args:
        model: the run.
        out: the file that will be written.

    Raises:
        OptionError: its folder is another run or cannot be written, a folder is in the way, or a tokenizer.json of
            something else is there.
    """
    if os.path.samefile(out.parent, model.path):
        for each in (out, *beside(out)):
            check_new(each, "model.onnx", force=True)
        return _check_writable(model.path, str(model.path))
    if _is_run(out.parent):
        raise OptionError(f"--out {out}: {out.parent} is another run: name another folder")
    tokenizer = out.parent / TOKENIZER
    if model.preprocessing.modality != "text" or not os.path.lexists(tokenizer):
        return None
    if not tokenizer.is_file() or read_regular(tokenizer) != read_regular(model.path / TOKENIZER):
        raise OptionError(f"--out {out}: {tokenizer} is the tokenizer of something else: name another folder")
    return None


def beside(path: Path) -> tuple[Path, ...]:
    """The files that may be written beside an ONNX file."""
    return tuple(path.with_name(path.name + ending) for ending in _BESIDE)


def _is_run(folder: Path) -> bool:
    if (folder / UNFINISHED).is_file():
        return True
    try:
        content = read_json(folder / METRICS)
    except InputError:  # none, or a file of something else
        return False
    return isinstance(content, Mapping) and "format_version" in content


def _check_writable(folder: Path, what: str) -> None:
    """Try to make a file in a folder.

    Args:
        folder: that exists.
        what: could not be written, for the message.

    Raises:
        OptionError: no file can be made there.
        DiskFullError: no room is left.
    """
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".", suffix=".tmp"):
            pass
    except OSError as error:
        failure = write_error(folder, error)
        if isinstance(failure, DiskFullError):
            raise failure from None
        raise OptionError(
            f"{what} cannot be written ({error.strerror or error}): name a file in another folder with --out"
        ) from None
