"""Writes docs/options.md from the declared options: `python -m headstart.cli.options_page`."""

from __future__ import annotations

import inspect
import typing
from pathlib import Path
from typing import Any, Literal

from headstart.cli.fit import fit
from headstart.fitting.options import GROUPS, FitOptions, LearnOptions, default_words, shown

_INTRODUCTION = """# Options of fit

Each option has one name everywhere: `--batch-size 8` on the command line is `batch_size=8` in `headstart.fit`, in the
estimators and in headstart.yaml. The last column says which of them the estimators take.

This page is made by `python -m headstart.cli.options_page` from src/headstart/fitting/options.py.
"""


def page() -> str:
    """The content of docs/options.md."""
    types = typing.get_type_hints(FitOptions)
    blocks = [_INTRODUCTION]
    for group in GROUPS:
        rows: list[tuple[str, ...]] = [
            (
                f"`{_flag(name)}`",
                _kind(types[name]),
                "required" if field.is_required() else default_words(field),
                field.description or "",
                "yes" if name in LearnOptions.model_fields else "",
            )
            for name, field in FitOptions.model_fields.items()
            if shown(field).group == group
        ]
        blocks.append(
            f"## {group}\n\n" + _table(("option", "value", "default", "what it does", "estimators"), rows)
        )
    blocks.append("## Of the command alone\n\n" + _table(("option", "value", "what it does"), _of_command()))
    return "\n".join(blocks)


def _of_command() -> list[tuple[str, ...]]:
    """One row per option that only the command has."""
    rows: list[tuple[str, ...]] = []
    for name, parameter in inspect.signature(fit).parameters.items():
        if name not in FitOptions.model_fields:
            kind, option = typing.get_args(parameter.annotation)
            flags = [flag for flag in (option.default, *(option.param_decls or ())) if isinstance(flag, str)]
            named = ", ".join(f"`{flag}`" for flag in flags) or f"`--{name}`"
            rows.append((named, _kind(kind), str(option.help)))
    return rows


def _table(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [heads, ("---",) * len(heads), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


def _flag(name: str) -> str:
    default = FitOptions.model_fields[name].default
    if FitOptions.model_fields[name].is_required():
        return name.upper()
    flag = name.replace("_", "-")
    return f"--{flag}, --no-{flag}" if default is True else f"--{flag}"


def _kind(annotation: Any) -> str:
    """A type in words: "a number", "a path"."""
    if typing.get_origin(annotation) is Literal:
        return ", ".join(f"`{value}`" for value in typing.get_args(annotation))
    words = {str: "text", Path: "a path", int: "a whole number", float: "a number", bool: "yes or no"}
    if annotation in words:
        return words[annotation]
    kinds = [kind for kind in typing.get_args(annotation) if kind is not type(None)]
    return " or ".join(_kind(kind) for kind in kinds)


if __name__ == "__main__":
    Path("docs/options.md").write_text(page(), encoding="utf-8")
