"""Python signatures made from declared options, for type checkers, editors, notebooks and scikit-learn."""

from __future__ import annotations

import functools
import inspect
import typing
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeVar

from pydantic import BaseModel

P = ParamSpec("P")
R = TypeVar("R")


def takes(options: Callable[P, BaseModel]) -> Callable[[Callable[..., R]], Callable[P, R]]:
    """Give a function of `**options` the parameters of a class of options.

    A type checker reads them from the class's constructor; help and notebooks from `__signature__`. The values are
    passed on by name and are not checked here.

    Args:
        options: the class, such as FitOptions.
    """

    def decorate(function: Callable[..., R]) -> Callable[P, R]:
        names = _positional(options)

        @functools.wraps(function)
        def call(*values: P.args, **named: P.kwargs) -> R:
            return function(**_by_name(function, names, values, named))

        call.__signature__ = signature_of(options, returns=_returned(function))  # type: ignore[attr-defined]
        return call

    return decorate


def constructed_from(
    options: Callable[P, BaseModel],
) -> Callable[[Callable[..., None]], Callable[Concatenate[Any, P], None]]:
    """The same for a constructor: `self` comes first, and values not given get their defaults.

    Args:
        options: the class, such as LearnOptions.
    """

    def decorate(function: Callable[..., None]) -> Callable[Concatenate[Any, P], None]:
        names, signature = _positional(options), signature_of(options)
        defaults = {name: parameter.default for name, parameter in signature.parameters.items()}

        @functools.wraps(function)
        def call(self: Any, /, *values: P.args, **named: P.kwargs) -> None:
            given = _by_name(function, names, values, named)
            for name in given.keys() - defaults.keys():
                raise TypeError(f"{type(self).__name__}() got an unexpected keyword argument '{name}'")
            function(self, **{**defaults, **given})

        own = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
        call.__signature__ = signature.replace(  # type: ignore[attr-defined]
            parameters=[own, *signature.parameters.values()]
        )
        return call

    return decorate


def signature_of(options: Any, returns: Any = inspect.Signature.empty) -> inspect.Signature:
    """The signature of a class of options: the fields that are not keyword-only first.

    Args:
        options: a pydantic model.
        returns: the annotation of what is returned.
    """
    types = typing.get_type_hints(options)
    positional = _positional(options)
    parameters = []
    for name in [*positional, *(name for name in options.model_fields if name not in positional)]:
        field = options.model_fields[name]
        kind = (
            inspect.Parameter.POSITIONAL_OR_KEYWORD if name in positional else inspect.Parameter.KEYWORD_ONLY
        )
        default = inspect.Parameter.empty if field.is_required() else field.default
        parameters.append(inspect.Parameter(name, kind, default=default, annotation=types[name]))
    return inspect.Signature(parameters, return_annotation=returns)


def _positional(options: Any) -> tuple[str, ...]:
    return tuple(name for name, field in options.model_fields.items() if field.kw_only is False)


def _returned(function: Callable[..., Any]) -> Any:
    return inspect.signature(function, eval_str=True).return_annotation


def _by_name(function: Any, names: tuple[str, ...], values: Any, named: Any) -> dict[str, Any]:
    """Positional values under their names, beside the named ones."""
    if len(values) > len(names):
        raise TypeError(
            f"{function.__qualname__}() takes {len(names)} positional arguments: {', '.join(names)}"
        )
    given = dict(zip(names, values))
    for name in given.keys() & named.keys():
        raise TypeError(f"{function.__qualname__}() got multiple values for argument '{name}'")
    return {**given, **named}
