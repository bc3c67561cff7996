"""The page of an adaptation as a reader meets it, in headless Chromium."""

from __future__ import annotations

import pytest

from small_adaptations import adapt_report, with_everything

from .reading import CONTRAST, Reader

pytestmark = pytest.mark.browser

ADAPTATIONS = {
    "positive": adapt_report,
    "no labels": lambda: adapt_report(scored=False),
    "everything": with_everything,
}


@pytest.mark.parametrize(("width", "scheme"), [(1240, "light"), (1240, "dark"), (390, "light")])
@pytest.mark.parametrize("name", ADAPTATIONS)
def test_page_of_an_adaptation(reader: Reader, name: str, width: int, scheme: str) -> None:
    page = reader.open(ADAPTATIONS[name](), width, scheme)
    assert page.locator("svg.cloud").count() == 2 and page.locator("svg.cloud").first.is_visible()
    inside = """(parts) => parts.every((part) => {
      const [a, b] = [part.getBoundingClientRect(), part.closest(".panel").getBoundingClientRect()];
      return a.left >= b.left - 1 && a.right <= b.right + 1 && a.top >= b.top && a.bottom <= b.bottom;
    })"""
    assert page.locator("svg.cloud, .mark, .believed .letter").evaluate_all(inside)
    assert page.evaluate(CONTRAST) == []  # opens all parts
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    reader.assert_quiet()


def test_the_picture_tells_domains_apart_without_colour(reader: Reader) -> None:
    page = reader.open(adapt_report())
    labels = page.locator("svg.cloud").evaluate_all(
        "(all) => all.map((one) => one.getAttribute('aria-label'))"
    )
    assert all("dots are books, crosses kitchen" in label for label in labels)
    ends = """(paths) => paths.map((path) => getComputedStyle(path).strokeLinecap)"""
    assert page.locator("svg.cloud .dots").evaluate_all(ends) == ["round", "round"]
    page.locator(".moves .draw").first.hover()
    assert "right before" in page.locator("#tip").inner_text()
