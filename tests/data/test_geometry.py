"""Crops: random ones lie inside the picture, half of them are mirrored."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from headstart.data.geometry import CropPlan
from headstart.data.preprocessing import ImagePreprocessing


@settings(deadline=None, max_examples=200)
@given(st.integers(0, 10**6), st.integers(1, 3000), st.integers(1, 3000))
def test_crops_lie_inside_the_picture(seed: int, width: int, height: int) -> None:
    geometry = CropPlan(seed).geometry((width, height), ImagePreprocessing(size=(20, 30)))
    left, top, right, bottom = geometry.box
    assert 0 <= left < right <= width + 1e-6 and 0 <= top < bottom <= height + 1e-6
    assert geometry.size == (30, 20)


def test_half_of_the_views_are_mirrored() -> None:
    flips = [CropPlan(seed).geometry((50, 40), ImagePreprocessing()).flip for seed in range(400)]
    assert 150 < sum(flips) < 250
    assert not any(CropPlan(s, flip=False).geometry((50, 40), ImagePreprocessing()).flip for s in range(20))
