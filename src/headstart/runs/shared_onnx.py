"""Which ONNX files of a run may leave this machine: those that `headstart export` made of this very model.

model.onnx.json names the sha256 of the other files and of the program that was translated. A link, a file that was
changed, and a model of another run are refused.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from headstart.errors import InputError, parsing
from headstart.files import json_text, read_regular
from headstart.run_files import PROGRAM, sha256_of

ONNX = "model.onnx"
FACTS = "model.onnx.json"
OF_PROGRAM = "program_sha256"  # key of FACTS: the digest of the program that was translated
DIGESTS = "sha256"  # key of FACTS: name of each other file to its digest
_CARD = "model.onnx.md"
_NAMES = {ONNX, "model.onnx.data", _CARD}  # what may be named in DIGESTS
_KEPT = (
    "path", "data", "inputs", "output", "compared", "opset", "n_bytes", "tolerance", DIGESTS, OF_PROGRAM,
)  # fmt: skip


def shared_onnx(run: Path) -> dict[str, Path | bytes]:
    """The ONNX files of a run by name, as a file or as content; none if it was not exported.

    Args:
        run: its folder, whose program was checked.

    Raises:
        InputError: a file is missing or a link, was changed, or was made of another model.
    """
    if not os.path.lexists(run / ONNX):
        return {}
    remedy = f"make {ONNX} again with `headstart export {run}`, or remove it"
    facts = _facts(run / FACTS, remedy)
    program = _sha256(run / PROGRAM, remedy, follow=True) if (run / PROGRAM).is_file() else ""
    if facts[OF_PROGRAM] != program:
        raise InputError(f"{run / ONNX} was not made from the {PROGRAM} beside it: {remedy}")
    for name, expected in facts[DIGESTS].items():
        if _sha256(run / name, remedy) != expected:
            raise InputError(
                f"{run / name} is not the file that was exported: its sha256 is another than in {FACTS}. "
                f"It was changed or damaged: {remedy}"
            )
    kept = {key: facts[key] for key in _KEPT if key in facts}
    return {**{name: run / name for name in facts[DIGESTS]}, FACTS: json_text(kept).encode()}


def _facts(path: Path, remedy: str) -> Mapping[str, Any]:
    """The content of model.onnx.json.

    Raises:
        InputError: it is missing, a link, or names no digests of the files and the program.
    """
    with parsing(path, "what `headstart export` writes", remedy):
        content = json.loads(read_regular(path, follow=False).decode("utf-8"))
    digests = content.get(DIGESTS) if isinstance(content, Mapping) else None
    if (
        not isinstance(digests, Mapping)
        or not {ONNX, _CARD} <= set(digests) <= _NAMES
        or OF_PROGRAM not in content
    ):
        raise InputError(f"{path} does not name the digests of the model and of its run: {remedy}")
    found: Mapping[str, Any] = content
    return found


def _sha256(path: Path, remedy: str, *, follow: bool = False) -> str:
    with parsing(path, "a file of a run", remedy):
        return sha256_of(path, follow=follow)
