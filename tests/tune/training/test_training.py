"""From a source and labelled items to a trained result, in every modality."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tune_sources import CLASSES, part_of, source_of

from headstart.data import load_batches
from headstart.errors import OptionError
from headstart.features import Setting, Store
from headstart.heads.linear import LinearHead
from headstart.sources.source import Source
from headstart.tasks import MULTILABEL, REGRESSION, Task
from headstart.tune import Part, Policy, Recipe, Trained, Training
from headstart.tune.feeds.feed import embed_all

SETTING = Setting(torch.device("cpu"), "fp32", 1)


def training(
    modality: str,
    folder: Path,
    policy: str = "first:2",
    *,
    source: Source | None = None,
    validation: bool = True,
    n_items: int = 32,
    probe: LinearHead | None = None,
    run_folder: Path | None = None,
    setting: Setting = SETTING,
    **settings: Any,
) -> Training:
    source = source or source_of(modality)
    options = {"epochs": 3, "batch_size": 8, "lr": 1e-3, "head_lr": 1e-3, **settings}
    return Training(
        source,
        part_of(modality, n_items, 0, folder),
        part_of(modality, 20, 1, folder) if validation else None,
        CLASSES,
        policy=Policy.parse(policy, tuple(source.stages)),
        recipe=Recipe.for_modality(modality, **options),
        store=Store(folder / "store"),
        setting=setting,
        probe=probe,
        folder=run_folder,
        checkpoint_seconds=0.0,
    )


def probabilities(source: Source, trained: Trained, part: Part) -> np.ndarray:
    """What the trained network and head give, by the source's own forward and pooling."""
    fresh = replace(source)
    fresh.network.load_state_dict(trained.state_dict)
    everything = [np.arange(len(part.items))]
    if source.modality == "text":
        everything = [np.array([index]) for index in range(len(part.items))]
    vectors = [
        fresh.backbone.pooled(inputs)[-1]
        for _, inputs in load_batches(part.items, source.preprocessing, everything, threads=1)
    ]
    return trained.head.probabilities(torch.cat(vectors).numpy())


@pytest.mark.parametrize("modality", ["image", "text", "audio"])
@pytest.mark.parametrize("policy", ["first:2", "until:{0}", "none"])
def test_a_source_is_trained_and_its_result_stands_by_itself(
    modality: str, policy: str, tmp_path: Path
) -> None:
    source = source_of(modality)
    before = {name: tensor.clone() for name, tensor in source.network.state_dict().items()}
    text = policy.format(next(iter(source.stages)))
    trained = training(modality, tmp_path, text, source=source, epochs=4, patience=9).run()
    assert all(torch.equal(t, before[n]) for n, t in source.network.state_dict().items()), (
        "the source is left"
    )
    cut = {"first:2": 2, "none": 0}.get(policy, 1)
    moved = {n for n, t in trained.state_dict.items() if not torch.equal(t, before[n])}
    owner = source.backbone.stage_of
    assert trained.cut == cut and all(owner(name) >= cut for name in moved)
    assert len(trained.history) == 5 and trained.validation is not None
    held = part_of(modality, 20, 1, tmp_path)
    given = probabilities(source_of(modality), trained, held)
    assert trained.validation_logits is not None
    scaled = torch.from_numpy(trained.validation_logits / trained.validation.temperature).softmax(1).numpy()
    np.testing.assert_allclose(given, scaled, atol=1e-4)
    assert trained.validation.accuracy >= 0.8
    assert (given.argmax(axis=1) == held.labels).mean() == pytest.approx(trained.validation.accuracy)


@pytest.mark.parametrize("modality", ["image", "text", "audio"])
@pytest.mark.parametrize(
    "policy", ["only:{1}", "norm", "bias", "lora:2", "dora:2", "ia3", "gradual", "lp-ft", "first:1,lora:2"]
)
def test_every_policy_gives_a_plain_network_that_stands_by_itself(
    modality: str, policy: str, tmp_path: Path
) -> None:
    source = source_of(modality)
    text = policy.format(*source.stages)
    trained = training(modality, tmp_path, text, source=source, epochs=2, lr=1e-2).run()
    assert trained.policy == text and trained.state_dict.keys() == source.network.state_dict().keys()
    assert trained.validation is not None and trained.validation_logits is not None
    given = probabilities(source_of(modality), trained, part_of(modality, 20, 1, tmp_path))
    scaled = torch.from_numpy(trained.validation_logits / trained.validation.temperature).softmax(1).numpy()
    np.testing.assert_allclose(given, scaled, atol=1e-4)


def test_training_starts_from_the_probe(tmp_path: Path) -> None:
    fitted = training("image", tmp_path, epochs=1)
    width = fitted.loop.objective.head.linear.in_features
    random = np.random.default_rng(0)
    probe = LinearHead(
        (2,),
        random.normal(size=width).astype(np.float32),
        np.full(width, 2, np.float32),
        random.normal(size=(2, width)).astype(np.float32),
        np.array([0.5, -0.5], np.float32),
        1.0,
        CLASSES,
    )
    given = training("image", tmp_path, epochs=1, probe=probe)
    assert torch.equal(given.loop.objective.head.linear.weight, torch.from_numpy(probe.weight))
    elsewhere = training("image", tmp_path, epochs=1, probe=replace(probe, stages=(0,)))
    assert torch.equal(elsewhere.loop.objective.head.linear.weight, fitted.loop.objective.head.linear.weight)


@pytest.mark.parametrize("modality", ["image", "text", "audio"])
def test_the_first_head_is_fitted_to_known_vectors_where_they_are_the_networks(
    modality: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, embedded = source_of(modality), []
    policy = Policy.parse("none", tuple(source.stages))

    def with_vectors(shift: float) -> torch.Tensor:
        parts = []
        for n_items, seed in ((32, 0), (20, 1)):
            part = part_of(modality, n_items, seed, tmp_path)
            vectors = np.concatenate(
                [
                    source.network(**inputs).detach().numpy()
                    for index in range(n_items)
                    for _, inputs in load_batches(
                        part.items, source.preprocessing, [np.array([index])], threads=1
                    )
                ]
            )
            shifted = vectors + np.float32(shift)
            parts.append(replace(part, vectors=lambda rows, all_rows=shifted: all_rows[rows]))
        recipe = Recipe.for_modality(modality, epochs=1)
        made = Training(
            source,
            *parts,
            CLASSES,
            policy=policy,
            recipe=recipe,
            store=Store(tmp_path / "store"),
            setting=SETTING,
        )
        return made.loop.objective.head.linear.weight.detach()

    def noted(*arguments: Any, **options: Any) -> np.ndarray:
        embedded.append(1)
        return embed_all(*arguments, **options)

    monkeypatch.setattr("headstart.tune.training.first_head.embed_all", noted)
    known = with_vectors(0.0)
    assert not embedded
    computed = with_vectors(10.0)  # which the network does not give
    assert len(embedded) == 2
    torch.testing.assert_close(known, computed, atol=1e-3, rtol=1e-2)


def test_stored_views_are_drawn_each_epoch(tmp_path: Path) -> None:
    plain = training("image", tmp_path, views=1)
    viewed = training("image", tmp_path, views=3)
    assert len(viewed.loop.items.feed.views) == 3 and len(viewed.loop.validation.part.feed.views) == 1
    states = [view.batch(np.arange(4), viewed.backbone).tensors for view in viewed.loop.items.feed.views]
    assert not all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    first, second = plain.run(), viewed.run()
    assert any(not torch.equal(t, second.state_dict[n]) for n, t in first.state_dict.items())


def test_a_text_has_one_view_and_it_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = training("text", tmp_path, views=3)
    assert len(made.loop.items.feed.views) == 1
    assert "views is set to 1" in capsys.readouterr().err


def test_without_validation_the_last_weights_are_given(tmp_path: Path) -> None:
    trained = training("image", tmp_path, validation=False).run()
    assert trained.validation is None and trained.head.temperature == 1.0
    assert trained.best_epoch == 3 and trained.stopped_because == "all 3 epochs were run"


@pytest.mark.parametrize(
    ("modality", "policy"),
    [
        *(("image", policy) for policy in ("first:1", "none", "gradual", "first:1,lora:2", "norm")),
        *((modality, policy) for modality in ("text", "audio") for policy in ("gradual", "lora:2", "lp-ft")),
    ],
)
def test_a_training_resumes_from_its_folder(tmp_path: Path, modality: str, policy: str) -> None:
    whole = training(modality, tmp_path, policy).run()
    ended = training(modality, tmp_path, policy, run_folder=tmp_path / "run")
    step, n_done = ended.loop.optimizer.step, 0

    def stopping(*args: Any, **kwargs: Any) -> Any:
        nonlocal n_done
        n_done += 1
        if n_done > 6:
            raise KeyboardInterrupt
        return step(*args, **kwargs)

    ended.loop.optimizer.step = stopping  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        ended.run()
    resumed = training(modality, tmp_path, policy, run_folder=tmp_path / "run").run(resume=True)
    assert all(torch.equal(t, whole.state_dict[n]) for n, t in resumed.state_dict.items())
    assert np.array_equal(resumed.head.weight, whole.head.weight)
    assert (tmp_path / "run" / "history.jsonl").read_text().count("\n") == 4


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"lr": 0.5}, "recipe"),
        ({"policy": "first:1"}, "started with --freeze first:2, not first:1"),
        ({"n_items": 30}, "training items of digest"),
        ({"source": replace(source_of("image"), digest="other")}, "a source of digest tiny image, not other"),
    ],
)
def test_another_training_is_not_resumed(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    training("image", tmp_path, run_folder=tmp_path / "run").run()
    other = training("image", tmp_path, **changes, run_folder=tmp_path / "run")
    with pytest.raises(OptionError, match=said):
        other.run(resume=True)


def test_epochs_can_be_limited(tmp_path: Path) -> None:
    made = training("image", tmp_path)
    assert made.measure_epoch() > 0
    made.limit_epochs(1)
    trained = made.run()
    assert trained.recipe.epochs == 1 and trained.stopped_because == "the one epoch was run"


def test_a_policy_that_trains_no_stage_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="'all' trains no stage"):
        training("image", tmp_path, "all")


def test_wise_ft_is_at_least_as_good_as_both_its_ends(tmp_path: Path) -> None:
    end = training("image", tmp_path / "end").run()
    mixed = training("image", tmp_path / "mixed", wise_ft=True).run()
    assert end.validation is not None and mixed.validation is not None
    assert mixed.validation.accuracy >= max(end.validation.accuracy, end.history[0]["validation_accuracy"])
    assert mixed.notes[0].startswith("WiSE-FT: ") and end.notes == ()


def test_wise_ft_without_validation_is_said(tmp_path: Path) -> None:
    trained = training("image", tmp_path, validation=False, wise_ft=True).run()
    assert "WiSE-FT was left out" in trained.notes[0]


def test_a_share_that_was_chosen_before_is_taken_without_validation(tmp_path: Path) -> None:
    ends = {s: training("image", tmp_path, validation=False).run(share=s) for s in (None, 0.0, 0.25, 1.0)}
    first, quarter, last = (ends[share].state_dict for share in (0.0, 0.25, 1.0))
    source = source_of("image").network.state_dict()
    for name, tensor in quarter.items():
        assert torch.equal(last[name], ends[None].state_dict[name])
        if tensor.is_floating_point():
            torch.testing.assert_close(first[name], source[name])
            torch.testing.assert_close(tensor, 0.75 * first[name] + 0.25 * last[name])
    assert ends[0.25].share == 0.25 and "25%" in ends[0.25].notes[0]


@pytest.mark.parametrize("task", [MULTILABEL, REGRESSION])
@pytest.mark.parametrize("modality", ["image", "text", "audio"])
def test_labels_and_quantities_are_trained(modality: str, task: Task, tmp_path: Path) -> None:
    def with_targets(part: Part) -> Part:
        labels = part.labels.astype(np.float32)
        several = np.stack([labels, 1 - labels], axis=1)
        return replace(part, labels=several if task == MULTILABEL else 1000 + 40 * labels[:, None])

    source = source_of(modality)
    train, held_out = (with_targets(part_of(modality, 32 - 12 * k, k, tmp_path)) for k in (0, 1))
    trained = Training(
        source,
        train,
        held_out,
        CLASSES if task == MULTILABEL else ("value",),
        # the statistics of this picture network are of no data, so they have to rest
        policy=Policy.parse("bias" if modality == "image" else "first:1", tuple(source.stages)),
        recipe=Recipe.for_modality(
            modality, epochs=12, batch_size=8, lr=2e-3, head_lr=1e-2, head_start="random", patience=12
        ),
        store=Store(tmp_path / "store"),
        setting=SETTING,
        task=task,
    ).run()
    assert trained.validation is not None and trained.validation_logits is not None
    at_start = trained.history[0][f"validation_{task.quality}"]
    assert trained.head.task == task and trained.best_epoch > 0 and trained.validation.quality > at_start
    if task == REGRESSION:  # in its own unit
        mean_square = float(np.square(trained.validation_logits - held_out.labels).mean())
        assert trained.validation.loss == pytest.approx(mean_square, rel=1e-3)
        assert trained.validation.quality == pytest.approx(1 - mean_square / held_out.labels.var(), rel=1e-3)


def test_bf16_states_train_an_fp32_suffix(tmp_path: Path) -> None:
    trained = training("image", tmp_path, setting=replace(SETTING, precision="bf16"), epochs=4).run()
    assert trained.validation is not None and trained.validation.accuracy >= 0.8
    assert all(t.dtype == torch.float32 for t in trained.state_dict.values() if t.is_floating_point())


def test_epochs_are_compared_by_class_where_the_recipe_weighs_rare_ones(tmp_path: Path) -> None:
    trained = training("image", tmp_path, "first:2", class_weights=True).run()
    assert trained.validation is not None and trained.validation_logits is not None
    labels = part_of("image", 20, 1, tmp_path).labels
    guessed = trained.validation_logits.argmax(axis=1)
    balanced = np.mean([(guessed[labels == code] == code).mean() for code in np.unique(labels)])
    assert trained.history[trained.best_epoch]["validation_balanced_accuracy"] == pytest.approx(balanced)
    assert trained.validation.quality == pytest.approx(balanced)
