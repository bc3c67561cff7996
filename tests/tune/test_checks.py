"""Settings that do not work with a policy, a task or a modality are refused before anything runs."""

from __future__ import annotations

from typing import Any

import pytest

from headstart.errors import OptionError
from headstart.tasks import CLASSIFICATION, REGRESSION
from headstart.tune import Policy, Recipe
from headstart.tune.checks import check_recipe

STAGES = ("stem", "layer1", "layer2")


@pytest.mark.parametrize(
    ("settings", "freeze", "task", "modality", "told"),
    [
        ({"label_smoothing": 0.1}, "none", REGRESSION, "image", "label_smoothing of a recipe need classes"),
        ({"sampling": "balanced"}, "last:1", REGRESSION, "text", "sampling: balanced"),
        ({"contrastive": 20, "epochs": 0}, "none", REGRESSION, "text", "contrastive"),
        ({"contrastive": 20, "epochs": 0}, "auto", CLASSIFICATION, "text", "pass --freeze none"),
        ({"contrastive": 20, "epochs": 3}, "auto", CLASSIFICATION, "text", "contrastive stage before them"),
        ({"lr": "auto"}, "auto", CLASSIFICATION, "image", "the race tries several rates"),
        ({"steps": 500}, "auto", CLASSIFICATION, "image", "pass --epochs too"),
        ({"head_start": "random"}, "only:auto", CLASSIFICATION, "image", "a random head"),
        ({"mixup": 0.2}, "none", CLASSIFICATION, "text", "token ids"),
        ({"mixup": 0.2}, "auto", CLASSIFICATION, "text", "name the policy"),
        ({"cutmix": 0.2}, "only:auto", CLASSIFICATION, "image", "name the policy"),
        ({"cutmix": 0.2}, "first:1", CLASSIFICATION, "image", "stored states"),
    ],
)
def test_settings_that_do_not_work(
    settings: dict[str, Any], freeze: str, task: Any, modality: str, told: str
) -> None:
    with pytest.raises(OptionError, match=told):
        check_recipe(Recipe(**settings), Policy.parse(freeze, STAGES), task, modality)


def test_all_mistakes_at_once() -> None:
    recipe = Recipe(lr="auto", steps=500, class_weights=True)
    with pytest.raises(OptionError) as told:
        check_recipe(recipe, Policy.parse("auto", STAGES), REGRESSION, "image")
    assert all(word in str(told.value) for word in ("class_weights", "rates", "--epochs"))


def test_nothing_is_asked_of_the_head_alone() -> None:
    check_recipe(Recipe(label_smoothing=0.1), Policy.parse("all", STAGES), REGRESSION, "image")
    check_recipe(Recipe(mixup=0.2), Policy.parse("first:1", STAGES), CLASSIFICATION, "text")
