"""The user's own class: `--arch FILE:Class` or `module:Class`. Only the file that the user names is run."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import inspect
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from torch import nn

from headstart.data.examples import Modality
from headstart.errors import SourceError, did_you_mean

_INPUT_WORDS: Mapping[Modality, tuple[str, ...]] = {
    "image": ("pixels", "pixel_values", "image", "images", "x"),
    "text": ("input_ids", "tokens", "ids"),
    "audio": ("waveform", "waveforms", "audio", "input_values", "samples"),
}


def own_class(arch: str) -> type[nn.Module]:
    """Return the class that `--arch FILE:Class` or `module:Class` names; the file is run.

    Raises:
        SourceError: no such file, module or class.
    """
    place, _, name = arch.rpartition(":")
    if not place or not name:
        raise SourceError(f"--arch must be FILE:Class or module:Class, got '{arch}'.")
    module = _module_of_file(Path(place)) if place.endswith(".py") else _module_named(place)
    found = getattr(module, name, None)
    if not (isinstance(found, type) and issubclass(found, nn.Module)):
        classes = [
            key
            for key, value in vars(module).items()
            if isinstance(value, type) and issubclass(value, nn.Module)
        ]
        near = did_you_mean(name, classes) or (f" It has {', '.join(classes)}." if classes else "")
        raise SourceError(f"{place} has no network class '{name}'.{near}")
    return found


def own_file(arch: str | None) -> str | None:
    """Return the absolute path of the file that `--arch FILE:Class` names; None if it names no file."""
    place = Path((arch or "").rpartition(":")[0])
    return str(place.resolve()) if place.is_file() else None


def modality_of_class(own: type[nn.Module], arch: str, of_data: Modality | None = None) -> Modality:
    """Return the modality that a class's attributes name, else the data's, else that of its first input.

    Raises:
        SourceError: none can be found.
    """
    named = getattr(own, "modality", None)
    if named in ("image", "text", "audio"):
        return cast(Modality, named)
    if hasattr(own, "sampling_rate"):
        return "audio"
    if of_data is not None:
        return of_data
    names = [name for name in inspect.signature(own.forward).parameters if name != "self"]
    first = names[0] if names else ""
    for modality, words in _INPUT_WORDS.items():
        if first in words:
            return modality
    raise SourceError(
        f'{arch} does not name its modality: give the class `modality = "image"` (or "text", "audio"), '
        "or name its first input pixels, input_ids or waveform."
    )


def _module_of_file(path: Path) -> Any:
    if not path.is_file():
        raise SourceError(f"--arch names {path}, which does not exist.")
    name = f"_headstart_arch_{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:12]}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise SourceError(f"{path} is not a Python file.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and pickles look their module up
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise SourceError(f"{path} cannot be run: {type(error).__name__}: {error}") from error
    return module


def _module_named(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except Exception as error:  # the module may raise any error when it is run
        raise SourceError(
            f"--arch names the module {name}, which cannot be imported: {type(error).__name__}: {error}"
        ) from error
