"""Train a source's suffix and head under a policy: on stored prefix states, or live where nothing is frozen.

training = Training(source, train, validation, classes, policy=policy, recipe=recipe, store=store,
                    setting=Setting.choose())
tuned = training.run()
"""

from __future__ import annotations

import copy
import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from headstart.backbone import Backbone
from headstart.data.loading import load_batches
from headstart.errors import OptionError
from headstart.features import Setting, Store
from headstart.features.states import extract_states
from headstart.heads.linear import LinearHead, LinearHeadModule
from headstart.progress import say
from headstart.sources.source import Source
from headstart.tune.feeds import Feed, LiveFeed, Machine, StoredFeed, embed_all
from headstart.tune.freeze import Freeze
from headstart.tune.loop import Labelled, Loop
from headstart.tune.policy import Policy
from headstart.tune.recipe import Recipe
from headstart.tune.result import Tuned, score
from headstart.tune.start import fit_start, serves, steadied, widened


@dataclass(frozen=True, eq=False)
class Part:
    """A part of the data.

    Attributes:
        items: files, texts or arrays.
        digests: of each item's content, of shape (n_items,).
        labels: class index of each item, of shape (n_items,).
    """

    items: Sequence[Any]
    digests: NDArray[Any]
    labels: NDArray[np.integer]


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
    ) -> None:
        if policy.resolved_cut >= len(policy.stages):
            raise OptionError(f"'{policy.text}' trains no stage: its head is fitted on features alone")
        self.source, self.policy, self.recipe = source, policy, recipe
        self.classes, self.setting, self.seed = classes, setting, seed
        self._started = time.monotonic()
        network = copy.deepcopy(source.network).to(setting.device)
        if setting.device.type == "cuda":  # on a CPU it gains nothing for training
            network = network.to(memory_format=torch.channels_last)
        self.backbone = Backbone(network, source.stages)
        machine = Machine(setting.device, setting.precision, checkpoint_seconds)
        with setting.threads():
            self._sample = self._first_inputs(train)
            self.backbone.trace(self._sample)
            self.freeze = Freeze(self.backbone, policy.frozen)
            learned = Labelled(self._feed(train, store, recipe.views), train.labels)
            held_out = None
            if validation is not None:
                held_out = Labelled(self._feed(validation, store, 1), validation.labels)
            self.loop = Loop(
                self.backbone,
                LinearHeadModule(self._starting_head(probe, learned, held_out, machine)).to(setting.device),
                self.freeze,
                learned,
                held_out,
                recipe,
                seed=seed,
                machine=machine,
                folder=folder,
                identity=self._identity(train, validation),
            )

    def measure_epoch(self) -> float:
        """Estimate the seconds of an epoch; weights and random generators stay as they are."""
        with self.setting.threads():
            return self.loop.measure_epoch()

    def limit_epochs(self, n_epochs: int) -> None:
        """Plan fewer epochs than the recipe says; the schedule is laid over these."""
        self.recipe = self.loop.recipe = self.recipe.model_copy(update={"epochs": n_epochs})
        self.loop.identity["recipe"] = self.recipe.model_dump()

    def run(self, *, resume: bool = False, deadline: float | None = None) -> Tuned:
        """Train and give back the best weights.

        Args:
            resume: go on from the newest whole checkpoint in the folder, where there is one.
            deadline: time.monotonic() at which training stops with the best weights so far.

        Raises:
            TrainingError: the loss is not a number.
            OptionError: the checkpoint is of another run.
        """
        loop = self.loop
        loop.machine = replace(loop.machine, deadline=deadline)
        logits, found = None, None
        with self.setting.threads():
            loop.run(resume=resume)
            if loop.validation is not None:
                logits = loop.logits(loop.validation)
                found = score(logits, loop.validation.labels)
        self.freeze.release()
        network = self.backbone.module.state_dict()
        return Tuned(
            policy=self.policy.text,
            cut=self.policy.resolved_cut,
            recipe=self.recipe,
            state_dict={name: tensor.detach().cpu().contiguous().clone() for name, tensor in network.items()},
            head=self._linear_head(1.0 if found is None else found.temperature),
            history=tuple(loop.at.history),
            stopped_because=loop.at.stopped_because or "",
            best_epoch=loop.at.epoch - 1 if found is None else loop.at.best_epoch,
            validation=found,
            validation_logits=logits,
            seconds=time.monotonic() - self._started,
            notes=tuple(self.policy.cautions(pretrained=self.source.provenance.pretrained)),
        )

    def _first_inputs(self, part: Part) -> dict[str, torch.Tensor]:
        """Inputs of the first few items, by which the backbone learns how it runs."""
        few = np.arange(min(3, len(part.items)))
        _, inputs = next(load_batches(part.items, self.source.preprocessing, [few], threads=1))
        return {name: value.to(self.setting.device) for name, value in inputs.items()}

    def _feed(self, part: Part, store: Store, n_views: int) -> Feed:
        cut, setting, preprocessing = self.policy.resolved_cut, self.setting, self.source.preprocessing
        if cut == 0:
            augment, threads = self.recipe.augment != "none", setting.n_threads
            return LiveFeed(part.items, part.digests, preprocessing, n_threads=threads, augment=augment)
        if n_views > 1 and self.source.modality == "text":
            say("a text has one stored view, since one with other words has another length: views is 1")
            n_views = 1
        views = [
            extract_states(
                self.source,
                part.items,
                part.digests,
                cut,
                store,
                view=view,
                seed=self.seed,
                precision=setting.precision,
                device=str(setting.device),
                threads=setting.n_threads,
            )
            for view in range(n_views)
        ]
        resident = _fits_on(setting.device, sum(view.nbytes for view in views))
        return StoredFeed(views, cut, self.backbone, resident=resident)

    def _starting_head(
        self, probe: LinearHead | None, train: Labelled, validation: Labelled | None, machine: Machine
    ) -> LinearHead:
        """The probe where it reads the embedding that will be trained, else a head fitted to it here."""
        last = len(self.policy.stages) - 1
        self.freeze.train(False)
        with torch.no_grad():
            width = self.backbone(self._sample).shape[1]
        if probe is not None and serves(probe, last_stage=last, width=width, classes=self.classes):
            return steadied(probe)
        held_out = None
        if validation is not None:
            held_out = (embed_all(self.backbone, validation.feed, machine), validation.labels)
        embeddings = embed_all(self.backbone, train.feed, machine)
        return steadied(fit_start(embeddings, train.labels, self.classes, last, held_out))

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
        )
        width = int(self.backbone.pooled(self._sample)[-1].shape[1])
        leading = bool(getattr(self.source.network, "embedding_is_mean", False))
        return widened(head, width, leading=leading)

    def _identity(self, train: Part, validation: Part | None) -> dict[str, Any]:
        """What must be equal for a checkpoint to be gone on from."""
        return {
            "source": self.source.digest,
            "preprocessing": self.source.preprocessing.digest(),
            "policy": f"first:{self.policy.resolved_cut}",
            "recipe": self.recipe.model_dump(),
            "seed": self.seed,
            "precision": self.setting.precision,
            "classes": list(self.classes),
            "training data": _fingerprint(train),
            "validation data": None if validation is None else _fingerprint(validation),
        }


def _fits_on(device: torch.device, n_bytes: int) -> bool:
    """Whether states may stay on an accelerator: they take at most half of what is free there."""
    if device.type != "cuda":
        return False
    free, _ = torch.cuda.mem_get_info(device)
    return n_bytes <= free // 2


def _fingerprint(part: Part) -> str:
    """A digest of the items' contents and labels, in their order."""
    rows = zip(part.digests.tolist(), np.asarray(part.labels).tolist(), strict=True)
    return hashlib.sha256("\n".join(f"{digest} {label}" for digest, label in rows).encode()).hexdigest()[:16]
