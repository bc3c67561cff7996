"""Sources measured on the machines of a Ray cluster: each reads the data, extracts one source and chooses its head.

Nothing is shared but the data: a machine opens the source by the same name, keeps the features in its own store, and
sends back what was found. Positions, folds and precision are those of this machine.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from headstart.clock import Clock
from headstart.cluster import map_on_cluster
from headstart.errors import HeadstartError
from headstart.fitting.reading import data_of, read_labelled
from headstart.fitting.source_path import absolute_arch, absolute_place
from headstart.ranking.entries import Entry
from headstart.ranking.items import Items
from headstart.ranking.measuring import Found, measure, milliseconds
from headstart.ranking.opening import Candidate, open_all
from headstart.ranking.options import RankOptions


@dataclass(frozen=True)
class Order:
    """What a machine is asked to do.

    Attributes:
        entry: the source; local paths are absolute.
        options: of the ranking; one thread, and the precision of the machine that asks.
    """

    entry: Entry
    options: RankOptions


def measured_on(
    address: str, options: RankOptions, candidates: Sequence[Candidate], items: Items
) -> Iterator[tuple[int, Found | HeadstartError]]:
    """Measure each source on the cluster.

    Args:
        address: HOST:PORT.
        options: of the ranking.
        candidates: the sources.
        items: of this machine, for the precision.

    Yields:
        The number of a source and what it gives, or why it failed.
    """
    there = options.model_copy(
        update={
            "precision": items.setting.precision,
            "threads": 1,
            "device": "cpu",
            "store": None,
            "out": None,
        }
    )
    orders = [Order(_absolute(each.entry), there) for each in candidates]
    return map_on_cluster(address, _measure, orders, Path(str(options.data)))


def _measure(order: Order, data_path: Path) -> Found:
    """Measure one source on this machine."""
    from headstart.features import Setting, Store

    options = order.options.model_copy(update={"data": str(data_path)})
    clock = Clock()
    data = data_of(read_labelled(options, clock), options, clock)
    ((candidate,), _) = open_all([order.entry], data, options)
    source = candidate.source
    store = Store()
    setting = Setting.choose(options.device, options.precision, options.threads, store.root)
    items = Items(data, data.positions("train"), options.seed, setting, store)
    (extracted,) = items.extract([source])
    found = measure(source, extracted.result(), items)
    return replace(found, milliseconds=milliseconds(source, items, extracted.seconds_per_item))


def _absolute(entry: Entry) -> Entry:
    """The source with local paths made absolute, since a machine of the cluster works in another folder."""
    arch = None if entry.arch is None else absolute_arch(entry.arch)
    return replace(entry, uri=absolute_place(entry.uri), arch=arch)
