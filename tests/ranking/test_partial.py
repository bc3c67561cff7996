"""`headstart rank --partial`: only the first stages of the first source keep their weights."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

import headstart
import small_data
from headstart.sources import load_source
from headstart.sources.local import BUNDLED
from small_data import LETTERS, SETTINGS


def _noise(folder: Path) -> str:
    """A copy of the bundled letters with weights of no use."""
    shutil.copytree(BUNDLED / "letters", folder)
    file, generator = folder / "model.safetensors", torch.Generator().manual_seed(0)
    tensors = {
        name: torch.randn(tensor.shape, generator=generator).abs() if tensor.is_floating_point() else tensor
        for name, tensor in load_file(file).items()
    }
    save_file(tensors, file)
    return str(folder)


@pytest.fixture(scope="module")
def ranking(tmp_path_factory: pytest.TempPathFactory) -> headstart.Ranking:
    folder = tmp_path_factory.mktemp("partial")
    data = small_data.digit_folder(folder / "digits", n_classes=3, n_each=30)
    return headstart.rank(
        data, [LETTERS, _noise(folder / "noise")], out=folder / "r", partial=True, **SETTINGS
    )


def test_the_curve_goes_from_random_weights_to_the_whole_source(ranking: headstart.Ranking) -> None:
    curve = ranking.facts.partial
    assert curve is not None and curve.source == ranking.best
    stages = tuple(load_source(LETTERS).stages)
    assert [point.stage for point in curve.points] == ["none", *stages]
    profile = next(row.profile for row in ranking.facts.ranked if row.name == ranking.best)
    random = next(row.profile for row in ranking.facts.ranked if row.role == "random")
    # the ends are the last stage of the source and that of random weights, under the better of two kinds of heads
    assert curve.points[-1].score == pytest.approx(profile[-1].score, abs=0.05)
    assert curve.points[0].score == pytest.approx(random[-1].score, abs=0.05)
    assert curve.points[0].score < curve.points[-1].score
    for point in curve.points:
        assert point.low <= point.score <= point.high
    assert curve.points[curve.best].score == max(point.score for point in curve.points)


def test_it_is_recorded_and_told(ranking: headstart.Ranking) -> None:
    recorded = ranking.metrics["ranking"]["partial"]
    assert recorded["points"][0]["stage"] == "none" and recorded["source"] == ranking.best
    assert "Partial transfer of" in " ".join(ranking.summary.split())
