"""Options that do less than they seem to are told."""

from __future__ import annotations

from headstart.tune import Policy, Recipe
from headstart.verbs.cautions import unopened, without_part
from headstart.verbs.config import fit_config
from headstart.verbs.prepare import recipe_of

STAGES = ("embeddings", *(f"layer.{k}" for k in range(6)))


def test_settings_of_training_have_no_part_where_the_head_alone_is_fitted() -> None:
    config = fit_config(data="x", recipe="imbalanced", epochs=3, budget="1m")
    said = " ".join(without_part(config, Policy.parse("all", STAGES)))
    assert "--recipe, --epochs have no part under --freeze all" in said and "--budget has no part" in said
    assert without_part(fit_config(data="x", epochs=3), Policy.parse("none", STAGES)) == []
    auto = fit_config(data="x", epochs=3, budget="1m", freeze="auto")
    assert without_part(auto, Policy.parse("auto", STAGES)) == []


def test_gradual_opens_every_stage_unless_fewer_epochs_are_asked_for() -> None:
    policy = Policy.parse("gradual", STAGES)
    usual = recipe_of(fit_config(data="x", freeze="gradual"), "text", policy)
    assert usual.epochs == 7 and unopened(policy, usual) == []
    (said,) = unopened(policy, Recipe(epochs=4))
    assert "embeddings to layer.1 stay frozen" in said and "--epochs 7" in said
    assert unopened(Policy.parse("first:5,gradual", STAGES), Recipe(epochs=2)) == []
