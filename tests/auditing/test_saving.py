"""A finished audit: its report is found, its next command fits the same data, and it is no model."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import headstart
from headstart.auditing.options import audit_options
from headstart.auditing.result import Audit
from headstart.auditing.saving import next_command
from headstart.errors import InputError
from small_audits import SOURCE, audit_report
from small_data import LETTERS


@pytest.fixture(scope="module")
def audit(digit_folder: Path, store: str, tmp_path_factory: pytest.TempPathFactory) -> Audit:
    folder = tmp_path_factory.mktemp("audit")
    return headstart.audit(
        digit_folder, LETTERS, against="classical", seeds=2, out=folder / "a", store=store, threads=1
    )


def test_its_report_is_found(audit: Audit) -> None:
    path = headstart.report(audit.path, show=False)
    text = path.read_text(encoding="utf-8")
    assert "Learning curves" in text and f"<dd>{LETTERS}</dd>" in text
    assert audit.facts.sentence in " ".join(audit.summary.split())


def test_it_is_no_model(audit: Audit, digit_folder: Path) -> None:
    for use in (
        lambda: headstart.predict(audit.path, digit_folder),
        lambda: headstart.load_source(f"run:{audit.path}"),
        lambda: headstart.load_source(str(audit.path)),
    ):
        with pytest.raises(InputError, match="is an audit, which holds no model: fit its source"):
            use()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, []),
        ({"target": "speaker", "seed": 3}, ["--target", "speaker", "--seed", "3"]),
        ({"freeze": "first:2", "labels": "20,all"}, ["--freeze", "first:2"]),
        ({"freeze": "auto", "budget": "3m"}, ["--freeze", "auto", "--budget", "3m"]),
        ({"freeze": "auto"}, ["--freeze", "auto", "--budget", "10m"]),
        ({"arch": "resnet18"}, ["--arch", "resnet18"]),
        (
            {"source_data": "its data", "follow_outside": True, "report": False},
            ["--source-data", "its data", "--follow-outside", "--no-report"],
        ),
    ],
)
def test_the_next_command_has_the_options_that_a_fit_has_too(given: dict[str, Any], words: list[str]) -> None:
    options = audit_options(data="my photos", source=SOURCE, **given)
    plan: Any = SimpleNamespace(arch=given.get("arch"))
    command = shlex.split(next_command(options, plan, audit_report().audit))
    assert command == ["headstart", "fit", "my photos", "--source", SOURCE, *words]


@pytest.mark.parametrize(
    ("outcome", "against", "words"),
    [
        ("negative", "classical", ["headstart", "fit", "photos", "--source", SOURCE, "--guard"]),
        ("negative", "majority", []),
        (
            "undecided",
            "classical",
            ["headstart", "fit", "photos", "--source", SOURCE, "--guard", "--folds", "5"],
        ),
    ],
)
def test_the_next_command_if_transfer_does_not_help(outcome: Any, against: str, words: list[str]) -> None:
    facts = audit_report().audit
    final = replace(facts.final, outcome=outcome, against=against)
    facts = replace(facts, verdicts=[*facts.verdicts[:-1], final])
    plan: Any = SimpleNamespace(arch=None)
    assert shlex.split(next_command(audit_options(data="photos"), plan, facts)) == words
