"""Attention by plain products gives what PyTorch's own gives, and what it does not know goes to that."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from transformers import BertConfig, BertModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward

from headstart.tune.speedups import attention as attending
from headstart.tune.speedups.attention import SHORT, attend, quicken_attention


def projected(n_tokens: int) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    query, key, value = (torch.randn(3, 2, n_tokens, 8, generator=generator) for _ in range(3))
    return query.requires_grad_(), key.requires_grad_(), value.requires_grad_()


def masked(n_tokens: int) -> Tensor:
    """Of the second text only three tokens are its own, of the third one."""
    own = torch.tensor([n_tokens, 3, 1])
    seen = torch.arange(n_tokens) < own[:, None]
    return seen[:, None, None].expand(3, 1, n_tokens, n_tokens)


class Layer(nn.Module):
    is_causal = False


def both(n_tokens: int, mask: Tensor | None, **options: Any) -> list[tuple[Tensor, ...]]:
    found = []
    for function in (attend, sdpa_attention_forward):
        taken = projected(n_tokens)
        output, _ = function(Layer(), *taken, mask, **options)
        gradients = torch.autograd.grad(output.square().sum(), taken)
        found.append((output, *gradients))
    return found


@pytest.mark.parametrize("n_tokens", [1, 5, SHORT, SHORT + 1])
@pytest.mark.parametrize("with_mask", [True, False])
@pytest.mark.parametrize("scaling", [None, 0.2])
def test_output_and_gradients_are_those_of_the_fused_one(
    n_tokens: int, with_mask: bool, scaling: float | None
) -> None:
    ours, theirs = both(n_tokens, masked(n_tokens) if with_mask else None, scaling=scaling)
    for own, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(own, other)


@pytest.mark.parametrize(
    ("n_tokens", "options"),
    [
        (SHORT + 1, {}),
        (5, {"is_causal": True}),
        (5, {"position_bias": torch.zeros(3, 2, 5, 5)}),
    ],
)
def test_what_it_does_not_know_goes_to_the_fused_one(
    n_tokens: int, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attending, "drop", None)  # which the plain products would call
    query, key, value = projected(n_tokens)
    assert attend(Layer(), query, key, value, None, dropout=0.5, **options)[0].shape == (3, n_tokens, 2, 8)
    with torch.no_grad():
        attend(Layer(), query[:, :, :5], key[:, :, :5], value[:, :, :5], None, dropout=0.5)
    with pytest.raises(TypeError):
        attend(Layer(), query[:, :, :5], key[:, :, :5], value[:, :, :5], None, dropout=0.5)


def test_a_model_has_the_same_gradients_and_drops_weights_in_training() -> None:
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=50, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=24,
        hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.3, attn_implementation="sdpa",
    )  # fmt: skip
    network = BertModel(config).eval()
    quick = copy.deepcopy(network)
    quicken_attention(quick)
    assert quick.config._attn_implementation != "sdpa" == network.config._attn_implementation
    inputs = {
        "input_ids": torch.tensor([[5, 6, 7, 8], [9, 3, 0, 0]]),
        "attention_mask": torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0]]),
    }
    for model in (network, quick):
        (model(**inputs).last_hidden_state * inputs["attention_mask"][..., None]).square().sum().backward()
    for (name, own), other in zip(quick.named_parameters(), network.parameters(), strict=True):
        if other.grad is not None:
            torch.testing.assert_close(own.grad, other.grad, msg=lambda told, name=name: f"{name}: {told}")
    quick.train()
    first, second = (quick(**inputs).last_hidden_state for _ in range(2))
    assert not torch.equal(first, second)
