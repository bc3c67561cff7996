"""The report of a run: one HTML file that opens offline, and the block of text that ends a command.

`shell` draws any page, whatever the kind of run; `pages` has one module per kind, `charts` the drawings.
"""

from __future__ import annotations

from typing import Any

from headstart.report.pages import page_module
from headstart.report.shell import render_page


def render(report: Any) -> str:
    """Make report.html of a run; the same report gives the same text.

    Args:
        report: what the page of the run's kind takes, such as `pages.fit.FitReport`.

    Returns:
        A whole HTML document.
    """
    return render_page(page_module(report.record.kind).page(report))


def end_block(report: Any, **options: Any) -> str:
    """Write the text that ends a command; options are those of the kind's own `end_block`."""
    text: str = page_module(report.record.kind).end_block(report, **options)
    return text


__all__ = ["end_block", "render"]
