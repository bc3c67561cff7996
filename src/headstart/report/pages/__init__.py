"""The pages: one module per kind of run. To add one, write the module and name it here.

A module has two functions, for the data class that its procedure hands over (which has a `record`):

    page(report) -> Page                          what report.html shows
    end_block(report, width, has_report) -> str   the text that ends the command
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from types import ModuleType

PAGES: Mapping[str, str] = {"fit": "headstart.report.pages.fit"}


def page_module(kind: str) -> ModuleType:
    """The module of a kind of run."""
    return importlib.import_module(PAGES[kind])
