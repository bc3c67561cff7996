"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("HEADSTART_SHARED", ROOT.parent / "shared"))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data and weights; tests that need it skip where it is absent."""
    if not (SHARED / "data").is_dir() or not (SHARED / "weights").is_dir():
        pytest.skip(f"real data and weights are not here: {SHARED} (set HEADSTART_SHARED to their folder)")
    return SHARED


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test has a feature store of its own, never the user's."""
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture(scope="session")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the data, sources and runs lie that several tests read."""
    return tmp_path_factory.mktemp("work")


@pytest.fixture(scope="session")
def digit_folder(work: Path) -> Path:
    import small_data

    return small_data.digit_folder(work / "digits")


@pytest.fixture(scope="session")
def texts(work: Path) -> Path:
    import small_data

    return small_data.text_table(work / "texts.csv")


@pytest.fixture(scope="session")
def text_source(work: Path) -> Path:
    import small_data

    return small_data.text_source(work / "bert")


@pytest.fixture(scope="session")
def audio_source(work: Path) -> Path:
    import small_data

    return small_data.audio_source(work / "wav2vec2")
