"""The options of `evaluate`, each declared once, as those of `fit`."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from headstart.fitting.labelled_options import LabelledOptions
from headstart.fitting.shared_options import DATA, RUN, AnyPath, Shown, checked


class EvaluateOptions(LabelledOptions):
    """Every option of an evaluation."""

    windows: Annotated[bool, Shown(DATA)] = Field(
        default=False,
        description="Predict every window of recordings that are longer than the run's, and take the mean.",
    )
    out: Annotated[AnyPath | None, Shown(RUN, "FOLDER", "runs/ and the names of data and run")] = Field(
        default=None,
        exclude=True,
        description="Folder of the evaluation: numbered if it exists, never overwritten.",
    )


def evaluate_options(**given: Any) -> EvaluateOptions:
    """Check the options of an evaluation and report all faults at once.

    Args:
        given: fields of EvaluateOptions by name.

    Raises:
        OptionError: an option is unknown or has a wrong value.
    """
    return checked(EvaluateOptions, given, places=("run", "data", "out"))
