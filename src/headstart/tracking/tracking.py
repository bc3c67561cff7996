"""One fit followed by a tracker: names of trainings, numbers of epochs, and errors of the library as one warning.

A library that fails never fails the fit: the first error is a warning, and nothing more is reported. Only one that
cannot start refuses the fit, before anything is learned. The id of the run in the library is kept in
RUN/tracker.json, so that a fit that is resumed continues it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from headstart.errors import InputError, one_line
from headstart.files import read_json, write_json
from headstart.progress import say
from headstart.tracking.tracker import Outcome, Tracker, module_of

REMEMBERED = "tracker.json"
_NOT_NUMBERS_OF_EPOCHS = ("epoch", "seconds")


class Tracking:
    """A tracker that follows one fit.

    Args:
        library: its name.
        tracker: the run in it.
        run: the folder of the fit.
        trainings: the folder in which the fit keeps its trainings.
    """

    def __init__(self, library: str, tracker: Tracker, run: Path, trainings: Path) -> None:
        self.library, self._run, self._trainings = library, run, trainings
        self._tracker: Tracker | None = tracker
        self._is_remembered = False

    @classmethod
    def start(cls, library: str, run: Path, trainings: Path) -> Tracking:
        """Begin, or resume what an earlier process began for the same fit.

        Args:
            library: its name.
            run: the folder of the fit.
            trainings: the folder in which the fit keeps its trainings.

        Raises:
            InputError: the library cannot start.
        """
        remembered = _remembered(run / REMEMBERED, library)
        try:
            tracker = module_of(library).start(run, remembered)
        except Exception as error:  # libraries, stores and servers raise many kinds of errors
            raise InputError(
                f"--track {library} cannot start ({one_line(error)}): check its settings, or leave --track out"
            ) from None
        return cls(library, tracker, run, trainings)

    def on_epoch(self, folder: Path | None, row: Mapping[str, Any]) -> None:
        """Report an epoch.

        Args:
            folder: of the training.
            row: of its history.
        """
        if folder is None:
            return
        values = {name: value for name, value in row.items() if name not in _NOT_NUMBERS_OF_EPOCHS}
        numbers = {name: float(value) for name, value in values.items() if value is not None}
        with self._guarded() as tracker:
            if tracker is not None:
                self._remember(tracker)
                tracker.log(self._name_of(folder), int(row["epoch"]), numbers)

    def finish(self, metrics: Mapping[str, Any], options: Mapping[str, Any]) -> None:
        """Report what a finished fit gave.

        Args:
            metrics: the content of its metrics.json.
            options: the resolved options.
        """
        report = self._run / "report.html"
        outcome = Outcome(
            _scores(metrics), _parameters(metrics, options), report if report.is_file() else None
        )
        try:
            with self._guarded() as tracker:
                if tracker is not None:
                    self._remember(tracker)
                    tracker.finish(outcome)
        except KeyboardInterrupt:  # the run itself is finished
            say(f"warning: --track {self.library} was stopped while the scores were reported")
        self._tracker = None

    def stop(self, *, failed: bool) -> None:
        """Close what is open, if the fit did not finish.

        Args:
            failed: it ended with an error; else it was interrupted.
        """
        with self._guarded() as tracker:
            if tracker is not None:
                tracker.stop(failed=failed)
        self._tracker = None

    @contextmanager
    def _guarded(self) -> Iterator[Tracker | None]:
        """Yield the tracker, None after its first error; an error is a warning."""
        try:
            yield self._tracker
        except Exception as error:
            self._tracker = None
            say(f"warning: --track {self.library} failed ({one_line(error)}): nothing more is reported there")

    def _remember(self, tracker: Tracker) -> None:
        if not self._is_remembered:
            write_json(self._run / REMEMBERED, {"library": self.library, "id": tracker.id})
            self._is_remembered = True

    def _name_of(self, folder: Path) -> str:
        """The name of a training: "training", or the folders that it lies in, such as "fold-1/training"."""
        inside = (
            folder.relative_to(self._trainings) if folder.is_relative_to(self._trainings) else folder.name
        )
        return "/".join(part for part in (*Path(inside).parts, "training"))


def _remembered(path: Path, library: str) -> str | None:
    if not path.is_file():
        return None
    content = read_json(path)
    return str(content["id"]) if content.get("library") == library else None


def _scores(metrics: Mapping[str, Any]) -> dict[str, float]:
    """Scores of the result with their intervals, and of the baselines."""
    found: dict[str, float | None] = {}
    for name, score in (metrics.get("test") or {}).items():
        found |= {
            f"test/{name}": score["value"],
            f"test/{name}_low": score["low"],
            f"test/{name}_high": score["high"],
        }
    for baseline, scores in (metrics.get("baselines") or {}).items():
        found |= {f"baselines/{baseline}/{name}": score["value"] for name, score in scores.items()}
    return {name: float(value) for name, value in found.items() if value is not None}


def _parameters(metrics: Mapping[str, Any], options: Mapping[str, Any]) -> dict[str, str]:
    """Options that were given, settings of the training, what was chosen, and the verdict."""
    values = {
        **options,
        **{f"recipe/{name}": value for name, value in (metrics.get("recipe") or {}).items()},
        **{f"chosen/{name}": value for name, value in (metrics.get("chosen") or {}).items()},
        "verdict": metrics.get("verdict"),
        **{name: metrics.get(name) for name in ("n_train", "n_validation", "n_test", "best_epoch")},
    }
    return {name: _text(value) for name, value in values.items() if value is not None}


def _text(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
