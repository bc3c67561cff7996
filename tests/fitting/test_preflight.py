"""Options that do less than they seem to are told."""

from __future__ import annotations

from pathlib import Path

import pytest

from headstart.fitting.options import fit_options
from headstart.fitting.plan import recipe_of
from headstart.fitting.preflight import judged_by_class, unopened_stages, unseen_augmentation, without_effect
from headstart.tasks import CLASSIFICATION, MULTILABEL
from headstart.tune import Policy, Recipe

STAGES = ("embeddings", *(f"layer.{k}" for k in range(6)))


def test_settings_of_training_have_no_part_where_the_head_alone_is_fitted() -> None:
    config = fit_options(data="x", recipe="imbalanced", epochs=3, budget="1m")
    said = " ".join(without_effect(config, Policy.parse("all", STAGES)))
    assert "--recipe, --epochs have no effect under --freeze all" in said and "--budget has no effect" in said
    assert without_effect(fit_options(data="x", epochs=3), Policy.parse("none", STAGES)) == []
    auto = fit_options(data="x", epochs=3, budget="1m", freeze="auto")
    assert without_effect(auto, Policy.parse("auto", STAGES)) == []


def test_gradual_opens_every_stage_unless_fewer_epochs_are_asked_for() -> None:
    policy = Policy.parse("gradual", STAGES)
    usual = recipe_of(fit_options(data="x", freeze="gradual"), "text", policy)
    assert usual.epochs == 7 and unopened_stages(policy, usual) == []
    (said,) = unopened_stages(policy, Recipe(epochs=4))
    assert "embeddings to layer.1 stay frozen" in said and "--epochs 7" in said
    assert unopened_stages(Policy.parse("first:5,gradual", STAGES), Recipe(epochs=2)) == []


@pytest.mark.parametrize(("told", "epochs"), [("ema: 0.9", 7), ("epochs: 2", 2)])
def test_gradual_opens_every_stage_under_a_recipe_that_does_not_tell_the_epochs(
    told: str, epochs: int, tmp_path: Path
) -> None:
    (tmp_path / "own.yaml").write_text(told)
    config = fit_options(data="x", freeze="gradual", recipe=str(tmp_path / "own.yaml"))
    assert recipe_of(config, "text", Policy.parse("gradual", STAGES)).epochs == epochs


def test_augmentation_that_no_item_is_seen_under_is_told() -> None:
    stored, live = Policy.parse("first:2", STAGES), Policy.parse("none", STAGES)
    (said,) = unseen_augmentation(stored, Recipe(augment="trivial"), "image")
    assert "augment: trivial has no effect" in said and "--views 4" in said
    assert unseen_augmentation(stored, Recipe(augment="trivial", views=4), "image") == []
    assert unseen_augmentation(live, Recipe(augment="trivial"), "image") == []
    assert unseen_augmentation(stored, Recipe(), "image") == [], "the usual light view is not asked for"
    assert (
        "spec_augment, speed" in unseen_augmentation(stored, Recipe(spec_augment=True, speed=0.1), "audio")[0]
    )
    assert "augment: light" in unseen_augmentation(live, Recipe(augment="none", word_dropout=0.3), "text")[0]
    assert "--freeze none" in unseen_augmentation(stored, Recipe(augment="light"), "text")[0]


def test_weights_of_rare_classes_are_told_to_choose() -> None:
    assert judged_by_class(Recipe(), CLASSIFICATION) == []
    for rebalanced in (Recipe(class_weights=True), Recipe(sampling="balanced"), Recipe(logit_adjustment=1.0)):
        assert "balanced accuracy" in judged_by_class(rebalanced, CLASSIFICATION)[0]
        assert "presence and absence" in judged_by_class(rebalanced, MULTILABEL)[0]
