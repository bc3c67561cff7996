"""The options of `evaluate`, each declared once, as those of `fit`."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from headstart.fitting.shared_options import (
    DATA,
    MACHINE,
    RUN,
    AnyPath,
    CommonOptions,
    Options,
    RunOptions,
    Shown,
    checked,
)

_fit = RunOptions.model_fields


class EvaluateOptions(Options):
    """Every option of an evaluation."""

    run: Annotated[AnyPath, Shown(DATA)] = Field(kw_only=False, description="A finished run.")
    data: Annotated[AnyPath, Shown(DATA)] = Field(
        kw_only=False, description="Labelled items: a folder, a table, an npz file or a hub id."
    )
    target: Annotated[str | None, Shown(DATA, "COLUMN", "as the run's, else label, target or class")] = Field(
        default=None, description="Column of the true labels."
    )
    group: Annotated[
        str | None, Shown(DATA, "COLUMN", "as the run's, else patient, speaker, group or subject")
    ] = Field(default=None, description="Column of the groups that the intervals count together.")
    text: Annotated[str | None, Shown(DATA, "COLUMNS", "as the run's")] = Field(
        default=None, description=_fit["text"].description
    )
    follow_outside: Annotated[bool, Shown(DATA)] = Field(
        default=False, description=_fit["follow_outside"].description
    )
    windows: Annotated[bool, Shown(DATA)] = Field(
        default=False,
        description="Predict every window of recordings that are longer than the run's, and take the mean.",
    )
    out: Annotated[AnyPath | None, Shown(RUN, "FOLDER", "runs/ and the names of data and run")] = Field(
        default=None,
        exclude=True,
        description="Folder of the evaluation: numbered if it exists, never overwritten.",
    )
    report: Annotated[bool, Shown(RUN)] = Field(default=True, description=_fit["report"].description)
    threads: Annotated[int | None, Shown(MACHINE, otherwise="the cores this process may use")] = Field(
        default=None, ge=1, description=CommonOptions.model_fields["threads"].description
    )


def evaluate_options(**given: Any) -> EvaluateOptions:
    """Check the options of an evaluation and report all faults at once.

    Args:
        given: fields of EvaluateOptions by name.

    Raises:
        OptionError: an option is unknown or has a wrong value.
    """
    return checked(EvaluateOptions, given, places=("run", "data", "out"))
