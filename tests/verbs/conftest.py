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
def text_run(work: Path, texts: Path, text_source: Path) -> Run:
    """A run with the standard head on a tiny BERT."""
    more = {"head": "standard", "epochs": 2, "report": False, "store": str(work / "store")}
    return headstart.fit(texts, str(text_source), out=work / "runs" / "texts", **more, **SETTINGS)


@pytest.fixture(scope="session")
def tone_run(work: Path, audio_source: Path) -> Run:
    """A run on recordings with a tiny Wav2Vec2."""
    tones = small_data.tone_folder(work / "tones")
    more = {"report": False, "store": str(work / "store")}
    return headstart.fit(tones, str(audio_source), out=work / "runs" / "tones", **more, **SETTINGS)
