"""fit: from a folder, a table or recordings to a trained, explained model."""

from __future__ import annotations

from typing import Any

from headstart.fitting.options import FitOptions, fit_options
from headstart.fitting.procedure import run_fit
from headstart.fitting.signatures import takes
from headstart.runs.run import Run


@takes(FitOptions)
def fit(**options: Any) -> Run:
    """Fit a model to labelled data from a pretrained source, and explain it.

    Args:
        data: a folder, a table, an npz file or a hub id; or a pandas DataFrame, a Dataset
            or DatasetDict of `datasets`, or a list of (item, label).
        source: `timm:NAME`, `hf:NAME`, a folder, a file, `run:RUN` or `bundled:letters`; None: the default of
            the data's modality.
        options: every other option by name, such as freeze="until:layer3" (docs/options.md).

    Returns:
        The run.

    Raises:
        InputError: anything about the data, the source or the options is wrong.
    """
    return run_fit(fit_options(**options))
