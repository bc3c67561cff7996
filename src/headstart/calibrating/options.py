"""The options of `calibrate`, each declared once, as those of `fit`."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from headstart.fitting.labelled_options import LabelledOptions
from headstart.fitting.shared_options import (
    MACHINE,
    RUN,
    SOURCE,
    AnyPath,
    CommonOptions,
    Shown,
    checked,
)


class CalibrateOptions(LabelledOptions):
    """Every option of a calibration."""

    arch: Annotated[str | None, Shown(SOURCE)] = Field(
        default=None, description="FILE:Class or module:Class of your own network, if the run has one."
    )
    out: Annotated[AnyPath | None, Shown(RUN, "FOLDER", "runs/ and the names of run and data")] = Field(
        default=None,
        exclude=True,
        description="Folder of the new run: numbered if it exists, never overwritten.",
    )
    store: Annotated[
        AnyPath | None, Shown(MACHINE, "FOLDER", "$HEADSTART_CACHE, or the user's cache folder")
    ] = Field(default=None, description=CommonOptions.model_fields["store"].description)


def calibrate_options(**given: Any) -> CalibrateOptions:
    """Check the options of a calibration and report all faults at once.

    Args:
        given: fields of CalibrateOptions by name.

    Raises:
        OptionError: an option is unknown or has a wrong value.
    """
    return checked(CalibrateOptions, given, places=("run", "data", "out", "store"))
