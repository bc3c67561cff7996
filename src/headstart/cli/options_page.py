"""Writes docs/options.md from the declared options: `python -m headstart.cli.options_page`."""

from __future__ import annotations

import inspect
import typing
from pathlib import Path
from typing import Any, Literal

from pydantic.fields import FieldInfo

from headstart.adapting.options import AdaptOptions
from headstart.auditing.options import AuditOptions
from headstart.calibrating.options import CalibrateOptions
from headstart.cli.fit import fit
from headstart.data.in_memory_data import DataInMemory
from headstart.evaluating.options import EvaluateOptions
from headstart.explaining.options import ExplainOptions
from headstart.fitting.options import FitOptions, LearnOptions
from headstart.fitting.shared_options import GROUPS, Options, default_words, flag_of, shown
from headstart.ranking.options import RankOptions

_INTRODUCTION = """# Options of fit, rank, audit, adapt, evaluate, calibrate and explain

Each option has one name: `--batch-size 8` on the command line is `batch_size=8` in `headstart.fit`, in the
estimators and in headstart.yaml; `--from`, `--to` and TARGET of adapt are `from_domain`, `to_domain` and `target_data`
there, since `from` is a word of Python. The last column says which of them the estimators take.

This page is made by `python -m headstart.cli.options_page` from src/headstart/fitting/options.py,
src/headstart/ranking/options.py, src/headstart/auditing/options.py, src/headstart/adapting/options.py,
src/headstart/fitting/labelled_options.py, src/headstart/evaluating/options.py,
src/headstart/calibrating/options.py and src/headstart/explaining/options.py.
"""
_OF_RANK = "`headstart rank DATA SOURCES...` and `headstart.rank` take {shared} of `fit`, and:"
_OF_AUDIT = (
    "`headstart audit DATA` and `headstart.audit` take {shared} of `fit`, the command also `--resume`, `--json` and "
    "`--quiet`, and:"
)
_OF_ADAPT = (
    "`headstart adapt DATA [TARGET]` and `headstart.adapt` take {shared} of `fit`, the command also `--resume`, "
    "`--json` and `--quiet`, and:"
)
_OF_EVALUATE = (
    "`headstart evaluate RUN DATA` and `headstart.evaluate` take {shared} of `fit`, the command also `--json` and "
    "`--quiet`, and:"
)
_OF_CALIBRATE = (
    "`headstart calibrate RUN DATA` and `headstart.calibrate` take {shared} of `fit`, the command also `--json` and "
    "`--quiet`, and:"
)
_OF_EXPLAIN = (
    "`headstart explain RUN ITEMS` and `headstart.explain` take {shared} of `fit`, the command also `--json` and "
    "`--quiet`, and:"
)


def page() -> str:
    """The content of docs/options.md."""
    types = typing.get_type_hints(FitOptions)
    blocks = [_INTRODUCTION]
    for group in GROUPS:
        rows: list[tuple[str, ...]] = [
            (
                f"`{_flag(name, field)}`",
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
    blocks.append("## Of rank\n\n" + _of_verb(RankOptions, _OF_RANK))
    blocks.append("## Of audit\n\n" + _of_verb(AuditOptions, _OF_AUDIT))
    blocks.append("## Of adapt\n\n" + _of_verb(AdaptOptions, _OF_ADAPT))
    blocks.append("## Of evaluate\n\n" + _of_verb(EvaluateOptions, _OF_EVALUATE))
    blocks.append("## Of calibrate\n\n" + _of_verb(CalibrateOptions, _OF_CALIBRATE))
    blocks.append("## Of explain\n\n" + _of_verb(ExplainOptions, _OF_EXPLAIN))
    return "\n".join(blocks)


def _of_verb(options: type[Options], words: str) -> str:
    """What another verb shares with fit, and one row per option of its own."""
    types, fields = typing.get_type_hints(options), options.model_fields
    own = [name for name in fields if not _is_of_fit(name, fields[name])]
    shared = ", ".join(f"`{_flag(name, fields[name])}`" for name in fields if name not in own)
    rows: list[tuple[str, ...]] = [
        (
            f"`{_flag(name, fields[name])}`",
            _kind(types[name]),
            default_words(fields[name]),
            fields[name].description or "",
        )
        for name in own
    ]
    return f"{words.format(shared=shared)}\n\n" + _table(("option", "value", "default", "what it does"), rows)


def _is_of_fit(name: str, field: FieldInfo) -> bool:
    """Whether fit has the option too, with the same words and the same default."""
    fit_field = FitOptions.model_fields.get(name)
    return fit_field is not None and (fit_field.description, fit_field.default) == (
        field.description,
        field.default,
    )


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


def _flag(name: str, field: FieldInfo) -> str:
    if shown(field).is_argument or (field.kw_only is False and (field.is_required() or field.default == ())):
        return shown(field).metavar if shown(field).is_argument else name.upper()
    flag = flag_of(name, field)
    return f"{flag}, --no-{flag[2:]}" if field.default is True else flag


def _kind(annotation: Any) -> str:
    """A type in words: "a number", "a path"."""
    if typing.get_origin(annotation) is Literal:
        return ", ".join(f"`{value}`" for value in typing.get_args(annotation))
    if typing.get_origin(annotation) is tuple:
        return "texts"
    words = {str: "text", Path: "a path", int: "a whole number", float: "a number", bool: "yes or no"}
    words[Any] = "a path, or a list of items"
    words[DataInMemory] = "a data set in memory"
    if annotation in words:
        return words[annotation]
    kinds = [kind for kind in typing.get_args(annotation) if kind is not type(None)]
    return " or ".join(_kind(kind) for kind in kinds)


if __name__ == "__main__":
    Path("docs/options.md").write_text(page(), encoding="utf-8")
