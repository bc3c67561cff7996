"""The first stages of a source with its own weights, the others with random ones."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from headstart.backbone import made_up_inputs
from headstart.sources import Source, load_source
from headstart.sources.partial import with_first_stages
from headstart.sources.random_weights import with_random_weights


@pytest.fixture(scope="module")
def source() -> Source:
    return load_source("bundled:letters")


@pytest.fixture(scope="module")
def random(source: Source) -> Source:
    return with_random_weights(source, seed=3)


def test_the_first_stages_give_what_those_of_the_source_give(source: Source, random: Source) -> None:
    inputs = made_up_inputs(source.network)
    own, none = source.backbone.pooled(inputs), random.backbone.pooled(inputs)
    for kept in range(len(source.stages) + 1):
        vectors = with_first_stages(source, kept, random).backbone.pooled(inputs)
        for stage, vector in enumerate(vectors):
            assert torch.equal(vector, own[stage]) == (stage < kept)
            assert torch.equal(vector, none[stage]) == (kept == 0)


def test_ends_digests_and_the_source_itself(source: Source, random: Source) -> None:
    before = {name: tensor.clone() for name, tensor in source.network.state_dict().items()}
    every = [with_first_stages(source, kept, random) for kept in range(len(source.stages) + 1)]
    assert every[0] is random and every[-1] is source
    assert len({each.digest for each in every}) == len(every)
    assert all(torch.equal(tensor, before[name]) for name, tensor in source.network.state_dict().items())
    assert not every[1].provenance.pretrained and not every[1].network.training
    other = with_first_stages(source, 1, with_random_weights(source, seed=4))
    assert other.digest != every[1].digest
    for kept in (-1, len(source.stages) + 1):
        with pytest.raises(ValueError, match="must hold"):
            with_first_stages(source, kept, random)


@pytest.mark.real
@pytest.mark.parametrize("name", ["all-MiniLM-L6-v2", "mobilenetv2_100.tf2_ptq_in1k"])
def test_every_tensor_has_one_owner(shared: Path, name: str) -> None:
    source = load_source(str(shared / "weights" / name))
    random = with_random_weights(source)
    middle = len(source.stages) // 2
    hybrid = with_first_stages(source, middle, random).network.state_dict()
    own, none = source.network.state_dict(), random.network.state_dict()
    for tensor_name, tensor in hybrid.items():
        expected = own if source.backbone.stage_of(tensor_name) < middle else none
        assert torch.equal(tensor, expected[tensor_name])
