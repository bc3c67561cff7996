"""Train a source's suffix and head under a policy: on stored prefix states, or on live items if nothing is frozen.

training = Training(source, train, validation, classes, policy=policy, recipe=recipe, store=store,
                    setting=Setting.choose())
trained = training.run()
"""

from __future__ import annotations

import time
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from headstart.backbone import Backbone
from headstart.errors import OptionError
from headstart.features import Setting, Store
from headstart.heads.linear import LinearHead, LinearHeadModule
from headstart.sources.source import Source
from headstart.tasks import CLASSIFICATION, Task
from headstart.tune.averaging.averages import interpolate, wise_ft
from headstart.tune.feeds.feed import Labelled, Machine
from headstart.tune.feeds.mixing import check_mixing
from headstart.tune.feeds.part import Part, feed_of, first_inputs
from headstart.tune.loop.loop import Loop
from headstart.tune.loop.measure import measure_epoch
from headstart.tune.loop.rate_finder import with_rate_found
from headstart.tune.loop.setup import Keeping, Network, OnEpoch
from headstart.tune.objectives.supervised import Supervised, as_targets
from headstart.tune.objectives.validation import HeldOut, Score
from headstart.tune.policies.freeze import Freeze
from headstart.tune.policies.policy import Policy
from headstart.tune.recipes.recipe import Recipe
from headstart.tune.speedups.compiled import aided
from headstart.tune.speedups.seen_rows import tokens_of
from headstart.tune.training.contrastive_stage import contrast
from headstart.tune.training.first_head import FirstHead, random_head, widened
from headstart.tune.training.gradient_norms import RGN, choose_stage
from headstart.tune.training.must_equal import must_equal, recipe_settings
from headstart.tune.training.network_copy import check_batch_norm, network_to_train, plain_state
from headstart.tune.training.result import Trained, wise_ft_notes
from headstart.tune.training.supervised import supervised_loop


class Training:
    """One training of a copy of a source's network, from its inputs to a result.

    Args:
        source: where the weights come from; it is not changed.
        train: what is learned from.
        validation: what epochs are compared on; None: all epochs run.
        classes: names of the classes, in the order of the labels' indices.
        policy: what is frozen; some stage must be left to train.
        recipe: how it is trained.
        store: where prefix states are kept.
        setting: device, precision and threads.
        probe: a head to start from; if it reads more than the last stage, another is fitted.
        seed: random seed.
        folder: for checkpoints and history.jsonl; None keeps nothing.
        checkpoint_seconds: least time between two checkpoints.
        compiled: whether the trained blocks are compiled before the first step.
        every_token: whether all rows of a table of token embeddings are trained, including tokens that do not occur.
        on_epoch: see `Keeping`.
        task: what is learned; a quantity is standardised for training, and the result is in its own unit.

    Raises:
        OptionError: the policy leaves no stage to train.
    """

    def __init__(
        self,
        source: Source,
        train: Part,
        validation: Part | None,
        classes: tuple[str, ...],
        *,
        policy: Policy,
        recipe: Recipe,
        store: Store,
        setting: Setting,
        probe: LinearHead | None = None,
        seed: int = 0,
        folder: Path | None = None,
        checkpoint_seconds: float = 10.0,
        task: Task = CLASSIFICATION,
        compiled: bool = False,
        every_token: bool = False,
        on_epoch: OnEpoch | None = None,
    ) -> None:
        if not policy.trained:
            raise OptionError(f"'{policy.text}' trains no stage: its head is fitted on features alone")
        check_mixing(recipe, source.modality, policy.resolved_cut)
        check_batch_norm(source, policy, recipe, setting.device)
        self.source, self.policy, self.recipe = source, policy, recipe
        self.classes, self.setting, self.seed, self.store = classes, setting, seed, store
        self.compiled = compiled
        self._stage: Loop | None = None  # set when the contrastive stage ran
        self._other_looks: list[np.ndarray] = []  # at validation, by WiSE-FT
        self._started = time.monotonic()
        self.task, self.unit = task, task.scale_of(np.asarray(train.labels))
        self._machine = Machine(setting.device, setting.precision, checkpoint_seconds)
        self._must_equal = must_equal(
            source, policy, recipe, setting, seed=seed, classes=classes, train=train, validation=validation
        )
        with setting.threads():
            self._sample = first_inputs(source, train, setting.device)
            self.backbone, self.freeze = self._network(train, every_token)
            self._train = self._labelled(train, for_training=True)
            held_out = None if validation is None else self._labelled(validation, for_training=False)
            self._first_head = FirstHead(self.backbone, self.freeze, self._machine, classes, task)
            probe = None if probe is None else probe.scoring(self.unit)
            head = self._first_head.head(probe, self._sample, self._train, held_out, (train, validation))
            self.head = LinearHeadModule(self._or_random(head)).to(setting.device)
            self.objective = Supervised(self.head, recipe, as_targets(self._train.labels))
            self.held_out = None if held_out is None else self._validation(held_out)
            with self._aided():
                make_loop = partial(self._loop, Keeping(folder, self._must_equal, on_epoch))
                self.loop, self.rate_search = with_rate_found(recipe, make_loop)
            self.recipe = self.loop.recipe
        self._start = self._present()

    def measure_epoch(self) -> float:
        """Estimate the seconds of an epoch; weights and random generators stay as they are."""
        with self.setting.threads(), self._aided():
            return measure_epoch(self.loop)

    def choose_stage(self) -> RGN:
        """The stage with the largest relative gradient norm, for a training of all stages (`none`)."""
        with self.setting.threads(), self._aided():
            return choose_stage(self.loop, random_loss=self.objective.random_loss)

    def limit_epochs(self, n_epochs: int) -> None:
        """Plan fewer epochs than the recipe; the rates are those of a training of this length."""
        self.loop.limit_epochs(n_epochs)
        self.recipe = self.loop.recipe
        self._must_equal["recipe"] = recipe_settings(self.recipe)

    def run(
        self,
        *,
        resume: bool = False,
        deadline: float | None = None,
        until_epoch: int | None = None,
        share: float | None = None,
    ) -> Trained:
        """Train and return the best weights.

        Args:
            resume: from the newest whole checkpoint in the folder, if any.
            deadline: time.monotonic() at which training stops with the best weights so far.
            until_epoch: pause after this epoch; `run(resume=True)` resumes from there.
            share: of WiSE-FT, chosen by another training; used only without validation.

        Raises:
            TrainingError: the loss is not a number.
            OptionError: the checkpoint was started with other settings.
        """
        loop, held_out = self.loop, self.held_out
        loop.machine = replace(loop.machine, deadline=deadline)
        logits, found = None, None
        with self.setting.threads():
            with self._aided(compiled=self.compiled):
                if self.recipe.contrastive and self._stage is None:
                    self._contrast(resume)
                if self.recipe.epochs:
                    loop.run(resume=resume, until_epoch=until_epoch)
            if held_out is not None:
                self._other_looks = []
                share = self._interpolated(held_out) if self.recipe.wise_ft else None
                known = loop.kept.best_outputs if share is None else None
                logits = held_out.logits() if known is None else known
                found = held_out.score(logits)
            elif share is not None:
                loop.weights.put(interpolate(self._start, self._present(), share))
        self.freeze.release()
        return self._trained(logits, found, share)

    def _aided(self, *, compiled: bool = False) -> AbstractContextManager[None]:
        """With the activation checkpoints of the recipe, so that there is enough memory for measuring too."""
        checkpointed = self.recipe.checkpointing
        return aided(self.backbone, self.policy.trained, compiled=compiled, checkpointed=checkpointed)

    def _contrast(self, resume: bool) -> None:
        """Run the contrastive stage; training starts from its weights, with a head fitted to them."""
        self._stage = contrast(self.loop, self._train, self.recipe, resume=resume)
        head = self._first_head.fitted(self._train, None if self.held_out is None else self.held_out.part)
        self.head.load_state_dict(LinearHeadModule(head).state_dict())
        self.loop.start_here()
        self._start = self._present()

    def _present(self) -> dict[str, torch.Tensor]:
        """Copies of the present weights of everything that trains, by name."""
        return {name: tensor.detach().clone() for name, tensor in self.loop.weights.tensors().items()}

    def _trained(self, logits: Any, found: Score | None, share: float | None) -> Trained:
        at, n_run = self.loop.at, self.loop.at.epoch - 1
        if self._stage is not None and not self.recipe.epochs:
            at = self._stage.at
        return Trained(
            policy=self.policy.text,
            cut=self.policy.resolved_cut,
            recipe=self.recipe,
            state_dict=plain_state(self.backbone.module),
            head=self._linear_head(1.0 if found is None else found.temperature),
            history=tuple(at.history),
            stopped_because=at.stopped_because or f"it was paused after epoch {n_run}",
            best_epoch=n_run if found is None else self.loop.at.best_epoch,
            validation=None if found is None else replace(found, loss=found.loss * self.unit.factor**2),
            validation_logits=None if logits is None else self.unit.outward(logits),
            looks=()
            if logits is None
            else (*(look.numpy() for look in self.loop.at.looks), *self._other_looks),
            seconds=time.monotonic() - self._started,
            notes=wise_ft_notes(self.recipe, share),
            share=share,
            evidence={} if self.rate_search is None else {"rate_search": self.rate_search.to_json()},
        )

    def _interpolated(self, held_out: HeldOut) -> float:
        """Load the best weights between start and end, chosen by validation; returns the share."""

        def scores(state: Any) -> tuple[float, float]:
            self.loop.weights.put(state)
            found = held_out.measure()
            self._other_looks.append(np.asarray(found.items_2N, dtype=np.float32))
            return found.quality, found.loss

        best = wise_ft(self._start, self._present(), scores)
        self.loop.weights.put(best.state)
        return best.share

    def _network(self, train: Part, every_token: bool) -> tuple[Backbone, Freeze]:
        tokens = None
        if self.policy.resolved_cut == 0 and self.policy.what == "whole" and not every_token:
            tokens = tokens_of(train.items, self.source.preprocessing)
        device = self.setting.device
        return network_to_train(
            self.source, self.policy, device=device, seed=self.seed, inputs=self._sample, tokens=tokens
        )

    def _validation(self, part: Labelled) -> HeldOut:
        return HeldOut(
            self.backbone, self.freeze, self.head, part, self.recipe, machine=self._machine, seed=self.seed
        )

    def _loop(self, keeping: Keeping, recipe: Recipe) -> Loop:
        return supervised_loop(
            Network(self.backbone, self.freeze, self.policy),
            self._train,
            self.objective,
            self.held_out,
            recipe,
            seed=self.seed,
            machine=self._machine,
            keeping=keeping,
        )

    def _labelled(self, part: Part, *, for_training: bool) -> Labelled:
        feed = feed_of(
            self.source,
            part,
            self.policy.resolved_cut,
            self.backbone,
            self.recipe,
            self.store,
            self.setting,
            seed=self.seed,
            for_training=for_training,
        )
        return Labelled(feed, self.unit.inward(part.labels), part.weights, part.balanced)

    def _or_random(self, probe: LinearHead) -> LinearHead:
        """The probe, or random weights if the recipe asks for them and the policy allows it."""
        if self.recipe.head_start == "random" and not self.policy.from_probe:
            return random_head(probe, self.seed)
        return probe

    def _linear_head(self, temperature: float) -> LinearHead:
        """The trained head on the last stage's vector, which is the embedding, or contains it at one end (audio)."""
        module = self.head
        head = LinearHead(
            stages=(len(self.policy.stages) - 1,),
            mean=module.mean.cpu().numpy().copy(),
            scale=module.scale.cpu().numpy().copy(),
            weight=module.linear.weight.detach().cpu().numpy().copy(),
            bias=module.linear.bias.detach().cpu().numpy().copy(),
            temperature=temperature,
            classes=self.classes,
            task=self.task,
        )
        width = int(self.backbone.pooled(self._sample)[-1].shape[1])
        leading = bool(getattr(self.source.network, "embedding_is_mean", False))
        return replace(widened(head, width, leading=leading), unit=self.unit)
