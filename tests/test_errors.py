"""The boundary where exceptions of parsers become messages."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest

from headstart.errors import DataError, InputError, parsing
from headstart.files import plain


@pytest.mark.parametrize(
    "fault", [struct.error("short\nmore"), IndexError("4"), RecursionError("deep"), MemoryError()]
)
def test_any_exception_of_a_parser_names_file_and_remedy(fault: Exception) -> None:
    with (
        pytest.raises(DataError, match=r"a/b\.bin .* a table.*: remove it$"),
        parsing("a/b.bin", "a table", "remove it", DataError),
    ):
        raise fault


def test_an_error_of_headstarts_own_line_may_be_a_fault_of_headstart() -> None:
    hint = (
        r": remove it\. If the file is right, this is an internal error of headstart: run again with --debug"
    )
    with pytest.raises(InputError, match=hint), parsing("a", "b", "remove it"):
        plain({1: Odd()})
    with pytest.raises(InputError, match=r"ValueError: no\): remove it$"), parsing("a", "b", "remove it"):
        plain({1: Odd(ValueError("no"))})
    with pytest.raises(InputError, match=r"remove it$"), parsing("a", "b", "remove it"):
        json.loads("[" * 99_999)


class Odd:
    """Fails in a line of the package (`value.tolist` is called there), or with an error in its own."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error

    @property
    def tolist(self) -> object:
        if self.error is not None:
            raise self.error
        return 5  # which cannot be called


def test_an_error_of_the_system_names_the_file_once() -> None:
    once = r"^a/b cannot be read as c \(No such file or directory\): d$"
    with pytest.raises(InputError, match=once), parsing("a/b", "c", "d"):
        Path("a/b").read_bytes()
    another = r"^a cannot be read as c \(No such file or directory: a/b\): d$"
    with pytest.raises(InputError, match=another), parsing("a", "c", "d"):
        Path("a/b").read_bytes()


def test_an_error_that_was_raised_on_purpose_passes() -> None:
    with pytest.raises(InputError, match=r"^as it was$"), parsing("a", "b", "c", DataError):
        raise InputError("as it was")


def test_a_stop_passes() -> None:
    with pytest.raises(KeyboardInterrupt), parsing("a", "b", "c"):
        raise KeyboardInterrupt
