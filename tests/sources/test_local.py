"""What this disk holds is found and worded."""

from __future__ import annotations

from pathlib import Path

import pytest

import tiny
from headstart.sources import load_source
from headstart.sources.local import local_sources, what_is_here
from loopback_hub import SmallHub


def test_folders_runs_and_the_hub_cache_are_found(
    tmp_path: Path, small_hub: SmallHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = tmp_path / "work"
    tiny.save_timm(work / "net")
    tiny.save_text(work / "texts")
    tiny.save_timm(work / "runs" / "xray")
    tiny.write_json(work / "runs" / "xray" / "source.json", {"library": "timm", "modality": "image"})
    tiny.save_timm(work / "runs" / "voices")
    tiny.write_json(work / "runs" / "voices" / "config.json", {"headstart": {}})
    tiny.write_json(work / "runs" / "voices" / "source.json", {"library": "custom", "modality": "audio"})
    tiny.write_json(work / "odd" / "config.json", {"model_type": "nothing"})
    small_hub.repositories["me/texts"] = work / "texts"
    load_source("hf:me/texts")
    monkeypatch.chdir(work)
    found = {source.uri: source.modality for source in local_sources()}
    assert found == {
        "./net": "image",
        "./texts": "text",
        "run:runs/voices": "audio",
        "run:runs/xray": "image",
        "hf:me/texts": "text",
        "bundled:letters": "image",
    }
    assert [source.uri for source in local_sources("text")] == ["./texts", "hf:me/texts"]
    assert what_is_here("text") == "On this disk: --source ./texts, --source hf:me/texts."


def test_nothing_is_worded_too(tmp_path: Path, small_hub: SmallHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert local_sources("audio") == []
    assert "pass --source FOLDER" in what_is_here("audio")
