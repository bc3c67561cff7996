"""Small finished runs that several tests read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import headstart
import small_data
from headstart.verbs.run import Run

SETTINGS: dict[str, Any] = {"precision": "fp32", "threads": 1}


@pytest.fixture(scope="session")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("verbs")


@pytest.fixture(scope="session")
def digit_folder(work: Path) -> Path:
    return small_data.digit_folder(work / "digits")


@pytest.fixture(scope="session")
def store(work: Path) -> str:
    """One feature store for all runs on the same digits."""
    return str(work / "store")


@pytest.fixture(scope="session")
def digit_run(work: Path, digit_folder: Path, store: str) -> Run:
    """A run of the default policy with everything on."""
    return headstart.fit(
        digit_folder, small_data.LETTERS, out=work / "runs" / "digits", store=store, **SETTINGS
    )


@pytest.fixture(scope="session")
def text_run(work: Path) -> Run:
    """A run with the standard head on a tiny BERT."""
    table = small_data.text_table(work / "texts.csv")
    source = str(small_data.text_source(work / "bert"))
    more = {"head": "standard", "epochs": 2, "report": False, "store": str(work / "store")}
    return headstart.fit(table, source, out=work / "runs" / "texts", **more, **SETTINGS)


@pytest.fixture(scope="session")
def tone_run(work: Path) -> Run:
    """A run on recordings with a tiny Wav2Vec2."""
    tones = small_data.tone_folder(work / "tones")
    source = str(small_data.audio_source(work / "wav2vec2"))
    more = {"report": False, "store": str(work / "store")}
    return headstart.fit(tones, source, out=work / "runs" / "tones", **more, **SETTINGS)
