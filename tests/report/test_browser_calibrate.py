"""The page of a calibration as a reader meets it, in headless Chromium."""

from __future__ import annotations

import pytest

from small_calibrations import calibrate_report

from .reading import CONTRAST, Reader

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("width", "scheme"), [(1240, "light"), (1240, "dark"), (390, "light")])
@pytest.mark.parametrize("task", ["classification", "multilabel"])
def test_page_of_a_calibration(reader: Reader, task: str, width: int, scheme: str) -> None:
    page = reader.open(calibrate_report(task), width, scheme)
    plots = page.locator(".plot.square")
    assert plots.count() == 2 and plots.first.is_visible()
    tops = [box["y"] for box in (plots.nth(place).bounding_box() for place in (0, 1))]
    assert (abs(tops[0] - tops[1]) < 1) == (width > 390)  # side by side, or one below the other
    assert page.evaluate(CONTRAST) == []  # opens all parts
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    reader.assert_quiet()
