"""What a library that tracks experiments must do for a fit, and which libraries there are."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, cast, get_args

from headstart.errors import OptionError

Library = Literal["tensorboard", "mlflow", "wandb"]
LIBRARIES: tuple[str, ...] = get_args(Library)


@dataclass(frozen=True)
class Outcome:
    """What a finished fit gives.

    Attributes:
        scores: name, such as "test/accuracy", to value.
        parameters: name of an option, a setting or a choice to its value as text.
        report: report.html; None: it was not written. It shows items.
    """

    scores: Mapping[str, float]
    parameters: Mapping[str, str]
    report: Path | None


class Tracker(Protocol):
    """One run in a library. Any of its errors becomes a warning.

    Attributes:
        id: by which `start` of its module resumes it.
    """

    id: str

    def log(self, training: str, epoch: int, values: Mapping[str, float]) -> None:
        """Take the numbers of an epoch; epoch 0 is the start of a training."""

    def finish(self, outcome: Outcome) -> None:
        """Take what the fit gave, and close the run."""

    def stop(self, *, failed: bool) -> None:
        """Close the run of a fit that was interrupted or failed; it may be resumed.

        Args:
            failed: it ended with an error.
        """


class Module(Protocol):
    """A module of this package named after its library."""

    def start(self, run: Path, resumed: str | None) -> Tracker:
        """Begin a run in the library, or resume one.

        Args:
            run: the folder of the fit; its name is that of the run.
            resumed: the id of the run to resume; None: a new one.
        """


def check_library(name: str) -> None:
    """Refuse a library that is not installed.

    Args:
        name: of LIBRARIES.

    Raises:
        OptionError: with the line that installs it.
    """
    found = importlib.util.find_spec(name)
    if (
        found is None or found.origin is None
    ):  # a folder of this name, such as the one that W&B writes, is no library
        raise OptionError(f"--track {name} needs the extra: pip install 'headstart[{name}]'")


def module_of(name: str) -> Module:
    """The module of this package for a library."""
    return cast(Module, importlib.import_module(f"headstart.tracking.{name}"))
