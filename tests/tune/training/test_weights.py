"""Weights of items in a training: in the loss, in the choice of the epoch, in the first head."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, balanced_accuracy_score
from sklearn.utils.class_weight import compute_sample_weight
from tune_networks import States, chain, labelled_loop, pictures

from headstart.backbone import Backbone
from headstart.errors import OptionError
from headstart.tasks import CLASSIFICATION
from headstart.tune import Freeze, Policy, Recipe
from headstart.tune.checks import check_recipe
from headstart.tune.feeds.feed import Labelled
from headstart.tune.feeds.stored import StoredFeed
from headstart.tune.loop.setup import Network
from headstart.tune.race.comparison import Bound, ValidationItems
from headstart.tune.training.first_head import fit_first_head

PLAIN = {"optimizer": "sgd", "momentum": 0.0, "weight_decay": 0.0, "clip_norm": None, "warmup_share": 0.0}


def part(backbone: Backbone, rows: np.ndarray, weights: np.ndarray | None = None) -> Labelled:
    x, labels = pictures()
    return Labelled(StoredFeed([States(backbone, x[rows], 3)], 3, backbone), labels[rows], weights)


def after_one_step(
    rows: np.ndarray, weights: np.ndarray | None, accumulate: int = 1
) -> dict[str, torch.Tensor]:
    """The weights of the last stage and the head after a step on all items."""
    backbone = chain()
    recipe = Recipe(
        **PLAIN,
        epochs=1,
        batch_size=len(rows),
        lr=0.1,
        head_lr=0.1,
        accumulate=accumulate,
        schedule="constant",
    )
    network = Network(backbone, Freeze(backbone, backbone.stages[:3]))
    loop = labelled_loop(network, part(backbone, rows, weights), None, recipe)
    loop.run()
    return {name: tensor.clone() for name, tensor in loop.weights.tensors().items()}


@pytest.mark.parametrize("accumulate", [1, 3])
def test_a_step_with_whole_weights_is_that_of_repeated_items(accumulate: int) -> None:
    counts = np.random.default_rng(0).integers(1, 4, 30)
    weighted = after_one_step(np.arange(30), counts / counts.mean(), accumulate)
    repeated = after_one_step(np.repeat(np.arange(30), counts), None)
    plain = after_one_step(np.arange(30), None)
    for name, tensor in weighted.items():
        torch.testing.assert_close(tensor, repeated[name], rtol=1e-4, atol=1e-6)
    assert any(not torch.allclose(tensor, plain[name], atol=1e-5) for name, tensor in weighted.items())


def test_epochs_are_compared_by_weights() -> None:
    backbone, rows = chain(), np.concatenate([np.arange(0, 60, 3), [1, 4, 2]])
    labels = pictures()[1][rows]
    balanced = compute_sample_weight("balanced", labels)
    network = Network(backbone, Freeze(backbone, backbone.stages[:3]))
    for weights, is_balanced, name in (
        (balanced, True, "balanced_accuracy"),
        (1.0 + labels, False, "accuracy"),
    ):
        held = part(backbone, rows, weights / weights.mean())
        held = Labelled(held.feed, held.labels, held.weights, is_balanced)
        validation = labelled_loop(network, part(backbone, rows), held, Recipe()).validation
        assert validation is not None and validation.quality_name == name
        found = validation.measure()
        answers = found.outputs.argmax(axis=1)
        wanted = accuracy_score(labels, answers, sample_weight=weights)
        assert found.quality == pytest.approx(wanted)
        assert not is_balanced or wanted == pytest.approx(balanced_accuracy_score(labels, answers))


def test_the_first_head_learns_with_weights() -> None:
    x = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)
    labels = np.repeat([0, 1], [50, 10])
    weights = compute_sample_weight("balanced", labels)
    plain, weighted = (fit_first_head(x, labels, ("a", "b"), 0, None, weights=w) for w in (None, weights))
    assert plain.outputs(x)[:, 1].mean() < 0.25 < 0.4 < weighted.outputs(x)[:, 1].mean()


def test_a_comparison_says_how_items_counted() -> None:
    labels = np.arange(60) % 2
    right = np.eye(2)[labels] * 4.0
    for weights, weighted, word in ((None, False, "of accuracy"), (np.ones(60), False, "of balanced accuracy"),
                                    (1.0 + labels, True, "of weighted accuracy")):  # fmt: skip
        items = ValidationItems(right[:, ::-1], labels, weights_N=weights, weighted=weighted)
        assert word in items.compare(right, Bound(2.0, 1)).words


@pytest.mark.parametrize(
    ("setting", "what"),
    [
        ({"class_weights": True}, "leave out one of them"),
        ({"sampling": "balanced"}, "leave out one of them"),
        ({"mixup": 0.2}, "set mixup to 0"),
        ({"cutmix": 1.0}, "set cutmix to 0"),
        ({"contrastive": 10}, "set contrastive to 0"),
    ],
)
def test_recipes_that_cannot_take_weights_are_refused(setting: dict[str, object], what: str) -> None:
    policy, recipe = Policy.parse("none", ("stem", "last")), Recipe(**setting)
    check_recipe(recipe, policy, CLASSIFICATION, "image")
    with pytest.raises(OptionError, match=what):
        check_recipe(recipe, policy, CLASSIFICATION, "image", weighted=True)
