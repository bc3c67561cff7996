"""The code of the user's own that a network runs, as a digest: an edit of it must not find features stored before.

Two things go into the digest, since each sees what the other misses.

- The text of every Python file outside of installed packages that the network's modules come from, and that these
  files import. It sees every edit, whichever input would show it, and is the same on every machine.
- What the network gives for a made-up input, small, of usual size and large (token ids: one input): float32, one
  thread, a few sums rounded to three digits, so that another number of threads or another processor gives the same. It
  sees what the files do not hold, as far as these inputs show it: code that was imported before its file was edited, a
  file of values that the code reads, another version of an installed package.
"""

from __future__ import annotations

import ast
import contextlib
import hashlib
import importlib.util
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from headstart.backbone import made_up_inputs
from headstart.data.preprocessing import ImagePreprocessing, Preprocessing

_HEADSTART = Path(__file__).resolve().parent.parent
_INSTALLED = ("site-packages", "dist-packages")
_SCALES = (1.0, 0.1, 10.0)  # of the made-up input: a threshold in the code may be met by one of them only


def code_digest(network: nn.Module, preprocessing: Preprocessing) -> str:
    """Return the sha256 of the user's own code in a network and of what it gives.

    Args:
        network: float32, in eval mode, with its weights.
        preprocessing: for the size of a made-up image.
    """
    given = _rounded_outputs(network, preprocessing)  # first: code may import more when it runs
    whole = hashlib.sha256(given.encode())
    for text in sorted(hashlib.sha256(path.read_bytes()).hexdigest() for path in own_files(network)):
        whole.update(text.encode())  # no paths: the files may lie elsewhere the next time
    return whole.hexdigest()


def own_files(network: nn.Module) -> set[Path]:
    """Return the files outside of installed packages that a network's modules come from and that these import."""
    waiting = {type(module).__module__ for module in network.modules()}
    seen: set[str] = set()
    files: set[Path] = set()
    while waiting:
        name = waiting.pop()
        seen.add(name)
        module = sys.modules.get(name)
        file = getattr(module, "__file__", None)
        if file is None or not _is_own(path := Path(file).resolve()):
            continue
        files.add(path)
        # an extension module, or a file that is being edited
        with contextlib.suppress(SyntaxError, ValueError):
            waiting |= set(_imports(path, getattr(module, "__package__", None) or "")) - seen
    return files


def _imports(path: Path, package: str) -> Iterator[str]:
    """The names of the modules that a file imports anywhere, with the packages that they lie in."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            with contextlib.suppress(ImportError):
                base = importlib.util.resolve_name(base, package)
            names = [f"{base}.{alias.name}" for alias in node.names]  # of a module, or of something in it
        else:
            continue
        for name in names:
            parts = name.split(".")
            yield from (".".join(parts[:end]) for end in range(1, len(parts) + 1))


def _is_own(path: Path) -> bool:
    libraries = (Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "platstdlib"))
    return (
        path.is_file()
        and not path.is_relative_to(_HEADSTART)
        and not any(part in _INSTALLED for part in path.parts)
        and not any(path.is_relative_to(library) for library in libraries)
    )


def _rounded_outputs(network: nn.Module, preprocessing: Preprocessing) -> str:
    """A few sums of the output for a made-up input of each scale; "" for those that the network does not take."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return " ".join(_output_sums(network, preprocessing, scale) for scale in _SCALES)
    finally:
        torch.set_num_threads(threads)


def _output_sums(network: nn.Module, preprocessing: Preprocessing, scale: float) -> str:
    try:
        with torch.no_grad(), torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            inputs: Any = _inputs(network, preprocessing)
            named = {"": inputs} if isinstance(inputs, Tensor) else inputs
            scaled = {name: scale * x if x.is_floating_point() else x for name, x in named.items()}
            output: Tensor = network(scaled[""]) if "" in scaled else network(**scaled)
            return _sums(output)
    except Exception:  # the user's own code may raise any error on an input that it does not take
        return ""


def _inputs(network: nn.Module, preprocessing: Preprocessing) -> Any:
    if isinstance(preprocessing, ImagePreprocessing):
        return torch.randn(2, 3, *preprocessing.size)
    return made_up_inputs(network)


def _sums(output: Tensor) -> str:
    values = output.double().flatten()
    largest = float(values.abs().max())
    scaled = values / max(largest, 1e-30)
    mixed = float(scaled @ torch.randn(len(values), dtype=torch.float64)) / len(values) ** 0.5
    sums = (float(scaled.mean()), float(scaled.std()), mixed)
    return " ".join([f"{largest:.2e}", *(f"{value + 0.0:.3f}" for value in sums)])
