"""What must be equal for a checkpoint to be gone on from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from headstart.errors import OptionError
from headstart.features import Setting
from headstart.sources.source import Source
from headstart.tune.feeds.part import Part
from headstart.tune.policies.policy import Policy
from headstart.tune.recipes.recipe import Recipe

_LONGEST = 80  # characters of a value in a message


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
    return recipe.model_dump(mode="json", exclude={"accumulate", "checkpointing"})


def check_identity(saved: Mapping[str, Any], present: Mapping[str, Any]) -> None:
    """Refuse the checkpoint of another run.

    Raises:
        OptionError: naming all that differs.
    """
    differing = list(_differing(saved, present))
    if differing:
        raise OptionError(
            f"the checkpoint is of another run: {'; '.join(differing)}. "
            "Resume with the same settings, or start a new run"
        )


def _differing(saved: Mapping[str, Any], present: Mapping[str, Any], within: str = "") -> Iterator[str]:
    """What differs, each as "name was this, is that"; of settings within settings those alone that do."""
    for name in {**saved, **present}:
        was, is_ = saved.get(name), present.get(name)
        if was == is_:
            continue
        if isinstance(was, Mapping) and isinstance(is_, Mapping):
            yield from _differing(was, is_, f"{name} ")
        else:
            yield f"{within}{name} was {_short(was)}, is {_short(is_)}"


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def _fingerprint(part: Part) -> str:
    """A digest of the items' contents and labels, in their order."""
    rows = zip(part.digests.tolist(), np.asarray(part.labels).tolist(), strict=True)
    return hashlib.sha256("\n".join(f"{digest} {label}" for digest, label in rows).encode()).hexdigest()[:16]
