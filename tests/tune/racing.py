"""A race of real trainings of the tiny picture network; also a command that a test can kill.

python racing.py FOLDER SEED   races in FOLDER, takes up what is there, prints the choice as JSON
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
from headstart.tune.race.choice import AutoChoice
from headstart.tune.race.entrants import Entrant, from_scratch
from headstart.tune.race.race import Race
from headstart.tune.race.runner import Judge

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

    def build(self, entrant: Entrant, folder: Path) -> Training:
        self.built.append(entrant.name)
        return self._training(entrant, folder, self.train, self.validation)

    def again(self, entrant: Entrant, folder: Path) -> Training:
        self.built.append(f"{entrant.name} again")
        both = Part(
            np.concatenate([self.train.items, self.validation.items]),
            np.concatenate([self.train.digests, self.validation.digests]),
            np.concatenate([self.train.labels, self.validation.labels]),
        )
        return self._training(entrant, folder, both, None)

    def _training(self, entrant: Entrant, folder: Path, train: Part, validation: Part | None) -> Training:
        recipe = self.recipe.model_copy(
            update={"lr": self.recipe.lr * entrant.rate, "head_lr": self.recipe.head_lr * entrant.rate}
        )
        return Training(
            self.source, train, validation, CLASSES, policy=entrant.policy, recipe=recipe, store=self.store,
            setting=SETTING, seed=0, folder=folder,
        )  # fmt: skip

    def judge(self, share_right: float = 0.5, size: float = 0.5) -> Judge:
        """A head alone that is right about that share of the validation items."""
        labels = self.validation.labels
        right = np.arange(len(labels)) < share_right * len(labels)
        return Judge(size * np.eye(2)[np.where(right, labels, 1 - labels)], labels)


def entrants() -> list[Entrant]:
    return [Entrant(Policy.parse(text, STAGES)) for text in ("first:2", "first:1", "none")]


def race(
    world: World, folder: Path | None, *, budget: float = 600.0, resume: bool = False, again: bool = True,
    judge: Judge | None = None, scratch: bool = True, build: Callable[..., Any] | None = None, **options: Any,
) -> AutoChoice:  # fmt: skip
    made = Race(
        build or world.build, judge or world.judge(), budget_seconds=budget, folder=folder, resume=resume,
        again=world.again if again else None, **options,
    )  # fmt: skip
    return made.run(entrants(), from_scratch(STAGES) if scratch else None)


def digest(choice: AutoChoice) -> str:
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
