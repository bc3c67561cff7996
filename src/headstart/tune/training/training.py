"""Train a source's suffix and head under a policy: on stored prefix states, or live where nothing is frozen.

training = Training(source, train, validation, classes, policy=policy, recipe=recipe, store=store,
                    setting=Setting.choose())
trained = training.run()
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from headstart import processes
from headstart.data.loading import load_batches
from headstart.errors import OptionError
from headstart.features import Setting, Store
from headstart.heads.linear import LinearHead, LinearHeadModule
from headstart.sources.source import Source
from headstart.tasks import CLASSIFICATION, Task
from headstart.tune.averaging.averages import interpolate, wise_ft
from headstart.tune.feeds.feed import Feed, Labelled, Machine
from headstart.tune.feeds.mixing import check_mixing
from headstart.tune.feeds.part import Part, feed_of
from headstart.tune.loop.gradient_norms import RGN, choose_stage
from headstart.tune.loop.identity import identity_of, recipe_identity
from headstart.tune.loop.loop import Loop
from headstart.tune.loop.measure import measure_epoch
from headstart.tune.loop.rate_finder import with_rate_found
from headstart.tune.policies.policy import Policy
from headstart.tune.recipes.recipe import Recipe
from headstart.tune.speedups.compiled import aided
from headstart.tune.speedups.seen_rows import tokens_of
from headstart.tune.training.contrastive_stage import ContrastiveStage, contrast
from headstart.tune.training.network import network_to_train, plain_state
from headstart.tune.training.random_start import random_start
from headstart.tune.training.result import Score, Trained
from headstart.tune.training.start import Start, widened


class Training:
    """One training of a copy of a source's network, from its inputs to a result.

    Args:
        source: where the weights come from; it is left as it is.
        train: what is learned from.
        validation: what epochs are compared on; None runs all epochs.
        classes: names of the classes, in the order of the labels' indices.
        policy: what is frozen; some stage must be left to train.
        recipe: how it is trained.
        store: where prefix states are kept.
        setting: device, precision and threads.
        probe: a head to start from; where it does not read the last stage alone, another is fitted.
        seed: the run's seed.
        folder: for checkpoints and history.jsonl; None keeps nothing.
        checkpoint_seconds: least time between two checkpoints.
        compiled: whether the trained blocks are compiled before the first step.
        every_token: whether all rows of a table of token embeddings are trained, those of tokens that do not occur too.
        task: what is learned; a quantity is trained standardised and given back in its own unit.

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
        checkpoint_seconds: float = 30.0,
        task: Task = CLASSIFICATION,
        compiled: bool = False,
        every_token: bool = False,
    ) -> None:
        if not policy.trained:
            raise OptionError(f"'{policy.text}' trains no stage: its head is fitted on features alone")
        check_mixing(recipe, source.modality, policy.resolved_cut)
        self.source, self.policy, self.recipe = source, policy, recipe
        self.classes, self.setting, self.seed, self.store = classes, setting, seed, store
        self.compiled = compiled
        self._started = time.monotonic()
        self.task, self.unit = task, task.scale_of(np.asarray(train.labels))
        machine = Machine(setting.device, setting.precision, checkpoint_seconds)
        with setting.threads():
            self._sample = self._first_inputs(train)
            tokens = None
            if policy.resolved_cut == 0 and policy.what == "whole" and not every_token:
                tokens = tokens_of(train.items, source.preprocessing)
            self.backbone, self.freeze = network_to_train(
                source, policy, device=setting.device, seed=seed, inputs=self._sample, tokens=tokens
            )
            learned = Labelled(self._feed(train, for_training=True), self.unit.inward(train.labels))
            held_out = None
            if validation is not None:
                labels = self.unit.inward(validation.labels)
                held_out = Labelled(self._feed(validation, for_training=False), labels)
            self._head_start = Start(self.backbone, self.freeze, machine, classes, task)
            inward = None if probe is None else self.unit.head_inward(probe)
            first = self._head_start.head(inward, self._sample, learned, held_out, (train, validation))
            head = LinearHeadModule(self._first_head(first)).to(setting.device)

            identity = identity_of(
                source,
                policy,
                recipe,
                setting,
                seed=seed,
                classes=classes,
                train=train,
                validation=validation,
            )

            def make_loop(recipe: Recipe) -> Loop:
                return Loop(
                    self.backbone,
                    head,
                    self.freeze,
                    learned,
                    held_out,
                    recipe,
                    policy=policy,
                    seed=seed,
                    machine=machine,
                    folder=folder,
                    identity=identity,
                )

            with self._aided():
                self.loop, self.rate_search = with_rate_found(recipe, make_loop)
            self.recipe = self.loop.recipe
        self._contrasted: ContrastiveStage | None = None
        self._start = self._present()

    def measure_epoch(self) -> float:
        """Estimate the seconds of an epoch; weights and random generators stay as they are."""
        with self.setting.threads(), self._aided():
            return measure_epoch(self.loop)

    def choose_stage(self) -> RGN:
        """The stage that the relative gradient norms point at, of a training of all stages (`none`)."""
        with self.setting.threads(), self._aided():
            return choose_stage(self.loop)

    def limit_epochs(self, n_epochs: int) -> None:
        """Plan fewer epochs than the recipe says; the schedule is laid over these."""
        self.recipe = self.loop.recipe = self.recipe.model_copy(update={"epochs": n_epochs})
        self.loop.identity["recipe"] = recipe_identity(self.recipe)

    def run(
        self,
        *,
        resume: bool = False,
        deadline: float | None = None,
        until_epoch: int | None = None,
        share: float | None = None,
    ) -> Trained:
        """Train and give back the best weights.

        Args:
            resume: go on from the newest whole checkpoint in the folder, where there is one.
            deadline: time.monotonic() at which training stops with the best weights so far.
            until_epoch: pause after this epoch; `run(resume=True)` goes on from there.
            share: of WiSE-FT, where another training chose it; used without validation alone.

        Raises:
            TrainingError: the loss is not a number.
            OptionError: the checkpoint is of another run.
        """
        loop = self.loop
        loop.machine = replace(loop.machine, deadline=deadline)
        logits, found = None, None
        with self.setting.threads():
            with self._aided(compiled=self.compiled):
                if self.recipe.contrastive and self._contrasted is None:
                    self._contrast(resume)
                if self.recipe.epochs:
                    loop.run(resume=resume, until_epoch=until_epoch)
            if loop.validation is not None:
                share = self._interpolated() if self.recipe.wise_ft else None
                logits = loop.best_logits() if share is None else loop.logits(loop.validation)
                found = loop.score(logits)
            elif share is not None:
                self._put(interpolate(self._start, self._present(), share))
        self.freeze.release()
        return self._trained(logits, found, share)

    def _aided(self, *, compiled: bool = False) -> AbstractContextManager[None]:
        """With the activation checkpoints that the recipe asks for, so that memory does for whatever is measured."""
        checkpointed = self.recipe.checkpointing
        return aided(self.backbone, self.policy.trained, compiled=compiled, checkpointed=checkpointed)

    def _contrast(self, resume: bool) -> None:
        """Run the contrastive stage; training starts from its weights, with a head fitted to them."""
        loop = self.loop
        self._contrasted = contrast(loop, self.recipe, resume=resume)
        head = self._head_start.fitted(loop.train, loop.validation)
        loop.head.load_state_dict(LinearHeadModule(head).state_dict())
        loop.start_here()
        self._start = self._present()

    def _present(self) -> dict[str, torch.Tensor]:
        """The present weights of all that trains, by name."""
        return {name: tensor.detach().clone() for name, tensor in self.loop.state().items()}

    def _trained(self, logits: Any, found: Score | None, share: float | None) -> Trained:
        loop = self.loop
        notes: tuple[str, ...] = ()
        if share is not None:
            notes = (
                f"WiSE-FT: {share:.0%} of the way from the start to the trained weights, by validation.",
            )
        elif self.recipe.wise_ft:
            notes = ("WiSE-FT was left out: it chooses by validation items, and none were set aside.",)
        last = self._contrasted if self._contrasted is not None and not self.recipe.epochs else loop
        return Trained(
            policy=self.policy.text,
            cut=self.policy.resolved_cut,
            recipe=self.recipe,
            state_dict=plain_state(self.backbone.module),
            head=self._linear_head(1.0 if found is None else found.temperature),
            history=tuple(last.at.history),
            stopped_because=last.at.stopped_because or f"it was paused after epoch {loop.at.epoch - 1}",
            best_epoch=loop.at.epoch - 1 if found is None else loop.at.best_epoch,
            validation=None if found is None else replace(found, loss=found.loss * self.unit.factor**2),
            validation_logits=None if logits is None else self.unit.outward(logits),
            seconds=time.monotonic() - self._started,
            notes=notes,
            share=share,
            evidence={} if self.rate_search is None else {"rate_search": self.rate_search.to_json()},
        )

    def _interpolated(self) -> float:
        """Put the best weights between start and end in place, by validation; how far they are."""
        loop = self.loop
        assert loop.validation is not None  # asked for by the caller
        validation = loop.validation

        def scores(state: Any) -> tuple[float, float]:
            self._put(state)
            found = loop.score(loop.logits(validation))
            return found.accuracy, found.log_loss

        best = wise_ft(self._start, self._present(), scores)
        self._put(best.state)
        return best.share

    def _put(self, state: Mapping[str, torch.Tensor]) -> None:
        for name, tensor in self.loop.state().items():
            tensor.detach().copy_(state[name])

    def _first_inputs(self, part: Part) -> dict[str, torch.Tensor]:
        """Inputs of the first few items, by which the backbone learns how it runs."""
        few = np.arange(min(3, len(part.items)))
        _, inputs = next(load_batches(part.items, self.source.preprocessing, [few], threads=1))
        return {name: value.to(self.setting.device) for name, value in inputs.items()}

    def _feed(self, part: Part, *, for_training: bool) -> Feed:
        with processes.first_goes_first():  # which stores the prefix that the others read
            return feed_of(
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

    def _first_head(self, probe: LinearHead) -> LinearHead:
        """The probe, or weights of chance where the recipe wants them and the policy lets it."""
        if self.recipe.head_start == "random" and not self.policy.from_probe:
            return random_start(probe, self.seed)
        return probe

    def _linear_head(self, temperature: float) -> LinearHead:
        """The trained head on the last stage's vector, of which the embedding is one end (audio) or all."""
        module = self.loop.head
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
        return self.unit.head_outward(widened(head, width, leading=leading))
