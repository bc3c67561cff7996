"""Programs kept in the feature store without their weights: a network of the same structure is not traced again.

A trace takes seconds, and depends on the structure of a network and on the shapes of its inputs alone. What is kept is
the files that the trace gave, without the weights; a later run fills in its own. The key says which networks are of
one structure (structure.py); networks with code of the user's own have none, and are always traced. Whether the filled
program agrees with the network is checked as for every other program, and it is traced anew if it does not.
"""

from __future__ import annotations

import contextlib
import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from headstart.errors import HeadstartError
from headstart.files import atomic_path, open_regular
from headstart.runs.inspection import CONFIGS, FIXED, SAMPLES
from headstart.runs.structure import Unknown, digest_of, structure_of

if TYPE_CHECKING:
    from headstart.features import Store
    from headstart.features.key_folder import KeyFolder
    from headstart.runs.program_inputs import Inputs

MOST_BYTES = 100_000_000  # of a program without its weights; some megabytes are usual
_FILE = "program.zip"


class KeptPrograms:
    """The programs in a feature store.

    Args:
        store: the store.
        name: of the network, for the list of `headstart cache`.
    """

    def __init__(self, store: Store, name: str) -> None:
        self._store, self._name = store, name

    def filled(self, module: nn.Module, inputs: Inputs) -> dict[str, bytes] | None:
        """The files of the program of a module's structure, with the weights of the module; None if none is kept.

        Args:
            module: with the names that its trace has.
            inputs: what it takes.

        Raises:
            Exception: of any kind, for a damaged one.
        """
        tensors = _tensors(module)
        with self._folder(module, inputs, tensors) as folder:
            if folder is None or not (folder.path / _FILE).is_file():
                return None
            members = _read(folder)
        filled = {**members, **_weights(members, tensors)}
        if set(filled) - {*FIXED, *CONFIGS, *_named(members)} or filled.get(SAMPLES):
            raise ValueError("it holds files that no program has")
        return filled

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
            empty = {
                file: b"" for file, names in _named(members).items() if not tensors.keys().isdisjoint(names)
            }
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
        try:
            key = Key(
                structure_of(module, tensors),
                digest_of(_shapes(inputs)),
                "program",
                (),
                "fp32",
                label=self._name,
            )
            folder = self._store.open(key)
        except (Unknown, HeadstartError):  # the run is written all the same
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


def _read(folder: KeyFolder) -> dict[str, bytes]:
    """The files of a kept program.

    Raises:
        Exception: of any kind, if it is damaged or too large.
    """
    with open_regular(folder.path / _FILE, follow=False) as file:
        content = file.read(MOST_BYTES + 1)
    held = zipfile.ZipFile(io.BytesIO(content))
    if len(content) > MOST_BYTES or sum(info.file_size for info in held.infolist()) > MOST_BYTES:
        raise ValueError("it is too large")
    return {info.filename: held.read(info) for info in held.infolist()}


def _named(members: Mapping[str, bytes]) -> dict[str, list[str]]:
    """The files that hold tensors, and the names of the tensors in each."""
    found: dict[str, list[str]] = {}
    for config in CONFIGS:
        for name, about in json.loads(members[config])["config"].items():
            found.setdefault(f"{config.rpartition('/')[0]}/{about['path_name']}", []).append(name)
    return found


def _weights(members: Mapping[str, bytes], tensors: Mapping[str, Tensor]) -> dict[str, bytes]:
    """The files of a program that hold tensors of the module, with the module's own values.

    Constants that the trace made stay as they are. Two names of one file are tied weights, which must be equal.

    Raises:
        ValueError: they are not.
    """
    found: dict[str, bytes] = {}
    for file, names in _named(members).items():
        for name in names:
            if name in tensors:
                content = tensors[name].detach().numpy().tobytes()
                if found.setdefault(file, content) != content:
                    raise ValueError(f"{name} is no longer tied")
    return found


def _shapes(inputs: Inputs) -> list[Any]:
    axes = [{str(axis): spec for axis, spec in each.items()} for each in inputs.open_axes]
    return [[[list(each.shape), str(each.dtype)] for each in inputs.example], axes, list(inputs.names)]
