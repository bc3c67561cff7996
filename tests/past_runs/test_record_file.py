"""The record of finished runs is written whole or not at all, and what cannot be used is left as it is."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from headstart.past_runs import add, read, record_file
from past_runs.some_runs import RUN, run

HERE = Path(__file__).resolve().parent.parent


def warning(capsys: pytest.CaptureFixture[str]) -> str:
    """The one line on standard error."""
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("warning: ")
    return line


def refused(path: Path, capsys: pytest.CaptureFixture[str], *words: str) -> None:
    """Reading and adding are one warning each, with these words, and change no byte."""
    before = path.read_bytes()
    assert read() == ()
    told = warning(capsys)
    add(RUN)
    told_again = warning(capsys)
    assert path.read_bytes() == before
    for word in (*words, str(path), "HEADSTART_RECORD", "left as it is"):
        assert word in told and word in told_again
    assert "no earlier run is used" in told and "this run is not added" in told_again


def change(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def test_what_was_added_is_read(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs = (run(), run(value=None, low=None, high=None, item_size=None), run(source="./größe", n_items=0))
    for each in runs:
        add(each)
    assert read() == runs
    assert capsys.readouterr().err == ""
    if os.name == "posix":
        assert path.stat().st_mode & 0o077 == 0 and path.parent.stat().st_mode & 0o077 == 0
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_no_record_is_no_runs_and_is_not_made_by_reading(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert read() == ()
    assert not path.parent.exists() and capsys.readouterr().err == ""


def test_off(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HEADSTART_RECORD", "off")
    add(RUN)
    assert read() == () and capsys.readouterr().err == "" and list(tmp_path.iterdir()) == []


def test_an_empty_file_is_a_new_record(path: Path) -> None:
    path.parent.mkdir()
    path.touch()
    assert read() == ()
    add(RUN)
    assert read() == (RUN,)


@pytest.mark.parametrize("place", [0, 30, 60, 4096, -400])
def test_a_damaged_record_is_left_as_it_is(
    path: Path, capsys: pytest.CaptureFixture[str], place: int
) -> None:
    for _ in range(20):
        add(RUN)
    content = bytearray(path.read_bytes())
    end = place + 400 or None
    content[place:end] = bytes(255 - byte for byte in content[place:end])
    path.write_bytes(content)
    refused(path, capsys)


def test_half_a_record_and_a_text(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(20):
        add(RUN)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    refused(path, capsys, "malformed")
    path.write_text("something else, which is long enough to hold what SQLite looks at first" * 10)
    refused(path, capsys, "not a database")


def test_a_damaged_name_of_a_table(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    add(RUN)
    content = path.read_bytes()
    path.write_bytes(content.replace(b"finished_runs", b"finished_\xc0uns", 1))
    refused(path, capsys, "codec")


def test_a_newer_record(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    add(RUN)
    change(path, f"PRAGMA user_version = {record_file.VERSION + 1}")
    refused(path, capsys, "newer headstart")


def test_the_database_of_another_program(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path.parent.mkdir()
    change(path, "CREATE TABLE finished_runs (x)")
    refused(path, capsys, "another program")


@pytest.mark.parametrize(
    "more",
    [
        "CREATE TRIGGER more AFTER INSERT ON finished_runs BEGIN DELETE FROM finished_runs; END",
        "CREATE VIEW more AS SELECT 1",
        "CREATE TABLE more (x)",
    ],
)
def test_a_record_that_holds_more(path: Path, capsys: pytest.CaptureFixture[str], more: str) -> None:
    add(RUN)
    change(path, more)
    refused(path, capsys, "damaged")


@pytest.mark.parametrize(
    "values", ["n_items = 'many'", "n_items = -1", "source = x'00'", "value = 'good'", "head_alone = 9e999"]
)
def test_a_value_of_the_wrong_kind(path: Path, capsys: pytest.CaptureFixture[str], values: str) -> None:
    add(RUN)
    change(path, f"UPDATE finished_runs SET {values}")
    assert read() == ()
    assert "damaged" in warning(capsys)


def test_a_column_that_is_missing(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    add(RUN)
    change(path, "ALTER TABLE finished_runs RENAME COLUMN policy TO freeze")
    before = path.read_bytes()
    add(RUN)
    assert "policy" in warning(capsys)
    assert read() == () and "policy" in warning(capsys)
    assert path.read_bytes() == before


def test_a_folder_in_its_place(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path.mkdir(parents=True)
    add(RUN)
    assert "is not a file" in warning(capsys)
    assert read() == () and "is not a file" in warning(capsys)
    assert list(path.iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_named_pipe_in_its_place(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path.parent.mkdir()
    os.mkfifo(path)
    assert read() == () and "is not a file" in warning(capsys)


def test_a_folder_that_cannot_be_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("HEADSTART_RECORD", str(tmp_path / "file" / "runs.sqlite"))
    add(RUN)
    assert "cannot be used" in warning(capsys)


def test_names_that_no_file_can_have(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("~nobody-of-this-name/runs", "x" * 5000):
        monkeypatch.setenv("HEADSTART_RECORD", name)
        add(RUN)
        assert "HEADSTART_RECORD" in warning(capsys)
        assert read() == () and "no earlier run is used" in warning(capsys)


def test_no_home_folder(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("HEADSTART_RECORD", "XDG_DATA_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr("os.getuid", lambda: 987_654)  # of no user of this machine
    add(RUN)
    assert "no home folder" in warning(capsys)


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the superuser may write everywhere"
)
def test_a_read_only_record(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    add(RUN)
    path.chmod(0o400)
    path.parent.chmod(0o500)
    try:
        assert read() == (RUN,)
        add(RUN)
        assert "readonly" in warning(capsys) and read() == (RUN,)
    finally:
        path.parent.chmod(0o700)


def test_a_disk_that_cannot_be_written(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As with a full disk, the insertion fails at its end; what was there is still there."""
    add(RUN)
    before = path.read_bytes()
    plain = record_file._connect

    def full(place: Path) -> sqlite3.Connection:
        connection = plain(place)
        connection.execute("PRAGMA max_page_count = 1")  # "database or disk is full"
        return connection

    monkeypatch.setattr(record_file, "_connect", full)
    for _ in range(100):  # until a page is full
        add(RUN)
        if told := capsys.readouterr().err:
            break
        before = path.read_bytes()
    assert "disk is full" in told and told.count("\n") == 1
    assert path.read_bytes() == before
    monkeypatch.undo()


def test_a_record_in_use(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    add(RUN)
    monkeypatch.setattr(record_file, "WAIT_SECONDS", 0.05)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        add(RUN)
        assert "locked" in warning(capsys)
        assert read() == (RUN,), "reading goes on while another process is about to write"
        other.execute("ROLLBACK")
    add(RUN)
    assert read() == (RUN, RUN) and capsys.readouterr().err == ""


def _python(code: str, path: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code],
        env={
            **os.environ,
            "HEADSTART_RECORD": str(path),
            "PYTHONPATH": os.pathsep.join([str(HERE), *sys.path]),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_processes_that_add_at_once(path: Path) -> None:
    """Also to a record that does not exist before."""
    code = """
from headstart.past_runs import add
from past_runs.some_runs import run
for index in range(25):
    add(run(source=f"{NUMBER}-{index}"))
"""
    processes = [_python(f"NUMBER = {number}\n{code}", path) for number in range(3)]
    for process in processes:
        _, told = process.communicate(timeout=100)
        assert process.returncode == 0 and told == ""
    found = [each.source for each in read()]
    assert sorted(found) == sorted(f"{number}-{index}" for number in range(3) for index in range(25))


def test_a_process_that_is_killed_while_it_adds(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Half of its pages are in the file, and its journal beside it: the next use undoes them."""
    add(RUN)
    before = path.read_bytes()
    code = """
import os, signal, sqlite3
connection = sqlite3.connect(os.environ["HEADSTART_RECORD"], isolation_level=None)
connection.execute("PRAGMA cache_size = 1")
connection.execute("PRAGMA cache_spill = 1")
connection.execute("BEGIN IMMEDIATE")
for _ in range(300):
    connection.execute("INSERT INTO finished_runs SELECT * FROM finished_runs WHERE rowid = 1")
connection.execute("UPDATE finished_runs SET source = 'half'")
os.kill(os.getpid(), signal.SIGKILL)
"""
    process = _python(code, path)
    process.communicate(timeout=100)
    assert process.returncode == -signal.SIGKILL
    assert path.read_bytes() != before and len(list(path.parent.iterdir())) == 2
    assert read() == (RUN,)
    add(RUN)
    assert read() == (RUN, RUN) and capsys.readouterr().err == ""
