"""What a recipe's settings become for each modality."""

from __future__ import annotations

import pytest

from headstart.data.augment import Augment
from headstart.tune.feeds.augmentation import augment_of
from headstart.tune.recipes.recipe import Recipe


@pytest.mark.parametrize("modality", ["image", "text", "audio"])
def test_the_plain_view_and_none_are_not_augmented(modality: str) -> None:
    assert augment_of(Recipe(augment="light"), modality, 0, 0, None) is None
    assert augment_of(Recipe(augment="none"), modality, 0, 3, None) is None


@pytest.mark.parametrize("modality", ["image", "text", "audio"])
def test_a_light_view_is_the_default_one(modality: str) -> None:
    """So stored views of earlier runs are found again."""
    found = augment_of(Recipe.for_modality(modality, augment="light"), modality, 4, 3, ["x"])
    assert found == Augment(4, 3, ["x"]) and found.settings == ""


def test_settings_are_those_of_the_modality() -> None:
    recipe = Recipe(augment="trivial", word_dropout=0.3, noise_db=20, speed=0.1, spec_augment=True)
    picture = augment_of(recipe, "image", 0, 1, None)
    assert picture is not None and picture.settings == '{"kind": "trivial"}'
    text = augment_of(recipe, "text", 0, 1, None)
    assert text is not None and text.settings == '{"word_dropout": 0.3}'
    recording = augment_of(recipe, "audio", 0, 1, None)
    assert recording is not None
    assert (recording.noise_db, recording.speed, recording.spec_augment) == (20, 0.1, True)
    assert recording.kind == "light" and recording.word_dropout == 0.1
    assert augment_of(Recipe(augment="light", word_dropout=0.0), "text", 0, 1, None) is None
