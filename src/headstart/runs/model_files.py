"""What the files of a run say about the inputs that its program takes, and about its answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from headstart.errors import DataError, InputError, OptionError, parsing, shortened
from headstart.files import read_json
from headstart.run_files import METRICS, read_checked
from headstart.runs.decision import Decision, check_class, threshold_in
from headstart.tasks import task_named

if TYPE_CHECKING:
    from headstart.runs.directory import RunDirectory
    from headstart.tasks.threshold import Threshold

T = TypeVar("T")
_AGAIN = "copy the run again, or make the run again"


def preprocessing_in(path: Path) -> Any:
    """The preprocessing in a run's source.json.

    Args:
        path: of the file.

    Raises:
        InputError: the file has none that can be used.
    """
    from headstart.data import preprocessing_from_json

    return _part(path, "preprocessing", lambda content: preprocessing_from_json(content["preprocessing"]))


def answers_in(path: Path) -> tuple[tuple[str, ...], str, Threshold | None]:
    """The classes in a run's head.json, the name of its task, and its threshold.

    Args:
        path: of the file.

    Raises:
        InputError: the file does not name them.
    """

    def read(content: Any) -> tuple[tuple[str, ...], str, Threshold | None]:
        classes = content["classes"]
        are_texts = isinstance(classes, list) and all(isinstance(name, str) for name in classes)
        if not are_texts or len(set(classes)) != len(classes):
            raise DataError(f"classes must be different texts, got {shortened(repr(classes))}")
        return tuple(classes), task_named(content.get("task")).name, threshold_in(content)

    return _part(path, "task and classes", read)


def decision_in(run: RunDirectory, classes: Sequence[str]) -> Decision | None:
    """The decision in a run's metrics.json; None if its answers are the usual ones, or it does not say.

    Args:
        run: the run.
        classes: of its outputs.

    Raises:
        InputError: it is damaged.
    """
    path, record = run.file(METRICS), run.record
    try:
        found = Decision.of(record)
        if found is not None:
            check_class(found.threshold, classes)
    except (ValueError, TypeError, OptionError) as error:  # TypeError: a score that is no number
        raise InputError(f"{path} is damaged ({error}): {_AGAIN}") from None
    return found


def text_columns(run: Path) -> tuple[str, ...]:
    """The columns of a run's own table that its texts came from; () if its metrics.json does not say.

    Args:
        run: its folder.
    """
    data = read_json(run / METRICS).get("data")
    found = data.get("text") if isinstance(data, Mapping) else None
    return tuple(str(name) for name in found) if isinstance(found, list) else ()


def _part(path: Path, what: str, read: Callable[[Any], T]) -> T:
    """What a function finds in a JSON file of a run; any error of it names the file."""
    content = read_checked(path.parent, path.name)
    try:
        with parsing(path, what, _AGAIN):
            return read(content)
    except (DataError, OptionError) as error:
        raise InputError(f"{path} cannot be read as {what} ({error}): {_AGAIN}") from None
