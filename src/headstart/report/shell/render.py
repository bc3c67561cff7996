"""A page as one HTML file that opens offline and sends no request.

The page contains its own script and style; a content security policy allows only that script, by its digest,
and blocks every request. Everything from the data is escaped by jinja2, and control characters in it are shown.
"""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from headstart.progress import printable
from headstart.report.shell.page import Page

if TYPE_CHECKING:
    from jinja2 import Environment


def render_page(page: Page) -> str:
    """Make a whole HTML document; the same page gives the same text."""
    from markupsafe import Markup

    script, style = _text("report.js"), _text("report.css")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
    document: str = (
        environment()
        .get_template("shell/base.html.j2")
        .render(page=page, script=Markup(script), style=Markup(style), script_digest=digest)
    )
    return document


@cache
def environment() -> Environment:
    """The templates of the shell and of all pages."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("headstart.report", "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        finalize=_visible,
    )
    environment.filters.update(percent=_percent, code=_code, breakable=_breakable, sentence=_sentence)
    return environment


def _visible(value: Any) -> Any:
    """What jinja2 is about to escape, with control characters of names shown as escapes such as \\x1b."""
    from markupsafe import Markup

    return printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _percent(share: Any) -> str:
    return "n/a" if share is None else f"{100 * share:.0f}%"


def _code(text: str) -> str:
    """The text escaped, with text between backticks as code."""
    from markupsafe import Markup, escape

    text = printable(text)
    pieces = [escape(piece) for piece in text.split("`")]
    if len(pieces) % 2 == 0:
        return escape(text)
    return Markup("").join(
        Markup("<code>") + piece + Markup("</code>") if place % 2 else piece
        for place, piece in enumerate(pieces)
    )


def _breakable(name: str) -> str:
    """A long name that may be broken after its separators."""
    from markupsafe import Markup, escape

    pieces = re.findall(r"[^/_.:+-]*[/_.:+-]|[^/_.:+-]+", printable(name))
    return Markup("<wbr>").join(escape(piece) for piece in pieces)


def _sentence(text: str) -> str:
    """The text with a capital letter first; the rest stays as it is."""
    return text[:1].upper() + text[1:]


@cache
def _text(name: str) -> str:
    return (
        resources.files("headstart.report").joinpath("templates", "shell", name).read_text(encoding="utf-8")
    )
