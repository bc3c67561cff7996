"""The boundary where exceptions of parsers become messages."""

from __future__ import annotations

import struct

import pytest

from headstart.errors import DataError, InputError, parsing


@pytest.mark.parametrize(
    "fault", [struct.error("short\nmore"), IndexError("4"), RecursionError("deep"), MemoryError()]
)
def test_any_exception_of_a_parser_names_file_and_remedy(fault: Exception) -> None:
    with (
        pytest.raises(DataError, match=r"a/b\.bin .* a table.*: remove it$"),
        parsing("a/b.bin", "a table", "remove it", DataError),
    ):
        raise fault


def test_an_error_that_was_raised_on_purpose_passes() -> None:
    with pytest.raises(InputError, match=r"^as it was$"), parsing("a", "b", "c", DataError):
        raise InputError("as it was")


def test_a_stop_passes() -> None:
    with pytest.raises(KeyboardInterrupt), parsing("a", "b", "c"):
        raise KeyboardInterrupt
