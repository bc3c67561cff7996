"""Speaker verification of a run: with folds, the embedding is chosen in each of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

import headstart
from small_data import SETTINGS


@pytest.fixture(scope="module")
def voices(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three voices that say four words, twice each."""
    folder, rng = tmp_path_factory.mktemp("voices"), np.random.default_rng(0)
    rows = ["file,speaker,label"]
    for index in range(24):
        speaker, word = index % 3, index // 3 % 4
        times = np.arange(4_000) / 8_000
        tone = np.sin(2 * np.pi * 150 * (1 + speaker) * times) + 0.5 * np.sin(
            2 * np.pi * 900 * (1 + word) * times
        )
        soundfile.write(
            folder / f"{index}.wav", (0.2 * tone + 0.02 * rng.normal(size=4_000)).astype(np.float32), 8_000
        )
        rows.append(f"{index}.wav,s{speaker},w{word}")
    table = folder / "table.csv"
    table.write_text("\n".join(rows))
    return table


@pytest.mark.parametrize("folds", [None, 3])
def test_the_embedding_of_a_speaker_target(
    folds: int | None, voices: Path, audio_source: Path, tmp_path: Path
) -> None:
    run = headstart.fit(
        voices, str(audio_source), target="speaker", folds=folds, out=tmp_path / "run", baseline=False,
        report=False, store=str(tmp_path / "store"), **SETTINGS,
    )  # fmt: skip
    notes: dict[str, Any] = run.metrics["verification_trials"]
    assert 0 <= run.metrics["verification"]["eer"]["value"] <= 1
    assert notes["embedding"] == "the source's own embedding" or notes["embedding"] in run.metrics["profile"]
    if folds is None:
        assert "chosen_in_folds" not in notes
    else:
        assert 1 <= notes["chosen_in_folds"] <= folds
        assert notes["same_speaker"] + notes["other_speaker"] <= notes["n_items"] * (notes["n_items"] - 1) / 2
