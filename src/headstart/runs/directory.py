"""The folder of one run: numbered, claimed once, marked until it is finished, never overwritten.

A run that is being made holds the file `unfinished`, locked by the process that makes it. `finish` removes it.
So a killed run, a run that is still being made and a finished run can be told apart. A folder that holds nothing
else, and whose process was killed, is claimed again.
`headstart.runs.export` describes the files of a finished run.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from headstart import files
from headstart.data.listing import lies_inside
from headstart.errors import DiskFullError, InputError, OptionError
from headstart.run_files import METRICS, UNFINISHED, check_version
from headstart.runs.how_to_finish import how_to_finish
from headstart.runs.marker import Marker
from headstart.runs.predictions import Predictions
from headstart.runs.record import Record, check_complete
from headstart.yaml_files import read_settings

CONFIGURATION = "headstart.yaml"
TRAINING = "training"  # folder of checkpoints while a run is made; gone when it is finished
_MAX_NUMBER = 10_000


class RunDirectory:
    """One run on the disk.

    Attributes:
        path: its folder.
        first_command: words of the command that began the run, if this process resumes it; else ().
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.first_command: tuple[str, ...] = ()
        self._marker = Marker(path / UNFINISHED)

    def __repr__(self) -> str:
        return f"RunDirectory({str(self.path)!r})"

    @classmethod
    def create(cls, out: Path | str, needed_bytes: int = 0) -> RunDirectory:
        """Claim a new folder: `out`, or `out-2`, `out-3`, … if a run is there already.

        Args:
            out: the folder asked for; parents are made. An empty folder is taken as it is.
            needed_bytes: what the run will write, checked against the free space.

        Raises:
            OptionError: `out` cannot be a folder, or cannot be written to.
            DiskFullError: there is less room than needed.
        """
        out = check_out(out)
        try:
            out.parent.mkdir(parents=True, exist_ok=True)
            for number in range(1, _MAX_NUMBER):
                run = cls(out if number == 1 else out.with_name(f"{out.name}-{number}"))
                if run._claim():
                    run._check_room(needed_bytes)
                    return run
        except FileExistsError as error:
            raise OptionError(
                f"--out {out}: {error.filename} is a file, not a folder; pass another folder with --out"
            ) from None
        except NotADirectoryError:
            raise OptionError(
                f"--out {out}: a file of this name exists; pass another folder with --out"
            ) from None
        except OSError as error:
            raise _unwritable(out, error) from None
        raise OptionError(
            f"--out {out}: there are {_MAX_NUMBER} runs of this name already; pass another folder with --out"
        )

    @classmethod
    def open(cls, path: Path | str) -> RunDirectory:
        """Open a finished run.

        Raises:
            InputError: there is no run, it did not finish, or a newer headstart wrote it.
        """
        run = cls(_existing(path))
        if run.unfinished:
            state = "is still being written" if run._marker.is_taken() else "did not finish"
            raise InputError(
                f"the run {path} {state}; {how_to_finish(run.file(CONFIGURATION), path)}, or open another run"
            )
        if not run.file(METRICS).is_file():
            raise InputError(f"{path} is not a run: it has no metrics.json; pass the folder that --out named")
        run._metrics_json()
        return run

    @classmethod
    def resume(cls, path: Path | str) -> RunDirectory:
        """Open an unfinished run, to resume it.

        Raises:
            InputError: there is no run, it is finished, it holds a link, or another process is writing it.
        """
        run = cls(_existing(path))
        if not run.unfinished:
            if not run.file(METRICS).is_file():
                raise InputError(f"{path} is not a run: pass the folder that the interrupted command named")
            run._tidy()  # it may have been killed between its last two steps
            raise InputError(f"the run {path} is finished: there is nothing to resume")
        run._refuse_links()
        if not run._marker.take():
            raise InputError(
                f"the run {path} is being written by another process; wait for it, or end it first"
            )
        if run._holds_nothing_else():
            run.release()
            raise InputError(
                f"the run {path} was stopped before anything was done: give the first command again, which takes "
                "this folder"
            )
        run._remove_temporary()
        run.first_command = run._marker.command
        return run

    @property
    def unfinished(self) -> bool:
        """Whether the run is unfinished."""
        return self._marker.exists

    def finish(self) -> None:
        """Mark the run as finished: from now on it can be opened. What was needed to resume it is removed."""
        self._remove_temporary()
        self._marker.remove()
        self._tidy()  # last: a run without its checkpoints could not be resumed

    def discard(self) -> None:
        """Remove a run in which nothing was made yet; one that holds results stays."""
        if {entry.name for entry in self.path.iterdir()} <= {UNFINISHED, CONFIGURATION}:
            self.file(CONFIGURATION).unlink(missing_ok=True)
            self._marker.remove()
            self.path.rmdir()

    def release(self) -> None:
        """Let another process resume an unfinished run; the end of the process does the same."""
        self._marker.release()

    def file(self, name: str) -> Path:
        """The path of a file of the run.

        Raises:
            InputError: the path is outside of the run.
        """
        path = self.path / name
        if not lies_inside(path, os.path.realpath(self.path)):
            raise InputError(f"'{name}' is outside of the run {self.path}")
        return path

    def write_json(self, name: str, content: Any) -> None:
        """Write a JSON file, whole or not at all."""
        files.write_json(self.file(name), content)

    def write_yaml(self, name: str, content: Mapping[str, Any], comment: str = "") -> None:
        """Write a YAML file, whole or not at all."""
        files.write_yaml(self.file(name), content, comment)

    def write_text(self, name: str, content: str) -> None:
        """Write a text file, whole or not at all."""
        files.write_text(self.file(name), content)

    def write_jsonl(self, name: str, records: Iterable[Mapping[str, Any]]) -> None:
        """Write a JSON-lines file, whole or not at all."""
        files.write_jsonl(self.file(name), records)

    def append_jsonl(self, name: str, record: Mapping[str, Any]) -> None:
        """Add one line to a JSON-lines file such as history.jsonl."""
        files.append_jsonl(self.file(name), record)

    def write_record(self, record: Record) -> None:
        """Write metrics.json; a record that lacks something is refused."""
        check_complete(record)
        self.write_json(METRICS, record.to_json())

    def write_predictions(self, predictions: Predictions) -> None:
        """Write predictions.parquet, for the held-out part."""
        predictions.write(self.file("predictions.parquet"))

    @property
    def record(self) -> Record:
        """The content of metrics.json."""
        return Record.from_json(self._metrics_json(), where=str(self.file(METRICS)))

    @property
    def config(self) -> dict[str, Any]:
        """The resolved configuration of headstart.yaml."""
        return read_settings(self.file(CONFIGURATION), "the configuration")

    @property
    def history(self) -> list[dict[str, Any]]:
        """The lines of history.jsonl; empty if the network was not trained."""
        return files.read_jsonl(self.file("history.jsonl"))

    def predictions(self) -> Predictions:
        """The predictions for the held-out part."""
        return Predictions.read(self.file("predictions.parquet"))

    def _metrics_json(self) -> dict[str, Any]:
        path = self.file(METRICS)
        content = files.read_json(path)
        check_version(content, where=str(path))
        return dict(content)

    def _remove_temporary(self) -> None:
        """Remove the files of an earlier process that was killed while it wrote them."""
        for part in self.path.glob(files.TEMPORARY):
            part.unlink(missing_ok=True)

    def _refuse_links(self) -> None:
        """Refuse an unfinished run that someone else has put links into: what is written would go elsewhere."""
        for folder, names, files_there in os.walk(self.path):
            for entry in (Path(folder, name) for name in (*names, *files_there)):
                if entry.is_symlink():
                    raise InputError(
                        f"{entry} is a link, and the run would be written to where it leads: headstart makes "
                        "none, so do not trust this run; make a new one"
                    )

    def _holds_nothing_else(self) -> bool:
        """Whether the folder was claimed, and its process ended before it had written a file."""
        there = {entry.name for entry in self.path.iterdir() if not entry.match(files.TEMPORARY)}
        return there == {UNFINISHED}

    def _tidy(self) -> None:
        """Remove what a finished run does not need."""
        self._remove_temporary()
        shutil.rmtree(self.file(TRAINING), ignore_errors=True)

    def _claim(self) -> bool:
        """Make the folder and its marker; False if another run has claimed it."""
        if self.path.is_dir():
            if self._holds_nothing_else():  # its process was killed, if nobody holds the lock
                self._refuse_links()
                return self._marker.take() and self._marker.is_locked_here
            if any(self.path.iterdir()):
                return False
        else:
            try:
                self.path.mkdir()
            except FileExistsError:
                if not self.path.is_dir():
                    raise
        return self._marker.create()  # which decides, if two processes see the same empty folder

    def _check_room(self, needed_bytes: int) -> None:
        free = shutil.disk_usage(self.path).free
        if free >= needed_bytes:
            return
        self._marker.remove()
        self.path.rmdir()
        raise DiskFullError(
            f"the run needs {needed_bytes / 1e6:,.0f} MB and {self.path.parent} has {free / 1e6:,.0f} MB: "
            "free some, or pass another folder with --out"
        )


def check_out(out: Path | str) -> Path:
    """The folder of a new run, absolute.

    Raises:
        OptionError: it has no name of its own, so that it could not be numbered, or one that no folder can have.
    """
    path = files.named_path(out, "--out").absolute()
    if path.name in ("", ".."):
        raise OptionError(f"--out {out} is not the name of a new folder: pass one, such as --out runs/xray")
    return path


def _existing(path: Path | str) -> Path:
    path = files.named_path(path, "the run")
    if path.is_dir():
        return path.absolute()
    near = files.did_you_mean_beside(path)
    raise InputError(
        f"there is no run at {path}.{near or ' headstart fit makes one, and ends with its folder.'}"
    )


def _unwritable(out: Path, error: OSError) -> Exception:
    failure = files.write_error(out, error)
    if isinstance(failure, DiskFullError):
        return failure
    return OptionError(
        f"--out {out} cannot be written: {error.strerror or error}; pass another folder with --out"
    )
