"""Averages of weights: closed forms, ends to the bit, a soup that never loses."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from headstart.errors import TrainingError
from headstart.tune.averaging.averages import SHARES, Average, Scores, greedy_soup, interpolate, wise_ft

State = dict[str, Tensor]


def state(seed: int) -> State:
    """The state of a network with batch normalisation, floats of two precisions and a counter."""
    generator = torch.Generator().manual_seed(seed)
    network = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    found = {
        name: torch.randn(tensor.shape, generator=generator) if tensor.is_floating_point() else tensor + seed
        for name, tensor in network.state_dict().items()
    }
    return {**found, "half": torch.randn(5, generator=generator).bfloat16()}


def same(one: State, other: State) -> bool:
    return set(one) == set(other) and all(
        torch.equal(tensor, other[name]) and tensor.dtype == other[name].dtype for name, tensor in one.items()
    )


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 40), st.floats(0.05, 0.9999))
def test_the_moving_average_is_its_closed_form(n_steps: int, decay: float) -> None:
    values = torch.randn(
        n_steps + 1, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(n_steps)
    )
    average = Average({"w": values[0]}, decay)
    for value in values[1:]:
        average.update({"w": value})
    decays = [min(decay, (1 + t) / (10 + t)) for t in range(1, n_steps + 1)]
    shares = [math.prod(decays)]
    shares += [(1 - d) * math.prod(decays[t + 1 :]) for t, d in enumerate(decays)]
    assert sum(shares) == pytest.approx(1)
    expected = sum(share * value for share, value in zip(shares, values, strict=True))
    torch.testing.assert_close(average.tensors["w"], expected)


def test_an_average_counts_on_integers_and_widens_halves() -> None:
    average = Average(state(0), 0.9)
    average.update(state(7))
    assert average.tensors["half"].dtype == torch.float32
    assert torch.equal(average.tensors["1.num_batches_tracked"], torch.tensor(7))


def test_an_average_is_lent_and_taken_back_to_the_bit() -> None:
    live = state(1)
    before = {name: tensor.clone() for name, tensor in live.items()}
    average = Average(state(0), 0.5)
    average.update(live)
    with pytest.raises(RuntimeError), average.applied(live):
        assert torch.equal(live["0.weight"], average.tensors["0.weight"])
        assert live["half"].dtype == torch.bfloat16
        raise RuntimeError
    assert same(live, before)
    average.copy_to(live)
    assert torch.equal(live["0.weight"], average.tensors["0.weight"])


def test_a_resumed_average_goes_on_to_the_same_bits(tmp_path: Path) -> None:
    whole, first = Average(state(0), 0.99), Average(state(0), 0.99)
    for seed in range(1, 4):
        whole.update(state(seed))
        first.update(state(seed))
    torch.save(first.state_dict(), tmp_path / "average.pt")
    second = Average(state(5), 0.99)
    second.load_state_dict(torch.load(tmp_path / "average.pt", weights_only=True))
    for seed in range(4, 6):
        whole.update(state(seed))
        second.update(state(seed))
    assert same(whole.tensors, second.tensors) and whole.n_updates == second.n_updates


def test_an_average_of_something_else_is_refused() -> None:
    with pytest.raises(TrainingError, match="not that of this training"):
        Average({"w": torch.ones(1)}, 0.9).load_state_dict(Average({"v": torch.ones(1)}, 0.9).state_dict())
    with pytest.raises(TrainingError, match="and ema"):
        Average({"w": torch.ones(1)}, 0.9).load_state_dict(Average({"w": torch.ones(1)}, 0.8).state_dict())


@settings(deadline=None, max_examples=40)
@given(st.floats(0, 1), st.integers(0, 5), st.integers(0, 5))
def test_interpolation_is_the_line_and_exact_at_its_ends(share: float, a: int, b: int) -> None:
    start, end = state(a), state(b)
    assert same(interpolate(start, end, 0.0), start) and same(interpolate(start, end, 1.0), end)
    between = interpolate(start, end, share)
    for name in ("0.weight", "1.running_var"):
        torch.testing.assert_close(between[name], (1 - share) * start[name] + share * end[name])
    assert int(between["1.num_batches_tracked"]) in (a, b)
    assert all(between[name].dtype == tensor.dtype for name, tensor in end.items())
    if a == b:
        assert same(between, start)


def test_the_ends_are_copies() -> None:
    start = state(0)
    interpolate(start, state(1), 0.0)["0.weight"].zero_()
    assert start["0.weight"].abs().sum() > 0


def test_states_of_different_networks_are_refused() -> None:
    with pytest.raises(ValueError, match="in one state only, 'v'"):
        interpolate({"v": torch.ones(1)}, {"w": torch.ones(1)}, 0.5)
    with pytest.raises(ValueError, match="'w' is of shape"):
        interpolate({"w": torch.ones(1)}, {"w": torch.ones(2)}, 0.5)


def at(value: float) -> State:
    return {"w": torch.tensor([value], dtype=torch.float64)}


def test_the_best_share_is_chosen_and_ties_go_to_the_end() -> None:
    best = wise_ft(at(0), at(1), lambda s: (-abs(float(s["w"]) - 0.3), 0.0))
    assert best.share == 0.3 and float(best.state["w"]) == pytest.approx(0.3)
    assert tuple(best.scores) == SHARES
    assert wise_ft(at(0), at(1), lambda s: (0.5, 0.2)).share == 1.0
    assert wise_ft(at(0), at(1), lambda s: (0.5, float(s["w"]))).share == 0.0
    assert wise_ft(at(0), at(1), lambda s: (float(s["w"] < 0.55), math.nan)).share == 0.5


@settings(deadline=None, max_examples=60)
@given(st.lists(st.floats(-3, 3), min_size=1, max_size=8), st.floats(-3, 3))
def test_a_soup_never_scores_below_its_best_member(values: list[float], target: float) -> None:
    def score(found: State) -> Scores:
        return -round(abs(float(found["w"]) - target), 2), 0.0

    members = [(f"m{number}", at(value)) for number, value in enumerate(values)]
    soup = greedy_soup(members, score)
    assert soup.score == score(soup.state)
    assert soup.score[0] >= max(score(found)[0] for _, found in members)
    inside = [float(dict(members)[name]["w"]) for name in soup.names]
    assert float(soup.state["w"]) == pytest.approx(sum(inside) / len(inside))
    assert soup.names[0] in {n for n, s in members if score(s)[0] == max(score(f)[0] for _, f in members)}


def test_a_soup_takes_nothing_that_does_not_gain() -> None:
    soup = greedy_soup([("a", at(1)), ("b", at(1)), ("c", at(-5))], lambda s: (float(s["w"]), 0.0))
    assert soup.names == ("a",) and float(soup.state["w"]) == 1
    with pytest.raises(ValueError, match="at least one"):
        greedy_soup([], lambda s: (0.0, 0.0))


def test_a_soup_keeps_counters_and_precision() -> None:
    first, second = state(3), state(4)
    soup = greedy_soup(
        [("a", first), ("b", second)], lambda s: (float(torch.equal(s["half"], first["half"])), 0)
    )
    assert same(soup.state, first)
    scores = iter([(0.6, 0.0), (0.5, 0.0), (0.7, 0.0)])
    soup = greedy_soup([("a", first), ("b", second)], lambda s: next(scores))
    assert soup.names == ("a", "b") and soup.score == (0.7, 0.0)
    assert int(soup.state["1.num_batches_tracked"]) == 3 and soup.state["half"].dtype == torch.bfloat16
    torch.testing.assert_close(soup.state["0.weight"], (first["0.weight"] + second["0.weight"]) / 2)


@pytest.mark.real
def test_seventy_two_models_are_tried_in_the_published_order(shared: Path) -> None:
    """The table of Wortsman et al.: members by held-out accuracy; the first is their best single model."""
    with (shared / "golden" / "model_soups_clip_vitb32.csv").open() as file:
        rows = list(csv.DictReader(file))
    held_out = [float(row["ImageNet2p"]) for row in rows]
    best = max(range(len(rows)), key=held_out.__getitem__)
    tried: list[int] = []

    def score(found: State) -> Scores:
        inside = found["w"].nonzero().flatten().tolist()
        if len(inside) == 1:
            return held_out[inside[0]], 0.0
        tried.append(next(index for index in inside if index != best))
        return 0.0, 0.0

    soup = greedy_soup([(row["model_name"], {"w": torch.eye(72)[n]}) for n, row in enumerate(rows)], score)
    assert soup.names == (rows[best]["model_name"],)
    assert round(100 * float(rows[best]["ImageNet"]), 1) == 80.4
    assert [held_out[index] for index in tried] == sorted(held_out, reverse=True)[1:]
