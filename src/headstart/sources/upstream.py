"""The upstream classifier of a source: its class names, and its logits from stored last vectors.

A source's network has no classifier, so its last vectors are what the classifier would take. The classifier is
read from the source's files only when it is asked for, and only accepted if it gives, on a made-up input, what
the library's whole model gives.

Legend: N items, W width of a stored last vector, D width of the embedding, C upstream classes.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from headstart.sources.links import check_inside

_TOLERANCE = 1e-4  # of the largest logit
_BATCH = 4096


@dataclass(frozen=True, eq=False)
class UpstreamClassifier:
    """The classifier that a source was pretrained with.

    Attributes:
        classes: names of the C classes.
        layers: from the embedding, of shape (N, D), to logits, of shape (N, C); frozen, in eval mode.
        width: D.
        leading: whether the embedding comes first in a stored vector that is longer (audio); else last.
    """

    classes: tuple[str, ...]
    layers: nn.Module
    width: int
    leading: bool = False

    def logits(self, vectors_NW: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
        """Return the logits, float32 of shape (N, C), of stored last vectors (`features.stage(-1)`).

        Args:
            vectors_NW: of shape (N, W); W is D, or more if the vector holds other values too.

        Raises:
            ValueError: the vectors are narrower than the embedding.
        """
        if vectors_NW.ndim != 2 or vectors_NW.shape[1] < self.width:
            raise ValueError(
                f"vectors of shape (n_items, >= {self.width}) are needed, got {vectors_NW.shape}"
            )
        embeddings = vectors_NW[:, : self.width] if self.leading else vectors_NW[:, -self.width :]
        logits_NC = np.empty((len(embeddings), len(self.classes)), np.float32)
        with torch.inference_mode():
            for start in range(0, len(embeddings), _BATCH):
                rows = np.array(embeddings[start : start + _BATCH], np.float32)
                logits_NC[start : start + _BATCH] = self.layers(torch.from_numpy(rows)).numpy()
        return logits_NC


@dataclass(frozen=True)
class NoClassifier:
    """Why a source has no upstream classifier."""

    reason: str


Upstream = UpstreamClassifier | NoClassifier


def matching_classifier(
    embedding_ND: Tensor,
    logits_NC: Tensor,
    candidates: Iterable[nn.Module],
    classes: Sequence[str],
    leading: bool = False,
) -> Upstream:
    """Return the candidate that turns a network's embedding into the logits of the library's whole model.

    Args:
        embedding_ND: of a made-up input.
        logits_NC: of the same input.
        candidates: layers that may be the classifier.
        classes: names of the C classes.
        leading: where the embedding stands in a longer stored vector.
    """
    largest = float(logits_NC.abs().max())
    for layers in candidates:
        layers = layers.eval().requires_grad_(False)
        with contextlib.suppress(Exception), torch.no_grad():  # a candidate may need inputs of another shape
            found_NC = layers(embedding_ND)
            if found_NC.shape == logits_NC.shape:
                difference = float((found_NC - logits_NC).abs().max())
                if difference <= _TOLERANCE * max(largest, 1e-12):
                    return UpstreamClassifier(tuple(classes), layers, embedding_ND.shape[1], leading)
    return NoClassifier("its upstream classifier does not read the source's own embedding")


def class_names(
    n_classes: int, folder: Path, named: Sequence[str] | None, guessed: Sequence[str] | None = None
) -> tuple[str, ...]:
    """Return the names of the upstream classes, "class 0" and so on if nothing names them.

    Args:
        n_classes: C; names of another number are ignored.
        folder: of the weights; a labels.txt there is read if the configuration names none.
        named: by the source's configuration.
        guessed: used if neither names them.
    """
    for names in (named, _lines(folder / "labels.txt"), guessed):
        if names is not None and len(names) == n_classes:
            return tuple(str(name) for name in names)
    return tuple(f"class {index}" for index in range(n_classes))


def names_by_index(id2label: Mapping[Any, Any] | None) -> tuple[str, ...] | None:
    """Return the names of transformers' `id2label`, by index; None if they are the library's placeholders (LABEL_0)."""
    try:
        numbered = {int(index): str(name) for index, name in (id2label or {}).items()}
    except (TypeError, ValueError):
        return None
    if sorted(numbered) != list(range(len(numbered))):
        return None
    names = tuple(numbered[index] for index in range(len(numbered)))
    return None if all(name == f"LABEL_{index}" for index, name in enumerate(names)) else names


def _lines(path: Path) -> list[str] | None:
    if not path.is_file():
        return None
    return check_inside(path).read_text(encoding="utf-8", errors="replace").splitlines()
