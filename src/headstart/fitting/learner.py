"""From labelled items to a network and a head, under a policy; choices see training items only.

`all` chooses a head on stored features by cross-validation. A policy that trains the network sets 15% of the
training items aside as validation, by group, unless a validation part was given; its result is returned unless it
is worse there than the head alone (do no harm).

Legend: N items, C classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from headstart import processes
from headstart.clock import Clock
from headstart.errors import DataError
from headstart.fitting.options import FitOptions
from headstart.fitting.plan import Prepared
from headstart.fitting.result import Learned
from headstart.progress import say

if TYPE_CHECKING:
    from headstart.choose import Choice
    from headstart.features import Features, Setting, Store
    from headstart.heads import Head
    from headstart.sources import Source
    from headstart.tune import Policy, Recipe, Training

SMALL = 1_000  # items up to which a second thread costs the choice of the head more than it gives


class Learner:
    """Learns from any part of a data set; features are extracted once for all parts.

    Args:
        job: the prepared data and source.
        config: the options.
        clock: takes the phases "features", "head" and "tune".
    """

    def __init__(self, job: Prepared, config: FitOptions, clock: Clock) -> None:
        from headstart.features import Setting, Store

        self.job, self.config, self.clock = job, config, clock
        self.setting: Setting = Setting.choose(config.device, config.precision, config.threads)
        self.store: Store = Store(None if config.store is None else Path(config.store))
        self.labels = np.asarray(job.examples.labels)
        self.classes: tuple[str, ...] = job.examples.targets.classes
        self.targets = job.examples.targets
        self.codes = self.targets.encode(self.labels)  # as numbers, in the form of the task
        self.strata = np.asarray(job.examples.strata)
        with clock.phase("features"):
            if job.policy.stores_prefix:
                self._store_prefix()
            self.features: Features = self._extract(job.source, np.arange(len(job.examples)))

    def learn(self, train: np.ndarray, validation: np.ndarray, folder: Path | None, resume: bool) -> Learned:
        """Learn from items under the policy.

        Args:
            train: positions of the items to learn from.
            validation: positions of a given validation part; empty: 15% of `train` where one is needed and
                there are enough.
            folder: for checkpoints and history.
            resume: go on from checkpoints in the folder.
        """
        from headstart.fitting.race import learn_auto
        from headstart.fitting.training import learn_trained
        from headstart.tune.objectives.contrastive import KNOWN

        policy = self.job.policy
        if policy.cut == len(policy.stages):
            choice = self.choose(train)
            return Learned.head_alone(self.job.source, choice, len(train), choice.reason)
        set_aside = not len(validation) and not self._learns_from_all(train)
        if set_aside:
            train, validation = self._set_aside(train)
        choice = self.choose(train)
        known = 0.0 if len(validation) else self._known_already(choice, train)
        if known >= KNOWN:
            reason = (
                f"The head alone reached a balanced accuracy of {known:.3f} in cross-validation on these few labels: "
                "training the network on them would rather lose than gain, so the head alone is returned."
            )
            say(reason)
            return Learned.head_alone(self.job.source, choice, len(train), reason)
        if policy.kind.chooses == "race":
            with self.clock.phase("tune"):
                return learn_auto(self, choice, train, validation, folder, resume)
        return learn_trained(self, choice, train, validation, folder, resume, set_aside=set_aside)

    def probabilities(self, learned: Learned, positions: np.ndarray) -> np.ndarray:
        """Probabilities, or values for a quantity, of items, of shape (n_items, C)."""
        if learned.is_trained:
            with self.clock.phase("evaluate"):
                features = self._extract(learned.source, positions)
        else:
            features = self.features.take(positions)
        return learned.head.outputs(features.stacked(learned.head.stages))

    def probe(self, learned: Learned, positions: np.ndarray) -> np.ndarray:
        """The same by the head alone, whatever the network was trained to."""
        head = learned.choice.head
        return head.outputs(self.features.take(positions).stacked(head.stages))

    def logits_alone(self, choice: Choice, positions: np.ndarray) -> np.ndarray:
        """Scores of items by a head alone, of shape (n_items, C)."""
        return choice.head.logits(self.features.take(positions).stacked(choice.head.stages))

    def validation_counts(self, validation: np.ndarray) -> np.ndarray | None:
        """What each validation item counts under the recipe, of shape (n_items,); None: all the same."""
        from headstart.tune.objectives.supervised import weights_to_judge

        return weights_to_judge(self.job.recipe, self.codes[validation], self.targets.task)

    def own_embedding_width(self) -> int:
        """Width of what the source's network itself gives for an item."""
        import torch

        from headstart.data import load_batches

        first = [np.arange(1)]
        _, inputs = next(
            load_batches(self.job.examples.items, self.job.source.preprocessing, first, threads=1)
        )
        with torch.inference_mode():
            return int(self.job.source.network(**inputs).shape[1])

    def features_of(self, learned: Learned, items: Sequence[Any]) -> np.ndarray:
        """What the head of a result reads of new items, of shape (n_items, D), float32.

        Args:
            learned: the result.
            items: files, texts or arrays of the modality learned from.

        Raises:
            DataError: an item cannot be read.
        """
        from headstart.data import Examples, scan

        examples = Examples.from_lists(items, modality=self.job.examples.modality)
        seen = scan(examples.items, examples.modality, threads=self.setting.n_threads)
        for index, problem in seen.problems.items():
            raise DataError(f"{examples.names[index]} cannot be read: {problem}")
        return self._pooled(learned.source, examples.items, seen.digests).stacked(learned.head.stages)

    def _store_prefix(self) -> None:
        """Store what training will take of the items to learn from, in the pass that extracts their features."""
        from headstart.data.items import take_items
        from headstart.features import extract_pooled_and_states

        learned_from = np.flatnonzero(self.job.examples.splits != "test")
        with processes.first_goes_first():
            extract_pooled_and_states(
                self.job.source,
                take_items(self.job.examples.items, learned_from),
                self.job.scan.digests[learned_from],
                self.job.policy.resolved_cut,
                self.store,
                **self.setting.options,
            )

    def _extract(self, source: Source, positions: np.ndarray) -> Features:
        from headstart.data.items import take_items

        items = take_items(self.job.examples.items, positions)
        return self._pooled(source, items, self.job.scan.digests[positions])

    def _pooled(self, source: Source, items: Sequence[Any], digests: np.ndarray) -> Features:
        from headstart.features import extract_pooled

        with processes.first_goes_first():  # which stores what the others read
            return extract_pooled(
                source,
                items,
                digests,
                self.store,
                **self.setting.options,
            )

    def choose(self, train: np.ndarray) -> Choice:
        """Choose the head alone by cross-validation on items.

        Args:
            train: their positions.
        """
        from headstart.choose import choose_head

        units = self.job.units
        with self.clock.phase("head"):
            return processes.from_first(
                lambda: choose_head(
                    self.features.take(train),
                    self.labels[train],
                    None if units is None else units[train],
                    seed=self.config.seed,
                    classes=self.classes,
                    task=self.targets.task,
                    n_threads=self.setting.n_threads if len(train) > SMALL else 1,
                    last_only=self.config.head == "standard",
                )
            )

    def _learns_from_all(self, train: np.ndarray) -> bool:
        """Whether labels are so few that all are learned from, in the fixed number of steps of the recipe.

        A part set aside from them would be too small to choose by, and the training needs every one.
        """
        from headstart.tune.objectives.contrastive import FEW

        recipe = self.job.recipe
        by_pairs_alone = bool(recipe.contrastive) and not recipe.epochs and self.job.policy.cut is not None
        return by_pairs_alone and len(train) <= FEW * len(self.classes)

    def _known_already(self, choice: Choice, train: np.ndarray) -> float:
        """How well the source tells the classes apart as it is: balanced accuracy, out of fold; 0 for other tasks.

        Where it is high, few labels can only make it worse.
        """
        if not self.targets.task.one_per_item or not len(choice.positions):
            return 0.0
        truth, said = self.codes[train[choice.positions]], choice.out_of_fold.argmax(axis=1)
        return float(np.mean([(said[truth == code] == code).mean() for code in np.unique(truth)]))

    def _set_aside(self, train: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        from headstart.data import holdout_indices

        units = self.job.units
        groups = None if units is None else units[train]
        try:
            inside, aside = holdout_indices(self.strata[train], groups, 0.15, self.config.seed)
        except DataError as error:
            raise DataError(
                f"of the {len(train)} training items none can be set aside to compare by, as a policy that trains "
                f"the network does: {error} Or fit the head alone (--freeze all), or learn from every label "
                "(--freeze none --recipe few-shot)"
            ) from None
        return train[inside], train[aside]

    def part(self, positions: np.ndarray) -> Any:
        """Items with their digests, labels and last vectors, as a training takes them."""
        from headstart.data.items import take_items
        from headstart.tune import Part

        items = take_items(self.job.examples.items, positions)
        features = self.features.take(positions)
        return Part(
            items,
            self.job.scan.digests[positions],
            self.codes[positions],
            vectors=lambda rows: features.take(rows).stage(-1),
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
            source: what is trained; None: the data's own.
            every_token: whether rows of tokens that do not occur are trained too, as far as they can be.
        """
        from headstart.heads.linear import linear_or_none
        from headstart.tune import Training

        return Training(
            source or self.job.source,
            self.part(train),
            self.part(validation) if len(validation) else None,
            self.classes,
            policy=policy,
            recipe=recipe,
            store=self.store,
            setting=self.setting,
            probe=linear_or_none(probe),
            seed=self.config.seed,
            folder=folder,
            task=self.targets.task,
            compiled=self.config.compile,
            every_token=every_token,
        )
