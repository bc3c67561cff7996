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
from collections.abc import Iterable


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


def did_you_mean(word: str, choices: Iterable[str]) -> str:
    """Return " Did you mean 'x'?" for the nearest choice, or "" when none is near.

    Args:
        word: what the user wrote.
        choices: what is allowed.
    """
    near = difflib.get_close_matches(word, list(choices), n=1, cutoff=0.6)
    return f" Did you mean '{near[0]}'?" if near else ""
