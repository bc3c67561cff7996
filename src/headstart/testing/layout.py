"""What every data layout must satisfy: it reads the same items each time, and does not match data of other layouts.

Example:
    >>> import tempfile
    >>> from pathlib import Path
    >>> from headstart.data.layouts import single_table
    >>> table = Path(tempfile.mkdtemp()) / "songs.csv"
    >>> _ = table.write_text("text,label\\nso,a\\nla,b\\n")
    >>> len(check_layout(single_table, table, {"row 1": "a", "row 2": "b"}))
    2
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from headstart.data import layouts
from headstart.data.examples import Examples
from headstart.data.labels import with_task
from headstart.data.layouts import LAYOUTS, Layout
from headstart.data.place import Place, ReadOptions
from headstart.errors import DataError
from headstart.testing.close import require

OPTIONAL = ReadOptions(labels_required=False)


def check_layout(
    layout: Layout,
    data: str | Path,
    labels: Mapping[str, str],
    *,
    splits: Mapping[str, str] | None = None,
) -> Examples:
    """Check that a layout reads a small data set.

    Call it with a data set whose items all have a label, with one where some have none, and with one without
    labels, as far as the layout can hold these.

    Args:
        layout: the module: `DESCRIPTION`, `matches` and `read`. It need not be in `LAYOUTS` yet.
        data: a small data set that lies in this layout; a copy of it is damaged; the original is not changed.
        labels: the label of each item by the item's name; "" for an item that has none.
        splits: the part of each item by its name ("train", "validation", "test"); None: none is given.

    Returns:
        What was read, labels optional.

    Raises:
        AssertionError: a check fails; the message says which, and for which item or file.
    """
    lines = layout.DESCRIPTION.splitlines()
    require(len(lines) == 1, f"DESCRIPTION must be one line, as in the table of docs/data.md: {lines}")
    _check_matching(layout, data)
    examples = layout.read(Place(data), OPTIONAL)
    _check_same(examples, layout.read(Place(data), OPTIONAL), "read a second time")
    _check_content(examples, labels, splits)
    _check_labels(layout, data, examples)
    if "" not in labels.values():
        _check_unknown_columns(layout, data)
    if Path(data).exists():
        _check_missing_files(layout, Path(data), examples)
    return examples


def _check_matching(layout: Layout, data: str | Path) -> None:
    """The first layout that matches is used: it must be this one here, and another one elsewhere."""
    order = LAYOUTS if layout in LAYOUTS else (layout, *LAYOUTS)
    found = _first(order, Place(data))
    require(
        found is layout,
        f"{data} is read as {'nothing' if found is None else found.DESCRIPTION!r}: let `matches` tell the two "
        "apart, or name this layout before the other in LAYOUTS",
    )
    with tempfile.TemporaryDirectory() as folder:
        for other, place in _places(Path(folder)).items():
            if other is layout:
                continue
            found = _first(order, Place(place))
            require(
                found is other,
                f"`matches` takes {place.name}, which is {other.DESCRIPTION}, for "
                f"{'nothing' if found is None else found.DESCRIPTION!r}",
            )
        nowhere = Path(folder) / f"nowhere{Path(data).suffix}"
        require(not layout.matches(Place(nowhere)), f"`matches` takes {nowhere}, which does not exist")


def _first(order: tuple[Layout, ...], place: Place) -> Layout | None:
    return next((layout for layout in order if layout.matches(place)), None)


def _places(folder: Path) -> dict[Layout, Path]:
    """A place in each layout of headstart, as far as `matches` looks at it."""
    texts = "text,label\nso,a\nla,b\n"
    files: dict[Layout, dict[str, str]] = {
        layouts.hub_datasets: {"saved/dataset_dict.json": "{}"},
        layouts.npz: {"arrays.npz": ""},
        layouts.single_table: {"table.csv": texts},
        layouts.single_file: {"lines.txt": "so\nla\n"},
        layouts.metadata_folder: {"listed/metadata.csv": "file,label\na.png,a\n", "listed/a.png": ""},
        layouts.part_tables: {"parts/train.csv": texts, "parts/test.csv": texts},
        layouts.class_folders: {"folders/a/0.png": "", "folders/b/0.png": ""},
    }
    for contents in files.values():
        for name, content in contents.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(content, encoding="utf-8")
    return {layout: folder / next(iter(names)).partition("/")[0] for layout, names in files.items()}


def _check_content(examples: Examples, labels: Mapping[str, str], splits: Mapping[str, str] | None) -> None:
    """Each item has its own name, label and part."""
    names = examples.names.tolist()
    require(len(set(names)) == len(names), f"some items have the same name: {sorted(names)}")
    missing, extra = sorted(set(labels) - set(names)), sorted(set(names) - set(labels))
    require(not missing and not extra, f"not read: {missing}; read and not expected: {extra}")
    found = [""] * len(names) if examples.labels is None else examples.labels.tolist()
    for name, label in zip(names, found):
        require(label == labels[name], f"the label of '{name}' is {label!r}, expected {labels[name]!r}")
    if not any(labels.values()):
        require(examples.labels is None, "labels must be None if no item has one")
    if splits is None:
        require(examples.splits is None, f"no split is given, got {examples.splits}")
    else:
        require(examples.splits is not None, "the split is not read")
        for name, part in zip(names, np.asarray(examples.splits)):
            require(part == splits[name], f"the part of '{name}' is {part!r}, expected {splits[name]!r}")
    allowed: Any = {"image": (Path, bytes, np.ndarray), "audio": (Path, bytes), "text": (str,)}
    for name, item in zip(names, examples.items):
        kinds = allowed[examples.modality]
        require(
            isinstance(item, kinds), f"'{name}' of modality {examples.modality} is a {type(item).__name__}"
        )
        require(not isinstance(item, Path) or item.is_file(), f"'{name}' is {item!r}, which is not a file")


def _check_labels(layout: Layout, data: str | Path, optional: Examples) -> None:
    """If labels are required, an item without one is refused; else nothing changes."""
    if optional.labelled.all():
        required = layout.read(Place(data), ReadOptions())
        _check_same(optional, replace(required, notes=optional.notes), "read with labels required")
        return
    try:
        found = with_task(layout.read(Place(data), ReadOptions()), None)
    except DataError as error:
        require(Path(data).name in str(error), f"the error of missing labels does not name the data: {error}")
    else:
        # A layout may leave out parts without labels, such as a test part; what it gives is labelled then.
        require(
            bool(found.labelled.all()) or found.labels is None,
            f"labels are required, and {int((~found.labelled).sum())} items without one are read",
        )
    known = with_task(optional, None, required=False)
    require(
        bool((known.labelled == optional.labelled).all()), "`labelled` changes when the task is recognised"
    )


def _check_unknown_columns(layout: Layout, data: str | Path) -> None:
    """A column that the user asks for is never silently ignored."""
    for option in ("target", "group", "domain"):
        asked: dict[str, Any] = {option: "no_such_column"}
        with _data_error(f"--{option} no_such_column", "no_such_column"):
            layout.read(Place(data), ReadOptions(**asked))


def _check_missing_files(layout: Layout, data: Path, examples: Examples) -> None:
    """Without one of its files a data set is refused by name, or read without that item alone."""
    whole = set(examples.names.tolist())
    root = data if data.is_dir() else data.parent
    beside = [item for item in examples.items if isinstance(item, Path)]
    used = sorted(root.rglob("*")) if data.is_dir() else sorted({data, *beside})
    with tempfile.TemporaryDirectory() as folder:
        for file in (path for path in used if path.is_file()):
            copy = Path(folder) / root.name
            for path in used:
                if path.is_file():
                    (copy / path.relative_to(root)).parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy(path, copy / path.relative_to(root))
            (copy / file.relative_to(root)).unlink()
            place = Place(copy if data.is_dir() else copy / data.name)
            if layout.matches(place):
                _check_without(layout, place, str(file.relative_to(root)), whole)
            shutil.rmtree(copy)


def _check_without(layout: Layout, place: Place, file: str, whole: set[str]) -> None:
    try:
        found = layout.read(place, OPTIONAL)
    except DataError as error:
        require(
            Path(file).name in str(error) or place.path.name in str(error),
            f"{file} is missing, and the error does not name it: {error}",
        )
        return
    except Exception as error:
        raise AssertionError(f"{file} is missing: {type(error).__name__} in place of a DataError") from error
    names = set(found.names.tolist())
    require(names < whole or file not in whole, f"{file} is missing, but it is read")
    for name, item in zip(found.names, found.items):
        require(
            not isinstance(item, Path) or item.is_file(),
            f"{file} is missing, and no error says so: '{name}' is {item!r}",
        )


@contextmanager
def _data_error(what: str, named: str) -> Iterator[None]:
    """Expect a DataError whose message names something."""
    try:
        yield
    except DataError as error:
        require(named in str(error), f"{what}: the error does not name it: {error}")
    else:
        raise AssertionError(f"{what}: no error, it has no effect")


def _check_same(one: Examples, other: Examples, when: str) -> None:
    require(one.names.tolist() == other.names.tolist(), f"the names or their order differ when {when}")
    for name in ("labels", "groups", "domains", "splits"):
        first, second = getattr(one, name), getattr(other, name)
        same = (first is None) == (second is None) and (first is None or first.tolist() == second.tolist())
        require(same, f"{name} differ when {when}: {first} and {second}")
    for item, again, name in zip(one.items, other.items, one.names):
        first, second = (
            value.tolist() if isinstance(value, np.ndarray) else value for value in (item, again)
        )
        require(first == second, f"the item '{name}' differs when {when}")
