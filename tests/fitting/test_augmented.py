"""The views in a report are those that the training draws."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import headstart
import small_data
from headstart.fitting import augmented


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The views of each fit."""
    found: list[Any] = []
    make = augmented.picture_views
    monkeypatch.setattr(
        "headstart.fitting.saving.picture_views", lambda *given: found.append(make(*given)) or found[-1]
    )
    return found


def test_a_training_of_all_shows_one_view_per_epoch(
    digit_folder: Path, store: str, tmp_path: Path, seen: list[Any], training_returned: None
) -> None:
    run = headstart.fit(
        digit_folder, small_data.LETTERS, freeze="none", epochs=3, out=tmp_path / "run", store=store, baseline=False,
        **small_data.SETTINGS,
    )  # fmt: skip
    [views] = seen
    assert [len(each.others) for each in views] == [3, 3, 3]
    for each in views:
        assert each.plain.dtype == "uint8" and each.plain.shape[2] == 3
        assert all((view != each.plain).any() for view in each.others)
        assert (each.others[0] != each.others[1]).any()
    page = run.report.read_text(encoding="utf-8")
    assert "What the training saw" in page and page.count('class="views"') == 3


def test_nothing_is_shown_without_augmentation(
    digit_folder: Path, store: str, tmp_path: Path, seen: list[Any], training_returned: None
) -> None:
    more: dict[str, Any] = {"baseline": False, "store": store, **small_data.SETTINGS}
    headstart.fit(digit_folder, small_data.LETTERS, freeze="last:1", epochs=2, out=tmp_path / "a", **more)
    headstart.fit(digit_folder, small_data.LETTERS, out=tmp_path / "b", **more)
    headstart.fit(
        digit_folder, small_data.LETTERS, freeze="last:1", views=3, epochs=2, out=tmp_path / "c", **more
    )
    assert [len(views) for views in seen] == [0, 0, 3] and len(seen[2][0].others) == 2
