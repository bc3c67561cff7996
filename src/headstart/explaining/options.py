"""The options of `explain`, each declared once, as those of `fit`."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from headstart.fitting.shared_options import (
    DATA,
    MACHINE,
    RUN,
    AnyItems,
    AnyPath,
    CommonOptions,
    Options,
    RunOptions,
    Shown,
    checked,
)

_fit, _common = RunOptions.model_fields, CommonOptions.model_fields


class ExplainOptions(Options):
    """Every option of an explanation."""

    run: Annotated[AnyPath, Shown(DATA)] = Field(kw_only=False, description="A finished run.")
    data: Annotated[AnyItems, Shown(DATA, "ITEMS", is_argument=True)] = Field(
        kw_only=False,
        description="Items as predict takes them: a folder, a table, one file, or a .txt file with one text per line.",
    )
    class_name: Annotated[
        str | None, Shown(DATA, "NAME", "the most probable one of each item", "--class")
    ] = Field(default=None, description="Class or label whose probability is explained.")
    most: Annotated[int, Shown(DATA, "NUMBER")] = Field(
        default=8, ge=1, description="Explain at most this many items, evenly spread over ITEMS."
    )
    text: Annotated[str | None, Shown(DATA, "COLUMNS", "as the run's")] = Field(
        default=None, description=_fit["text"].description
    )
    follow_outside: Annotated[bool, Shown(DATA)] = Field(
        default=False, description=_fit["follow_outside"].description
    )
    out: Annotated[AnyPath | None, Shown(RUN, "FOLDER", "runs/ and the names of items and run")] = Field(
        default=None,
        exclude=True,
        description="Folder of the explanations: numbered if it exists, never overwritten.",
    )
    report: Annotated[bool, Shown(RUN)] = Field(default=True, description=_fit["report"].description)
    seed: Annotated[int, Shown(MACHINE)] = Field(
        default=0, ge=0, le=2**32 - 1, description=_common["seed"].description
    )
    threads: Annotated[int | None, Shown(MACHINE, otherwise="the cores this process may use")] = Field(
        default=None, ge=1, description=_common["threads"].description
    )


def explain_options(**given: Any) -> ExplainOptions:
    """Check the options of an explanation and report all faults at once.

    Args:
        given: fields of ExplainOptions by name.

    Raises:
        OptionError: an option is unknown or has a wrong value.
    """
    names_a_place = isinstance(given.get("data"), str)
    return checked(ExplainOptions, given, places=("run", "out", *(("data",) if names_a_place else ())))
