"""The store is listed and pruned; the report of a run is found."""

from __future__ import annotations

from pathlib import Path

import pytest

import headstart
from headstart.errors import InputError, OptionError
from headstart.runs.run import Run
from headstart.verbs.cache import bytes_of
from small_data import LETTERS, SETTINGS


def test_listed_and_pruned(digit_folder: Path, tmp_path: Path) -> None:
    store = tmp_path / "store"
    headstart.fit(
        digit_folder, LETTERS, out=tmp_path / "x", store=store, report=False, baseline=False, **SETTINGS
    )
    listing = headstart.cache(store)
    assert [entry.label for entry in listing.entries] == [LETTERS]
    assert "pooled, fp32" in listing.text and "headstart cache --prune" in listing.text
    assert listing.to_json()["entries"][0]["n_bytes"] > 0
    kept = headstart.cache(store, prune_to="5GB")
    assert len(kept.entries) == 1 and not kept.removed
    pruned = headstart.cache(store, prune_to="0")
    assert not pruned.entries and len(pruned.removed) == 1 and "removed 1 key," in pruned.text


def test_sizes() -> None:
    assert [bytes_of(size) for size in ("0", "1.5 kb", "5GB")] == [0, 1_500, 5_000_000_000]
    with pytest.raises(OptionError, match="written like 5GB"):
        bytes_of("much")


def test_a_store_that_is_no_folder(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="is not a folder"):
        headstart.cache(tmp_path / "none")


def test_the_report_is_found_and_opened(
    digit_run: Run, text_run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    assert headstart.report(digit_run.path) == digit_run.report
    assert opened == [digit_run.report.as_uri()]
    with pytest.raises(InputError, match="made with --no-report"):
        headstart.report(text_run.path)
