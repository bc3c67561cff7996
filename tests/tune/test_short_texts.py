"""Short texts on a CPU: attention by plain products gives the gradients that the fused one gives."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from headstart.tune.feeds import SHORT, embed_live

CPU = torch.device("cpu")


class Attention(nn.Module):
    """One layer of attention over token vectors."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.embedding = nn.Embedding(50, 8)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        h_N1TD = self.embedding(input_ids)[:, None]
        mask = attention_mask[:, None, None].bool()
        return functional.scaled_dot_product_attention(h_N1TD, h_N1TD, h_N1TD, attn_mask=mask)[:, 0].mean(1)


@pytest.mark.parametrize("n_tokens", [5, SHORT + 1])
def test_gradients_are_those_of_the_network_itself(n_tokens: int) -> None:
    network = Attention()
    inputs = {
        "input_ids": torch.randint(0, 50, (3, n_tokens), generator=torch.Generator().manual_seed(1)),
        "attention_mask": torch.ones(3, n_tokens, dtype=torch.long),
    }
    gradients = []
    for embedding in (embed_live(lambda x: network(**x), inputs, CPU), network(**inputs)):  # type: ignore[arg-type]
        network.zero_grad()
        embedding.square().sum().backward()
        assert network.embedding.weight.grad is not None
        gradients.append(network.embedding.weight.grad.clone())
    torch.testing.assert_close(gradients[0], gradients[1])
