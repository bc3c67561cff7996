"""The options of the verbs that take a finished run and new labelled items: `evaluate` and `calibrate`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from headstart.fitting.shared_options import (
    DATA,
    MACHINE,
    RUN,
    AnyData,
    AnyPath,
    CommonOptions,
    Options,
    RunOptions,
    Shown,
)

_fit = RunOptions.model_fields


class LabelledOptions(Options):
    """A finished run, and how new labelled items are read."""

    run: Annotated[AnyPath, Shown(DATA)] = Field(kw_only=False, description="A finished run.")
    data: Annotated[AnyData, Shown(DATA)] = Field(
        kw_only=False,
        description="Labelled items: a folder, a table, an npz file or a hub id; in Python also a data set in memory.",
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
    report: Annotated[bool, Shown(RUN)] = Field(default=True, description=_fit["report"].description)
    threads: Annotated[int | None, Shown(MACHINE, otherwise="the cores this process may use")] = Field(
        default=None, ge=1, description=CommonOptions.model_fields["threads"].description
    )
