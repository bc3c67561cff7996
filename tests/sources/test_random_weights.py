"""The same network with weights of chance, from each library."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from headstart.errors import SourceError
from headstart.sources import load_source
from headstart.sources.random_weights import fresh_source

FOLDERS = ("all-MiniLM-L6-v2", "whisper-tiny.en-encoder", "mobilenetv2_100.tf2_ptq_in1k")


@pytest.mark.real
@pytest.mark.parametrize("name", FOLDERS)
def test_a_fresh_source_has_other_weights_of_the_same_shapes(shared: Path, name: str) -> None:
    source = load_source(str(shared / "weights" / name))
    before = torch.get_rng_state()
    fresh, again = fresh_source(source, seed=1), fresh_source(source, seed=1)
    assert torch.equal(torch.get_rng_state(), before)
    own, made, second = (s.network.state_dict() for s in (source, fresh, again))
    assert {n: t.shape for n, t in own.items()} == {n: t.shape for n, t in made.items()}
    assert all(torch.equal(t, second[n]) for n, t in made.items())
    matrices = [n for n, t in own.items() if t.dim() > 1]
    assert not any(torch.equal(own[n], made[n]) for n in matrices)
    assert fresh.digest != source.digest and fresh.digest != fresh_source(source, seed=2).digest
    assert not fresh.provenance.pretrained and fresh.stages == source.stages
    assert not fresh.network.training


def test_a_network_that_cannot_be_built_is_refused() -> None:
    from tune_sources import source_of

    with pytest.raises(SourceError):
        fresh_source(source_of("image"))
