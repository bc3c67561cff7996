"""The bundled recipes: each is right, says how it is run, and is what its source says."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from headstart.errors import OptionError
from headstart.tune import Recipe
from headstart.tune.loop.schedule import n_steps_of
from headstart.tune.policies.policy import Policy
from headstart.tune.recipes.bundled import bundled_recipe, bundled_recipes, find_recipe

STAGES = ("embeddings", "layer.0", "layer.1")


@pytest.mark.parametrize("recipe", bundled_recipes(), ids=lambda recipe: recipe.name)
def test_each_is_right_and_says_how_it_is_run(recipe) -> None:
    for modality in ("image", "text", "audio"):
        Recipe.load(recipe.path, modality)
    assert recipe.command.startswith("headstart fit DATA ")
    assert recipe.command.endswith(f"--recipe {recipe.name}")
    policy = re.search(r"--freeze (\S+)", recipe.command)
    assert policy and Policy.parse(policy.group(1), STAGES).trains_stages
    assert len(recipe.purpose) > 20 and max(map(len, recipe.text.splitlines())) < 120


@pytest.mark.parametrize("modality", ["image", "text", "audio"])
def test_the_defaults_are_written_out_in_full(modality: str) -> None:
    path = bundled_recipe(f"default-{modality}").path
    assert Recipe.load(path, "image") == Recipe.load(path, "text") == Recipe.for_modality(modality)
    assert list(yaml.safe_load(path.read_text())) == list(Recipe.model_fields)


@pytest.mark.parametrize("modality", ["image", "text", "audio"])
def test_each_default_says_what_its_setting_means(modality: str) -> None:
    lines = bundled_recipe(f"default-{modality}").path.read_text().splitlines()
    said = {line.partition(":")[0]: above for above, line in pairwise(lines) if not line.startswith("#")}
    assert {
        name: f"# {field.description}" for name, field in Recipe.model_fields.items()
    }.items() <= said.items()


def test_the_docs_have_every_setting_with_its_default_and_meaning() -> None:
    text = (Path(__file__).parents[3] / "docs" / "recipes.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| (`.+) \| (.+) \|$", text.split("## Rates")[0], flags=re.MULTILINE)
    said = {name: (defaults, meaning) for name, defaults, meaning in rows}
    assert list(said) == list(Recipe.model_fields)
    for modality in ("image", "text", "audio"):
        recipe = Recipe.for_modality(modality)
        for name, (defaults, meaning) in said.items():
            own = re.search(rf"{modality} `([^`]+)`", defaults) or re.match(r"`([^`]+)`", defaults)
            assert own and Recipe.for_modality(modality, **{name: yaml.safe_load(own[1])}) == recipe, name
            assert yaml.safe_load(own[1]) is not None or getattr(recipe, name) is None
            assert meaning == Recipe.model_fields[name].description


@pytest.mark.real
@pytest.mark.parametrize(("name", "n_items"), [("small", "1000"), ("medium", "20000"), ("large", "500000")])
def test_bit_hyperrule_is_that_of_its_authors(shared: Path, name: str, n_items: str) -> None:
    import json

    golden = json.loads((shared / "golden" / "finetune_unsup.json").read_text())["BiT_HyperRule"]
    recipe = Recipe.load(bundled_recipe(f"bit-{name}").path, "image")
    total = n_steps_of(recipe, 3)
    shares = (recipe.warmup_share, *recipe.decay_at, 1.0)
    assert [round(share * total) for share in shares] == golden["schedule"][n_items]
    assert recipe.mixup == golden["mixup"].get(n_items, 0.1)
    assert (recipe.optimizer, recipe.momentum, recipe.lr, recipe.batch_size) == ("sgd", 0.9, 0.003, 512)
    assert recipe.weight_decay == 0


def test_a_recipe_is_found_by_name_or_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.yaml").write_text("epochs: 2\n")
    Path("bare").write_text("epochs: 2\n")
    assert find_recipe("mine.yaml") == Path("mine.yaml")
    assert find_recipe(tmp_path / "bare") == tmp_path / "bare"
    assert find_recipe("bare") == Path("bare")
    assert find_recipe("ulmfit") == bundled_recipe("ulmfit").path
    with pytest.raises(OptionError, match="Did you mean 'ulmfit'"):
        find_recipe("ulmfitt")
