"""The upstream classifier of a checkpoint of transformers, as layers on the source's own embedding.

The class that the checkpoint was saved with is loaded whole and run on a made-up input, as is the source's
network. Its head is kept if it acts on the embedding alone: a linear layer, a projection before it, a pooler and
its activation on the first token's state. A head that reads tokens or layers that the embedding does not hold is
refused. Of Whisper, transformers averages over the 30 s of its window, padding too, and headstart over the clip's
own frames: the logits are equal for a clip of 30 s.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from headstart.backbone import made_up_inputs
from headstart.errors import SourceError
from headstart.sources.place import Place
from headstart.sources.transformers.class_pooling import LAST_LAYERS
from headstart.sources.transformers.models import load_with_head
from headstart.sources.upstream import (
    NoClassifier,
    Upstream,
    class_names,
    matching_classifier,
    names_by_index,
)

_ENDINGS = ("ForImageClassification", "ForSequenceClassification", "ForAudioClassification")
_ONE_SECOND = 16_000  # samples


def read_classifier(place: Place, network: Any) -> Upstream:
    """Return the upstream classifier of a folder of transformers.

    Args:
        place: the folder, its config.json and its weight files.
        network: the source's network, with `library_inputs`.
    """
    import transformers

    name = str((place.raw.get("architectures") or [""])[0])
    model_class = getattr(transformers, name, None)
    if not name.endswith(_ENDINGS) or model_class is None:
        return NoClassifier(f"its checkpoint is of {name or 'an unnamed class'}, which has no classifier")
    try:
        whole = load_with_head(model_class, place.raw, place.folder, place.files)
        with torch.no_grad():
            inputs = _example(network)
            embedding: Tensor = network(**inputs)
            logits: Tensor = whole(**network.library_inputs(**inputs)).logits
    except SourceError:
        return NoClassifier(f"its checkpoint does not hold the head of {name}")
    except Exception as error:  # a class of the library may raise any error on inputs that it does not take
        return NoClassifier(f"{name} cannot be run on a made-up input: {type(error).__name__}: {error}")
    return matching_classifier(
        embedding,
        logits,
        _heads(whole, embedding.shape[1]),
        class_names(logits.shape[1], place.folder, names_by_index(place.raw.get("id2label"))),
        leading=bool(getattr(network, "embedding_is_mean", False)),
    )


def _example(network: Any) -> dict[str, Tensor]:
    """One made-up input for a network: noise, or a few tokens."""
    window = getattr(network, "window_samples", _ONE_SECOND)
    made_up = made_up_inputs(network)
    if isinstance(made_up, Tensor):
        return {"pixels": made_up[:1]}
    if made_up is not None and "lengths" in made_up:
        noise = torch.randn(1, window, generator=torch.Generator().manual_seed(0))
        return {"waveform": noise, "lengths": torch.tensor([window])}
    return {name: value[:1] for name, value in (made_up or {}).items()}


def _heads(whole: Any, width: int) -> Iterator[nn.Module]:
    """Layers of a class with a head that may be its classifier, as they take vectors of shape (N, width)."""
    from transformers import PreTrainedModel

    modules = dict(whole.named_modules())
    yield from (modules[path] for path in LAST_LAYERS if isinstance(modules.get(path), nn.Linear))
    as_sequence = nn.Unflatten(1, (1, width))  # heads that take the first token's state out of a sequence
    heads = [part for part in whole.children() if not isinstance(part, PreTrainedModel | nn.Dropout)]
    for first in reversed(range(len(heads))):
        yield nn.Sequential(*heads[first:])
        yield nn.Sequential(as_sequence, *heads[first:])
    if len(heads) == 2:
        yield nn.Sequential(heads[0], nn.ReLU(), heads[1])  # DistilBERT, whose activation is not a module
    pooler = getattr(whole.base_model, "pooler", None)
    if isinstance(pooler, nn.Module):
        yield nn.Sequential(as_sequence, pooler, *heads)
