"""The arguments that a configuration may give to an architecture of timm: plain values only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headstart.errors import SourceError

_PLAIN = (int, float, str, bool, type(None))
# Arguments of timm's loader (create_model, build_model_with_cfg, load_pretrained), not of an architecture.
_OF_THE_LOADER = (
    "checkpoint_path",
    "cache_dir",
    "model_cfg",
    "model_cls",
    "variant",
    "scriptable",
    "exportable",
    "no_jit",
    "kwargs_filter",
    "feature_cfg",
    "feature_cls",
    "features_only",
)


def model_arguments(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments with which a configuration builds its architecture, without the number of classes.

    timm's loader takes arguments too that read a file, fetch an address or, in some versions, open a pickle
    (`checkpoint_path`, `pretrained_cfg`). Only plain values for the architecture itself may pass.

    Args:
        raw: with `architecture`, and `model_args` if it has any.

    Raises:
        SourceError: an argument is of the loader, or is not a number, a text, a boolean or a list of these.
    """
    given = raw.get("model_args") or {}
    if not isinstance(given, Mapping):
        raise SourceError(f"model_args of {raw['architecture']} must hold values by name, got {given!r}.")
    for name, value in given.items():
        values = value if isinstance(value, list | tuple) else [value]
        of_the_loader = name in _OF_THE_LOADER or str(name).startswith("pretrained")
        if of_the_loader or not all(isinstance(one, _PLAIN) for one in values):
            raise SourceError(
                f"model_args of {raw['architecture']} has '{name}': {value!r}. Only numbers, texts, booleans "
                "and lists of them that belong to the architecture are taken from a file; remove it."
            )
    return {name: value for name, value in given.items() if name != "num_classes"}
