"""load: a finished run, whose model stays in memory."""

from __future__ import annotations

from pathlib import Path

from headstart.runs.run import Run


def load(run: str | Path) -> Run:
    """Open a finished run to predict with it.

    Args:
        run: its folder, as --out named it.

    Returns:
        The run. Its model is read by the first `predict` and stays in memory, so that later ones take little more
        than the network itself.

    Raises:
        InputError: there is no finished run, or it holds no model.
    """
    from headstart.run_files import check_has_program
    from headstart.runs import RunDirectory

    directory = RunDirectory.open(run)
    check_has_program(directory.path)
    return Run(directory.path, directory.record.to_json(), "")
