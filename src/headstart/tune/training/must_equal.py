"""What must be equal for a training to be resumed, by its names in messages."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from headstart.features import Setting
from headstart.sources.source import Source
from headstart.tune.feeds.part import Part
from headstart.tune.policies.policy import Policy
from headstart.tune.recipes.recipe import Recipe


def must_equal(
    source: Source,
    policy: Policy,
    recipe: Recipe,
    setting: Setting,
    *,
    seed: int,
    classes: tuple[str, ...],
    train: Part,
    validation: Part | None,
) -> dict[str, Any]:
    """Plain values by name."""
    return {
        "a source of digest": source.digest,
        "a preprocessing of digest": source.preprocessing.digest(),
        "--freeze": policy.text,
        "recipe": recipe_settings(recipe),
        "--seed": seed,
        "--precision": setting.precision,
        "classes": list(classes),
        "training items of digest": _digest(train),
        "validation items of digest": None if validation is None else _digest(validation),
    }


def recipe_settings(recipe: Recipe) -> dict[str, Any]:
    """The settings; the number of parts of a batch may differ, since the steps are the same."""
    return recipe.model_dump(mode="json", exclude={"accumulate", "checkpointing"})


def _digest(part: Part) -> str:
    """A digest of the items' contents, labels and weights, in their order."""
    rows = zip(part.digests.tolist(), np.asarray(part.labels).tolist(), strict=True)
    lines = [f"{digest} {label}" for digest, label in rows]
    lines += [] if part.weights is None else [f"{weight:.6g}" for weight in part.weights]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]
