"""Options of the command line: those of a verb made from their declarations, and those that commands share."""

from __future__ import annotations

import inspect
import json
import typing
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic.fields import FieldInfo

from headstart.fitting.options import FitOptions
from headstart.fitting.shared_options import GROUPS, default_words, flag_of, shown
from headstart.progress import printable

Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="Print no progress and no notes; errors are still printed.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON on standard output.")]
Finished = Annotated[Path, typer.Argument(help="A finished run.", metavar="RUN")]


def print_result(found: Any, as_json: bool) -> None:
    """Print the result of a verb on standard output.

    Args:
        found: has `path`, the run's folder (None: no run was made), `metrics`, the content of metrics.json, and
            `summary`, plain text.
        as_json: whether folder and metrics are printed.
    """
    if as_json:
        print(json.dumps({"run": found.path and str(found.path), **found.metrics}, indent=2), flush=True)
    else:
        print(printable(found.summary), flush=True)


def help_of(field: FieldInfo) -> str:
    """The help text of an option, with its default."""
    default = default_words(field)
    return f"{field.description}{f' [default: {default}]' if default else ''}"


_fit = FitOptions.model_fields
Threads = Annotated[int | None, typer.Option(help=help_of(_fit["threads"]), metavar="NUMBER")]
FollowOutside = Annotated[bool, typer.Option("--follow-outside", help=help_of(_fit["follow_outside"]))]
Text = Annotated[str | None, typer.Option(help=_fit["text"].description, metavar="COLUMNS")]
Store = Annotated[str | None, typer.Option(help=help_of(_fit["store"]), metavar=shown(_fit["store"]).metavar)]


def with_options(options: Any) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Put declared options before the parameters of a command that takes them as `**given`.

    Each is None if it is not given, so that only given options override a configuration.

    Args:
        options: the class that declares them, such as FitOptions.
    """
    declared = sorted(options.model_fields.items(), key=lambda item: GROUPS.index(shown(item[1]).group))
    types = typing.get_type_hints(options)
    made = [_parameter(name, field, types[name]) for name, field in declared]

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        own = inspect.signature(command, eval_str=True).parameters.values()
        named = [each for each in own if each.kind is not inspect.Parameter.VAR_KEYWORD]
        command.__signature__ = inspect.Signature([*made, *named])  # type: ignore[attr-defined]
        return command

    return decorate


def _parameter(name: str, field: FieldInfo, annotation: Any) -> inspect.Parameter:
    kinds = typing.get_args(annotation) or (annotation,)
    kind: Any = bool if bool in kinds else int if int in kinds else str
    if typing.get_origin(annotation) is tuple:
        kind = list[str]
    flag = flag_of(name, field)
    described: dict[str, Any] = {"help": help_of(field)}
    if kind is not bool:
        described["metavar"] = shown(field).metavar or ("NUMBER" if kind is int else name.upper())
    is_first = field.kw_only is False and (field.is_required() or kind == list[str])
    if is_first or shown(field).is_argument:
        info: Any = typer.Argument(**described)
    elif kind is bool:
        info = typer.Option(f"{flag}/--no-{flag[2:]}" if field.default else flag, **described)
    else:
        info = typer.Option(flag, **described)
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind | None, info]
    )
