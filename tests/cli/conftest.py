"""The command line called in this process: exit code, standard output and standard error."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from headstart.cli import main
from headstart.progress import set_quiet


@dataclass(frozen=True)
class Done:
    """What a command left: exit code, what it printed, what it said."""

    code: int
    out: str
    err: str


Command = Callable[..., Done]


def refused(done: Done, *told: str, code: int = 2) -> None:
    """It ended with the code and one complete message, and no traceback."""
    assert done.code == code, done.err
    last = done.err[done.err.index("headstart: ") :]
    assert done.err.count("headstart: ") == 1 and "Traceback" not in done.err
    for words in told:
        assert words in last, last


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Command]:
    """Call `headstart WORDS...`."""

    def call(*words: object) -> Done:
        monkeypatch.setattr(sys, "argv", ["headstart", *map(str, words)])
        capsys.readouterr()
        code = 0
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
        said = capsys.readouterr()
        return Done(code, said.out, said.err)

    yield call
    set_quiet(False)
