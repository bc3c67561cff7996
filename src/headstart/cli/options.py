"""Options of the command line: those of `fit` made from their declarations, and those that commands share."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic.fields import FieldInfo

from headstart.fitting.options import GROUPS, FitOptions, default_words, shown

Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="Print no progress and no notes; errors are still printed.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON on standard output.")]
Finished = Annotated[Path, typer.Argument(help="A finished run.")]


def help_of(name: str) -> str:
    """The help text of an option of `fit`, with its default."""
    field = FitOptions.model_fields[name]
    default = default_words(field)
    return f"{field.description}{f' [default: {default}]' if default else ''}"


Threads = Annotated[int | None, typer.Option(help=help_of("threads"))]
FollowOutside = Annotated[bool, typer.Option("--follow-outside", help=help_of("follow_outside"))]
Store = Annotated[
    str | None, typer.Option(help=help_of("store"), metavar=shown(FitOptions.model_fields["store"]).metavar)
]


def with_fit_options(command: Callable[..., None]) -> Callable[..., None]:
    """Put the options of FitOptions before the parameters of a command that takes them as `**given`.

    Each is None if it is not given, so that only given options override a configuration.
    """
    own = inspect.signature(command, eval_str=True).parameters.values()
    declared = sorted(FitOptions.model_fields.items(), key=lambda item: GROUPS.index(shown(item[1]).group))
    types = typing.get_type_hints(FitOptions)
    made = [_parameter(name, field, types[name]) for name, field in declared]
    named = [each for each in own if each.kind is not inspect.Parameter.VAR_KEYWORD]
    command.__signature__ = inspect.Signature([*made, *named])  # type: ignore[attr-defined]
    return command


def _parameter(name: str, field: FieldInfo, annotation: Any) -> inspect.Parameter:
    described: dict[str, Any] = {"help": help_of(name)}
    if shown(field).metavar:
        described["metavar"] = shown(field).metavar
    kinds = typing.get_args(annotation) or (annotation,)
    kind = bool if bool in kinds else int if int in kinds else str
    flag = f"--{name.replace('_', '-')}"
    if field.is_required():
        info: Any = typer.Argument(**described)
    elif kind is bool:
        info = typer.Option(f"{flag}/--no-{flag[2:]}" if field.default else flag, **described)
    else:
        info = typer.Option(flag, **described)
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind | None, info]
    )
