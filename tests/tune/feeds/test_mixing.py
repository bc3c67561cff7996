"""Mixing: the formulas, purity, what cannot be mixed, batches of one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional

from headstart.backbone import Backbone
from headstart.errors import OptionError
from headstart.tune.feeds.mixing import check_mixing, mix
from headstart.tune.recipes.recipe import Recipe

STEP: dict[str, Any] = {"seed": 3, "epoch": 2, "step": 5}


def batch(n_items: int, seed: int = 0) -> tuple[dict[str, Tensor], Tensor]:
    generator = torch.Generator().manual_seed(seed)
    pixels = torch.randn(n_items, 3, 8, 6, generator=generator).contiguous(memory_format=torch.channels_last)
    classes = torch.randint(5, (n_items,), generator=generator)
    return {"pixels": pixels}, functional.one_hot(classes, 5).float()


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 7), st.floats(0, 2), st.floats(0, 2), st.integers(0, 100), st.integers(0, 100))
def test_mixing_is_pure_and_keeps_the_sums(
    n: int, mixup: float, cutmix: float, epoch: int, step: int
) -> None:
    inputs, targets = batch(n)
    before = inputs["pixels"].clone(), targets.clone()
    recipe = Recipe(mixup=mixup, cutmix=cutmix)
    torch.manual_seed(step)
    state = torch.get_rng_state()
    mixed, shares = mix(inputs, targets, recipe=recipe, seed=1, epoch=epoch, step=step)
    again, shares_again = mix(inputs, targets, recipe=recipe, seed=1, epoch=epoch, step=step)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(inputs["pixels"], before[0]) and torch.equal(targets, before[1])
    assert torch.equal(mixed["pixels"], again["pixels"]) and torch.equal(shares, shares_again)
    assert mixed["pixels"].shape == before[0].shape and shares.shape == before[1].shape
    torch.testing.assert_close(shares.sum(dim=1), torch.ones(n))
    assert (shares >= 0).all()
    torch.testing.assert_close(shares.sum(dim=0), targets.sum(dim=0))
    if n == 1:
        assert mixed is inputs and shares is targets


def test_mixup_is_the_formula_with_one_share_a_step() -> None:
    inputs, targets = batch(4)
    mixed, shares = mix(inputs, targets, recipe=Recipe(mixup=0.4), **STEP)
    share = np.random.default_rng([3, 2, 5, 2]).beta(0.4, 0.4)
    pixels = inputs["pixels"].numpy()
    expected = share * pixels + (1 - share) * pixels[[3, 0, 1, 2]]
    np.testing.assert_allclose(mixed["pixels"], expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(shares, share * targets + (1 - share) * targets[[3, 0, 1, 2]], atol=1e-6)
    other, _ = mix(inputs, targets, recipe=Recipe(mixup=0.4), seed=3, epoch=2, step=6)
    assert not torch.equal(other["pixels"], mixed["pixels"])


def test_mixup_is_that_of_torchvision() -> None:
    from torchvision.transforms.v2 import MixUp

    inputs, targets = batch(4)
    mixed, shares = mix(inputs, targets, recipe=Recipe(mixup=0.4), **STEP)
    share = float(np.random.default_rng([3, 2, 5, 2]).beta(0.4, 0.4))
    params = {"labels": targets, "batch_size": 4, "lam": share}
    assert torch.equal(MixUp().transform(inputs["pixels"], params), mixed["pixels"])
    assert torch.equal(MixUp().transform(targets, params), shares)


@pytest.mark.parametrize("step", range(12))
def test_cutmix_pastes_as_much_as_the_targets_say(step: int) -> None:
    inputs, targets = batch(5)
    mixed, shares = mix(inputs, targets, recipe=Recipe(cutmix=1.0), seed=0, epoch=1, step=step)
    own, neighbour = inputs["pixels"], inputs["pixels"].roll(1, 0)
    kept = (mixed["pixels"] == own).all(dim=1)
    pasted = (mixed["pixels"] == neighbour).all(dim=1)
    assert (kept | pasted).all()
    assert (kept == kept[0]).all()
    share = float(kept[0].float().mean())
    torch.testing.assert_close(shares, share * targets + (1 - share) * targets.roll(1, 0))


def test_cutmix_rectangles_are_those_of_torchvision() -> None:
    """Of the same draws, torchvision makes the same box and share."""
    from torchvision.transforms.v2 import CutMix

    from headstart.tune.feeds.mixing import _box

    for seed in range(30):
        torch.manual_seed(seed)
        theirs = CutMix(alpha=1.0).make_params([torch.zeros(2, 3, 9, 7)])
        torch.manual_seed(seed)
        share = float(torch.distributions.Beta(torch.ones(1), torch.ones(1)).sample(()))
        corner = iter([int(torch.randint(7, (1,))), int(torch.randint(9, (1,)))])

        class Draw:
            def integers(self, high: int, corner: Any = corner) -> int:
                return int(next(corner))

        box, left = _box(9, 7, share, Draw())  # type: ignore[arg-type]
        assert box == theirs["box"] and left == pytest.approx(theirs["lam_adjusted"])


def test_both_take_turns() -> None:
    inputs, targets = batch(3)
    kinds = set()
    for step in range(12):
        mixed, _ = mix(inputs, targets, recipe=Recipe(mixup=1.0, cutmix=1.0), seed=0, epoch=1, step=step)
        pixels = mixed["pixels"]
        pasted = (pixels == inputs["pixels"]) | (pixels == inputs["pixels"].roll(1, 0))
        kinds.add(bool(pasted.all()))
    assert kinds == {True, False}


def test_formats_are_kept() -> None:
    inputs, targets = batch(4)
    for recipe in (Recipe(mixup=1.0), Recipe(cutmix=1.0)):
        mixed, shares = mix(inputs["pixels"].bfloat16(), targets, recipe=recipe, **STEP)
        assert mixed.dtype == torch.bfloat16 and shares.dtype == torch.float32
        assert mixed.is_contiguous(memory_format=torch.channels_last)


def test_recordings_mix_to_the_longer() -> None:
    waveform = torch.randn(3, 100)
    lengths = torch.tensor([10, 100, 50])
    mixed, _ = mix({"waveform": waveform, "lengths": lengths}, torch.eye(3), recipe=Recipe(mixup=1.0), **STEP)
    assert mixed["lengths"].tolist() == [50, 100, 100]
    assert not torch.equal(mixed["waveform"], waveform)


class Words(nn.Module):
    """Embeds, transforms, and takes the mean over the words of a text."""

    def __init__(self) -> None:
        super().__init__()
        self.embeddings = nn.Embedding(20, 4)
        self.layer = nn.Linear(4, 4)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        hidden = torch.tanh(self.layer(self.embeddings(input_ids)))
        mask = attention_mask[..., None].float()
        pooled: Tensor = (hidden * mask).sum(dim=1) / mask.sum(dim=1)
        return pooled


def test_states_of_texts_mix_where_token_ids_cannot() -> None:
    torch.manual_seed(0)
    backbone = Backbone(Words(), ["embeddings", "layer"])
    mask = torch.tensor([[1, 1, 0, 0], [1, 1, 1, 0], [1, 0, 0, 0]])
    inputs = {"input_ids": torch.randint(20, (3, 4)), "attention_mask": mask}
    recipe, targets = Recipe(mixup=1.0), torch.eye(3)
    with pytest.raises(OptionError, match="token ids"):
        mix(inputs, targets, recipe=recipe, **STEP)
    with pytest.raises(OptionError, match="token ids"):
        mix(backbone.prefix(inputs, 0), targets, recipe=recipe, **STEP)
    state = backbone.prefix(inputs, 1)
    mixed, _ = mix(state, targets, recipe=recipe, **STEP)
    assert mixed.n_items == 3 and mixed.layout is state.layout
    share = np.random.default_rng([3, 2, 5, 2]).beta(1, 1)
    torch.testing.assert_close(
        mixed.tensors["arg.0"],
        share * state.tensors["arg.0"] + (1 - share) * state.tensors["arg.0"].roll(1, 0),
        check_dtype=False,
    )
    assert mixed.tensors["input.attention_mask"].sum(dim=1).tolist() == [2, 3, 3]
    assert backbone.suffix(mixed, 1).shape == (3, 4)


class Windows(nn.Module):
    """Three rows per item between its stages."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(2, 4), nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        rows = self.first(x.reshape(-1, 2))
        found: Tensor = self.second(rows).reshape(len(x), 3, 2).mean(dim=1)
        return found


def test_rows_of_an_item_mix_with_those_of_its_neighbour() -> None:
    torch.manual_seed(0)
    network = Windows()
    backbone = Backbone(network, ["first", "second"])
    state = backbone.prefix(torch.randn(4, 6), 1)
    mixed, targets = mix(state, torch.eye(4), recipe=Recipe(mixup=1.0), **STEP)
    # the rest of this network is linear, so its outputs mix as its inputs do
    torch.testing.assert_close(backbone.suffix(mixed, 1), targets @ backbone.suffix(state, 1))


def test_what_cannot_be_mixed_is_refused_beforehand() -> None:
    for modality, cut, wrong in (
        ("text", 1, "texts"),
        ("audio", 0, "texts and recordings"),
        ("image", 2, "stored"),
    ):
        with pytest.raises(OptionError, match=wrong):
            check_mixing(Recipe(cutmix=1.0), modality, cut)
    with pytest.raises(OptionError, match="first:1"):
        check_mixing(Recipe(mixup=0.2), "text", 0)
    for modality, cut in (("text", 1), ("audio", 0), ("image", 0), ("image", 3)):
        check_mixing(Recipe(mixup=0.2), modality, cut)
    check_mixing(Recipe(cutmix=0.2, mixup=0.1), "image", 0)
    check_mixing(Recipe(), "text", 0)


def test_cutmix_is_of_pixels_alone() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 1), nn.Conv2d(4, 2, 1), nn.Flatten())
    backbone = Backbone(network, ["0", "1"])
    pixels, targets = torch.randn(2, 3, 4, 4), torch.eye(2)
    recipe = Recipe(cutmix=1.0)
    mixed, _ = mix(backbone.prefix(pixels, 0), targets, recipe=recipe, **STEP)
    bare, _ = mix(pixels, targets, recipe=recipe, **STEP)
    assert torch.equal(next(iter(mixed.tensors.values())), bare)
    with pytest.raises(OptionError, match="cutmix cuts pixels"):
        mix(backbone.prefix(pixels, 1), targets, recipe=recipe, **STEP)
    with pytest.raises(OptionError, match="cutmix cuts pixels"):
        mix({"waveform": torch.randn(2, 8), "lengths": torch.tensor([8, 8])}, targets, recipe=recipe, **STEP)


def test_nothing_asked_for_is_nothing_done() -> None:
    inputs, targets = batch(3)
    same, shares = mix(inputs, targets, recipe=Recipe(), **STEP)
    assert same is inputs and shares is targets
