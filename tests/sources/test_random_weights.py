"""The same network with random weights, from each library."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from headstart.errors import SourceError
from headstart.sources import load_source
from headstart.sources.random_weights import with_random_weights

FOLDERS = ("all-MiniLM-L6-v2", "whisper-tiny.en-encoder", "mobilenetv2_100.tf2_ptq_in1k")


@pytest.mark.real
@pytest.mark.parametrize("name", FOLDERS)
def test_random_weights_have_the_same_shapes_and_other_values(shared: Path, name: str) -> None:
    source = load_source(str(shared / "weights" / name))
    before = torch.get_rng_state()
    random, again = with_random_weights(source, seed=1), with_random_weights(source, seed=1)
    assert torch.equal(torch.get_rng_state(), before)
    own, made, second = (s.network.state_dict() for s in (source, random, again))
    assert {n: t.shape for n, t in own.items()} == {n: t.shape for n, t in made.items()}
    assert all(torch.equal(t, second[n]) for n, t in made.items())
    matrices = [n for n, t in own.items() if t.dim() > 1]
    assert not any(torch.equal(own[n], made[n]) for n in matrices)
    assert random.digest != source.digest and random.digest != with_random_weights(source, seed=2).digest
    assert not random.provenance.pretrained and random.stages == source.stages
    assert not random.network.training


def test_a_network_that_cannot_be_built_is_refused() -> None:
    with pytest.raises(SourceError):
        with_random_weights(replace(load_source("bundled:letters"), config={}))
