"""Audits of real data whose outcome is known."""

from __future__ import annotations

from pathlib import Path

import pytest

import headstart

pytestmark = pytest.mark.real
EXAMPLES = Path(__file__).parents[2] / "examples"


def test_photos_profit_from_an_imagenet_network(shared: Path, tmp_path: Path) -> None:
    audit = headstart.audit(
        shared / "data" / "hymenoptera",
        shared / "weights" / "mobilenetv2_100.tf2_ptq_in1k",
        against="classical",
        labels="20,all",
        seeds=3,
        out=tmp_path / "a",
    )
    assert audit.verdict == "positive" and audit.facts.final.against == "classical"
    assert audit.facts.saved["classical"].bound == "at least"
    assert [each.outcome for each in audit.facts.verdicts] == ["positive", "positive"]


def test_speakers_are_told_apart_better_without_the_network_of_sounds(shared: Path, tmp_path: Path) -> None:
    audit = headstart.audit(
        shared / "data" / "emodb",
        shared / "weights" / "yamnet_audioset",
        arch=[f"{EXAMPLES / 'yamnet.py'}:YAMNet"],
        target="speaker",
        against="classical",
        labels="150,all",
        seeds=3,
        out=tmp_path / "a",
    )
    gains = [each.gain.value or 0.0 for each in audit.facts.verdicts]
    assert all(gain < -0.04 for gain in gains)
    assert "negative" in [each.outcome for each in audit.facts.verdicts]
