"""Where the record lies on each system."""

from __future__ import annotations

from pathlib import Path

import pytest

from headstart.past_runs import record_path


def test_off_and_moved(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for word in ("off", "OFF", " off "):
        monkeypatch.setenv("HEADSTART_RECORD", word)
        assert record_path() is None
    monkeypatch.setenv("HEADSTART_RECORD", str(tmp_path / "mine"))
    assert record_path() == tmp_path / "mine"


@pytest.mark.parametrize(
    ("system", "folder"),
    [
        ("linux", ".local/share/headstart"),
        ("darwin", "Library/Application Support/headstart"),
        ("win32", "AppData/Local/headstart/Data"),
    ],
)
def test_the_data_folder_of_the_system(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, system: str, folder: str
) -> None:
    for name in ("HEADSTART_RECORD", "XDG_DATA_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.platform", system)
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert record_path() == tmp_path / folder / "finished-runs.sqlite"


def test_data_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HEADSTART_RECORD", "")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setattr("sys.platform", "linux")
    assert record_path() == tmp_path / "headstart" / "finished-runs.sqlite"
