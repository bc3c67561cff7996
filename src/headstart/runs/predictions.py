"""Predictions as a table: item, columns of the data, label if known, predicted, and p_<class> per class or label.

Several labels of one item are joined by `|` (`-` for none). A quantity has numbers in `label` and `predicted` and
no further columns. Above 1,000 classes one column, `top`, holds the highest probabilities (top_probabilities.py).
An item that could not be read has a row without a prediction. A column of the data whose name would be taken for one
of these is called given_<name>.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from headstart.errors import InputError, OptionError, parsing
from headstart.files import atomic_path
from headstart.runs import top_probabilities
from headstart.runs.cells import as_given, harmless
from headstart.runs.prediction_columns import (
    is_own,
    named_apart,
    number_column,
    text_column,
    text_list,
    with_texts,
)
from headstart.tasks import CLASSIFICATION, MULTILABEL, REGRESSION, task_named
from headstart.tasks.labels import label_names
from headstart.tasks.multilabel import THRESHOLD

if TYPE_CHECKING:
    import pyarrow as pa

ENDINGS = (".csv", ".parquet")


@dataclass(frozen=True)
class Predictions:
    """The predictions of a model for items.

    Attributes:
        items: (n_items,) names.
        classes: (n_classes,) the text of each class or label, in the order of the columns of `probabilities`; for
            a quantity its name.
        probabilities: (n_items, n_classes) float32; for a quantity its values, (n_items, 1) float64; NaN for an item
            that could not be read.
        labels: (n_items,) what is true, unchanged text; None if unknown.
        task: name of what was learned (see `headstart.tasks`).
        answers: (n_items,) what is predicted where a threshold decides, None for an item that could not be read;
            None: the usual way.
        given: other columns of the data by name, (n_items,) texts each.
        windows: the same of every window of recordings, of which these are the mean; None: they were not asked for.
    """

    items: Sequence[str]
    classes: tuple[str, ...]
    probabilities: np.ndarray
    labels: Sequence[str] | None = None
    task: str = CLASSIFICATION.name
    answers: Sequence[Any] | None = None
    windows: Predictions | None = None
    given: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        shape = (len(self.items), len(self.classes))
        if self.probabilities.shape != shape:
            raise ValueError(f"probabilities must be of shape {shape}, got {self.probabilities.shape}")
        if self.labels is not None and len(self.labels) != len(self.items):
            raise ValueError(
                f"there must be one label per item, got {len(self.labels)} for {len(self.items)} items"
            )

    @property
    def predicted(self) -> list[Any]:
        """The most probable class of each item, its labels of a probability of 1/2 or more, or its value.

        By a threshold, if the run has one; None for an item that could not be read.
        """
        if self.answers is not None:
            return list(self.answers)
        outputs = np.nan_to_num(self.probabilities)
        answers = task_named(self.task).decode(outputs, self.classes).tolist()
        return [answer if known else None for answer, known in zip(answers, self.is_readable, strict=True)]

    @property
    def is_readable(self) -> np.ndarray:
        """(n_items,) bool: whether the item could be read."""
        return np.asarray(~np.isnan(self.probabilities).any(axis=1))

    def table(self) -> pa.Table:
        """The Arrow table: item, columns of the data, label (if known), predicted, p_<class>…"""
        import pyarrow as pa

        has_classes = task_named(self.task).has_classes
        as_column = text_column if has_classes else number_column
        columns = [("item", text_column(self.items))]
        columns += [(name, text_column(values)) for name, values in named_apart(self.given).items()]
        if self.labels is not None:
            columns.append(("label", as_column(self.labels)))
        columns.append(("predicted", as_column(self.predicted)))
        kept = {"task": self.task, "target": "" if has_classes else self.classes[0]}
        if has_classes and len(self.classes) > top_probabilities.MOST_CLASSES:
            columns.append((top_probabilities.COLUMN, pa.array(self._top(), type=pa.string())))
            kept["classes"] = json.dumps(text_list(self.classes))
        elif has_classes:
            for name, column in zip(text_list(self.classes), self.probabilities.T, strict=True):
                numbers = pa.array(np.ascontiguousarray(column, dtype=np.float32), from_pandas=True)  # no NaN
                columns.append((f"p_{name}", numbers))
        names, arrays = zip(*columns, strict=True)
        return pa.Table.from_arrays(list(arrays), names=list(names)).replace_schema_metadata(kept)

    def _top(self) -> list[str]:
        """The probabilities that are kept of each item: the highest, of its labels, and of what is predicted."""
        several = task_named(self.task).many_per_item
        labels = [""] * len(self.items) if self.labels is None else text_list(self.labels)
        own = [label_names(label) if several else (label,) for label in labels]
        least = THRESHOLD if several else np.inf
        rows = np.asarray(self.probabilities, np.float32)
        texts = top_probabilities.to_json(rows, text_list(self.classes), own, least)
        return [text if known else "" for text, known in zip(texts, self.is_readable, strict=True)]

    def to_csv(self) -> str:
        """The table as CSV text, in which no cell is a formula (see `cells`)."""
        import pyarrow as pa
        import pyarrow.csv

        sink = pa.BufferOutputStream()
        pyarrow.csv.write_csv(with_texts(harmless, self.table()), sink)
        return str(sink.getvalue().to_pybytes().decode("utf-8"))

    def write(self, path: Path) -> None:
        """Write the table, as its ending says: .csv or .parquet; whole or not at all.

        Raises:
            OptionError: another ending, or a folder that does not exist.
        """
        check_new_file(path, force=True)
        with atomic_path(path) as temporary:
            if path.suffix.lower() == ".csv":
                import pyarrow.csv

                pyarrow.csv.write_csv(with_texts(harmless, self.table()), temporary)
            else:
                import pyarrow.parquet

                pyarrow.parquet.write_table(self.table(), temporary, compression="zstd")

    @classmethod
    def read(cls, path: Path) -> Predictions:
        """Read what `write` wrote.

        Raises:
            InputError: the file does not exist, is damaged or is not a table of predictions.
        """
        check_ending(path)
        if not path.is_file():
            raise InputError(f"there are no predictions at {path}")
        what = ("a table of predictions", "make it again")
        with parsing(path, *what):
            table = _read_csv(path) if path.suffix.lower() == ".csv" else _read_parquet(path)
        names = table.column_names
        if "item" not in names or "predicted" not in names:
            raise InputError(f"{path} holds no predictions: it has the columns {', '.join(names[:6])}")
        with parsing(path, *what):
            return cls._of_table(table)

    @classmethod
    def _of_table(cls, table: pa.Table) -> Predictions:
        names = table.column_names
        kept = {key.decode(): value.decode() for key, value in (table.schema.metadata or {}).items()}
        scores = [name for name in names if name.startswith("p_")]
        if top_probabilities.COLUMN in names:
            texts = table.column(top_probabilities.COLUMN).to_pylist()
            classes, outputs = top_probabilities.from_json(texts, json.loads(kept.get("classes", "[]")))
        else:
            classes = tuple(name[2:] for name in scores)
            columns = [np.asarray(table.column(name), dtype=np.float32) for name in scores]
            outputs = np.stack(columns, axis=1) if columns else np.zeros((table.num_rows, 0), np.float32)
        predicted = table.column("predicted").to_pylist()
        task = task_named(kept.get("task") or _task_of(predicted, classes, outputs))
        if not task.has_classes:
            values = [np.nan if value in (None, "") else value for value in predicted]
            classes, outputs = (kept.get("target") or "value",), np.asarray(values, task.dtype)[:, None]
        labels = table.column("label").to_pylist() if "label" in names else None
        found = cls(
            items=table.column("item").to_pylist(),
            classes=classes,
            probabilities=outputs,
            labels=None if labels is None else [str(label) for label in labels],
            task=task.name,
            given={name: table.column(name).to_pylist() for name in names if not is_own(name)},
        )
        return found._answering(predicted) if task.has_classes else found

    def _answering(self, written: Sequence[Any]) -> Predictions:
        """With the answers of a file, if they are not the usual ones: a threshold gave them."""
        answers = [
            str(answer) if known else None for answer, known in zip(written, self.is_readable, strict=True)
        ]
        return self if answers == self.predicted else replace(self, answers=answers)


def check_ending(path: Path) -> None:
    """Refuse a file that is neither .csv nor .parquet.

    Raises:
        OptionError: another ending.
    """
    if path.suffix.lower() not in ENDINGS:
        raise OptionError(f"predictions are written to {' or '.join(ENDINGS)}, got {path.name}")


def check_new_file(path: Path, *, force: bool) -> None:
    """Refuse a file that cannot be written, or would be lost; called before the long part.

    Args:
        path: where predictions are to be written.
        force: whether an existing file may be replaced.

    Raises:
        OptionError: another ending, no such folder, a folder of that name, or an existing file.
    """
    check_ending(path)
    check_new(path, "predictions.csv", force=force)


def check_new(path: Path, example: str, *, force: bool) -> None:
    """Refuse the file of --out if it cannot be written, or one would be lost.

    Args:
        path: the file to write.
        example: a name of such a file.
        force: whether an existing file may be replaced.

    Raises:
        OptionError: there is no such folder, a folder of that name, or an existing file.
    """
    if not path.absolute().parent.is_dir():
        raise OptionError(
            f"--out {path}: there is no folder {path.parent}; make it first, or name another file"
        )
    if path.is_dir():
        raise OptionError(f"--out {path} is a folder; name a file, such as {path / example}")
    if not force and os.path.lexists(path):
        raise OptionError(
            f"--out {path} exists already: name another file, or replace it with --force (in Python: force=True)"
        )


def _task_of(predicted: Sequence[Any], classes: Sequence[str], outputs: np.ndarray) -> str:
    """What was learned, inferred from a table that does not say: its predictions, classes and their probabilities."""
    if not classes:
        return (REGRESSION if len(predicted) else CLASSIFICATION).name
    known = ~np.isnan(outputs).any(axis=1)
    predicted, outputs = (
        [each for each, is_readable in zip(predicted, known, strict=True) if is_readable],
        outputs[known],
    )
    total = outputs.sum(axis=1, dtype=np.float64)
    at_most_one = len(classes) > top_probabilities.N_TOP  # of many classes not all were kept
    sums = (total < 1 + 1e-3).all() if at_most_one else np.allclose(total, 1.0, atol=1e-3)
    one_each = set(predicted) <= set(classes)
    return (CLASSIFICATION if one_each and sums else MULTILABEL).name


def _read_parquet(path: Path) -> pa.Table:
    import pyarrow.parquet

    return pyarrow.parquet.ParquetFile(path).read()


def _read_csv(path: Path) -> pa.Table:
    import csv

    import pyarrow as pa
    import pyarrow.csv

    with open(path, newline="", encoding="utf-8") as file:
        names = next(csv.reader(file), [])
    types = {name: pa.float32() if name.startswith("p_") else pa.string() for name in names}
    convert = pyarrow.csv.ConvertOptions(column_types=types, strings_can_be_null=False)
    table = pyarrow.csv.read_csv(
        path,
        parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True),
        convert_options=convert,
    )
    return with_texts(as_given, table)
