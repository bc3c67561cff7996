"""The choice of a head over depths on made-up features."""

from __future__ import annotations

import numpy as np
import pytest

import headstart.choose.head as head_module
import headstart.choose.kinds.logistic as logistic_module
from headstart.choose import ArrayFeatures, Choice, choose_head
from headstart.choose.features import Rows, StageRows, rows_of, stacked
from headstart.choose.tried_head import TriedHead
from headstart.errors import DataError
from headstart.tasks.activations import softmax


def case(
    n_items: int = 120,
    n_classes: int = 3,
    signal: tuple[float, ...] = (0.0, 3.0, 0.5),
    width: int = 12,
    seed: int = 0,
) -> tuple[ArrayFeatures, np.ndarray]:
    """Features of several stages with so much signal in each, and labels."""
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.arange(n_items) % n_classes)
    centres = rng.normal(size=(len(signal), n_classes, width))
    arrays = tuple(
        (rng.normal(size=(n_items, width)) + strength * centres[stage][y]).astype(np.float32)
        for stage, strength in enumerate(signal)
    )
    names = tuple(f"layer{i + 1}" for i in range(len(signal)))
    return ArrayFeatures(names, arrays), np.array([f"class {i}" for i in y], dtype=object)


def checked(choice: Choice, n_items: int, n_classes: int) -> None:
    assert choice.out_of_fold.shape == (n_items, n_classes)
    assert np.allclose(choice.out_of_fold.sum(axis=1), 1, atol=1e-4)
    assert all(np.isfinite(part).all() for part in (choice.head.weight, choice.head.bias, choice.head.scale))
    for row in choice.profile:
        assert 0 <= row.low <= row.score <= row.high <= 1


def test_the_best_depth_is_found_and_the_head_predicts() -> None:
    everything, every_label = case(720)
    features, labels = Rows(everything, np.arange(120)), every_label[:120]
    choice = choose_head(features, labels)
    checked(choice, 120, 3)
    assert [row.stage for row in choice.profile] == ["layer1", "layer2", "layer3"]
    assert "layer2" in choice.stages and "beats the last stage, layer3" in choice.reason
    fresh, wanted = Rows(everything, np.arange(120, 720)), every_label[120:]
    p = choice.head.probabilities(stacked(fresh, choice.head.stages))
    assert (np.array(choice.classes)[p.argmax(axis=1)] == wanted).mean() > 0.9
    assert np.allclose(choice.out_of_fold, softmax(choice.chosen.logits / choice.head.temperature))


def test_the_last_stage_is_kept_when_it_is_as_good() -> None:
    features, labels = case(signal=(0.0, 1.5, 1.5))
    same = ArrayFeatures(features.stages, (features.arrays[0], features.arrays[2], features.arrays[2]))
    choice = choose_head(same, labels)
    assert choice.stages == ("layer3",)


def test_the_same_seed_and_any_number_of_threads_give_the_same_bits() -> None:
    features, labels = case(signal=(0.3, 0.6))
    one, two = (choose_head(features, labels, n_threads=n) for n in (1, 3))
    assert (one.head.weight == two.head.weight).all() and (one.out_of_fold == two.out_of_fold).all()


def test_groups_stay_together() -> None:
    features, labels = case()
    groups = np.array([f"g{i // 3}" for i in range(120)], dtype=object)
    choice = choose_head(features, labels, groups, n_folds=4)
    assert choice.n_folds == 4
    for group in set(groups):
        assert len(set(choice.folds[groups == group])) == 1


def test_test_items_and_their_number_play_no_part() -> None:
    features, labels = case()
    half = np.arange(0, 120, 2)
    alone = choose_head(Rows(features, half), labels[half])
    again = choose_head(ArrayFeatures(features.stages, tuple(a[half] for a in features.arrays)), labels[half])
    assert (alone.head.weight == again.head.weight).all()


def test_a_class_with_one_item() -> None:
    features, labels = case(n_items=60)
    labels[7] = "rare"
    choice = choose_head(features, labels)
    checked(choice, 60, 4)
    assert "rare" in choice.classes


def test_constant_and_wide_features() -> None:
    rng = np.random.default_rng(0)
    labels = np.array(["a", "b"] * 15, dtype=object)
    wide = rng.normal(size=(30, 500)).astype(np.float32)
    wide[:, 0] += 20 * (labels == "a")
    constant = np.full((30, 4), 3.0, dtype=np.float32)
    for arrays in [(constant, wide), (wide, constant), (constant, constant)]:
        checked(choose_head(ArrayFeatures(("one", "two"), arrays), labels), 30, 2)


def test_one_stage_alone() -> None:
    features, labels = case(signal=(2.0,))
    choice = choose_head(features, labels)
    assert choice.stages == ("layer1",) and choice.advised_cut == 0


def test_stages_are_frozen_up_to_the_one_that_no_other_beats() -> None:
    features, labels = case(signal=(0.0, 0.5, 3.0, 3.0, 0.5))
    assert choose_head(features, labels).advised_cut == 3
    assert (
        choose_head(Rows(features, np.arange(3)), np.array(["a", "b", "c"], dtype=object)).advised_cut is None
    )


def test_more_classes_than_logistic_heads_can_pay_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logistic_module, "MAX_OPERATIONS", 0)
    features, labels = case(n_items=1000, n_classes=250, signal=(1.0, 2.0))
    choice = choose_head(features, labels)
    checked(choice, 1000, 250)
    assert {head.kind for head in choice.tried_heads} == {"ridge"}


@pytest.mark.parametrize("kind", ["ridge", "logistic"])
def test_a_large_set_is_sampled_and_the_head_is_fitted_on_all(
    monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(head_module, "MAX_ITEMS", 150)
    if kind == "ridge":
        monkeypatch.setattr(logistic_module, "MAX_OPERATIONS", 0)
    features, labels = case(n_items=900, signal=(0.2, 1.0))
    choice = choose_head(features, labels, np.arange(900).astype(str).astype(object))
    checked(choice, len(choice.positions), 3)
    assert 120 <= len(choice.positions) <= 160 and set(labels[choice.positions]) == set(labels)
    monkeypatch.setattr(head_module, "MAX_ITEMS", 10**6)
    whole = choose_head(features, labels)
    x = stacked(features, choice.head.stages)
    y = np.unique(labels, return_inverse=True)[1]
    sampled_accuracy = (choice.head.logits(x).argmax(axis=1) == y).mean()
    whole_accuracy = (whole.head.logits(stacked(features, whole.head.stages)).argmax(axis=1) == y).mean()
    assert sampled_accuracy > whole_accuracy - 0.03
    broken = ArrayFeatures(features.stages, tuple(a.copy() for a in features.arrays))
    monkeypatch.setattr(head_module, "MAX_ITEMS", 150)
    left_out = np.setdiff1d(np.arange(900), choice.positions)[0]
    broken.arrays[1][left_out] = np.nan
    with pytest.raises(DataError, match=f"not finite for item {left_out}"):
        choose_head(broken, labels, np.arange(900).astype(str).astype(object))


def test_errors_name_what_is_wrong() -> None:
    features, labels = case(n_items=30)
    with pytest.raises(DataError, match="30 items and 29 labels"):
        choose_head(features, labels[:-1])
    with pytest.raises(DataError, match="have the class 'x'"):
        choose_head(features, np.array(["x"] * 30, dtype=object))
    with pytest.raises(DataError, match="'class 2' is not among the 2 classes"):
        choose_head(features, labels, classes=("class 0", "class 1"))
    features.arrays[1][4, 2] = np.inf
    with pytest.raises(DataError, match="stage layer2 are not finite"):
        choose_head(features, labels)


def test_rows_are_views() -> None:
    features, _ = case(n_items=10, signal=(0.0, 1.0))
    rows = rows_of(rows_of(features, np.array([5, 3, 1])), np.array([2, 0]))
    assert rows.n_items == 2 and rows.stages == features.stages
    assert (rows.stage(1) == features.arrays[1][[1, 5]]).all()
    matrix = StageRows(features, (0, 1))
    assert matrix.shape == (10, 24) and (matrix[2:4] == stacked(features, (0, 1))[2:4]).all()

    class Takes(ArrayFeatures):
        def take(self, positions: np.ndarray) -> ArrayFeatures:
            return ArrayFeatures(self.stages, tuple(a[positions] for a in self.arrays))

    lazy = Takes(features.stages, features.arrays)
    assert (StageRows(lazy, (1,))[3:6] == features.arrays[1][3:6]).all()


def test_one_item_a_class_gives_a_head_on_the_last_stage() -> None:
    features, _ = case(n_items=3)
    choice = choose_head(features, np.array(["a", "b", "c"], dtype=object))
    assert choice.stages == ("layer3",) and choice.profile == []
    assert (choice.head.predict(features.arrays[2]) == np.array(["a", "b", "c"])).all()


def test_no_stage_is_preferred_on_noise(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two standard errors, the rule before, preferred one in a third of such sets."""
    monkeypatch.setattr(logistic_module, "MAX_OPERATIONS", 0)  # ridge heads alone are quick
    old = new = 0
    for seed in range(16):
        rng = np.random.default_rng(seed)
        y = rng.permutation(np.arange(60) % 2)
        arrays = tuple(rng.normal(size=(60, 8)).astype(np.float32) for _ in range(13))
        names = tuple(f"layer{i}" for i in range(13))
        choice = choose_head(ArrayFeatures(names, arrays), y.astype(str).astype(object), n_threads=1)
        right = [head.logits.argmax(axis=1) == y for head in choice.tried_heads]
        gain = max(right, key=np.mean) - right[0].astype(float)
        old += gain.mean() > 2 * gain.std(ddof=1) / np.sqrt(60)
        new += choice.stages != ("layer12",)
    assert old >= 5 and new <= 1, (old, new)


def test_features_that_know_nothing_do_no_better_than_chance() -> None:
    rng = np.random.default_rng(0)
    labels = np.array(["a", "b"] * 60, dtype=object)
    features = ArrayFeatures(
        ("one", "two"), tuple(rng.normal(size=(120, 30)).astype(np.float32) for _ in "12")
    )
    folds, hits = np.arange(120) // 2 % 5, 0
    for fold in range(5):
        inside, outside = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        head = choose_head(Rows(features, inside), labels[inside]).head
        vectors = np.concatenate([features.stage(i)[outside] for i in head.stages], axis=1)
        hits += int((head.predict(vectors) == labels[outside]).sum())
    assert 0.3 < hits / 120 < 0.7


def test_a_tie_goes_to_the_smaller_loss_then_to_fewer_stages() -> None:
    def head(loss: float, *stages: int) -> TriedHead:
        return TriedHead(stages, "ridge", 0.1, 0.9, 0.1, loss, 1.0, np.zeros((0, 2), np.float32))

    heads = [head(0.5, 2), head(0.4, 0, 1, 2), head(0.3, 1), head(0.4, 0)]
    assert head_module._ranks(heads).tolist() == [3, 2, 0, 1]
