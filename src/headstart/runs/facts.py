"""Facts about the source, the data and the command of a run: blocks of metrics.json, and facts for card and report."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from headstart.data import DataSet, Finding
    from headstart.sources import Source


@dataclass(frozen=True)
class SourceFacts:
    """The pretrained network that a run began from.

    Attributes:
        uri: how the user named it.
        digest: sha256 over its weights, architecture and configuration.
        architecture: such as "mobilenetv2_100" or "BertModel".
        n_parameters: number of parameters of the network, its upstream head left out.
        stages: names of its stages, in order.
        pretrained: False for a network with random weights.
        library, revision, licence, upstream: as its provenance says; None if unknown.
    """

    uri: str
    digest: str
    architecture: str
    n_parameters: int
    stages: tuple[str, ...]
    pretrained: bool = True
    library: str | None = None
    revision: str | None = None
    licence: str | None = None
    upstream: str | None = None

    @classmethod
    def of(cls, source: Source) -> SourceFacts:
        """The facts of a source."""
        origin = source.provenance
        return cls(
            source.uri,
            source.digest,
            origin.architecture,
            origin.n_parameters,
            tuple(source.stages),
            origin.pretrained,
            origin.library,
            origin.revision,
            origin.licence,
            origin.upstream,
        )

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> SourceFacts:
        """Read the block `source` of metrics.json; keys of a newer version are ignored."""
        known = _known(cls, content)
        return cls(**{**known, "stages": tuple(known["stages"])})

    @property
    def name(self) -> str:
        """The last part of the URI, as a sentence names the source."""
        return self.uri.rstrip("/").rsplit("/", 1)[-1].split(":", 1)[-1]


@dataclass(frozen=True)
class DataFacts:
    """The data set of a run.

    Attributes:
        name: the data as the user named it: a path or an id on the hub.
        digest: sha256 over the content and the labels of all items, in any order.
        modality: "image", "text" or "audio".
        target: the column or folder level that is learned.
        n_items: part ("train", "validation", "test") to its number of items.
        n_classes: number of classes or labels; 0 for a quantity.
        group: column whose values are kept on one side of a split; None without one.
        n_groups: number of its values; None without one.
        domain: column of domains; None without one.
        n_domains: number of its values, an empty cell not counted; None without one.
        text: columns of a table that the texts came from; () for other items.
    """

    name: str
    digest: str
    modality: str
    target: str
    n_items: Mapping[str, int]
    n_classes: int = 0
    group: str | None = None
    n_groups: int | None = None
    domain: str | None = None
    n_domains: int | None = None
    text: tuple[str, ...] = ()

    @classmethod
    def of(cls, data: DataSet, name: str) -> DataFacts:
        """The facts of a data set.

        Args:
            data: read and split.
            name: as the user named it.
        """
        examples = data.examples
        parts = {part: len(data.positions(part)) for part in ("train", "validation", "test")}
        labels = [""] * len(examples) if examples.labels is None else examples.labels
        return cls(
            name,
            data_digest(data.scan.digests, labels),
            examples.modality,
            examples.target,
            {part: n_items for part, n_items in parts.items() if n_items},
            len(examples.classes),
            examples.group,
            None if examples.groups is None else len(set(examples.groups)),
            examples.domain,
            None if examples.domains is None else len({*examples.domains} - {""}),
            examples.text_columns,
        )

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> DataFacts:
        """Read the block `data` of metrics.json; keys of a newer version are ignored."""
        return cls(**{**_known(cls, content), "text": tuple(content.get("text") or ())})


def data_digest(items: Iterable[Any], labels: Iterable[Any]) -> str:
    """The sha256 of items with their labels; their order has no effect.

    Args:
        items: digest of each item's content.
        labels: label of each item.
    """
    whole = hashlib.sha256()
    for item, label in sorted((str(item), str(label)) for item, label in zip(items, labels, strict=True)):
        whole.update(f"{item}\0{label}\0".encode("utf-8", "backslashreplace"))
    return whole.hexdigest()


def _known(cls: Any, content: Mapping[str, Any]) -> dict[str, Any]:
    names = {item.name for item in dataclasses.fields(cls)}
    return {name: value for name, value in content.items() if name in names}


@dataclass(frozen=True)
class SplitPart:
    """One part of the data.

    Attributes:
        name: "train", "validation" or "test".
        n_items: number of items.
        n_groups: number of groups; None if there are none.
        n_units: number of independent units (`DataSet.units`): groups joined where they share an item, or items
            without their copies; None if every item is one.
        counts: class or label to its number of items; empty for a quantity.
    """

    name: str
    n_items: int
    n_groups: int | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    n_units: int | None = None


@dataclass(frozen=True)
class RunFacts:
    """What card and report say about a run in addition to its record.

    Attributes:
        run: the run's folder as the user would write it, such as "runs/xray".
        command: the command line that made the run.
        classes: names of the classes or labels, in the order of the outputs; () for a quantity.
        parts: the parts of the data, those without items left out.
        split_origin: a sentence saying where the split came from.
        findings: what the data checks found.
        refitted: whether the result was learned from every label after the evaluation.
        environment: versions and machine.
        created: date and time, as text.
        notices: title and text of what a reader must know before trusting a number, the choice of the result included.
    """

    run: str
    command: str = ""
    classes: tuple[str, ...] = ()
    parts: tuple[SplitPart, ...] = ()
    split_origin: str = ""
    findings: tuple[Finding, ...] = ()
    refitted: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)
    created: str = ""
    notices: tuple[tuple[str, str], ...] = ()

    @property
    def name(self) -> str:
        """The name of the run's folder."""
        return Path(self.run).name
