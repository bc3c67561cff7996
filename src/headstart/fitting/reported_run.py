"""Write a run that is made in one go, such as a ranking: its configuration, its table, its record and its report."""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from headstart.data.in_memory_data import Data, place_of
from headstart.fitting.configuration import with_absolute_paths
from headstart.run_files import UNFINISHED

if TYPE_CHECKING:
    from headstart.report.reported import Reported
    from headstart.runs import RunDirectory


class RunMaker(Protocol):
    """The options of a verb that makes a run."""

    @property
    def data(self) -> Data:
        """Where the data is."""

    @property
    def out(self) -> str | Path | None:
        """The folder of the run; None: not given."""

    def model_dump(self) -> dict[str, Any]:
        """The options by name, `out` left out."""


def create(options: RunMaker, kind: str, name: str) -> RunDirectory:
    """Claim the folder of a run and write its configuration.

    Args:
        options: of the verb.
        kind: of the run, one of `run_kinds.RUN_KINDS`.
        name: what follows the name of the data in that of the folder, if --out is not given.
    """
    run = claim(options, name)
    write_configuration(run, options, kind)
    return run


def claim(options: RunMaker, name: str, *, of: str | Path | None = None) -> RunDirectory:
    """Claim the folder of a run; one whose process is killed before it writes anything is claimed again.

    Args:
        options: of the verb.
        name: what follows the name of the data in that of the folder, if --out is not given.
        of: what the folder is named after in place of the data.
    """
    from headstart.runs import RunDirectory

    return RunDirectory.create(
        options.out or Path("runs") / f"{place_of(of or options.data).stem or 'data'}-{name}"
    )


def write_configuration(run: RunDirectory, options: RunMaker, kind: str) -> None:
    """Write the options of a run.

    Args:
        run: its folder.
        options: of the verb.
        kind: of the run, one of `run_kinds.RUN_KINDS`.
    """
    from headstart.runs.directory import CONFIGURATION

    run.write_yaml(CONFIGURATION, {kind: with_absolute_paths(options.model_dump())})


def finish(
    run: RunDirectory, shown: Reported, table: str, rows: Sequence[Mapping[str, Any]], *, report: bool
) -> str:
    """Write table, record and report, close the folder, and return the text that ends the command.

    Args:
        run: the folder, claimed.
        shown: what the report of this kind of run is made from.
        table: name of the file of the rows.
        rows: of the table, at least one.
        report: whether report.html is written.
    """
    from headstart.report import end_block, render

    run.write_text(table, _csv(rows))
    run.write_record(shown.record)  # before the report, which is large: a full disk must not lose the result
    if report:
        run.write_text("report.html", render(shown))
    run.finish()
    return end_block(shown, has_report=report)


def remove_half(run: RunDirectory, error: BaseException) -> None:
    """Remove a run that did not finish and cannot be resumed. If that fails, the error names the folder.

    Args:
        run: that was being written; a finished one stays.
        error: that stopped it.
    """
    if not run.unfinished:
        return
    try:
        for entry in run.path.iterdir():
            if entry.is_dir():
                shutil.rmtree(entry)
            elif entry.name != UNFINISHED:  # which goes last: without it, what is left would look like a run
                entry.unlink()
        run.discard()
    except OSError:
        error.add_note(
            f"The folder {run.path} holds a part of the new run and could not be removed: remove it."
        )


def _csv(rows: Sequence[Mapping[str, Any]]) -> str:
    file = io.StringIO()
    writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()
