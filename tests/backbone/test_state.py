"""States hold items that can be taken, joined and given other tensors, exactly."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from backbone_networks import make_timm, make_transformers, texts, waves
from hypothesis import given, settings
from hypothesis import strategies as st

from headstart.backbone import Backbone, State

WAVLM = Backbone(make_transformers("wavlm"))
STATE = WAVLM.prefix(waves(6), 2)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 5), min_size=1, max_size=9))
def test_taking_items_is_exact(positions: list[int]) -> None:
    taken = STATE[np.array(positions)]
    assert len(taken) == len(positions)
    for name, tensor in STATE.tensors.items():
        rows = tensor.unflatten(0, (6, -1))
        assert torch.equal(taken.tensors[name].unflatten(0, (len(positions), -1)), rows[positions])
    assert taken.nbytes * 6 == STATE.nbytes * len(positions)
    joined = State.join([STATE[[position]] for position in positions])
    assert all(torch.equal(joined.tensors[name], tensor) for name, tensor in taken.tensors.items())


def test_heads_of_an_item_stay_together() -> None:
    """WavLM passes its position bias on as (N * heads, T, T)."""
    rows = {name: tensor.shape[0] // 6 for name, tensor in STATE.tensors.items()}
    assert rows["kwarg.position_bias"] == 2 and rows["arg.0"] == 1


def test_masks_slices_and_lists_take_the_same() -> None:
    mask = torch.tensor([True, False, True, False, False, True])
    for index in (mask, [0, 2, 5], np.array([0, 2, 5]), mask.numpy()):
        assert torch.equal(STATE[index].tensors["arg.0"], STATE.tensors["arg.0"][[0, 2, 5]])
    assert torch.equal(STATE[1:3].tensors["arg.0"], STATE.tensors["arg.0"][1:3])


def test_states_of_other_shapes_do_not_join() -> None:
    backbone = Backbone(make_transformers("bert"))
    first, other = backbone.prefix(texts(3, 9), 2), backbone.prefix(texts(3, 12), 2)
    with pytest.raises(ValueError, match="padded shapes"):
        State.join([first, other])
    with pytest.raises(ValueError, match="padded shapes"):
        State.join([first, backbone.prefix(texts(3, 9), 1)])
    with pytest.raises(ValueError, match="no state"):
        State.join([])


def test_stored_tensors_take_the_place_of_others() -> None:
    backbone = Backbone(make_transformers("bert"))
    inputs = texts(5, 9)
    stored = {name: tensor.numpy().copy() for name, tensor in backbone.prefix(inputs, 2).tensors.items()}
    template = backbone.prefix(texts(2, 9, seed=3), 2)
    state = template.with_tensors({name: torch.from_numpy(array) for name, array in stored.items()}, 5)
    got = backbone.suffix(state, 2).last_hidden_state
    torch.testing.assert_close(got, backbone(inputs).last_hidden_state, rtol=0, atol=1e-5)
    with pytest.raises(ValueError, match=r"state tensor 'arg.0' has shape"):
        template.with_tensors({**template.tensors, "arg.0": torch.zeros(2, 3, 4)}, 2)
    with pytest.raises(ValueError, match="do not fit"):
        template.with_tensors({"arg.0": template.tensors["arg.0"]}, 2)


def test_cuts_are_checked() -> None:
    network, x = make_timm("resnet18")
    backbone = Backbone(network)
    state = backbone.prefix(x, 2)
    with pytest.raises(ValueError, match="state of cut 2"):
        backbone.suffix(state, 3)
    with pytest.raises(ValueError, match="0 <= cut <= 5"):
        backbone.prefix(x, 6)
    with pytest.raises(ValueError, match="another backbone"):
        Backbone(network).suffix(state, 2)


def test_states_move_between_devices_whole() -> None:
    moved = STATE.to("cpu")
    assert len(moved) == 6 and set(moved.tensors) == set(STATE.tensors)
    assert torch.equal(WAVLM.suffix(moved, 2).last_hidden_state, WAVLM.suffix(STATE, 2).last_hidden_state)
