"""The command that is offered at the end of a fit does the same to the same data, with a race."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest
import typer

from headstart.cli.app import app
from headstart.fitting.facts import SAME_IN_RACE, next_command
from headstart.fitting.options import FitOptions, fit_options


def read_back(command: str) -> FitOptions:
    """The options that the command line makes of a command."""
    group: Any = typer.main.get_command(app)
    words = shlex.split(command)
    assert words[:2] == ["headstart", "fit"]
    found = group.commands["fit"].make_context("fit", words[2:]).params
    return fit_options(
        **{name: found[name] for name in FitOptions.model_fields if found.get(name) is not None}
    )


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"guard": True, "folds": 5, "follow_outside": True, "trust_remote_code": True, "device": "cpu"},
        {"source_data": "its data", "recipe": "few-shot", "epochs": 3, "lr": 0.01, "seed": 7, "threads": 2},
        {"baseline": False, "report": False, "refit_all": True, "head": "standard", "arch": "resnet18"},
        {"target": "speaker", "group": "word", "domain": "room", "modality": "audio", "task": "regression"},
        {"precision": "bf16"},
    ],
)
def test_it_has_every_option_that_a_race_takes(given: dict[str, Any]) -> None:
    settings: dict[str, Any] = {"device": "cpu", "precision": "fp32", "store": "features", **given}
    options = fit_options(data="my photos", source="timm:resnet18", **settings)
    again = read_back(next_command(options))
    assert again.freeze == "auto" and again.budget == "5m"
    same = {
        name: getattr(options, name) for name in SAME_IN_RACE if name != "precision"
    }  # "auto" if it is the usual one
    assert {name: getattr(again, name) for name in same} == same and again.data == options.data


def test_no_option_is_forgotten() -> None:
    others = {"data", "out", "freeze", "budget", "compile"}
    assert set(SAME_IN_RACE) | others == set(FitOptions.model_fields) and not set(SAME_IN_RACE) & others


def test_the_precision_of_the_machine_is_left_out(tmp_path: Path) -> None:
    from headstart.features import choose_device
    from headstart.features.device import choose_precision

    usual = choose_precision("auto", choose_device("cpu"), tmp_path)
    other = "bf16" if usual == "fp32" else "fp32"
    settings = {"source": "timm:resnet18", "device": "cpu", "store": str(tmp_path)}
    assert "--precision" not in next_command(fit_options(data="photos", precision=usual, **settings))
    assert f"--precision {other}" in next_command(fit_options(data="photos", precision=other, **settings))
    assert next_command(fit_options(data="photos", freeze="last:1", **settings)) == ""


def test_a_race_is_not_given_a_rate_that_it_cannot_multiply() -> None:
    assert "--lr" not in next_command(fit_options(data="photos", source="timm:resnet18", lr="auto"))
