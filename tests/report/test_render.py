"""The page's text: self-contained, escaped, of a bearable size."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from headstart.report import Notice, ReportContext, WrongItem, render
from headstart.runs import SplitPart

HOSTILE = "<script>document.title='run'</script>"
BREAKING = '"><img src=x onerror="document.title=\'run\'">'


def hostile(context: ReportContext) -> ReportContext:
    """The run with hostile text in every place that the data or the user can write to."""
    item = WrongItem(BREAKING, HOSTILE, BREAKING, 0.9, "text", HOSTILE, 0.1)
    trap = WrongItem(HOSTILE, "a", "b", 0.9, "image", "javascript:document.title='run'")
    finding = replace(context.findings[0], message=HOSTILE, items=(BREAKING,)) if context.findings else None
    return replace(
        context,
        run=BREAKING,
        source=HOSTILE,
        target=BREAKING,
        group=HOSTILE,
        classes=(HOSTILE, BREAKING, *context.classes[2:]),
        wrong=(item, trap),
        findings=(finding,) if finding else (),
        parts=(SplitPart(HOSTILE, 3, 1, {BREAKING: 3}),),
        notices=(Notice("warning", HOSTILE, f"`{HOSTILE}` and {BREAKING}"),),
        limits=(f"`{BREAKING}`",),
        command=HOSTILE,
        split_origin=BREAKING,
        provenance={HOSTILE: BREAKING},
        environment={BREAKING: HOSTILE},
    )


@pytest.mark.parametrize("name", ["image", "text", "audio", "many"])
def test_page_is_one_file_of_bearable_size(samples: dict[str, ReportContext], name: str) -> None:
    page = render(samples[name])
    assert len(page.encode()) < 600_000
    assert not re.search(r'(?:src|href|action|poster)="(?!data:|#)', page)
    assert "@import" not in page and "url(" not in page
    assert page == render(samples[name])


@pytest.mark.parametrize("name", ["image", "text", "audio", "many"])
def test_nothing_of_the_data_becomes_markup(samples: dict[str, ReportContext], name: str) -> None:
    page = render(hostile(samples[name]))
    assert page.count("<script") == 1
    assert "<img src=x" not in page and "javascript:" not in page


def test_a_bare_context_renders() -> None:
    page = render(ReportContext(run="runs/a", source="hf:a/b", modality="text", metrics={}))
    assert "headstart trained a linear head on" in page and 'id="calibration"' not in page


def test_relative_gradient_norms_stand_beside_the_stages(samples: dict[str, ReportContext]) -> None:
    context = samples["text"]
    assert "Relative gradient norm" not in render(context)
    norms = {"stages": {"layer.4": 0.0123456, "layer.5": None}, "chosen": "layer.4", "notes": ["A doubt."]}
    page = render(replace(context, metrics={**context.metrics, "relative_gradient_norms": norms}))
    assert "Relative gradient norm" in page and '<td class="n">0.0123</td>' in page and "A doubt." in page


def test_regression_leads_with_r2() -> None:
    test = {"r2": {"value": 0.71, "low": 0.6, "high": 0.8}, "rmse": {"value": 3.2, "low": 3, "high": 3.4}}
    page = render(ReportContext(run="r", source="hf:a/b", modality="text", metrics={"test": test}))
    assert "0.710" in page and "RMSE" in page


def test_backticks_become_code_and_odd_ones_stay(samples: dict[str, ReportContext]) -> None:
    page = render(replace(samples["text"], limits=("run `a < b` now", "one ` alone")))
    assert "run <code>a &lt; b</code> now" in page and "one ` alone" in page
