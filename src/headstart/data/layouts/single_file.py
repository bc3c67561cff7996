"""One file without labels: an image, a recording, or a .txt with one text per line."""

from __future__ import annotations

from pathlib import Path

from headstart.data.examples import Examples, string_array
from headstart.data.items import suffix_modality
from headstart.data.place import Place, ReadOptions
from headstart.data.tables import TABLE_SUFFIXES, read_text
from headstart.errors import DataError

DESCRIPTION = "one image, one recording, or a .txt with one text per line"


def matches(place: Place) -> bool:
    """Whether there is a file that is neither a table nor an npz."""
    return place.is_file


def read(place: Place, options: ReadOptions) -> Examples:
    """The file as one item, or the lines of a .txt that are not empty.

    Raises:
        DataError: labels are required, or the suffix is unknown.
    """
    path = place.path
    kind = suffix_modality(path)
    if options.labels_required or kind is None:
        raise DataError(
            f"{path} is not a table: give a folder, or a file that ends in "
            f"{', '.join(sorted(TABLE_SUFFIXES))} or .npz."
        )
    if kind == "text":
        return _lines(path)
    return Examples(kind, [path], string_array([path.name]), root=path.parent)


def _lines(path: Path) -> Examples:
    lines = [line for line in read_text(path).splitlines() if line.strip()]
    names = string_array(f"line {index + 1}" for index in range(len(lines)))
    return Examples("text", lines, names, root=path.parent)
