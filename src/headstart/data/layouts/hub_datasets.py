"""Read a `datasets` hub id or a set saved by `save_to_disk`; images and recordings are fetched row by row."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from headstart.data.content import require_regular
from headstart.data.examples import Examples
from headstart.data.items import suffix_modality
from headstart.data.loaded_sets import read_parts
from headstart.data.place import Place, ReadOptions, is_table
from headstart.errors import DataError, one_line
from headstart.files import did_you_mean_beside
from headstart.progress import say

DESCRIPTION = "a `datasets` hub id or saved data set"
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?(:[\w.-]+)?")


def matches(place: Place) -> bool:
    """Whether `datasets` saved a set into this folder, or there is nothing here and it may be a hub id."""
    if place.is_folder:
        return is_saved_dataset(place.path)
    name = place.data
    return (
        not place.is_file
        and isinstance(name, str)
        and _HUB_ID.fullmatch(name) is not None
        and suffix_modality(name) is None
        and not is_table(name)
    )


def is_saved_dataset(folder: Path) -> bool:
    """Whether `datasets` saved a set (or a dictionary of splits) into this folder."""
    return os.path.isfile(folder / "dataset_dict.json") or (
        os.path.isfile(folder / "state.json") and os.path.isfile(folder / "dataset_info.json")
    )


def read(place: Place, options: ReadOptions) -> Examples:
    """Items of a hub id ("owner/name" or "owner/name:configuration") or of a saved set.

    Raises:
        DataError: the set cannot be loaded, or has no column of images, recordings or texts.
    """
    data = place.path if place.is_folder else str(place.data)
    return read_parts(str(data), _load(data), options)


def _load(data: str | Path) -> dict[str, Any]:
    import datasets

    try:
        if isinstance(data, Path):
            require_regular(path for path in data.rglob("*") if not path.is_dir())
            loaded = datasets.load_from_disk(str(data))
        else:
            name, _, configuration = data.partition(":")
            with _library_offline(not _reachable(name)):
                loaded = datasets.load_dataset(name, configuration or None)
    except DataError:
        raise
    except Exception as error:  # the library raises many kinds of errors: the user needs the first line
        raise DataError(
            f"'{data}' is neither a file or folder here nor a data set that could be loaded: {one_line(error)}"
            f"{_remedy(error)}{did_you_mean_beside(Path(data))}"
        ) from None
    return dict(loaded) if isinstance(loaded, dict) else {"train": loaded}


def _remedy(error: Exception) -> str:
    """What to do about an error of `datasets`, as the end of a sentence; "" if its own words are enough."""
    import datasets
    from datasets.exceptions import DatasetNotFoundError

    if datasets.config.HF_HUB_OFFLINE:
        return ". HF_HUB_OFFLINE is set, so only sets on this disk can be read: unset it to ask the hub."
    if isinstance(error, DatasetNotFoundError):
        return " Check the path or the name (OWNER/NAME); for a private set, set HF_TOKEN."
    return ""


def _reachable(name: str) -> bool:
    """Ask the hub once, and briefly: the library would try six times, even for a mistyped path.

    Returns:
        False if the hub cannot be reached, and the set is on this disk.

    Raises:
        DataError: the hub cannot be reached, and the set is not on this disk.
    """
    import datasets
    from datasets.naming import camelcase_to_snakecase
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError

    if datasets.config.HF_HUB_OFFLINE:
        return True  # the library does not go online, and its error is reported with the remedy
    *owner, own = name.split("/")
    kept = Path(datasets.config.HF_DATASETS_CACHE) / "___".join([*owner, camelcase_to_snakecase(own)])
    try:
        HfApi().dataset_info(name, timeout=10)
        return True
    except (HfHubHTTPError, ValueError):
        return True  # the hub answered, or the name is not a valid one: loading the set reports what is wrong
    except Exception:  # the HTTP library that huggingface_hub uses has errors of its own
        if kept.is_dir():
            say(f"the hub cannot be reached: '{name}' is read as it is on this disk")
            return False
        raise DataError(
            f"'{name}' is neither a file or folder here nor a data set on this disk, and the hub cannot be "
            f"reached: check the path.{did_you_mean_beside(Path(name))}"
        ) from None


@contextmanager
def _library_offline(offline: bool) -> Iterator[None]:
    """Keep `datasets` offline for a while: it reads this setting at every call."""
    import datasets

    before = datasets.config.HF_HUB_OFFLINE
    datasets.config.HF_HUB_OFFLINE = offline or before
    try:
        yield
    finally:
        datasets.config.HF_HUB_OFFLINE = before
