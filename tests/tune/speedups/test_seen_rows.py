"""Of an embedding table, only the rows of tokens that come are trained, with the gradients of the whole table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from torch import Tensor, nn
from tune_sources import CLASSES, part_of, source_of

from headstart.data import ImagePreprocessing
from headstart.features import Setting, Store
from headstart.tune import Policy, Recipe, Trained, Training
from headstart.tune.speedups.seen_rows import SeenRows, seen_alone, tokens_of, train_seen_rows, whole_again

N_ROWS = 40


class Words(nn.Module):
    """Token, position and type embeddings, of which the first alone is asked for token ids."""

    def __init__(self, tied: bool = False, **options: Any) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.words = nn.Embedding(N_ROWS, 6, **options)
        self.positions, self.types = nn.Embedding(N_ROWS, 6), nn.Embedding(N_ROWS, 6)
        self.out = nn.Linear(6, N_ROWS)
        if tied:
            self.out.weight = self.words.weight

    def forward(self, input_ids: Tensor) -> Tensor:
        places = torch.arange(input_ids.shape[1])[None].expand_as(input_ids)
        h_NTD = self.words(input_ids) + self.positions(places) + self.types(torch.zeros_like(input_ids))
        return self.out(torch.tanh(h_NTD)).mean(1)


def ids_of(*rows: list[int]) -> dict[str, Tensor]:
    return {"input_ids": torch.tensor(rows)}


@given(
    seen=st.sets(st.integers(0, N_ROWS - 1), min_size=1, max_size=N_ROWS // 2),
    asked=st.lists(st.integers(0, N_ROWS - 1), min_size=2, max_size=12),
    padding=st.none() | st.integers(0, N_ROWS - 1),
)
def test_it_gives_the_rows_and_the_gradients_of_the_table(
    seen: set[int], asked: list[int], padding: int | None
) -> None:
    table = nn.Embedding(N_ROWS, 3, padding_idx=padding)
    rows = torch.tensor(sorted(seen - {padding}), dtype=torch.long)
    ids = torch.tensor(asked).reshape(1, -1)
    assume(len(rows))
    seen_rows = SeenRows(table, rows)
    given_rows, expected = seen_rows(ids), table(ids)
    assert torch.equal(given_rows, expected)
    weights = torch.randn_like(expected)
    (given_rows * weights).sum().backward()
    (expected * weights).sum().backward()
    assert seen_rows.weight.grad is not None and table.weight.grad is not None
    torch.testing.assert_close(seen_rows.weight.grad, table.weight.grad[rows])


def test_the_table_comes_back_whole_with_the_trained_rows_in_it() -> None:
    network = Words()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    train_seen_rows(network, ids_of([3, 7, 3]), torch.tensor([3, 7, 9]))
    assert isinstance(network.words, SeenRows) and list(network.state_dict()) == list(before)
    assert [type(m) for m in (network.positions, network.types)] == [nn.Embedding, nn.Embedding]
    with torch.no_grad():
        network.words.weight += 1
    narrow = seen_alone(network, before)
    assert torch.equal(narrow["words.weight"], before["words.weight"][[3, 7, 9]])
    assert torch.equal(narrow["out.weight"], before["out.weight"])
    whole_again(network)
    assert type(network.words) is nn.Embedding
    expected = before["words.weight"].clone()
    expected[[3, 7, 9]] += 1
    assert torch.equal(network.words.weight, expected)


@pytest.mark.parametrize(
    ("network", "tokens"),
    [
        (Words(tied=True), [3, 7]),
        (Words(max_norm=1.0), [3, 7]),
        (Words(sparse=True), [3, 7]),
        (Words(scale_grad_by_freq=True), [3, 7]),
        (Words(), list(range(N_ROWS // 2 + 1))),
    ],
    ids=["tied", "max_norm", "sparse", "by frequency", "nearly all is seen"],
)
def test_what_cannot_be_parted_or_gains_little_is_left(network: Words, tokens: list[int]) -> None:
    train_seen_rows(network, ids_of([3, 7, 3]), torch.tensor(tokens))
    assert type(network.words) is nn.Embedding


def test_the_padding_row_is_not_trained() -> None:
    network = Words(padding_idx=0)
    train_seen_rows(network, ids_of([3, 7, 0]), torch.tensor([0, 3, 7]))
    assert isinstance(network.words, SeenRows) and network.words.rows.tolist() == [3, 7]


def test_tokens_are_those_of_texts_alone() -> None:
    found = tokens_of(["w1 w1 w5", "w2 strange"], source_of("text").preprocessing)
    assert found is not None and found.tolist() == [1, 3, 4, 7]  # [UNK] is 1, w0 is 2
    assert tokens_of([Path("a.png")], ImagePreprocessing()) is None


def trained(folder: Path, *, every_token: bool, **settings: Any) -> Trained:
    source = source_of("text")
    return Training(
        source,
        part_of("text", 32, 0, folder),
        part_of("text", 20, 1, folder),
        CLASSES,
        policy=Policy.parse("none", tuple(source.stages)),
        recipe=Recipe.for_modality("text", epochs=3, batch_size=8, lr=1e-3, **settings),
        store=Store(folder / "store"),
        setting=Setting(torch.device("cpu"), "fp32", 1),
        every_token=every_token,
    ).run()


@pytest.mark.parametrize(
    "settings", [{}, {"ema": 0.9}, {"l2_sp": 0.01}, {"wise_ft": True}, {"optimizer": "sgd"}]
)
def test_a_training_is_that_of_the_whole_table_but_for_the_decay_of_what_never_comes(
    settings: dict[str, Any], tmp_path: Path
) -> None:
    whole = trained(tmp_path, every_token=True, weight_decay=0.0, **settings)
    few = trained(tmp_path, every_token=False, weight_decay=0.0, **settings)
    for name, tensor in few.state_dict.items():
        torch.testing.assert_close(tensor, whole.state_dict[name], atol=1e-6, rtol=1e-4)
    assert few.history[-1]["train_loss"] == pytest.approx(whole.history[-1]["train_loss"], rel=1e-5)


def test_decay_leaves_the_rows_that_never_come(tmp_path: Path) -> None:
    start = source_of("text").network.state_dict()["embeddings.weight"]
    whole = trained(tmp_path, every_token=True, weight_decay=0.1).state_dict["embeddings.weight"]
    few = trained(tmp_path, every_token=False, weight_decay=0.1).state_dict["embeddings.weight"]
    assert torch.equal(few[20:], start[20:]) and not torch.equal(few[2:20], start[2:20])
    assert (whole[20:].norm(dim=1) < start[20:].norm(dim=1)).all()
    torch.testing.assert_close(few[2:20], whole[2:20], atol=1e-6, rtol=1e-4)


def test_weights_of_the_plain_network_give_its_output() -> None:
    """As those of an average of several trainings do, when it is measured in the network of one."""
    plain, network = Words(), Words()
    train_seen_rows(network, ids_of([3, 7, 3]), torch.tensor([3, 7, 9]))
    with torch.no_grad():
        plain.words.weight[[3, 7, 9]] += 1
        for name, tensor in seen_alone(network, plain.state_dict()).items():
            network.state_dict()[name].copy_(tensor)
    assert torch.equal(network(**ids_of([3, 9, 11])), plain(**ids_of([3, 9, 11])))
