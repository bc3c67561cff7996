"""A record of the test's own, in a folder that does not exist yet."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / "data" / "runs.sqlite"
    monkeypatch.setenv("HEADSTART_RECORD", str(place))
    return place
