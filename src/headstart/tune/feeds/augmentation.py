"""What a recipe's augmentation settings mean for one modality and view."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from headstart.data.augment import Augment
from headstart.tune.recipes.recipe import Recipe


def augment_of(
    recipe: Recipe, modality: str, seed: int, view: int, digests: Sequence[str] | NDArray[Any] | None
) -> Augment | None:
    """How a view of the items is made; None for the plain view.

    Settings of other modalities stay at their defaults, so that stored views do not depend on them.
    "trivial" is for pictures only; for recordings and texts it means "light".

    Args:
        recipe: `augment`; for texts `word_dropout`, for recordings `noise_db`, `speed` and `spec_augment`.
        modality: "image", "text" or "audio".
        seed: random seed.
        view: number of the view (live: the epoch); 0 is the plain one.
        digests: of each item's content, of shape (n_items,).
    """
    if recipe.augment == "none" or not view:
        return None
    if modality == "image":
        return Augment(seed, view, digests, kind=recipe.augment)
    if modality == "text":
        return Augment(seed, view, digests, word_dropout=recipe.word_dropout) if recipe.word_dropout else None
    return Augment(
        seed,
        view,
        digests,
        noise_db=recipe.noise_db,
        speed=recipe.speed,
        spec_augment=recipe.spec_augment,
    )
