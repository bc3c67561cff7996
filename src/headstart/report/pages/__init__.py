"""The pages: one module (or package) per kind of run, which has the kind's name. To add a page, write its module.

A module has two functions, for the data class that its procedure passes (which has a `record`):

    page(report) -> Page                          what report.html shows
    end_block(report, width, has_report) -> str   the text that ends the command
"""

from __future__ import annotations

import importlib
from types import ModuleType


def page_module(kind: str) -> ModuleType:
    """The module of a kind of run, one of `run_kinds.RUN_KINDS`."""
    return importlib.import_module(f"headstart.report.pages.{kind}")
