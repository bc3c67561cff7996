"""Training on real data and real weights: not below the linear probe it starts from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from headstart.data import Examples, holdout_indices, read_examples, scan
from headstart.features import Setting, Store, extract_pooled
from headstart.heads.linear import LinearHead
from headstart.sources import load_source
from headstart.sources.source import Source
from headstart.tune import Part, Policy, Recipe, Trained, Training
from headstart.tune.feeds.feed import embed_all
from headstart.tune.training.first_head import fit_first_head

pytestmark = pytest.mark.real


class Task:
    """A real set with a real source: its parts, and a probe on the last stage."""

    def __init__(self, examples: Examples, source: Source, store: Store) -> None:
        self.examples, self.source, self.store = examples, source, store
        self.setting = Setting.choose(threads=1)
        found = scan(examples.items, examples.modality, threads=1)
        labels = np.searchsorted(np.array(examples.classes, dtype=object), examples.labels)
        assert examples.splits is not None and examples.labels is not None
        learned = np.flatnonzero(examples.splits == "train")
        inner, held = holdout_indices(examples.labels[learned], None)
        positions = {
            "train": learned[inner],
            "validation": learned[held],
            "test": np.flatnonzero(examples.splits == "test"),
        }
        self.parts = {
            name: Part(examples.take(where).items, found.digests[where], labels[where])
            for name, where in positions.items()
        }
        features = extract_pooled(source, examples.items, found.digests, store, threads=1)
        self.vectors = {name: features.take(where).stage(-1) for name, where in positions.items()}
        self.probe = fit_first_head(
            self.vectors["train"],
            self.parts["train"].labels,
            examples.classes,
            len(source.stages) - 1,
            (self.vectors["validation"], self.parts["validation"].labels, None),
        )

    def right(self, head: LinearHead, vectors: np.ndarray) -> np.ndarray:
        return np.asarray(head.logits(vectors).argmax(axis=1) == self.parts["test"].labels)

    def train(self, policy: str, **settings: object) -> tuple[Trained, np.ndarray]:
        """The result, and which test items it has right."""
        training = Training(
            self.source,
            self.parts["train"],
            self.parts["validation"],
            self.examples.classes,
            policy=Policy.parse(policy, tuple(self.source.stages)),
            recipe=Recipe.for_modality(self.source.modality, **settings),
            store=self.store,
            setting=self.setting,
            probe=self.probe,
        )
        trained = training.run()
        feed = training._labelled(self.parts["test"], for_training=False).feed
        training.backbone.module.eval()
        return trained, self.right(trained.head, embed_all(training.backbone, feed, training.loop.machine))


def assert_not_below(task: Task, right: np.ndarray) -> None:
    """Not below the probe by more than one standard error, paired."""
    difference = right.astype(float) - task.right(task.probe, task.vectors["test"])
    error = difference.std(ddof=1) / np.sqrt(len(difference))
    assert difference.mean() >= -error, (right.mean(), difference.mean(), error)


def test_the_last_stage_of_mobilenetv2_on_photos(shared: Path, tmp_path: Path) -> None:
    examples = read_examples(shared / "data" / "hymenoptera")
    source = load_source(str(shared / "weights" / "mobilenetv2_100.tf2_ptq_in1k"))
    task = Task(examples, source, Store(tmp_path))
    trained, right = task.train("first:7", epochs=5)
    assert len(trained.history) == 6
    assert_not_below(task, right)


@pytest.mark.full
def test_other_policies_of_mobilenetv2_on_photos(shared: Path, tmp_path: Path) -> None:
    source = load_source(str(shared / "weights" / "mobilenetv2_100.tf2_ptq_in1k"))
    task = Task(read_examples(shared / "data" / "hymenoptera"), source, Store(tmp_path))
    for policy in ("norm", "first:6,lora:8", "only:blocks.5", "gradual"):
        trained, right = task.train(policy, epochs=2)
        assert trained.policy == policy and trained.state_dict.keys() == source.network.state_dict().keys()
        assert_not_below(task, right)


@pytest.mark.full
def test_the_last_two_layers_of_minilm_on_sentences(shared: Path, tmp_path: Path) -> None:
    examples = read_examples(shared / "data" / "sst2" / "sst2.csv")
    assert examples.splits is not None
    random = np.random.default_rng(0)
    learned = random.choice(np.flatnonzero(examples.splits == "train"), 2000, replace=False)
    examples = examples.take(np.concatenate([learned, np.flatnonzero(examples.splits == "test")]))
    source = load_source(str(shared / "weights" / "all-MiniLM-L6-v2"))
    task = Task(examples, source, Store(tmp_path))
    _, right = task.train("until:layer.3")
    assert_not_below(task, right)
