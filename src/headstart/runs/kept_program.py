"""Programs kept in the feature store without their weights: a network of the same structure is not traced again.

A trace takes seconds, and depends on the structure of a network and on the shapes of its inputs alone. What is kept is
the file that the trace gave, emptied of its weights; a later run fills in its own. The key says which networks are of
one structure: classes with their code, settings, names and shapes of tensors, versions of the libraries. Whether the
filled program agrees with the network is checked as for every other program, and it is traced anew if it does not.
"""

from __future__ import annotations

import contextlib
import hashlib
import inspect
import io
import json
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from headstart.errors import HeadstartError
from headstart.files import atomic_path, read_regular

if TYPE_CHECKING:
    from headstart.features import Store
    from headstart.features.key_folder import KeyFolder
    from headstart.runs.program_inputs import Inputs

MOST_BYTES = 500_000_000  # of a program without its weights; some megabytes are usual
_FILE = "program.zip"
_CONFIGS = ("data/weights/model_weights_config.json", "data/constants/model_constants_config.json")
_LIBRARIES = ("torch", "torchvision", "timm", "transformers")
_SETTING = (bool, int, float, str, type(None))


class KeptPrograms:
    """The programs in a feature store.

    Args:
        store: the store.
        name: of the network, for the list of `headstart cache`.
    """

    def __init__(self, store: Store, name: str) -> None:
        self._store, self._name = store, name

    def filled(self, module: nn.Module, inputs: Inputs) -> dict[str, bytes] | None:
        """The files of the program of a module's structure with the weights of the module; None if none is kept.

        Args:
            module: with the names that its trace has.
            inputs: what it takes.
        """
        tensors = _tensors(module)
        with self._folder(module, inputs, tensors) as folder:
            if folder is None:
                return None
            try:
                held = zipfile.ZipFile(io.BytesIO(read_regular(folder.path / _FILE, follow=False)))
                if sum(info.file_size for info in held.infolist()) > MOST_BYTES:
                    return None
                members = {info.filename: held.read(info) for info in held.infolist()}
                return {**members, **_weights(members, tensors)}
            except (OSError, zipfile.BadZipFile, zlib.error, ValueError, KeyError, TypeError, AttributeError):
                return None  # none yet, or a damaged one, which is replaced

    def keep(self, module: nn.Module, inputs: Inputs, members: Mapping[str, bytes]) -> None:
        """Keep a program that was traced and checked; a store that cannot be written keeps nothing.

        Args:
            module: that was traced.
            inputs: what it takes.
            members: the files of the program by name.
        """
        tensors = _tensors(module)
        with self._folder(module, inputs, tensors) as folder:
            if folder is None:
                return
            empty = dict.fromkeys(_weights(members, tensors), b"")
            with (
                contextlib.suppress(OSError, HeadstartError),
                atomic_path(folder.path / _FILE) as temporary,
                zipfile.ZipFile(temporary, "w") as kept,
            ):
                for name, content in {**members, **empty}.items():
                    kept.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)

    @contextlib.contextmanager
    def _folder(
        self, module: nn.Module, inputs: Inputs, tensors: Mapping[str, Tensor]
    ) -> Iterator[KeyFolder | None]:
        """The folder of a structure; None if the store cannot be used, or a tensor is not laid out row by row."""
        from headstart.features import Key

        if not all(tensor.is_contiguous() and tensor.device.type == "cpu" for tensor in tensors.values()):
            yield None
            return
        structure, shapes = _digest(_structure(module, tensors)), _digest(_shapes(inputs))
        try:
            folder = self._store.open(Key(structure, shapes, "program", (), "fp32", label=self._name))
        except HeadstartError:  # the run is written all the same
            yield None
            return
        with contextlib.closing(folder):
            yield folder


def _tensors(module: nn.Module) -> dict[str, Tensor]:
    """Every parameter and buffer by each of its names."""
    return {
        **dict(module.named_parameters(remove_duplicate=False)),
        **dict(module.named_buffers(remove_duplicate=False)),
    }


def _weights(members: Mapping[str, bytes], tensors: Mapping[str, Tensor]) -> dict[str, bytes]:
    """The files of a program that hold tensors of the module, with the module's own values.

    Constants that the trace made stay as they are. Two names of one file are tied weights, which must be equal.

    Raises:
        ValueError: they are not.
    """
    found: dict[str, bytes] = {}
    for config in _CONFIGS:
        for name, about in json.loads(members[config])["config"].items():
            if name not in tensors:
                continue
            file = f"{config.rpartition('/')[0]}/{about['path_name']}"
            content = tensors[name].detach().numpy().tobytes()
            if found.setdefault(file, content) != content:
                raise ValueError(f"{name} is no longer tied")
    return found


def _digest(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:32]


def _shapes(inputs: Inputs) -> list[Any]:
    axes = [{str(axis): spec for axis, spec in each.items()} for each in inputs.open_axes]
    return [[[list(each.shape), str(each.dtype)] for each in inputs.example], axes, list(inputs.names)]


def _structure(module: nn.Module, tensors: Mapping[str, Tensor]) -> list[Any]:
    """What a trace can depend on, beside the shapes of inputs."""
    parts = [
        [name, type(part).__qualname__, _code(type(part)), part.extra_repr(), _settings(part)]
        for name, part in module.named_modules()
    ]
    first_names: dict[int, str] = {}
    shapes = {
        name: [list(tensor.shape), str(tensor.dtype), first_names.setdefault(id(tensor), name)]
        for name, tensor in tensors.items()
    }
    return [parts, shapes, _versions()]


def _settings(part: nn.Module) -> dict[str, Any]:
    """The plain values that a module holds, and a configuration that it holds."""
    found: dict[str, Any] = {}
    for name, value in vars(part).items():
        if name.startswith("_"):
            continue
        values = value if isinstance(value, list | tuple) else (value,)
        if all(isinstance(each, _SETTING) for each in values):
            found[name] = repr(value)
        elif hasattr(value, "to_json_string"):  # of transformers
            found[name] = value.to_json_string()
    return found


def _code(kind: type[nn.Module]) -> str:
    """The digest of the file that a class stands in; its name alone where there is none."""
    try:
        return _file_digest(inspect.getfile(kind))
    except (OSError, TypeError):
        return f"{kind.__module__}.{kind.__qualname__}"


@cache
def _file_digest(path: str) -> str:
    return hashlib.sha256(read_regular(Path(path))).hexdigest()[:32]


@cache
def _versions() -> dict[str, str]:
    found: dict[str, str] = {}
    for name in _LIBRARIES:
        with contextlib.suppress(PackageNotFoundError):
            found[name] = version(name)
    return found
