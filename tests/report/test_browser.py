"""The page as a reader meets it, in headless Chromium."""

from __future__ import annotations

import csv
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

import headstart
from headstart.report import render
from headstart.report.pages.fit import FitReport
from headstart.runs.run import Run
from small_rankings import ranking_report, with_everything

from .reading import CONTRAST, Reader
from .test_render import hostile

pytestmark = pytest.mark.browser
NAMES = ["image", "text", "audio", "many"]


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
    assert page.locator("#theme").inner_text() == "Light"
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
