"""The page as a reader meets it, in headless Chromium."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

import headstart
from headstart.report import render
from headstart.report.pages.fit import FitReport
from headstart.report.reported import Reported
from headstart.runs.run import Run
from small_audits import audit_report
from small_audits import with_everything as audit_with_everything
from small_rankings import ranking_report, with_everything

from .test_render import hostile

pytestmark = pytest.mark.browser
NAMES = ["image", "text", "audio", "many"]
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
FLAGS += ["--disable-component-update", "--disable-sync"]

CONTRAST = """() => {
  const context = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    context.clearRect(0, 0, 1, 1); context.fillStyle = colour; context.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = context.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = (top, below) => [0, 1, 2].map((k) => top[k] * top[3] + below[k] * (1 - top[3])).concat(1);
  const ground = (element) => {
    if (!element) return [255, 255, 255, 1];
    const own = rgba(getComputedStyle(element).backgroundColor);
    return own[3] >= 0.999 ? own : over(own, ground(element.parentElement));
  };
  const light = (c) => [0, 1, 2].map((k) => c[k] / 255)
    .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, k) => sum + v * [0.2126, 0.7152, 0.0722][k], 0);
  document.querySelectorAll("details").forEach((part) => { part.open = true; });
  const low = [];
  for (const element of document.querySelectorAll("body *")) {
    const words = [...element.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (!words || !element.checkVisibility() || element.closest("script, style")) continue;
    const style = getComputedStyle(element);
    const back = ground(element);
    const [a, b] = [light(over(rgba(style.color), back)), light(back)].sort((x, y) => y - x);
    const size = parseFloat(style.fontSize);
    const need = size >= 24 || (size >= 18.66 && +style.fontWeight >= 700) ? 3 : 4.5;
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < need) low.push(`${element.className || element.tagName}: ${ratio.toFixed(2)}`);
  }
  return low;
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not path:
        pytest.skip("Chromium is not installed here (Debian: apt-get install chromium)")
    api = pytest.importorskip(
        "playwright.sync_api", reason="playwright is not installed: pip install playwright"
    )
    with api.sync_playwright() as driver:
        found = driver.chromium.launch(executable_path=path, args=FLAGS)
        yield found
        found.close()


class Reader:
    """Opens pages and keeps what went wrong in them."""

    def __init__(self, browser: Any, folder: Path):
        self.browser, self.folder = browser, folder
        self.faults: list[str] = []
        self.requests: list[str] = []

    def open(self, report: Reported, width: int = 1240, scheme: str = "light") -> Any:
        path = self.folder / "report.html"
        path.write_text(render(report), encoding="utf-8")
        return self.show(path, width, scheme)

    def show(self, path: Path, width: int = 1240, scheme: str = "light") -> Any:
        page = self.browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        page.on("console", lambda m: self.faults.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))
        page.goto(path.as_uri())
        page.wait_for_load_state("load")
        return page

    def assert_quiet(self) -> None:
        assert self.faults == []
        assert [u[:80] for u in self.requests if not u.startswith(("file:", "data:", "blob:"))] == []


@pytest.fixture
def reader(browser: Any, tmp_path: Path) -> Iterator[Reader]:
    found = Reader(browser, tmp_path)
    yield found
    for context in browser.contexts:
        context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", NAMES)
def test_page_is_quiet_and_legible(
    reader: Reader, samples: dict[str, FitReport], name: str, scheme: str
) -> None:
    page = reader.open(samples[name], scheme=scheme)
    assert page.evaluate(CONTRAST) == []
    reader.assert_quiet()


@pytest.mark.parametrize("name", NAMES)
def test_phone_has_no_sideways_scroll(reader: Reader, samples: dict[str, FitReport], name: str) -> None:
    page = reader.open(samples[name], width=360)
    page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    reader.assert_quiet()


def test_reader_finds_what_is_needed(reader: Reader, samples: dict[str, FitReport]) -> None:
    page = reader.open(samples["image"])
    titles = ("Where it goes wrong", "The largest errors", "Calibration", "Depth profile", "Data")
    for title in (*titles, "Time and memory", "Reproduce", "Limits"):
        assert page.get_by_role("heading", name=title, exact=True).is_visible()
    said = page.locator("#result").inner_text()
    for words in (
        "headstart trained a linear head on",
        "95% interval",
        "Classical features",
        "Most frequent class",
    ):
        assert words in said
    assert "Transfer helped" in said and "looks different from the training part" in said
    assert page.locator("#worst img").count() == 12
    assert page.evaluate("[...document.images].every((i) => i.naturalWidth > 0)")
    assert page.get_by_role("table", name="Confusion matrix").is_visible()
    assert "headstart fit" in page.locator("#command").inner_text()


def test_other_modalities_show_their_own(reader: Reader, samples: dict[str, FitReport]) -> None:
    page = reader.open(samples["audio"])
    ready = "[...document.querySelectorAll('audio')].every((a) => a.readyState >= 1)"
    for _ in range(100):  # `wait_for_function` polls by `eval`, which the page forbids
        if page.evaluate(ready):
            break
        page.wait_for_timeout(50)
    assert page.evaluate(ready)
    assert page.locator("audio").count() == 7
    assert "Equal error rate" in page.locator("#result").inner_text()
    assert "The classical baseline cannot be told apart" in page.locator("#result").inner_text()
    page = reader.open(samples["text"])
    assert page.locator("#worst blockquote").count() == 10
    assert page.get_by_role("heading", name="Learning history").is_visible()
    assert "chosen" in page.locator("#candidates").inner_text()
    assert "trained at 8.1e-05" in page.locator("#stages").inner_text()
    reader.assert_quiet()


def test_keyboard_reaches_everything(reader: Reader, samples: dict[str, FitReport]) -> None:
    page = reader.open(samples["image"])
    seen = []
    for _ in range(60):
        page.keyboard.press("Tab")
        seen.append(page.evaluate("document.activeElement.id || document.activeElement.className"))
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
        if seen[-1] == "copy":
            break
    assert seen[:2] == ["skip", "theme"] and seen[-1] == "copy"


def test_toggle_and_copy(reader: Reader, samples: dict[str, FitReport]) -> None:
    page = reader.open(samples["image"])
    ground = "getComputedStyle(document.body).backgroundColor"
    before = page.evaluate(ground)
    page.locator("#theme").press("Enter")
    assert page.evaluate(ground) != before
    assert page.locator("#theme").get_attribute("aria-pressed") == "true"
    page.locator("#copy").press("Enter")
    page.locator("#copied", has_text="Command copied").wait_for()  # without `eval`, which the page forbids
    reader.assert_quiet()


def test_hostile_names_do_not_run(reader: Reader, samples: dict[str, FitReport]) -> None:
    page = reader.open(hostile(samples["text"]))
    assert page.title().endswith("headstart report")
    assert page.evaluate("document.scripts.length") == 1
    reader.assert_quiet()


RANKINGS = {
    "two": lambda: ranking_report(2),
    "no intervals": lambda: ranking_report(4, intervals=False),
    "everything": with_everything,
}


@pytest.mark.parametrize(
    ("width", "scheme"), [(1240, "light"), (1240, "dark"), (390, "light"), (360, "dark")]
)
@pytest.mark.parametrize("name", RANKINGS)
def test_page_of_a_ranking(reader: Reader, name: str, width: int, scheme: str) -> None:
    report = RANKINGS[name]()
    page = reader.open(report, width, scheme)
    assert page.evaluate(CONTRAST) == []  # opens all parts
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    rows = page.get_by_role("table", name="Sources and baselines").get_by_role("row")
    rows = rows.filter(has=page.get_by_role("rowheader"))
    assert rows.count() == len(report.ranking.ranked)
    assert rows.nth(0).locator(".track").is_visible()
    inside = """(rows) => rows.every((row) => [...row.querySelectorAll("th, td")].every((cell) => {
      const [a, b] = [cell.getBoundingClientRect(), row.getBoundingClientRect()];
      return cell.scrollWidth <= cell.clientWidth + 1 && a.left >= b.left - 1 && a.right <= b.right + 1;
    }))"""
    assert rows.evaluate_all(inside)
    page.locator("#next-copy").press("Enter")
    page.locator("#next-copied", has_text="Command copied").wait_for()
    reader.assert_quiet()


def test_a_ranking_without_scripts(browser: Any, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text(render(ranking_report(3)), encoding="utf-8")
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(path.as_uri())
    assert page.get_by_role("rowheader", name="network_2.of_some_training").first.is_visible()
    assert page.locator("#next-command").is_visible() and not page.locator("#next-copy").is_visible()
    page.locator("#depth summary").click()
    assert page.get_by_role("cell", name="blocks.5").first.is_visible()


AUDITS = {
    "positive": audit_report,
    "negative": lambda: audit_report(outcome="negative", start=0.5),
    "everything": audit_with_everything,
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
    page = reader.open(audit_with_everything())
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


@pytest.fixture(scope="module")
def real_run(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """60 film reviews and a sentence encoder, with every default but the threads."""
    folder = tmp_path_factory.mktemp("real")
    with (shared / "data/sst2/sst2.csv").open(newline="", encoding="utf-8") as file:
        rows = [row[:2] for row in islice(csv.reader(file), 61)]
    with (folder / "reviews.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    source = str(shared / "weights/all-MiniLM-L6-v2")
    return headstart.fit(
        folder / "reviews.csv", source, out=folder / "run", store=str(folder / "store"), threads=1
    )


@pytest.mark.real
@pytest.mark.parametrize(("width", "scheme"), [(1240, "light"), (360, "dark")])
def test_page_of_a_real_run(reader: Reader, real_run: Run, width: int, scheme: str) -> None:
    page = reader.show(real_run.report, width, scheme)
    titles = ("Where it goes wrong", "The largest errors", "Calibration", "Depth profile", "Data")
    for title in (*titles, "Time and memory", "Reproduce", "Limits"):
        assert page.get_by_role("heading", name=title, exact=True).is_visible()
    result = page.locator("#result").inner_text()
    assert "all-MiniLM-L6-v2" in result and "95% interval" in result
    for metrics in (real_run.metrics["test"], *real_run.metrics["baselines"].values()):
        assert f"{100 * metrics['accuracy']['value']:.1f}" in result
    n_wrong = page.locator("#worst blockquote").count()
    table = page.get_by_role("table", name="Confusion matrix")
    assert table.is_visible() and "positive" in table.inner_text()
    assert 0 < n_wrong <= real_run.metrics["n_test"]
    assert "headstart fit" in page.locator("#command").inner_text()
    assert page.evaluate(CONTRAST) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    reader.assert_quiet()
