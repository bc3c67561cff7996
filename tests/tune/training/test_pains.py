"""What goes wrong elsewhere when layers are frozen, each by the report of those it happened to."""

from __future__ import annotations

import copy
import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from freeze_networks import timm_backbone
from resuming import chain_loop, ended_after
from safetensors.torch import load_file

import headstart
import small_data
import tiny
from headstart.data import load_batches
from headstart.runs import RunDirectory
from headstart.sources import load_source
from headstart.tune import Freeze, Policy
from headstart.tune.adapters.attach import is_adapter
from headstart.tune.policies.selections import NORM


def statistics(module: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in module.named_buffers()}


@pytest.mark.parametrize("text", ["last:1", "norm", "bias", "lora:2", "gradual"])
def test_statistics_of_frozen_layers_do_not_drift(text: str) -> None:
    """pytorch/pytorch#86590, lightly-ai/lightly#1438: running_mean and running_var move in frozen layers.

    Not even when the user's own code calls `train()` on the network and runs batches through it.
    """
    torch.manual_seed(0)
    backbone, inputs = timm_backbone("resnet10t", channels=(8, 8, 16, 16), stem_width=8)
    backbone.trace(inputs)
    policy = Policy.parse(text, backbone.stages)
    selection = (
        NORM if policy.what == "adapter" else policy.selection
    )  # all modules of the network rest in it too
    freeze = Freeze(backbone, policy.frozen, selection)
    before = statistics(backbone.module)
    for _ in range(3):
        backbone.module.train()
        backbone(inputs + 1)
    after = statistics(backbone.module)
    rest = [n for n in before if policy.what != "whole" or freeze.stage_of(n) in freeze.frozen]
    assert len(rest) > 5 and all(torch.equal(before[name], after[name]) for name in rest)
    assert policy.what != "whole" or any(
        not torch.equal(before[n], after[n]) for n in set(before) - set(rest)
    )


@pytest.mark.parametrize("n_steps", [5, 6, 10, 11])
def test_resume_behind_an_unfreeze_has_all_groups(n_steps: int, tmp_path: Path) -> None:
    """Lightning-AI/pytorch-lightning#6891 and #8502: a different number of parameter groups on resume."""
    ended_after(n_steps, "gradual", tmp_path)
    resumed = chain_loop("gradual", tmp_path)
    assert resumed.recall()
    resumed.open_until(resumed.at.epoch)
    whole = chain_loop("gradual")
    whole.open_until(resumed.at.epoch)
    names = [group["name"] for group in whole.optimizer.param_groups]
    assert [group["name"] for group in resumed.optimizer.param_groups] == names and len(names) > 3


@pytest.mark.parametrize("n_steps", [5, 6])
def test_resume_behind_an_unfreeze_trains_what_was_unfrozen(n_steps: int, tmp_path: Path) -> None:
    """Lightning-AI/pytorch-lightning#21901, luxonis-train#358: frozen again, or no parameter in the optimizer."""
    ended_after(n_steps, "gradual", tmp_path)
    resumed = chain_loop("gradual", tmp_path)
    assert resumed.recall() and resumed.at.epoch == 2
    before = copy.deepcopy(resumed.network.backbone.module.state_dict())
    step, moved = resumed.optimizer.step, set[str]()

    def watched(*args: Any, **kwargs: Any) -> Any:
        done = step(*args, **kwargs)
        if resumed.at.epoch == 2:
            after = resumed.network.backbone.module.state_dict()
            moved.update(name for name in before if not torch.equal(before[name], after[name]))
        return done

    resumed.optimizer.step = watched  # type: ignore[method-assign]
    resumed.run(resume=True)
    opened = {name for name in before if name.startswith(("block2.", "block3.")) and "running" not in name}
    assert {name for name in moved if "running" not in name and "num_batches" not in name} == {
        name for name in opened if "num_batches" not in name
    }
    held = {id(p) for group in resumed.optimizer.param_groups for p in group["params"]}
    trained = resumed.freeze.trained_parameters().values()
    assert {id(p) for p in trained} <= held and all(p.requires_grad for p in trained)
    assert all(p in resumed.optimizer.state for p in trained)


@pytest.mark.usefixtures("training_returned")
@pytest.mark.parametrize("freeze", ["lora:4", "first:1,lora:2", "dora:2"])
def test_adapters_and_head_are_there_on_reload(freeze: str, tmp_path: Path) -> None:
    """huggingface/peft#310, #577, #876, sentence-transformers#3980: the trained head or the adapters are lost."""
    table = small_data.text_table(tmp_path / "texts.csv")
    source = small_data.text_source(tmp_path / "bert")
    options: dict[str, Any] = {"precision": "fp32", "threads": 1, "baseline": False, "report": False}
    run = headstart.fit(table, str(source), out=tmp_path / "x", freeze=freeze, epochs=3, lr=0.05, **options)
    assert run.metrics["chosen"]["policy"] == freeze
    saved = RunDirectory.open(run.path).predictions()
    again = run.predict(table)  # by model.pt2
    rows = [list(again.items).index(item) for item in saved.items]
    np.testing.assert_allclose(again.probabilities[rows], saved.probabilities, atol=1e-5)

    first, trained = load_source(str(source)), load_source(f"run:{run.path}")
    assert not any(is_adapter(name) for name in trained.network.state_dict())
    assert trained.network.state_dict().keys() == first.network.state_dict().keys()
    own, start = trained.network.state_dict(), first.network.state_dict()
    assert any(not torch.equal(own[name], start[name]) for name in own), "the adapters are in the weights"
    texts = [row["text"] for row in csv.DictReader(table.read_text().splitlines())]
    batches = load_batches(
        texts, trained.preprocessing, [np.array([i]) for i in range(len(texts))], threads=1
    )
    with torch.no_grad():
        vectors = torch.cat([trained.backbone.pooled(inputs)[-1] for _, inputs in batches]).numpy()
    head = load_file(run.path / "head.safetensors")
    logits = ((torch.from_numpy(vectors) - head["mean"]) / head["scale"]) @ head["weight"].T + head["bias"]
    by_source = (logits / head["temperature"]).softmax(1).numpy()
    np.testing.assert_allclose(by_source, again.probabilities, atol=1e-4)


def test_frozen_weights_of_chance_are_said(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """ultralytics/ultralytics#4826 and #6020: layers frozen of a network that was never pretrained."""
    from headstart.clock import Clock
    from headstart.fitting.options import fit_options
    from plans import read_and_plan

    folder = small_data.digit_folder(tmp_path / "digits")
    tiny.save_timm(tmp_path / "resnet", pretrained=False)
    for freeze, held in (("first:2", True), ("norm", True), ("lora:2", True), ("none", False)):
        read_and_plan(fit_options(data=folder, source=tmp_path / "resnet", freeze=freeze), Clock())
        assert ("they stay random" in capsys.readouterr().err) == held
