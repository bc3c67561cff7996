"""Find the stages of a network: the list of blocks that holds most of its parameters.

No table of architectures: a list of blocks is a `ModuleList` or `Sequential` (`encoder.layer`, `blocks`,
`stages`) or siblings that differ in a number (`layer1` to `layer4`, `denseblock1` to `denseblock4`). The list
with most parameters is taken, the outermost if several have about the same number. The part before it is the first
stage.
"""

from __future__ import annotations

import re
from collections import defaultdict

from torch import nn

from headstart.errors import ArchitectureError

_NUMBERED = re.compile(r"^(.*?)(\d+)$")
_NEARLY_AS_MANY = 0.8


def find_stages(module: nn.Module) -> dict[str, str]:
    """Return the stages of a network in the order they run: stage name -> module path.

    Args:
        module: a network with a list of blocks, such as those of timm and transformers, or a wrapper of one.

    Raises:
        ArchitectureError: no list of two blocks or more is found.
    """
    shared = _shared_layers(module)
    if shared:
        return shared
    candidates = _block_lists(module)
    if not candidates:
        raise ArchitectureError(
            f"No list of blocks was found in {type(module).__name__}. Name its stages: a mapping from "
            "stage name to module path, in the order they run (attribute `stages` of your own network)."
        )
    sizes = [sum(_n_parameters(module.get_submodule(path)) for path in paths) for paths in candidates]
    near = [
        paths for paths, size in zip(candidates, sizes, strict=True) if size >= _NEARLY_AS_MANY * max(sizes)
    ]
    blocks = min(near, key=lambda paths: paths[0].count("."))
    return {**_first_stage(module, blocks[0]), **{_stage_name(path): path for path in blocks}}


def _n_parameters(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def _block_lists(module: nn.Module) -> list[list[str]]:
    """Lists of sibling blocks as paths, outermost first; lists of plain layers if there are no blocks."""
    of_blocks: list[list[str]] = []
    of_layers: list[list[str]] = []
    for path, parent in module.named_modules():
        prefix = f"{path}." if path else ""
        children = [(name, child) for name, child in parent.named_children() if _n_parameters(child)]
        families: dict[str, list[str]] = defaultdict(list)
        for name, child in children:
            match = _NUMBERED.match(name)
            if match:
                families[match[1]].extend(_members(prefix + name, child))
        if isinstance(parent, nn.Sequential):
            families["in sequence"] = [prefix + name for name, _ in children]
        for paths in families.values():
            composite = all(_is_block(module.get_submodule(path)) for path in paths)
            if len(paths) >= 2:
                (of_blocks if composite else of_layers).append(paths)
    return of_blocks or of_layers[:1]


def _members(path: str, child: nn.Module) -> list[str]:
    """The blocks in a list of lists (a ModuleList is never called itself)."""
    if not isinstance(child, nn.ModuleList):
        return [path]
    return [member for name, part in child.named_children() for member in _members(f"{path}.{name}", part)]


def _is_block(module: nn.Module) -> bool:
    return any(_n_parameters(child) for child in module.children())


def _stage_name(path: str) -> str:
    """`model.encoder.layer.0` -> `layer.0`; `blocks.1.2` -> `blocks.1.2`; `model.layer1` -> `layer1`."""
    parts = path.split(".")
    first = len(parts) - 1
    while first > 0 and parts[first].isdigit():
        first -= 1
    return ".".join(parts[first:])


def _first_stage(module: nn.Module, first_block: str) -> dict[str, str]:
    """The part before the first block, named after what it is: the module registered just before it."""
    parts = first_block.split(".")
    for depth in range(len(parts) - 1, -1, -1):
        parent = module.get_submodule(".".join(parts[:depth]))
        names = [name for name, _ in parent.named_children()]
        before = names[: names.index(parts[depth])]
        if before and not isinstance(parent, nn.ModuleList):
            path = ".".join([*parts[:depth], before[-1]])
            return {_first_name(module): path}
    return {}


def _first_name(module: nn.Module) -> str:
    names = {name.rsplit(".", 1)[-1] for name, _ in module.named_modules()}
    if "feature_projection" in names:
        return "feature_encoder"
    return "embeddings" if names & {"embeddings", "embed_positions"} else "stem"


def _shared_layers(module: nn.Module) -> dict[str, str]:
    """ALBERT: one group of layers that is called many times; its stages are the calls."""
    for path, child in module.named_modules():
        groups = getattr(child, "albert_layer_groups", None)
        config = getattr(child, "config", None)
        if isinstance(groups, nn.ModuleList) and config is not None:
            n_layers, n_groups = config.num_hidden_layers, len(groups)
            per_group = n_layers / n_groups
            prefix = f"{path}." if path else ""
            blocks = {
                f"layer.{index}": f"{prefix}albert_layer_groups.{int(index / per_group)}"
                for index in range(n_layers)
            }
            return {**_first_stage(module, blocks["layer.0"]), **blocks}
    return {}
