"""A race of real trainings of the tiny picture network; also a command that a test can kill.

python racing.py FOLDER SEED   races in FOLDER, resumes what is there, prints the choice as JSON
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from tune_sources import CLASSES, part_of, source_of

from headstart.features import Setting, Store
from headstart.tune import Part, Recipe, Training
from headstart.tune.policies.policy import Policy
from headstart.tune.race.candidates import Candidate, from_scratch
from headstart.tune.race.comparison import ValidationItems
from headstart.tune.race.race import Race
from headstart.tune.race.result import RaceResult

SETTING = Setting.choose("cpu", "fp32", 1)
STAGES = ("stem", "layer1", "layer2")
N_EPOCHS = 4


class World:
    """Items, a source and a store, from which trainings are built."""

    def __init__(self, folder: Path, *, n_items: int = 48, **settings: Any) -> None:
        self.source = source_of("image")
        self.train = part_of("image", n_items, 0, folder)
        self.validation = part_of("image", 30, 1, folder)
        self.store = Store(folder / "store")
        self.recipe = Recipe(
            **{"epochs": N_EPOCHS, "batch_size": 16, "lr": 0.01, "head_lr": 0.02, **settings}
        )
        self.built: list[str] = []

    def build(self, candidate: Candidate, folder: Path) -> Training:
        self.built.append(candidate.name)
        return self._training(candidate, folder, self.train, self.validation)

    def again(self, candidate: Candidate, folder: Path) -> Training:
        self.built.append(f"{candidate.name} again")
        both = Part(
            np.concatenate([self.train.items, self.validation.items]),
            np.concatenate([self.train.digests, self.validation.digests]),
            np.concatenate([self.train.labels, self.validation.labels]),
        )
        return self._training(candidate, folder, both, None)

    def _training(self, candidate: Candidate, folder: Path, train: Part, validation: Part | None) -> Training:
        recipe = self.recipe.model_copy(
            update={name: getattr(self.recipe, name) * candidate.rate_factor for name in ("lr", "head_lr")}
        )
        return Training(
            self.source, train, validation, CLASSES, policy=candidate.policy, recipe=recipe, store=self.store,
            setting=SETTING, seed=0, folder=folder,
        )  # fmt: skip

    def validation_items(self, share_right: float = 0.5, size: float = 0.5) -> ValidationItems:
        """A head alone that is right about that share of the validation items."""
        labels = self.validation.labels
        right = np.arange(len(labels)) < share_right * len(labels)
        return ValidationItems(size * np.eye(2)[np.where(right, labels, 1 - labels)], labels)


def candidates() -> list[Candidate]:
    return [Candidate(Policy.parse(text, STAGES)) for text in ("first:2", "first:1", "none")]


def race(
    world: World, folder: Path | None, *, budget: float = 600.0, resume: bool = False, again: bool = True,
    validation: ValidationItems | None = None, scratch: bool = True, build: Callable[..., Any] | None = None,
    **options: Any,
) -> RaceResult:  # fmt: skip
    made = Race(
        build or world.build, validation or world.validation_items(), budget_seconds=budget, folder=folder,
        resume=resume, again=world.again if again else None, **options,
    )  # fmt: skip
    return made.run(candidates(), from_scratch(STAGES) if scratch else None)


def digest(choice: RaceResult) -> str:
    """Of the weights and the head of a choice."""
    whole = hashlib.sha256(choice.chosen.encode())
    if choice.trained is not None:
        for name, tensor in sorted(choice.trained.state_dict.items()):
            whole.update(name.encode() + tensor.contiguous().numpy().tobytes())
        whole.update(choice.trained.head.weight.tobytes())
    return whole.hexdigest()


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    world = World(folder)
    choice = race(world, folder / "race", resume=True)
    rungs = {c.name: c.rungs for c in choice.candidates}
    print(
        json.dumps({"digest": digest(choice), "rungs": rungs, "reason": choice.reason, "built": world.built})
    )


if __name__ == "__main__":
    main()
