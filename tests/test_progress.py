"""Talk on standard error never ends the work, whatever has become of standard error."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import headstart
from headstart.progress import Unfailing, progress, say, set_quiet, waiting
from small_data import LETTERS, SETTINGS, digit_npz


@pytest.mark.parametrize("closed", [True, False])
def test_nothing_is_raised_without_standard_error(closed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    with open(os.devnull, "w") as stream:
        pass
    monkeypatch.setattr(sys, "stderr", stream if closed else None)
    say("a word")
    if closed:
        assert Unfailing(stream).write("a word") == 6
    else:
        with progress("Work", 3) as advance:
            advance(1)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_fit_ends_well_if_standard_error_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = digit_npz(tmp_path / "digits.npz")
    with open("/dev/full", "w", encoding="utf-8") as full:
        monkeypatch.setattr(sys, "stderr", full)
        run = headstart.fit(data, LETTERS, out=tmp_path / "x", report=False, baseline=False, **SETTINGS)
        monkeypatch.undo()
        with pytest.raises(OSError):
            full.flush()  # what was said is still there, and nobody took it
        with pytest.raises(OSError):
            full.close()
    assert (run.path / "metrics.json").is_file() and not (run.path / "unfinished").exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("recipes list 2>&-", 0),
        ("recipes check nothing.yaml 2>&-", 2),
        ("recipes check nothing.yaml 2>/dev/full", 2),
    ],
)
def test_the_exit_code_stays(words: str, code: int, tmp_path: Path) -> None:
    command = ["/bin/sh", "-c", f"{sys.executable} -m headstart {words}"]
    assert subprocess.run(command, cwd=tmp_path, stdout=subprocess.DEVNULL).returncode == code


def test_a_long_wait_is_named_and_a_short_one_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    with waiting("Long …", 0.01):
        time.sleep(0.5)
    with pytest.raises(ValueError, match="short"), waiting("Short …", 60):
        raise ValueError("short")
    set_quiet(True)
    try:
        with waiting("Quiet …", 0.01):
            time.sleep(0.5)
    finally:
        set_quiet(False)
    assert capsys.readouterr().err == "Long …\n"
    assert not [thread for thread in threading.enumerate() if isinstance(thread, threading.Timer)]


def test_a_name_cannot_control_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    say("left out: a/\x1b]0;owned\x07\x1b[31mred.png\n\tcafé \u202egnp.exe \udce9 \x9b2J")
    said = capsys.readouterr().err
    assert said == "left out: a/\\x1b]0;owned\\x07\\x1b[31mred.png\n\tcafé \\u202egnp.exe \\udce9 \\x9b2J\n"


def test_a_bar_of_a_resumed_work_begins_where_it_stopped_and_fits_80_columns(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm")
    with progress("Training", total=16_000, unit="items", done=4_000) as advance:
        advance(1)
        time.sleep(0.3)
    lines = [re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", line) for line in re.split(r"[\r\n]", terminal.getvalue())]
    drawn = [line for line in lines if line.startswith("Training")]
    assert any("4001/16000 items" in line for line in drawn) and max(map(len, drawn)) <= 80
