"""Data: read it into `Examples`, check it, split it, decode it."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from headstart.data.audio import decode_audio
    from headstart.data.augment import Augment
    from headstart.data.checks import check
    from headstart.data.dataset import DataSet
    from headstart.data.duplicate_checks import identity
    from headstart.data.examples import Examples, Modality
    from headstart.data.findings import Finding
    from headstart.data.images import decode_image
    from headstart.data.length_checks import check_lengths
    from headstart.data.loading import load_batches, plan_batches
    from headstart.data.preprocessing import (
        AudioPreprocessing,
        ImagePreprocessing,
        Preprocessing,
        TextPreprocessing,
        preprocessing_from_json,
        with_window,
    )
    from headstart.data.read import read_examples
    from headstart.data.scanning import Scan, scan
    from headstart.data.splits import bound_groups, fold_indices, holdout_indices, with_splits
    from headstart.data.unreadable import check_unreadable, drop_unreadable

_HOMES = {
    "AudioPreprocessing": "preprocessing",
    "Augment": "augment",
    "DataSet": "dataset",
    "Examples": "examples",
    "Finding": "findings",
    "ImagePreprocessing": "preprocessing",
    "Modality": "examples",
    "Preprocessing": "preprocessing",
    "Scan": "scanning",
    "TextPreprocessing": "preprocessing",
    "bound_groups": "splits",
    "check": "checks",
    "check_lengths": "length_checks",
    "check_unreadable": "unreadable",
    "decode_audio": "audio",
    "decode_image": "images",
    "drop_unreadable": "unreadable",
    "fold_indices": "splits",
    "holdout_indices": "splits",
    "identity": "duplicate_checks",
    "load_batches": "loading",
    "plan_batches": "loading",
    "preprocessing_from_json": "preprocessing",
    "read_examples": "read",
    "scan": "scanning",
    "with_splits": "splits",
    "with_window": "preprocessing",
}

__all__ = [
    "AudioPreprocessing",
    "Augment",
    "DataSet",
    "Examples",
    "Finding",
    "ImagePreprocessing",
    "Modality",
    "Preprocessing",
    "Scan",
    "TextPreprocessing",
    "bound_groups",
    "check",
    "check_lengths",
    "check_unreadable",
    "decode_audio",
    "decode_image",
    "drop_unreadable",
    "fold_indices",
    "holdout_indices",
    "identity",
    "load_batches",
    "plan_batches",
    "preprocessing_from_json",
    "read_examples",
    "scan",
    "with_splits",
    "with_window",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: decoding needs torch, reading a table does not."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
