"""Predict new items with a finished run, and write the predictions where nothing is lost."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headstart.data.listing import lies_inside
from headstart.errors import OptionError
from headstart.files import named_path
from headstart.run_files import METRICS

if TYPE_CHECKING:
    from headstart.runs import Predictions
    from headstart.runs.model import Model


def predict(
    run: str | Path | Model,
    data: str | Path | Sequence[Any],
    *,
    out: str | Path | None = None,
    force: bool = False,
    follow_outside: bool = False,
    text: str | None = None,
    adapt: bool = False,
    windows: bool = False,
    threads: int | None = None,
) -> Predictions:
    """Predict items with a finished run.

    Args:
        run: the run's folder, or the run opened.
        data: a folder, a table, one file, a .txt with one text per line, or a list of paths or texts, a uint8
            picture (H, W) or (H, W, 3) or an array of them; a DataFrame or a data set of `datasets`, read as a table;
            labels are not needed; if the data has labels, they are kept with the predictions.
        out: a .csv or .parquet file to write; never one of the data or of a run.
        force: replace `out` if it exists.
        follow_outside: links, and paths in a table, may lead out of the data folder.
        text: column of the texts of a table, or several joined by commas; None: as the run's own.
        adapt: move and scale features to those of the training items on the way, for items of another domain. It does
            harm where class shares differ from training, where items come sorted by class, and with few items; the run
            stays as it is.
        windows: for recordings that are longer than the window of the run: predict every window of them, and take the
            mean. `windows` of the result has each of them, and so has a file beside `out` (FILE.windows.csv).
        threads: cores to use; None: those this process may use.

    Returns:
        Items, classes, probabilities, other columns of the data and, if known, labels; one row per item of the data,
        without a prediction where it cannot be read.

    Raises:
        InputError: the run or the data cannot be read, the run cannot be adapted, `out` has another ending or exists,
            or `threads` is below 1.
    """
    from headstart.runs.model import Model

    if out is not None:
        out = _checked_out(out, data, force=force)
        if windows:
            _checked_out(_beside(out), data, force=force)
    if isinstance(data, str | Path):
        named_path(data, "the data")
    model = run if isinstance(run, Model) else Model.open(run)
    predictions = model.predict(
        data, follow_outside=follow_outside, text=text, adapt=adapt, windows=windows, threads=threads
    )
    if out is not None:
        predictions.write(out)
        if predictions.windows is not None:
            predictions.windows.write(_beside(out))
    return predictions


def _beside(out: Path) -> Path:
    """Where the predictions of windows are written."""
    return out.with_name(f"{out.stem}.windows{out.suffix}")


def _checked_out(out: str | Path, data: str | Path | Sequence[Any], *, force: bool) -> Path:
    """Where predictions are written: never over the data or the files of a run.

    Raises:
        OptionError: `out` cannot be written, or something would be lost.
    """
    from headstart.runs.predictions import check_new_file

    path = named_path(out, "--out")
    if path.is_file():
        real = path.resolve()
        if any(_lies_in(real, item) for item in _places(data)):
            raise OptionError(f"--out {out} is part of the data, which is never replaced: name another file")
        if (path.parent / METRICS).is_file() or (real.parent / METRICS).is_file():
            raise OptionError(f"--out {out} is a file of a run, which is never replaced: name another file")
    check_new_file(path, force=force)
    return path


def _places(data: Any) -> Iterable[Any]:
    """What of the data may be a path: the data itself, its items, or the values of a table's columns."""
    from headstart.data.in_memory_data import in_memory

    held = in_memory(data)
    if held is None:
        return [data] if isinstance(data, str | Path) else data
    if held.kind == "list":
        return [item for item, _ in data]
    if held.kind == "DataFrame":
        return list(data.to_numpy().ravel())
    return []  # a row of it would be decoded; its files lie in a folder of its own


def _lies_in(file: Path, item: Any) -> bool:
    """Whether an existing file is an item, or lies in the folder that an item is; texts and arrays are no files."""
    if not isinstance(item, str | Path):
        return False
    with suppress(OSError, ValueError, RuntimeError):  # a long text, a null character, an unknown user
        return lies_inside(file, os.path.realpath(Path(item).expanduser(), strict=True))
    return False
