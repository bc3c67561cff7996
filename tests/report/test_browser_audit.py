"""The page of an audit as a reader meets it, in headless Chromium."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from headstart.report import render
from small_audits import audit_report, with_everything

from .reading import CONTRAST, Reader

pytestmark = pytest.mark.browser

AUDITS = {
    "positive": audit_report,
    "negative": lambda: audit_report(outcome="negative", start=0.5),
    "everything": with_everything,
}


@pytest.mark.parametrize(
    ("width", "scheme"), [(1240, "light"), (1240, "dark"), (390, "light"), (360, "dark")]
)
@pytest.mark.parametrize("name", AUDITS)
def test_page_of_an_audit(reader: Reader, name: str, width: int, scheme: str) -> None:
    report = AUDITS[name]()
    page = reader.open(report, width, scheme)
    n_lines = len(report.audit.curves)
    assert page.locator(".learned .end").count() == n_lines and page.locator(".end").first.is_visible()
    assert page.locator(".keys").is_visible() == (
        width < 760
    )  # names stand beside the curves if there is room
    inside = """(parts) => parts.every((part) => {
      const [a, b] = [part.getBoundingClientRect(), part.closest(".panel").getBoundingClientRect()];
      return a.left >= b.left && a.right <= b.right && a.top >= b.top && a.bottom <= b.bottom;
    })"""
    assert page.locator(".learned .end, .learned .dot").evaluate_all(inside)
    apart = """(parts) => {
      const boxes = parts.map((part) => part.getBoundingClientRect()).sort((a, b) => a.top - b.top);
      return boxes.every((box, k) => !k || box.top >= boxes[k - 1].bottom - 1);
    }"""
    assert page.locator(".learned .end .letter").evaluate_all(apart)
    assert page.evaluate(CONTRAST) == []  # opens all parts
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    reader.assert_quiet()


def test_a_point_of_a_curve_says_its_numbers(reader: Reader) -> None:
    page = reader.open(audit_report())
    page.locator(".learned .dot.transfer").first.hover()
    assert page.locator("#tip").inner_text() == "transfer, 20 labels: 85.0% (79.0 to 91.0%), 5 seeds, 1.0 s"


def test_a_table_sorts_by_any_column(reader: Reader) -> None:
    page = reader.open(with_everything())
    page.locator("#curves summary").click()
    table = page.get_by_role("table", name="All points of the learning curves")
    column = """(rows, k) => rows.map((row) => row.cells[k].textContent)"""
    rows = table.locator("tbody tr")
    before = rows.evaluate_all(column, 2)
    heading = table.get_by_role("columnheader", name="Accuracy")
    heading.get_by_role("button").press("Enter")
    assert heading.get_attribute("aria-sort") == "ascending"
    assert rows.evaluate_all(column, 2) == sorted(before, key=lambda text: float(text[:-1]))
    heading.get_by_role("button").click()
    assert heading.get_attribute("aria-sort") == "descending"
    assert rows.evaluate_all(column, 2)[0] == max(before)
    table.get_by_role("columnheader", name="Method").get_by_role("button").click()
    assert heading.get_attribute("aria-sort") is None
    assert rows.evaluate_all(column, 0) == sorted(rows.evaluate_all(column, 0))
    reader.assert_quiet()


def test_what_is_no_number_comes_last_and_a_true_minus_is_one(reader: Reader) -> None:
    page = reader.open(audit_report(("classical", "majority"), outcome="negative", start=0.5))
    page.locator("#baselines summary").click()
    table = page.get_by_role("table", name="Differences from each baseline")
    button = table.get_by_role("columnheader", name="Transfer minus it").get_by_role("button")
    button.click()
    cells = table.locator("tbody tr").evaluate_all("(rows) => rows.map((row) => row.cells[3].textContent)")
    assert cells == ["−10.0"] * 5 + ["+4.0"] * 5


def test_an_audit_without_scripts(browser: Any, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text(render(audit_report()), encoding="utf-8")
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(path.as_uri())
    assert page.locator(".learned polyline").count() == 5 and page.locator(".learned .dot").first.is_visible()
    page.locator("#curves summary").click()
    assert page.get_by_role("columnheader", name="Accuracy").is_visible()
    assert page.get_by_role("cell", name="85.0%").first.is_visible()
