"""What every choice of a fit shares: the plan's labels as numbers, and the source's features, extracted once.

Legend: N items, C classes, D features.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from headstart.clock import Clock
from headstart.fitting.classical import Classical
from headstart.fitting.plan import Plan, with_window_of

if TYPE_CHECKING:
    from headstart.features import Features, Setting, Store
    from headstart.heads import Head
    from headstart.sources import Source
    from headstart.tune import Policy, Recipe, Training
    from headstart.tune.loop.setup import OnEpoch


class Workspace:
    """A plan with its features in the store, from which any part of the data can be learned.

    Args:
        plan: data, source, policy and recipe.
        setting: device, precision and threads.
        store: the folder of the feature store; None: the default.
        clock: takes the phase "features", and the phases of whatever uses the workspace.
        classical: the classical baseline of the same data; None: a new one, which reads items when it is asked.
        on_epoch: takes the folder and each epoch of every training; None: nobody listens.
    """

    def __init__(
        self,
        plan: Plan,
        setting: Setting,
        store: str | Path | None,
        clock: Clock,
        classical: Classical | None = None,
        on_epoch: OnEpoch | None = None,
    ) -> None:
        from headstart.features import Store

        self.plan, self.setting, self.clock, self.on_epoch = plan, setting, clock, on_epoch
        self.store: Store = Store(None if store is None else Path(store))
        self.labels = np.asarray(plan.data.labels)
        self.codes = np.asarray(plan.data.codes)
        self.targets = plan.data.examples.targets
        self.classes: tuple[str, ...] = self.targets.classes
        self.classical = classical or Classical(plan.data, setting.n_threads, plan.seed, plan.weights)
        with clock.phase("features"):
            if plan.policy.stores_prefix:
                self._store_prefix()
            self.features: Features = self.features_by(plan.source, np.arange(len(plan.data)))

    @property
    def quality(self) -> str:
        """Key of the metric that results are compared by."""
        weights = self.plan.weights
        balanced = self.plan.recipe.weighs_rare_classes if weights is None else weights.are_balanced
        return self.targets.task.quality_name(balanced=balanced)

    def weights(self, positions: np.ndarray) -> np.ndarray | None:
        """How much items count in learning, of shape (n_items,), of mean 1; None: all the same."""
        return None if self.plan.weights is None else self.plan.weights.of(positions)

    def units(self, positions: np.ndarray) -> np.ndarray | None:
        """What folds keep together, of items."""
        units = self.plan.data.units
        return None if units is None else units[positions]

    def in_window_of(self, positions: np.ndarray) -> Workspace:
        """The same data with an audio window as long as the longest of some items; itself if that is its window.

        Of the folds of a cross-validation, one at most has another window: that which holds out all of the longest.

        Args:
            positions: of the items that are learned from.
        """
        plan = self.plan
        source = with_window_of(plan.source, plan.data, positions)
        if source.preprocessing == plan.source.preprocessing:
            return self
        return Workspace(
            replace(plan, source=source),
            self.setting,
            self.store.root,
            self.clock,
            self.classical,
            self.on_epoch,
        )

    def features_by(self, source: Source, positions: np.ndarray) -> Features:
        """Pooled features of items of the data, by a source.

        Args:
            source: the plan's, or one with other weights.
            positions: of the items.
        """
        from headstart.data.items import take_items

        data = self.plan.data
        return self.extract(source, take_items(data.examples.items, positions), data.scan.digests[positions])

    def validation_weights(self, validation: np.ndarray) -> np.ndarray | None:
        """How much each validation item counts, of shape (n_items,); None: all the same."""
        if self.plan.weights is not None:
            return self.weights(validation)
        from headstart.tune.objectives.supervised import weights_to_judge

        return weights_to_judge(self.plan.recipe, self.codes[validation], self.targets.task)

    def part(self, positions: np.ndarray) -> Any:
        """Items with their digests, labels and last vectors, in the form that a training takes."""
        from headstart.data.items import take_items
        from headstart.tune import Part

        data = self.plan.data
        features = self.features.take(positions)
        return Part(
            take_items(data.examples.items, positions),
            data.scan.digests[positions],
            self.codes[positions],
            vectors=lambda rows: features.take(rows).stage(-1),
            weights=self.weights(positions),
            balanced=self.plan.weights is not None and self.plan.weights.are_balanced,
        )

    def training(
        self,
        policy: Policy,
        recipe: Recipe,
        train: np.ndarray,
        validation: np.ndarray,
        folder: Path | None,
        *,
        probe: Head | None,
        source: Source | None = None,
        every_token: bool = False,
    ) -> Training:
        """A training of a source, prepared.

        Args:
            policy: what is frozen.
            recipe: the settings.
            train: positions of the items to learn from.
            validation: positions of the items that epochs are compared on; empty: none.
            folder: for checkpoints and history.
            probe: the head to start from; None: one is fitted.
            source: what is trained; None: the plan's.
            every_token: whether rows of tokens that do not occur are trained too, if possible.
        """
        from headstart.heads.linear import linear_or_none
        from headstart.tune import Training

        return Training(
            source or self.plan.source,
            self.part(train),
            self.part(validation) if len(validation) else None,
            self.classes,
            policy=policy,
            recipe=recipe,
            store=self.store,
            setting=self.setting,
            probe=linear_or_none(probe),
            seed=self.plan.seed,
            folder=folder,
            task=self.targets.task,
            compiled=self.plan.compiled,
            every_token=every_token,
            on_epoch=self.on_epoch,
        )

    def _store_prefix(self) -> None:
        """Store the prefix states that training will read, in the pass that extracts the features."""
        from headstart.data.items import take_items
        from headstart.features import extract_pooled_and_states

        data = self.plan.data
        learned_from = data.learnable
        extract_pooled_and_states(
            self.plan.source,
            take_items(data.examples.items, learned_from),
            data.scan.digests[learned_from],
            self.plan.policy.resolved_cut,
            self.store,
            **self.setting.options,
            together=True,
        )

    def extract(self, source: Source, items: Sequence[Any], digests: np.ndarray) -> Features:
        """Pooled features of items, by a source.

        Args:
            source: the network.
            items: files, texts or arrays.
            digests: of their content, of shape (n_items,).
        """
        from headstart.features import extract_pooled

        return extract_pooled(source, items, digests, self.store, **self.setting.options, together=True)
