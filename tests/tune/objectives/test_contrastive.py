"""The class-contrastive loss and its batches."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from headstart.errors import OptionError
from headstart.tune.feeds.plan import class_batches
from headstart.tune.objectives.contrastive import Contrastive, pair_classes


def naive_loss(embeddings: Tensor, classes: list[int]) -> float:
    """The same by a double loop over pairs."""
    alike, apart = [], []
    for i in range(len(classes)):
        for j in range(i + 1, len(classes)):
            a, b = embeddings[i].double(), embeddings[j].double()
            cosine = float(a @ b / (a.norm() * b.norm()))
            (alike if classes[i] == classes[j] else apart).append(cosine)
    total = 0.0
    if alike:
        total += 0.5 * sum((1 - s) ** 2 for s in alike) / len(alike)
    if apart:
        total += 0.5 * sum(s**2 for s in apart) / len(apart)
    return total


def loss_of(embeddings: Tensor, targets: Tensor) -> Tensor:
    losses = Contrastive()(embeddings, targets)
    assert losses.shape == (len(embeddings),)
    return losses.mean()


class TestLoss:
    @given(st.lists(st.integers(0, 3), min_size=1, max_size=12), st.integers(0, 100))
    @settings(deadline=None)
    def test_equals_a_double_loop_over_pairs(self, classes: list[int], seed: int) -> None:
        embeddings = torch.randn(len(classes), 5, generator=torch.Generator().manual_seed(seed))
        found = loss_of(embeddings, torch.tensor(classes))
        assert float(found) == pytest.approx(naive_loss(embeddings, classes), abs=1e-5)

    def test_gradient(self) -> None:
        embeddings = torch.randn(6, 4, dtype=torch.float32, generator=torch.Generator().manual_seed(0))
        embeddings.requires_grad_()
        classes = torch.tensor([0, 0, 1, 1, 2, 2])
        loss_of(embeddings, classes).backward()
        assert embeddings.grad is not None
        for i, j in ((0, 0), (3, 2), (5, 3)):
            step = torch.zeros_like(embeddings)
            step[i, j] = 1e-3
            with torch.no_grad():
                up = naive_loss(embeddings + step, classes.tolist())
                down = naive_loss(embeddings - step, classes.tolist())
            assert float(embeddings.grad[i, j]) == pytest.approx((up - down) / 2e-3, abs=1e-4)

    def test_does_not_depend_on_length_or_order(self) -> None:
        embeddings = torch.randn(8, 4, generator=torch.Generator().manual_seed(1))
        classes = torch.tensor([0, 0, 1, 1, 2, 2, 0, 1])
        order = torch.randperm(8, generator=torch.Generator().manual_seed(2))
        longer = embeddings[order] * torch.arange(1, 9)[:, None]
        torch.testing.assert_close(loss_of(embeddings, classes), loss_of(longer, classes[order]))

    def test_items_that_share_a_label_belong_together(self) -> None:
        labels = torch.tensor([[1.0, 0, 1], [0, 0, 1], [0, 1, 0]])
        together = torch.eye(3)[[0, 0, 1]]
        assert float(loss_of(together, labels)) == pytest.approx(0.0, abs=1e-6)
        assert float(loss_of(torch.eye(3)[[0, 1, 1]], labels)) > 0.5

    def test_descent_separates_classes(self) -> None:
        embeddings = torch.randn(12, 6, generator=torch.Generator().manual_seed(3)).requires_grad_()
        classes = torch.arange(12) % 3
        optimizer = torch.optim.Adam([embeddings], lr=0.05)
        for _ in range(200):
            optimizer.zero_grad()
            loss = loss_of(embeddings, classes)
            loss.backward()
            optimizer.step()
        assert float(loss.detach()) < 0.01

    def test_empty_embedding_is_no_nan(self) -> None:
        embeddings = torch.zeros(4, 3, requires_grad=True)
        loss = loss_of(embeddings, torch.tensor([0, 0, 1, 1]))
        loss.backward()
        assert embeddings.grad is not None and torch.isfinite(embeddings.grad).all()


class TestPairClasses:
    def test_sets_of_labels_are_classes(self) -> None:
        assert pair_classes(np.array([[1, 0], [0, 1], [1, 0]])).tolist() == [1, 0, 1]

    @pytest.mark.parametrize("targets", [np.array([0.5, 1.0]), np.array([[0.5], [2.0]])])
    def test_numbers_are_refused(self, targets: np.ndarray) -> None:
        with pytest.raises(OptionError, match="needs classes"):
            pair_classes(targets)


class TestClassBatches:
    @given(
        st.lists(st.integers(0, 9), min_size=1, max_size=150),
        st.integers(2, 64),
        st.integers(0, 50),
        st.integers(1, 50),
    )
    @settings(deadline=None)
    def test_properties(self, classes: list[int], batch_size: int, seed: int, epoch: int) -> None:
        labels = np.array(classes)
        batches = class_batches(labels, batch_size, seed=seed, epoch=epoch)
        assert sorted(np.concatenate(batches).tolist()) == list(range(len(labels)))
        again = class_batches(labels, batch_size, seed=seed, epoch=epoch)
        assert all(np.array_equal(a, b) for a, b in zip(batches, again, strict=True))
        for name in set(classes):
            counts = [int((labels[batch] == name).sum()) for batch in batches]
            held = [count for count in counts if count]
            n_own = sum(counts)
            if n_own >= 2 * len(batches):
                assert len(held) == len(batches) and max(held) - min(held) <= 1
            elif n_own > 1:
                assert min(held) >= 2 and max(held) <= 3

    def test_a_few_of_each_class_fill_all_batches_alike(self) -> None:
        labels = np.repeat(np.arange(6), 16)
        batches = class_batches(labels, 32, seed=0, epoch=1)
        assert [len(batch) for batch in batches] == [32, 32, 32]

    def test_another_epoch_draws_anew(self) -> None:
        labels = np.repeat(np.arange(2), 32)
        first, second = (class_batches(labels, 32, seed=0, epoch=epoch) for epoch in (1, 2))
        assert not all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
