"""Recipes: defaults per modality, YAML, and every mistake named at once."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from headstart.errors import OptionError
from headstart.tune import Recipe


@pytest.mark.parametrize("modality", ["image", "text", "audio"])
def test_every_modality_has_defaults(modality: str) -> None:
    recipe = Recipe.for_modality(modality)
    assert recipe.head_lr > recipe.lr
    assert recipe.epochs >= 3


def test_changes_override_defaults_and_none_means_not_given() -> None:
    recipe = Recipe.for_modality("text", epochs=7, lr=None)
    assert recipe.epochs == 7
    assert recipe.lr == Recipe.for_modality("text").lr


def test_a_recipe_reads_back_from_its_yaml(tmp_path: Path) -> None:
    recipe = Recipe.for_modality("image", epochs=3, clip_norm=0.5, views=4)
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(recipe.model_dump(mode="json")))
    assert Recipe.load(path, "text") == recipe


def test_a_file_fills_up_from_the_modality_and_options_override_it(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("epochs: 2\nlr: 0.001\n")
    recipe = Recipe.load(path, "text", lr=0.01)
    assert (recipe.epochs, recipe.lr) == (2, 0.01)
    assert recipe.batch_size == Recipe.for_modality("text").batch_size
    path.write_text("")
    assert Recipe.load(path, "text") == Recipe.for_modality("text")


def test_epochs_of_the_command_override_steps_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("steps: 500\n")
    assert Recipe.load(path, "image").steps == 500
    recipe = Recipe.load(path, "image", epochs=3)
    assert (recipe.steps, recipe.epochs) == (None, 3)


def test_the_usual_rate_is_multiplied_and_a_given_one_stays(tmp_path: Path) -> None:
    usual, path = Recipe.for_modality("text").lr, tmp_path / "mine.yaml"
    assert not isinstance(usual, str)
    assert Recipe.for_modality("text", rate=10).lr == pytest.approx(10 * usual)
    assert Recipe.for_modality("text", rate=10, lr=0.003).lr == 0.003
    path.write_text("lr: 0.002\n")
    assert Recipe.load(path, "text", rate=10).lr == 0.002
    path.write_text("epochs: 2\n")
    assert Recipe.load(path, "text", rate=10).lr == pytest.approx(10 * usual)


def test_all_mistakes_are_named_at_once(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("epocs: 3\nlr: -1\nschedule: cosin\nlabel_smoothing: 1.5\n")
    with pytest.raises(OptionError) as error:
        Recipe.load(path, "image")
    text = str(error.value)
    assert str(path) in text
    assert "no setting 'epocs'. Did you mean 'epochs'?" in text
    assert "lr: input should be greater than 0 or be 'auto', got -1" in text
    assert "schedule:" in text and "label_smoothing:" in text


@pytest.mark.parametrize(
    ("content", "said"), [("- 1\n- 2\n", "settings by name"), ("epochs: [", "is not YAML")]
)
def test_a_file_that_holds_no_settings(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(content)
    with pytest.raises(OptionError, match=said):
        Recipe.load(path, "image")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="cannot be read as the recipe"):
        Recipe.load(tmp_path / "none.yaml", "image")


def test_no_epochs_without_a_contrastive_stage_trains_nothing() -> None:
    assert Recipe.for_modality("text", epochs=0, contrastive=20).epochs == 0
    with pytest.raises(OptionError, match="must take at least one step"):
        Recipe.for_modality("text", epochs=0)
