"""A source: a pretrained network with its own preprocessing, its stages, and where it came from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from torch import nn

from headstart.data.examples import Modality
from headstart.data.preprocessing import Preprocessing
from headstart.sources.upstream import NoClassifier, Upstream, UpstreamClassifier

if TYPE_CHECKING:
    from headstart.backbone import Backbone


@dataclass(frozen=True)
class Provenance:
    """Where a source came from; written into the model card of every run made from it.

    Attributes:
        architecture: the name of the architecture, such as "mobilenetv2_100" or "BertModel".
        library: "timm", "transformers" or "custom" (the user's own class).
        revision: the commit on the hub, or None for a local source.
        licence: what the source's own card says, or None.
        upstream: the task it was pretrained on, if its card says so.
        files: names of the weight files.
        n_parameters: number of parameters of the network, without its upstream head.
        pretrained: False for a network with random weights.
    """

    architecture: str
    library: str
    revision: str | None = None
    licence: str | None = None
    upstream: str | None = None
    files: tuple[str, ...] = ()
    n_parameters: int = 0
    pretrained: bool = True

    def to_json(self) -> dict[str, Any]:
        """Return the fields as a dictionary that JSON can hold."""
        return {**asdict(self), "files": list(self.files)}


def no_classifier(network: nn.Module) -> Upstream:
    """The reader for a source that was made without an upstream classifier."""
    return NoClassifier("it was made without an upstream classifier")


@dataclass
class Source:
    """A pretrained network ready to be cut.

    Attributes:
        uri: how the user named it.
        modality: "image", "text" or "audio".
        network: float32, eval mode; `forward(pixels)`, `forward(input_ids, attention_mask)` or
            `forward(waveform, lengths)`, giving the source's own embedding of shape (n_items, n_features).
        stages: name of each stage, in order, to the path of its module in `network`.
        preprocessing: what turns a file or a text into the network's inputs.
        digest: sha256 over the weights (names, shapes, bytes), the architecture and its configuration.
        provenance: where it came from.
        config: what `build_network` needs, besides the weights, to build the network again.
        read_upstream: reads the upstream classifier from the source's files, given the network.
    """

    uri: str
    modality: Modality
    network: nn.Module
    stages: dict[str, str]
    preprocessing: Preprocessing
    digest: str
    provenance: Provenance
    config: Mapping[str, Any] = field(default_factory=dict)
    read_upstream: Callable[[nn.Module], Upstream] = field(default=no_classifier, repr=False, compare=False)

    @cached_property
    def backbone(self) -> Backbone:
        """The network as an ordered list of stages that can be cut."""
        from headstart.backbone import Backbone

        return Backbone(self.network, self.stages)

    @property
    def classifier(self) -> UpstreamClassifier | None:
        """The classifier it was pretrained with, read from its files when first asked for; None if it has none.

        Its `logits` take the last stored vectors: `source.classifier.logits(features.stage(-1))`.
        """
        return self._upstream if isinstance(self._upstream, UpstreamClassifier) else None

    @property
    def why_no_classifier(self) -> str | None:
        """Why `classifier` is None; None if there is a classifier."""
        return self._upstream.reason if isinstance(self._upstream, NoClassifier) else None

    @cached_property
    def _upstream(self) -> Upstream:
        return self.read_upstream(self.network)
