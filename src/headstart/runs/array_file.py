"""Arrays that a run keeps in a safetensors file with a version, such as its training statistics."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.errors import InputError, parsing
from headstart.run_files import check_files

REMEDY = "copy the run again, or make it again"


def load_arrays(run: Path, name: str, what: str, version: int) -> dict[str, NDArray[Any]]:
    """Read the arrays of a file of a run.

    Args:
        run: its folder.
        name: of the file.
        what: that it holds, for messages.
        version: that is read.

    Returns:
        Arrays by name, the version among them.

    Raises:
        InputError: the file is missing, damaged, not that of the run, or of another version.
    """
    from safetensors.numpy import load_file

    path = run / name
    check_files(run, (name,))
    with parsing(path, what, REMEDY):
        found: dict[str, NDArray[Any]] = load_file(path)
    written = found.get("version")
    if written is None:
        raise InputError(f"{path} is damaged: it has no version; {REMEDY}")
    if written.shape != () or written.dtype != np.int64 or int(written) != version:
        raise InputError(
            f"{path} has version {written.tolist()}, and this headstart reads version {version}: pip install --upgrade "
            "headstart, or make the run again"
        )
    return found
