"""The folder of one run: numbered, claimed once, marked until it is finished, never overwritten.

A run that is being made holds the file `unfinished`, locked by the process that makes it. `finish` removes it.
So a killed run, a run that is still being made and a finished run can be told apart.
`headstart.runs.export` describes the files of a finished run.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from headstart import files
from headstart.errors import DiskFullError, InputError, OptionError, did_you_mean
from headstart.runs.predictions import Predictions
from headstart.runs.record import Record, check_complete, check_version

UNFINISHED = "unfinished"
CONFIGURATION = "headstart.yaml"
METRICS = "metrics.json"
_MAX_NUMBER = 10_000


class RunDirectory:
    """One run on the disk.

    Attributes:
        path: its folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: int | None = None

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
        out = Path(out).absolute()
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
        run = cls(_existing(Path(path)))
        if run.unfinished:
            state = "is still being written" if run._held_by_another() else "did not finish"
            raise InputError(
                f"the run {path} {state}; resume it with headstart fit --resume, or open another run"
            )
        if not run.file(METRICS).is_file():
            raise InputError(f"{path} is not a run: it has no metrics.json; pass the folder that --out named")
        run._metrics_json()
        return run

    @classmethod
    def resume(cls, path: Path | str) -> RunDirectory:
        """Open an unfinished run, to resume it.

        Raises:
            InputError: there is no run, it is finished, or another process is writing it.
        """
        run = cls(_existing(Path(path)))
        if not run.unfinished:
            raise InputError(f"the run {path} is finished: there is nothing to resume")
        if not run._take_lock():
            raise InputError(
                f"the run {path} is being written by another process; wait for it, or end it first"
            )
        return run

    @property
    def unfinished(self) -> bool:
        """Whether the run is unfinished."""
        return self.file(UNFINISHED).exists()

    def finish(self) -> None:
        """Mark the run as finished: from now on it can be opened."""
        for part in self.path.glob(files.TEMPORARY):  # of an earlier process that was killed while it wrote
            part.unlink(missing_ok=True)
        self.file(UNFINISHED).unlink(missing_ok=True)
        self.release()

    def discard(self) -> None:
        """Remove a run in which nothing was made yet; one that holds results stays."""
        if {entry.name for entry in self.path.iterdir()} <= {UNFINISHED, CONFIGURATION}:
            for name in (CONFIGURATION, UNFINISHED):
                self.file(name).unlink(missing_ok=True)
            self.release()
            self.path.rmdir()

    def release(self) -> None:
        """Let another process resume an unfinished run; the end of the process does the same."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def file(self, name: str) -> Path:
        """The path of a file of the run.

        Raises:
            InputError: the path is outside of the run.
        """
        path = self.path / name
        if not path.resolve().is_relative_to(self.path.resolve()):
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
        import yaml

        path = self.file(CONFIGURATION)
        try:
            content = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (OSError, yaml.YAMLError) as error:
            raise InputError(f"cannot read {path}: {error}") from None
        return dict(content or {})

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

    def _claim(self) -> bool:
        """Make the folder and its marker; False if another run has claimed it."""
        if self.path.is_dir():
            if any(self.path.iterdir()):
                return False
        else:
            try:
                self.path.mkdir()
            except FileExistsError:
                if not self.path.is_dir():
                    raise
        try:
            # Two processes can see the same empty folder: the marker decides which of them has it.
            with open(self.file(UNFINISHED), "x", encoding="utf-8") as marker:
                json.dump({"process": os.getpid(), "started": time.time(), "command": sys.argv}, marker)
        except FileExistsError:
            return False
        return self._take_lock()

    def _check_room(self, needed_bytes: int) -> None:
        free = shutil.disk_usage(self.path).free
        if free >= needed_bytes:
            return
        self.file(UNFINISHED).unlink(missing_ok=True)
        self.release()
        self.path.rmdir()
        raise DiskFullError(
            f"the run needs {needed_bytes / 1e6:,.0f} MB and {self.path.parent} has {free / 1e6:,.0f} MB: "
            "free some, or pass another folder with --out"
        )

    def _take_lock(self) -> bool:
        try:
            import fcntl
        except ImportError:  # Windows: only the marker is checked
            return True
        descriptor = os.open(self.file(UNFINISHED), os.O_RDWR)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        except OSError:  # a file system without locks
            os.close(descriptor)
            return True
        self._lock = descriptor
        return True

    def _held_by_another(self) -> bool:
        if self._lock is not None or not self._take_lock():
            return True
        self.release()
        return False


def _existing(path: Path) -> Path:
    if path.is_dir():
        return path.absolute()
    beside = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
    raise InputError(f"there is no run at {path}.{did_you_mean(path.name, beside)}")


def _unwritable(out: Path, error: OSError) -> Exception:
    failure = files.write_error(out, error)
    if isinstance(failure, DiskFullError):
        return failure
    return OptionError(
        f"--out {out} cannot be written: {error.strerror or error}; pass another folder with --out"
    )
