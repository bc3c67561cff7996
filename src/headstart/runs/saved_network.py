"""The network of a run, with the stages that its head reads."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from headstart.errors import InputError
from headstart.run_files import read_checked

if TYPE_CHECKING:
    from headstart.heads import LinearHead
    from headstart.sources import Source


def load_network(
    folder: Path, head: LinearHead, done: str, arch: str | None = None, *, trust_remote_code: bool = False
) -> Source:
    """The network of a run.

    Args:
        folder: of the run.
        head: of the run.
        done: what is done with the run, for messages: "adapted".
        arch: FILE:Class of the user's own network, if it was made with one.
        trust_remote_code: whether code of a repository may run.

    Raises:
        InputError: it cannot be built, or has other stages than those that the head reads.
    """
    from headstart.sources import load_source

    source = load_source(f"run:{folder}", arch=arch, trust_remote_code=trust_remote_code)
    named, stages = read_checked(folder, "head.json").get("stages"), tuple(source.stages)
    read = [stages[index] for index in head.stages if index < len(stages)]
    if named != read:
        raise InputError(
            f"the head of {folder} reads the stages {named}, and its network has {', '.join(stages)}: a "
            f"run with --head standard, whose pooling is part of the head, cannot be {done}; fit again without it"
        )
    return source
