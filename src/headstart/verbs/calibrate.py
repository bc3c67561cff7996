"""calibrate: correct the probabilities of a finished run by a few new labelled items."""

from __future__ import annotations

from typing import Any

from headstart.calibrating.options import CalibrateOptions, calibrate_options
from headstart.calibrating.procedure import run_calibrate
from headstart.calibrating.result import Calibration
from headstart.fitting.signatures import takes


@takes(CalibrateOptions)
def calibrate(**options: Any) -> Calibration:
    """Correct the probabilities of a finished run by labelled items that it has not learned from.

    Temperature scaling, or temperature scaling with one bias per class (`headstart.heads.recalibrate`), whichever has
    the lower cross-validated log loss; only if that is lower than without a correction beyond chance. The run stays as
    it is, and a new one is written.

    Args:
        run: its folder.
        data: a folder, a table, an npz file or a hub id, with labels; or a pandas DataFrame, a Dataset
            or DatasetDict of `datasets`, or a list of (item, label).
        options: every other option by name, such as target="diagnosis" (docs/options.md).

    Returns:
        The calibration; its `run` is the new run, or None if no correction was made.

    Raises:
        InputError: there is no such run, it cannot be calibrated, or the data does not fit it.
    """
    return run_calibrate(calibrate_options(**options))
