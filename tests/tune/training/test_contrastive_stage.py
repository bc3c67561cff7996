"""The contrastive stage: classes are separated, modes do not change, and it resumes with the same bits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from tune_networks import States, chain, pictures
from tune_sources import CLASSES, part_of, source_of

from headstart.errors import OptionError, TrainingError
from headstart.features import Setting, Store
from headstart.tune import Freeze, Policy, Recipe, Training
from headstart.tune.feeds.feed import Labelled, Machine, embed_all
from headstart.tune.feeds.mixed_shapes import MixedFeed
from headstart.tune.feeds.stored import StoredFeed
from headstart.tune.feeds.tensors import TensorFeed
from headstart.tune.loop.loop import Loop
from headstart.tune.loop.setup import Keeping, Network
from headstart.tune.objectives.contrastive import Contrastive
from headstart.tune.training.contrastive_stage import contrastive_loop


def stage(cut: int = 0, folder: Path | None = None, labels: np.ndarray | None = None) -> Loop:
    """A stage of the chain on 24 pictures, ready to run; equal calls train equally."""
    x, classes = pictures()
    backbone = chain()
    feed = StoredFeed([States(backbone, x[:24], cut)], cut, backbone) if cut else TensorFeed(x[:24])
    return contrastive_loop(
        Network(backbone, Freeze(backbone, backbone.stages[:cut])),
        Labelled(feed, classes[:24] if labels is None else labels),
        Recipe(contrastive=20, epochs=0, batch_size=12, lr=1e-2, schedule="linear"),
        machine=Machine(checkpoint_seconds=0.0),
        keeping=Keeping(folder),
    )


def test_pairs_are_of_whole_batches() -> None:
    """Neither `accumulate` nor a lack of memory may part them: half a batch has other pairs."""
    x, classes = pictures()
    backbone = chain()
    recipe = Recipe(contrastive=2, epochs=0, batch_size=12, accumulate=4)
    network = Network(backbone, Freeze(backbone, ()))
    loop = contrastive_loop(network, Labelled(TensorFeed(x[:24]), classes[:24]), recipe)
    assert loop.step.n_parts == 1

    def out_of_memory(*_: Any) -> Tensor:
        raise torch.OutOfMemoryError("no memory")

    loop.step.module.forward = out_of_memory  # type: ignore[method-assign]
    with pytest.raises(
        TrainingError, match=r"out of memory: this loss needs all 12 items.*checkpointing: true"
    ):
        loop.run()


def test_another_view_is_drawn_for_the_same_place_after_a_resume() -> None:
    x, _ = pictures()
    backbone = chain()
    feed = StoredFeed([States(backbone, x[:24] + shift, 2) for shift in (0.0, 0.5, 1.0)], 2, backbone)
    mixed = MixedFeed(feed)
    plan = [np.arange(begin, begin + 6) for begin in range(0, 24, 6)]
    whole = list(mixed.batches(plan, seed=0, epoch=1))
    rest = list(mixed.batches(plan, seed=0, epoch=1, start=2))
    for (positions, inputs), (again, others) in zip(whole[2:], rest, strict=True):
        np.testing.assert_array_equal(positions, again)
        for one, two in zip(inputs.inputs, others.inputs, strict=True):
            assert all(torch.equal(one.tensors[name], two.tensors[name]) for name in one.tensors)


def weights(loop: Loop) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in loop.network.backbone.module.state_dict().items()}


def distance(loop: Loop) -> float:
    """The contrastive loss of all items."""
    loop.freeze.train(False)
    embeddings = torch.from_numpy(embed_all(loop.network.backbone, loop.items.feed, loop.machine))
    return float(Contrastive()(embeddings, loop.items.targets).mean())


@pytest.mark.parametrize("cut", [0, 2])
def test_classes_come_apart_in_so_many_steps(cut: int) -> None:
    loop = stage(cut)
    before, start = distance(loop), weights(loop)
    loop.run()
    assert distance(loop) < 0.8 * before
    assert loop.at.stopped_because == "all 20 steps were taken"
    moved = {name for name, tensor in weights(loop).items() if not torch.equal(tensor, start[name])}
    assert moved and not any(name.startswith(stage) for stage in loop.freeze.frozen for name in moved)
    assert not any("running" in name or "batches" in name for name in moved)


def test_labels_pair_items_and_numbers_do_not() -> None:
    labels = np.eye(3, dtype=np.float32)[np.arange(24) % 3]
    stage(labels=labels).run()
    with pytest.raises(OptionError, match="needs classes"):
        stage(labels=np.linspace(0, 1, 24, dtype=np.float32)[:, None])


@pytest.mark.parametrize("n_steps", [0, 1, 7, 19])
def test_ended_at_any_step_it_goes_on_with_the_same_bits(tmp_path: Path, n_steps: int) -> None:
    whole = stage(folder=tmp_path / "whole")
    whole.run()
    ended = stage(folder=tmp_path / "ended")
    step, done = ended.optimizer.step, 0

    def counted() -> None:
        nonlocal done
        done += 1
        if done > n_steps:
            raise KeyboardInterrupt
        step()

    ended.optimizer.step = counted  # type: ignore[method-assign,assignment]
    with pytest.raises(KeyboardInterrupt):
        ended.run()
    resumed = stage(folder=tmp_path / "ended")
    resumed.run(resume=True)
    found, expected = weights(resumed), weights(whole)
    assert [name for name in expected if not torch.equal(found[name], expected[name])] == []


def few_shot(
    modality: str, folder: Path, policy: str, run_folder: Path | None = None, **settings: Any
) -> Training:
    """A training by the stage alone on a tiny source, without a validation part."""
    source = source_of(modality)
    options = {"contrastive": 12, "epochs": 0, "batch_size": 8, "lr": 1e-3, **settings}
    return Training(
        source,
        part_of(modality, 20, 0, folder),
        None,
        CLASSES,
        policy=Policy.parse(policy, tuple(source.stages)),
        recipe=Recipe.for_modality(modality, **options),
        store=Store(folder / "store"),
        setting=Setting(torch.device("cpu"), "fp32", 1),
        folder=run_folder,
        checkpoint_seconds=0.0,
    )


@pytest.mark.parametrize("policy", ["none", "first:2"])
@pytest.mark.parametrize("modality", ["image", "text", "audio"])
def test_a_source_is_trained_on_pairs_and_gets_a_head(tmp_path: Path, modality: str, policy: str) -> None:
    trained = few_shot(modality, tmp_path, policy, contrastive=48).run()
    assert trained.stopped_because == "all 48 steps were taken"
    assert trained.history[-1]["train_loss"] < trained.history[0]["train_loss"]
    before = source_of(modality).network.state_dict()
    moved = {name for name, tensor in trained.state_dict.items() if not torch.equal(tensor, before[name])}
    assert moved
    assert trained.head.classes == CLASSES and np.isfinite(trained.head.weight).all()


def test_epochs_may_follow_and_both_resume_with_the_same_bits(tmp_path: Path) -> None:
    whole = few_shot("text", tmp_path, "none", tmp_path / "whole", epochs=2).run()
    ended = few_shot("text", tmp_path, "none", tmp_path / "ended", epochs=2)
    ended.run(until_epoch=1)
    resumed = few_shot("text", tmp_path, "none", tmp_path / "ended", epochs=2).run(resume=True)
    assert [row["epoch"] for row in resumed.history] == [1, 2]
    for name, tensor in whole.state_dict.items():
        assert torch.equal(tensor, resumed.state_dict[name]), name
    assert np.array_equal(whole.head.weight, resumed.head.weight)
