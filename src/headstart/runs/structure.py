"""What the trace of a network can depend on, as a digest: only of networks whose code is that of installed libraries.

A network with code of the user's own has none: that code, or what it imports, can change without a trace of it in the
network. Neither has one that holds an object of which it is not known how it takes part.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import inspect
import json
import types
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

_LIBRARIES = ("torch", "torchvision", "timm", "transformers", "headstart")
_PLAIN = (bool, int, float, str, bytes, type(None), torch.dtype, torch.device)
_OWN_NAMES = frozenset(vars(nn.Module()))  # parameters, buffers, hooks, ...: seen elsewhere


class Unknown(Exception):
    """The network has no digest of its structure; the text says why."""


def structure_of(module: nn.Module, tensors: Mapping[str, Tensor]) -> str:
    """The digest of a network's structure, without the values of its weights.

    Args:
        module: the network.
        tensors: its parameters and buffers by every name of each.

    Raises:
        Unknown: it has code of others than the libraries, or holds an object that is not known.
    """
    first_names: dict[int, str] = {}
    try:
        parts = [
            [name, _code(type(part)), part.extra_repr(), _settings(part)]
            for name, part in module.named_modules()
        ]
    except RecursionError:
        raise Unknown("it holds something that holds itself") from None
    shapes = {
        name: [list(tensor.shape), str(tensor.dtype), first_names.setdefault(id(tensor), name)]
        for name, tensor in tensors.items()
    }
    return digest_of([parts, shapes, _versions()])


def digest_of(content: Any) -> str:
    """The digest of something that JSON can hold.

    Args:
        content: lists, mappings, texts and numbers.
    """
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:32]


def _settings(part: nn.Module) -> dict[str, Any]:
    """What a module holds beside parameters, buffers and modules."""
    held = {name: value for name, value in vars(part).items() if name not in _OWN_NAMES}
    hooks = [part._forward_hooks, part._forward_pre_hooks]
    return {"holds": _known(held), "hooks": _known([list(each.values()) for each in hooks])}


def _known(value: Any) -> Any:
    """A value as something that JSON can hold.

    Raises:
        Unknown: it is not known how it takes part.
    """
    if isinstance(value, _PLAIN):
        return [type(value).__name__, repr(value)]
    if isinstance(value, Tensor | np.ndarray):
        array = value.detach().cpu().numpy() if isinstance(value, Tensor) else value
        return ["array", list(array.shape), str(array.dtype), hashlib.sha256(array.tobytes()).hexdigest()]
    if isinstance(value, Mapping):
        return ["mapping", [[_known(key), _known(each)] for key, each in value.items()]]
    if isinstance(value, list | tuple):
        return ["list", [_known(each) for each in value]]
    if isinstance(value, set | frozenset):
        return ["set", sorted(json.dumps(_known(each)) for each in value)]
    if isinstance(value, functools.partial):
        return ["partial", _known(value.func), _known(value.args), _known(value.keywords)]
    if isinstance(value, types.MethodType):
        return ["method", _code(value.__func__), _code(type(value.__self__))]
    if isinstance(value, type | types.FunctionType | types.BuiltinFunctionType):
        return ["code", _code(value)]
    if isinstance(value, nn.Module):  # one that is no part of the network, but is used by it
        return ["module", _code(type(value)), value.extra_repr(), _settings(value)]
    if hasattr(value, "to_json_string"):  # a configuration of transformers
        return ["configuration", _code(type(value)), value.to_json_string()]
    kind = type(value)
    if kind.__module__.startswith("headstart.") and not getattr(kind, "__slots__", ()):  # such as a task
        return ["object", _code(kind), _known(vars(value))]
    raise Unknown(f"it holds a {kind.__qualname__}")


def _code(made: type | Callable[..., Any]) -> str:
    """The name of a class or function of a library; with the digest of its file if it is headstart's own.

    Raises:
        Unknown: it is not of a library.
    """
    module = getattr(made, "__module__", None) or "torch"  # a builtin function of torch names no module
    top = module.partition(".")[0]
    name = f"{module}.{getattr(made, '__qualname__', type(made).__qualname__)}"
    if top not in (*_LIBRARIES, "builtins", "math", "_operator") or "<lambda>" in name or "<locals>" in name:
        raise Unknown(f"{name} is not of a library")
    if top != "headstart":
        return name
    with contextlib.suppress(OSError, TypeError):
        return f"{name} {hashlib.sha256(Path(inspect.getfile(made)).read_bytes()).hexdigest()[:32]}"
    raise Unknown(f"the code of {name} cannot be read")


def _versions() -> dict[str, str]:
    found: dict[str, str] = {}
    for name in _LIBRARIES:
        with contextlib.suppress(PackageNotFoundError):
            found[name] = version(name)
    return found
