"""A step, an embedding and an extraction when memory runs out: the same work in smaller parts."""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from tune_networks import gradients
from tune_sources import part_of, source_of
from worker import training_of

from headstart.errors import TrainingError
from headstart.features import Store, extract_pooled
from headstart.features.states import extract_states
from headstart.tune.feeds.feed import embed_all
from headstart.tune.loop.loop import Loop


def limit(network: nn.Module, n_most: int) -> None:
    """Let a network hold so many items at a time."""

    def refuse(module: nn.Module, args: Any, kwargs: Any) -> None:
        n_items = len(next(iter([*args, *kwargs.values()])))
        if n_items > n_most:
            raise torch.OutOfMemoryError(f"CUDA out of memory. Tried to allocate {n_items} GiB.")

    network.register_forward_pre_hook(refuse, with_kwargs=True)


@pytest.mark.parametrize("case", ["text none 40", "text first:1 40", "audio none 16"])
def test_the_batch_is_worked_off_in_more_parts_with_the_same_gradients(
    case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = gradients(training_of(tmp_path, case, batch_size=8).loop)
    loop = training_of(tmp_path, case, batch_size=8).loop
    if case.split()[1] == "none":
        limit(loop.network.backbone.module, 2)
    else:  # a suffix runs the network on placeholders
        limit_rows(loop, 2)
    parts = gradients(loop)
    assert set(parts) == set(whole)
    for name, gradient in whole.items():
        torch.testing.assert_close(parts[name], gradient, rtol=1e-5, atol=1e-6)
    said = re.findall(r"computed in (\d+) parts", capsys.readouterr().err)
    assert said == ["2", "4"], "each doubling once"
    assert loop.step.n_parts == 4
    gradients(loop)
    assert "parts" not in capsys.readouterr().err


def limit_rows(loop: Loop, n_most: int) -> None:
    run = loop.items.feed.run

    def limited(backbone: Any, inputs: Any, device: torch.device) -> torch.Tensor:
        if inputs.n_items > n_most:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return run(backbone, inputs, device)

    loop.items.feed.run = limited  # type: ignore[method-assign]


def test_parts_are_kept_over_a_resume_and_more_may_be_asked_for(tmp_path: Path) -> None:
    first = training_of(tmp_path, "text none 16", tmp_path / "run", batch_size=8)
    limit(first.backbone.module, 4)
    first.run(until_epoch=1)
    assert first.loop.step.n_parts == 2
    again = training_of(tmp_path, "text none 16", tmp_path / "run", batch_size=8)
    again.run(resume=True, until_epoch=2)
    assert again.loop.step.n_parts == 2
    more = training_of(tmp_path, "text none 16", tmp_path / "run", batch_size=8, accumulate=4)
    more.run(resume=True)
    assert more.loop.step.n_parts == 4


def test_one_item_that_does_not_fit(tmp_path: Path) -> None:
    training = training_of(tmp_path, "text none 16", batch_size=8)
    limit(training.backbone.module, 0)
    with pytest.raises(TrainingError, match=r"out of memory with 1 item at a time.*checkpointing"):
        gradients(training.loop)


def test_embedding_takes_fewer_items_at_a_time(tmp_path: Path) -> None:
    loop = training_of(tmp_path, "audio none 16").loop
    loop.freeze.train(False)
    whole = embed_all(loop.network.backbone, loop.items.feed, loop.machine)
    limit(loop.network.backbone.module, 3)
    np.testing.assert_allclose(
        embed_all(loop.network.backbone, loop.items.feed, loop.machine), whole, rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize("modality", ["image", "text"])
def test_extraction_takes_fewer_items_at_a_time(
    modality: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from headstart.features.inference import InferenceNetwork

    source, part = source_of(modality), part_of(modality, 20, 0, tmp_path)
    options: dict[str, Any] = {"precision": "fp32", "device": "cpu", "threads": 1}
    whole = extract_pooled(source, part.items, part.digests, Store(tmp_path / "whole"), **options)
    stored = extract_states(source, part.items, part.digests, 1, Store(tmp_path / "whole"), **options)

    def limited(method: Any) -> Any:
        def run(self: Any, inputs: Any, *rest: Any) -> Any:
            if len(next(iter(inputs.values()))) > 3:
                raise torch.OutOfMemoryError("CUDA out of memory.")
            return method(self, inputs, *rest)

        return run

    for name in ("pooled", "prefix"):
        monkeypatch.setattr(InferenceNetwork, name, limited(getattr(InferenceNetwork, name)))
    parts = extract_pooled(source, part.items, part.digests, Store(tmp_path / "parts"), **options)
    for stage in range(len(source.stages)):
        np.testing.assert_allclose(parts.stage(stage), whole.stage(stage), rtol=1e-5, atol=1e-6)
    again = extract_states(source, part.items, part.digests, 1, Store(tmp_path / "parts"), **options)
    bucket = stored.buckets[0]
    for name, tensor in stored.batch(bucket).tensors.items():
        torch.testing.assert_close(again.batch(bucket).tensors[name], tensor, rtol=1e-5, atol=1e-6)


REAL = """
    import resource, sys
    sys.path.insert(0, {here!r})
    from pathlib import Path
    from worker import training_of
    import torch
    torch.set_num_threads(1)
    from tune_networks import gradients

    training = training_of(Path({folder!r}), "audio none 64", batch_size=64)
    grown = training.backbone.module
    big = lambda m, a, y: y + torch.zeros(y.shape[0], 1_000_000, requires_grad=True).sum() * 0
    grown.encoder.register_forward_hook(big)
    now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + 200_000_000, now + 200_000_000))  # 64 rows take 256 MB
    gradients(training.loop)
    print("parts", training.loop.step.n_parts)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the limit of a process's memory is Linux's")
def test_a_processor_that_has_no_memory_left(tmp_path: Path) -> None:
    code = textwrap.dedent(REAL.format(here=str(Path(__file__).parents[1]), folder=str(tmp_path)))
    ended = subprocess.run([sys.executable, "-c", code], text=True, capture_output=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert int(ended.stdout.split()[-1]) >= 2
    assert "out of memory: from here on a batch is computed in 2 parts" in ended.stderr
