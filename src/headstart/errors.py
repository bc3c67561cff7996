"""The errors a user can meet, each naming what was wrong, where, and what to do.

HeadstartError            a failure of headstart or of the machine (exit code 1)
├── StoreError            the feature store cannot be read or written
│   └── DiskFullError     the disk is full
├── TrainingError         training failed (a loss that is not a number, out of memory)
└── InputError            something the user gave (exit code 2)
    ├── DataError         a file, column, label or split
    ├── SourceError       a source, its weights or its configuration
    ├── ArchitectureError a network that cannot be cut into stages
    └── OptionError       an option or recipe value
"""

from __future__ import annotations

import difflib
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path

_PACKAGE = Path(__file__).parent
_HINT = (
    ". If the file is right, this is an internal error of headstart: run again with --debug and report it."
)


class HeadstartError(Exception):
    """Base of all errors raised on purpose; its text is complete, without a traceback."""

    exit_code = 1


class StoreError(HeadstartError):
    """The feature store cannot be read or written; `headstart cache` lists and prunes it."""


class DiskFullError(StoreError):
    """The disk is full; free some space, or pass another folder with --store."""


class TrainingError(HeadstartError):
    """Training cannot continue; the message says why and which setting to change."""


class DivergenceError(TrainingError):
    """The loss is not a finite number; start a new run with other settings."""


class InputError(HeadstartError):
    """Something the user gave is wrong; the message names it and the remedy."""

    exit_code = 2


class DataError(InputError):
    """A file, column, label or split of the data is wrong."""


class SourceError(InputError):
    """A source cannot be found, read or matched with its architecture."""


class ArchitectureError(InputError):
    """A network cannot be cut into stages; pass its stages by name."""


class OptionError(InputError):
    """An option or a recipe value is wrong."""


@contextmanager
def parsing(
    path: str | PathLike[str], what: str, remedy: str, kind: type[InputError] = InputError
) -> Iterator[None]:
    """Turn any exception that a parser raises on a damaged file into one error that names file and remedy.

    Parsers of other libraries raise every kind of error on damaged input (IndexError, struct.error,
    UnicodeDecodeError, RecursionError, ...). Only the call of the parser belongs in the block. If an error comes from
    a line of headstart itself, the message says that this may be an internal error.

    Args:
        path: of the file.
        what: it should be, such as "a Parquet table".
        remedy: what to do, such as "repair it or remove it".
        kind: of the error.

    Raises:
        InputError: of the given kind, for any exception that headstart did not raise on purpose.
    """
    try:
        yield
    except HeadstartError:
        raise
    except MemoryError:
        raise kind(f"{path} does not fit in memory when it is read as {what}: {remedy}") from None
    except Exception as error:
        hint = _HINT if _is_of_headstart(error) else ""
        raise kind(f"{path} cannot be read as {what} ({one_line(error, path)}): {remedy}{hint}") from error


def _is_of_headstart(error: Exception) -> bool:
    """Whether an exception may be a fault of headstart's own code: of a kind and from a line that suggest it."""
    if isinstance(error, ValueError | OSError) or error.__traceback__ is None:
        return False
    *_, (frame, _) = traceback.walk_tb(error.__traceback__)
    return Path(frame.f_code.co_filename).is_relative_to(_PACKAGE)


def one_line(error: BaseException, path: str | PathLike[str] = "") -> str:
    """The kind of an exception and the first line of its text, at most 200 characters.

    Args:
        error: the exception; of an error of the system only the reason is given, and its file if it has another name.
        path: the file that the message names anyway.
    """
    if isinstance(error, OSError) and error.strerror:
        other = "" if error.filename is None or str(error.filename) == str(path) else f": {error.filename}"
        return f"{error.strerror}{other}"[:200]
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0]}"[:200] if lines else type(error).__name__


def shortened(text: str, most: int = 80) -> str:
    """A text that a user gave, for a message: at most so many characters of it."""
    return text if len(text) <= most else f"{text[:most]}..."


def did_you_mean(word: str, choices: Iterable[str]) -> str:
    """Return " Did you mean 'x'?" for the nearest choice, or "" when none is near.

    Args:
        word: what the user wrote.
        choices: what is allowed.
    """
    near = nearest(word, choices)
    return f" Did you mean '{near}'?" if near else ""


def nearest(word: str, choices: Iterable[str]) -> str:
    """Return the choice that looks most like a word, small and large letters alike, or "" when none is near.

    Args:
        word: what the user wrote.
        choices: what is allowed.
    """
    by_folded = {choice.casefold(): choice for choice in reversed(list(choices))}
    near = difflib.get_close_matches(word.casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[near[0]] if near else ""
