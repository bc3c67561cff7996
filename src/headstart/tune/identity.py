"""What must be equal for a checkpoint to be gone on from."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from headstart.errors import OptionError
from headstart.features import Setting
from headstart.sources.source import Source
from headstart.tune.feeding import Part
from headstart.tune.policy import Policy
from headstart.tune.recipe import Recipe


def identity_of(
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
        "source": source.digest,
        "preprocessing": source.preprocessing.digest(),
        "policy": policy.text,
        "recipe": recipe_identity(recipe),
        "seed": seed,
        "precision": setting.precision,
        "classes": list(classes),
        "training data": _fingerprint(train),
        "validation data": None if validation is None else _fingerprint(validation),
    }


def recipe_identity(recipe: Recipe) -> dict[str, Any]:
    """The settings; how a batch is worked off may differ, since its steps are the same."""
    return recipe.model_dump(exclude={"accumulate"})


def check_identity(saved: Mapping[str, Any], present: Mapping[str, Any]) -> None:
    """Refuse the checkpoint of another run.

    Raises:
        OptionError: naming all that differs.
    """
    differing = [name for name in {**saved, **present} if saved.get(name) != present.get(name)]
    if differing:
        told = "; ".join(f"{name} was {saved.get(name)}, is {present.get(name)}" for name in differing)
        raise OptionError(
            f"the checkpoint is of another run: {told}. Resume with the same settings, or start a new run"
        )


def _fingerprint(part: Part) -> str:
    """A digest of the items' contents and labels, in their order."""
    rows = zip(part.digests.tolist(), np.asarray(part.labels).tolist(), strict=True)
    return hashlib.sha256("\n".join(f"{digest} {label}" for digest, label in rows).encode()).hexdigest()[:16]
