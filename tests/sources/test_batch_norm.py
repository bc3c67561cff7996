"""The statistics of a domain in a network's batch normalisation, against PyTorch's own and a run that is opened."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import tiny
from headstart.data.loading import load_batches
from headstart.errors import DataError, SourceError
from headstart.features import Store
from headstart.fitting.returned import save
from headstart.heads.linear import LinearHead
from headstart.runs.directory import RunDirectory
from headstart.sources import Source, batch_norm, load_source
from headstart.sources.batch_norm import ENOUGH_ITEMS, has_batch_norm, with_statistics_of
from headstart.testing.small_source import small_part, small_source


def norms(network: nn.Module) -> list[Any]:
    return [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]


def pixels_of(source: Source, items: Any) -> torch.Tensor:
    ((_, inputs),) = load_batches(items, source.preprocessing, [np.arange(len(items))], threads=1)
    return inputs["pixels"]


def test_statistics_of_one_batch_are_those_of_a_pass_in_training_mode() -> None:
    source, part = small_source(), small_part(24)
    reference = small_source().network
    for module in norms(reference):
        module.train()
        module.reset_running_stats()
        module.momentum = None  # the average of all batches
    with torch.no_grad():
        reference(pixels_of(source, part.items))
    adapted = with_statistics_of(source, part.items, part.digests)
    for own, wanted in zip(norms(adapted.network), norms(reference), strict=True):
        torch.testing.assert_close(own.running_mean, wanted.running_mean, atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(own.running_var, wanted.running_var, atol=1e-5, rtol=1e-4)


def test_the_first_layer_has_the_mean_and_variance_of_all_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_norm, "BATCH_SIZE", 7)
    source, part = small_source(), small_part(40)
    adapted = with_statistics_of(source, part.items, part.digests)
    with torch.no_grad():
        maps = source.network.stem[0](pixels_of(source, part.items))  # type: ignore[operator, index]
    first = norms(adapted.network)[0]
    torch.testing.assert_close(first.running_mean, maps.mean((0, 2, 3)), atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(first.running_var, maps.var((0, 2, 3)), atol=1e-5, rtol=1e-4)


def test_nothing_else_changes_and_the_order_of_items_has_no_effect() -> None:
    source, part = small_source(), small_part(24)
    before = {name: tensor.clone() for name, tensor in source.network.state_dict().items()}
    adapted = with_statistics_of(source, part.items, part.digests)
    assert all(torch.equal(tensor, before[name]) for name, tensor in source.network.state_dict().items())
    changed = {
        name for name, tensor in adapted.network.state_dict().items() if not torch.equal(tensor, before[name])
    }
    assert changed and all(name.endswith(("running_mean", "running_var")) for name in changed)
    assert not adapted.network.training and not any(m._forward_pre_hooks for m in adapted.network.modules())
    assert adapted.provenance == source.provenance and adapted.stages == source.stages
    order = np.random.default_rng(0).permutation(24)
    again = with_statistics_of(source, np.asarray(part.items)[order], part.digests[order])
    assert again.digest == adapted.digest != source.digest
    assert all(
        torch.equal(a, b) for a, b in zip(adapted.network.buffers(), again.network.buffers(), strict=True)
    )
    fewer = with_statistics_of(source, part.items[:23], part.digests[:23])
    assert fewer.digest != adapted.digest


def test_items_beyond_the_cap_have_no_effect(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_norm, "MAX_ITEMS", 20)
    source, part = small_source(), small_part(40)
    first = np.argsort(part.digests)[:20]
    capped = with_statistics_of(source, part.items, part.digests)
    alone = with_statistics_of(source, np.asarray(part.items)[first], part.digests[first])
    assert capped.digest == alone.digest
    assert all(
        torch.equal(a, b) for a, b in zip(capped.network.buffers(), alone.network.buffers(), strict=True)
    )


@pytest.mark.parametrize("n_items", [1, 4, 15])
def test_few_items_are_blended_with_the_source(n_items: int) -> None:
    source, part = small_source(), small_part(n_items)
    with torch.no_grad():
        maps = source.network.stem[0](pixels_of(source, part.items))  # type: ignore[operator, index]
    own, old = (
        norms(with_statistics_of(source, part.items, part.digests).network)[0],
        norms(source.network)[0],
    )
    weight = n_items / ENOUGH_ITEMS
    wanted_mean = weight * maps.mean((0, 2, 3)) + (1 - weight) * old.running_mean
    wanted_variance = weight * maps.var((0, 2, 3)) + (1 - weight) * old.running_var
    torch.testing.assert_close(own.running_mean, wanted_mean, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(own.running_var, wanted_variance, atol=1e-5, rtol=1e-4)


def test_a_single_position_has_no_variance_of_its_own() -> None:
    norm = nn.BatchNorm1d(3).eval()
    batch_norm._measure(_Named(norm), [{"x": torch.tensor([[1.0, 2.0, 3.0]])}], 1, torch.device("cpu"))
    weight = 1 / ENOUGH_ITEMS
    torch.testing.assert_close(norm.running_mean, weight * torch.tensor([1.0, 2.0, 3.0]))
    torch.testing.assert_close(norm.running_var, torch.full((3,), 1 - weight))


class _Named(nn.Module):
    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.inner(x)
        return out


def test_which_networks_have_batch_norm() -> None:
    from timm.layers import BatchNormAct2d, FrozenBatchNormAct2d

    from headstart.backbone import fold_batch_norm

    network = small_source().network
    assert has_batch_norm(network)
    assert has_batch_norm(BatchNormAct2d(4)) and has_batch_norm(FrozenBatchNormAct2d(4))
    folded = fold_batch_norm(network, {"pixels": torch.randn(2, 3, 8, 8)})
    assert not has_batch_norm(folded), "folded into the convolutions"
    assert not has_batch_norm(nn.Sequential(nn.LayerNorm(4), nn.GroupNorm(2, 4)))
    assert not has_batch_norm(nn.BatchNorm2d(4, track_running_stats=False))
    assert not has_batch_norm(nn.InstanceNorm2d(4, track_running_stats=True))


def test_a_frozen_layer_is_measured_too() -> None:
    from timm.layers import FrozenBatchNormAct2d

    norm = FrozenBatchNormAct2d(3)
    x = torch.randn(20, 3, 5, 5) * 2 + 1
    batch_norm._measure(_Named(norm), [{"x": x}], 20, torch.device("cpu"))
    torch.testing.assert_close(norm.running_mean, x.mean((0, 2, 3)), atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(norm(x), torch.relu((x - 1) / 2), atol=0.3, rtol=0.1)


def test_bad_input_is_refused(tmp_path: Path) -> None:
    source, part = small_source(), small_part(4)
    with pytest.raises(DataError, match="at least one item"):
        with_statistics_of(source, part.items[:0], part.digests[:0])
    tiny.save_text(tmp_path / "bert")
    text = load_source(str(tmp_path / "bert"))
    with pytest.raises(SourceError, match="BertModel has no batch normalisation"):
        with_statistics_of(text, ["a dog", "a car"], np.array(["1", "2"]))
    with torch.no_grad():
        source.network.stem[0].weight.mul_(float("inf"))  # type: ignore[union-attr, operator, index]
    with pytest.raises(SourceError, match="not finite"):
        with_statistics_of(source, part.items, part.digests)


def test_a_run_with_these_statistics_opens_with_the_same_features(tmp_path: Path) -> None:
    tiny.save_timm(tmp_path / "timm")
    source = load_source(str(tmp_path / "timm"))
    random = np.random.default_rng(0)
    items = random.integers(0, 255, (20, 80, 80, 3), dtype=np.uint8)
    digests = np.array([hashlib.sha256(item.tobytes()).hexdigest() for item in items])
    adapted = with_statistics_of(source, items, digests)  # type: ignore[arg-type]
    pixels = torch.randn(3, 3, 64, 64)
    with torch.no_grad():
        before, wanted = source.network(pixels), adapted.network(pixels)
    width = wanted.shape[1]
    head = LinearHead(
        stages=(len(source.stages) - 1,),
        mean=np.zeros(width, dtype=np.float32),
        scale=np.ones(width, dtype=np.float32),
        weight=random.normal(size=(2, width)).astype(np.float32),
        bias=np.zeros(2, dtype=np.float32),
        temperature=1.0,
        classes=("a", "b"),
    )
    run = RunDirectory.create(tmp_path / "run")
    save(run, adapted, head, Store(tmp_path / "store"))
    run.write_json("metrics.json", {"format_version": 1})
    run.finish()
    opened = load_source(f"run:{run.path}")
    with torch.no_grad():
        found = opened.network(pixels)
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-4)
    assert (found - before).abs().max() > 0.01
