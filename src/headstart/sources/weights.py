"""Weight files: read without running code, refused completely when they do not fit, hashed once.

safetensors, or PyTorch files through `torch.load(weights_only=True)`; a pickle with code is refused by name.
"""

from __future__ import annotations

import hashlib
import json
import pickle
import pickletools
import re
import warnings
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from headstart.errors import SourceError, parsing
from headstart.sources.json_files import named_file, read_object
from headstart.units import counted

# The files of a folder that may hold weights, best first.
WEIGHT_FILES = (
    "model.safetensors",
    "model.safetensors.index.json",
    "open_clip_model.safetensors",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
)
WEIGHT_SUFFIXES = (".safetensors", ".bin", ".pt", ".pth", ".th", ".ckpt")
# Keys under which training loops put the state dict, next to the epoch and the optimizer.
_NESTED = ("state_dict", "model_state_dict", "model_state", "model", "net", "network", "weights", "ema")
# To be raised when the numbers that a source gives change, so that no outdated stored feature is used.
_FORMAT = "headstart source 1"


def weight_files(folder: Path) -> tuple[Path, ...]:
    """Return the weight files of a folder: safetensors before PyTorch files, all shards of a sharded one.

    Raises:
        SourceError: the folder has none, or several that could be meant.
    """
    for name in WEIGHT_FILES:
        path = folder / name
        if not path.is_file():
            continue
        if name.endswith(".index.json"):
            return _shards(path)
        return (path,)
    others = sorted(path for path in folder.iterdir() if path.suffix in WEIGHT_SUFFIXES and path.is_file())
    if len(others) == 1:
        return (others[0],)
    if not others:
        raise SourceError(f"{folder} holds no weights: neither {WEIGHT_FILES[0]} nor *.bin, *.pt or *.pth.")
    names = ", ".join(path.name for path in others[:5])
    raise SourceError(f"{folder} holds {len(others)} weight files ({names}): name one of them as the source.")


def _shards(index: Path) -> tuple[Path, ...]:
    """The files that an index names, all in its own folder."""
    weight_map = read_object(index).get("weight_map")
    if not isinstance(weight_map, dict) or not weight_map:
        raise SourceError(f"{index} must hold `weight_map`, tensors to files: fetch it again.")
    shards = sorted({named_file(index.parent, name, index) for name in weight_map.values()})
    missing = [shard.name for shard in shards if not shard.is_file()]
    if missing:
        raise SourceError(f"{index} names {counted(len(shards), 'files')}, of which {missing[0]} is missing.")
    return tuple(shards)


def read_weights(files: Sequence[Path]) -> dict[str, Tensor]:
    """Return the tensors of one or several weight files by name, without the `module.` of DataParallel.

    Raises:
        SourceError: a file is cut short, is not a weight file, or is a pickle that holds code.
    """
    tensors: dict[str, Tensor] = {}
    for path in files:
        tensors.update(_read_safetensors(path) if _is_safetensors(path) else _read_torch(path))
    if tensors and all(name.startswith("module.") for name in tensors):
        tensors = {name.removeprefix("module."): tensor for name, tensor in tensors.items()}
    return tensors


def tensor_names(files: Sequence[Path]) -> list[str]:
    """Return the names of the tensors in weight files; of safetensors only the header is read."""
    names: list[str] = []
    for path in files:
        if _is_safetensors(path):
            names += [name for name in checked_header(path) if name != "__metadata__"]
        else:
            names += _read_torch(path)
    return names


def checked_header(path: Path) -> dict[str, Any]:
    """Return a safetensors file's header; refuse a file whose size is not the one in its header.

    Raises:
        SourceError: with the expected and the found size.
    """
    n_bytes = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(8)
        n_header = int.from_bytes(start, "little")
        if len(start) < 8 or n_header > 100_000_000:
            raise SourceError(f"{path} is not a safetensors file ({n_bytes:,} bytes).")
        if n_bytes < 8 + n_header:
            raise SourceError(_cut_short(path, f"more than {8 + n_header:,}", n_bytes))
        with parsing(path, "a safetensors file", "its header is damaged; fetch it again", SourceError):
            header: dict[str, Any] = json.loads(file.read(n_header))
            ends = [int(entry["data_offsets"][1]) for name, entry in header.items() if name != "__metadata__"]
    expected = 8 + n_header + max(ends, default=0)
    if n_bytes < expected:
        raise SourceError(_cut_short(path, f"{expected:,}", n_bytes))
    return header


def source_digest(files: Sequence[Path], config: Mapping[str, Any]) -> str:
    """Return the sha256 over the bytes of the weight files and the configuration that they are built with."""
    whole = hashlib.sha256(_FORMAT.encode())
    for path in files:
        with path.open("rb") as file:
            own = hashlib.file_digest(file, "sha256")
        check_announced(path, own.hexdigest())
        whole.update(own.digest())
    whole.update(json.dumps(config, sort_keys=True, default=str).encode())
    return whole.hexdigest()


def check_announced(path: Path, found: str) -> None:
    """Check a file of the hub cache against the digest in its name; remove it if it differs.

    Args:
        path: the file; one outside the hub cache passes.
        found: hexadecimal digest of its content; one of another kind than the file's name passes.

    Raises:
        SourceError: the content is not what the hub announced.
    """
    blob = path.resolve()
    announced = blob.name
    if blob == path or len(announced) != len(found) or not re.fullmatch("[0-9a-f]+", announced):
        return
    if announced != found:
        n_bytes = blob.stat().st_size
        blob.unlink()
        path.unlink(missing_ok=True)
        raise SourceError(
            f"{path.name} is not the file that the hub announced: expected digest {announced[:16]}..., found "
            f"{found[:16]}... ({n_bytes:,} bytes). It was removed; run again to fetch it again. If that "
            "repeats, something between the hub and this machine changes files."
        )


def load_tensors(
    module: nn.Module, tensors: Mapping[str, Tensor], where: str, heads: Iterable[str] = ()
) -> None:
    """Copy tensors into a module, cast to its own dtype; all or nothing.

    Args:
        module: what to fill.
        tensors: by the module's own names.
        where: the file or folder, for the message.
        heads: prefixes of names that belong to the upstream task's head: such tensors are left out.

    Raises:
        SourceError: tensors are missing, left over or of another shape; the message has counts and the first names.
    """
    wanted = module.state_dict()
    heads = tuple(heads)
    missing = [name for name in wanted if name not in tensors and not is_counter(name)]
    left_over = [name for name in tensors if name not in wanted and not (heads and name.startswith(heads))]
    misfits = [name for name in wanted if name in tensors and wanted[name].shape != tensors[name].shape]
    if missing or left_over or misfits:
        shapes = [f"{name} {tuple(tensors[name].shape)} for {tuple(wanted[name].shape)}" for name in misfits]
        raise SourceError(misfit_message(where, type(module).__name__, missing, left_over, shapes))
    with torch.no_grad():
        for name, tensor in wanted.items():
            if name in tensors:
                tensor.copy_(tensors[name])


def check_numbers(network: nn.Module, where: Path) -> None:
    """Refuse a network of which a weight is not a number, or a parameter is infinite.

    Raises:
        SourceError: with the name of the first such tensor.
    """
    parameters = dict(network.named_parameters())
    for name, tensor in {**dict(network.named_buffers()), **parameters}.items():
        if not tensor.is_floating_point():
            continue
        wrong = ~torch.isfinite(tensor) if name in parameters else torch.isnan(tensor)
        if bool(wrong.any()):
            raise SourceError(
                f"{where}: {int(wrong.sum()):,} of {tensor.numel():,} values of the tensor "
                f"'{name.removeprefix('model.')}' are not finite numbers: its weights are damaged, fetch them again."
            )


def misfit_message(
    where: str, architecture: str, missing: Sequence[str], left_over: Sequence[str], misfits: Sequence[str]
) -> str:
    """Return the message for weights that do not fit: how many tensors, of which kind, and their names."""
    parts = [
        f"{len(names):,} {what} ({', '.join(names[:3])}{', ...' if len(names) > 3 else ''})"
        for what, names in (("missing", missing), ("left over", left_over), ("of another shape", misfits))
        if names
    ]
    return (
        f"The weights in {where} do not fit {architecture}: tensors {'; '.join(parts)}. Nothing was loaded. "
        "Name the architecture that they were trained with."
    )


def _is_safetensors(path: Path) -> bool:
    return path.suffix == ".safetensors"


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    from safetensors.torch import load_file

    checked_header(path)
    with parsing(path, "a safetensors file", "it is damaged; fetch it again", SourceError):
        tensors: dict[str, Tensor] = load_file(str(path))
    return tensors


def _read_torch(path: Path) -> dict[str, Tensor]:
    remedy = f"it is cut short or of another kind ({path.stat().st_size:,} bytes); fetch it again"
    with parsing(path, "a PyTorch weight file", remedy, SourceError), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of an old pickle format, which does not matter here
        try:
            content = torch.load(path, map_location="cpu", weights_only=True)
        except pickle.UnpicklingError as error:
            code = _code_in(path, str(error))
            if code is None:
                raise
            raise SourceError(
                f"{path} is a pickle that holds code ({code}): refused, as opening it could run anything. "
                "Save the tensors alone, with safetensors or torch.save(model.state_dict())."
            ) from None
    return _state_dict_in(content, path)


def _code_in(path: Path, message: str) -> str | None:
    """The first function or class that a refused pickle names; None if it names none."""
    named = re.search(r"(?:GLOBAL|global) [`']?([\w.]+)", message)
    if named is not None:
        return named.group(1)
    strings: list[str] = []
    try:
        for opcode, argument, _ in pickletools.genops(path.read_bytes()):  # reads, runs nothing
            if opcode.name == "GLOBAL":
                return str(argument).replace(" ", ".")
            if opcode.name == "STACK_GLOBAL":
                return ".".join(strings[-2:])
            if isinstance(argument, str):
                strings.append(argument)
    except Exception:  # it is not a pickle
        return None
    return None


def _state_dict_in(content: Any, path: Path) -> dict[str, Tensor]:
    """The state dict of a checkpoint: the dictionary itself, or the one nested under a usual key."""
    for _ in range(3):
        if not isinstance(content, Mapping):
            break
        tensors = {str(name): value for name, value in content.items() if isinstance(value, Tensor)}
        if tensors:
            return tensors
        nested = next((key for key in _NESTED if isinstance(content.get(key), Mapping)), None)
        if nested is None:
            break
        content = content[nested]
    raise SourceError(f"{path} does not hold a state dict: save model.state_dict().")


def is_counter(name: str) -> bool:
    """Whether a name is batch norm's step counter, which old checkpoints lack and which has no effect."""
    return name.endswith("num_batches_tracked")


def _cut_short(path: Path, expected: str, found: int) -> str:
    return f"{path} is cut short: expected {expected} bytes, found {found:,}. Fetch it again."
