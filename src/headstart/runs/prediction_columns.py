"""Columns of a table of predictions as Arrow arrays, and the names that they may have."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from headstart.runs import top_probabilities
from headstart.runs.cells import harmless

if TYPE_CHECKING:
    import pyarrow as pa

_OWN = ("item", "label", "predicted", top_probabilities.COLUMN)  # and p_<class>


def text_list(values: Sequence[str]) -> list[str]:
    """Texts as both formats can hold them."""
    # A file name that is not valid UTF-8 is read as surrogates, which neither format holds: written as escapes.
    return [str(value).encode("utf-8", "backslashreplace").decode("utf-8") for value in values]


def text_column(values: Sequence[str | None]) -> Any:
    """Texts as an array; None is a missing one."""
    import pyarrow as pa

    return pa.array([None if value is None else text_list([value])[0] for value in values], type=pa.string())


def number_column(values: Sequence[Any]) -> Any:
    """Values as numbers if all are, else as they are written."""
    import pyarrow as pa

    try:
        return pa.array([None if value is None else float(value) for value in values], type=pa.float64())
    except ValueError:
        return text_column([str(value) for value in values])


def is_own(name: str) -> bool:
    """Whether a column is one that a table of predictions has."""
    return name in _OWN or name.startswith("p_")


def named_apart(given: Mapping[str, Sequence[str]]) -> dict[str, Sequence[str]]:
    """Columns of the data under names that are none of the table's own, and no formula of a spreadsheet."""
    found: dict[str, Sequence[str]] = {}
    for name, values in given.items():
        [apart] = text_list([name])
        while (
            is_own(apart) or harmless(apart) != apart or apart in found or (apart != name and apart in given)
        ):
            apart = f"given_{apart}"
        found[apart] = values
    return found


def with_texts(change: Callable[[str], str], table: pa.Table) -> pa.Table:
    """The table with every text of its columns changed."""
    import pyarrow as pa

    for index, column in enumerate(table.columns):
        if pa.types.is_string(column.type):
            texts = [None if text is None else change(text) for text in column.to_pylist()]
            changed = pa.array(texts, type=pa.string())
            table = table.set_column(index, table.field(index), changed)
    return table
