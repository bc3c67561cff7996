"""Extraction of pooled features: one pass through frozen networks, one stored vector per item and stage."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from headstart import processes
from headstart.errors import HeadstartError, StoreError
from headstart.features.device import Precision, Setting
from headstart.features.features import Features
from headstart.features.key_folder import KeyFolder
from headstart.features.pooled_pass import Passed, Request, run_pass
from headstart.features.store import Key, Store
from headstart.progress import progress
from headstart.sources.source import Source
from headstart.units import UNITS

ATTEMPTS = 3


@dataclass(frozen=True)
class Extracted:
    """The features of one source of several, or why it has none.

    Attributes:
        number: of the source, in the order asked.
        features: of the items in their order; None if it failed.
        failure: why; None if it did not.
        seconds_per_item: of the network alone on this CPU, all cores at work; None if too few batches were computed.
    """

    number: int
    features: Features | None
    failure: Exception | None = None
    seconds_per_item: float | None = None

    def result(self) -> Features:
        """The features.

        Raises:
            Exception: its `failure`.
        """
        if self.features is None:
            raise self.failure or RuntimeError("neither features nor a failure")
        return self.features


@dataclass(frozen=True)
class _Pass:
    """Sources of equal preprocessing that lack the same items.

    Attributes:
        missing: of shape (n_missing,), the positions of those items.
        computed: the numbers of the sources that are computed.
        asked: of each source, its number and that of the equal source that is computed.
    """

    missing: np.ndarray
    computed: list[int]
    asked: list[tuple[int, int]]


def extract_pooled(
    source: Source,
    items: Sequence[Any],
    digests: np.ndarray,
    store: Store,
    *,
    precision: str = "auto",
    device: str = "auto",
    threads: int | None = None,
    batch_size: int | None = None,
    together: bool = False,
) -> Features:
    """Compute, or find in the store, one vector per item and stage.

    Args:
        source: the network, its stages and its preprocessing.
        items: n_items files, texts or arrays.
        digests: of shape (n_items,), text: the digest of each item's content.
        store: where values are found and kept.
        precision: "fp32", "bf16", or "auto": bf16 if the device computes it natively.
        device: "cpu", "cuda", "mps" or "auto".
        threads: cores to use; None: those this process may use.
        batch_size: images or recordings per batch; None: the fastest one measured.
        together: whether all processes of the run call this, so that each computes a share (`headstart.processes`).

    Returns:
        The features of the items in their order; items of equal content are computed once.

    Raises:
        DataError: an item cannot be decoded, or a feature is not finite.
        DiskFullError: they do not fit on the disk.
        StoreError: they do not fit in the store's limit, or it cannot be written.
    """
    options: dict[str, Any] = {
        "precision": precision,
        "device": device,
        "threads": threads,
        "batch_size": batch_size,
    }
    (extracted,) = extract_pooled_of_many([source], items, digests, store, **options, together=together)
    return extracted.result()


def extract_pooled_of_many(
    sources: Sequence[Source],
    items: Sequence[Any],
    digests: np.ndarray,
    store: Store,
    *,
    precision: str = "auto",
    device: str = "auto",
    threads: int | None = None,
    batch_size: int | None = None,
    together: bool = False,
) -> Iterator[Extracted]:
    """Compute, or find in the store, the pooled features of the same items by several sources.

    Sources of equal preprocessing that lack the same items make one pass, for which each item is decoded once; equal
    sources are computed once. Values and shards are those of `extract_pooled` of each source alone. Only a few batches
    are in memory at a time, and the networks of one pass.

    Args:
        sources: the networks, of one modality.
        items: as for `extract_pooled`, and so are the other arguments.
        digests: of shape (n_items,).
        store: where values are found and kept.
        precision: the same for all.
        device: where all are computed.
        threads: cores to use.
        batch_size: images or recordings per batch.
        together: as for `extract_pooled`.

    Yields:
        The outcome of each source, as soon as its pass has ended: of the passes in the order of their first source.
        A source whose network fails, runs out of memory or gives numbers that are not finite has its `failure`.

    Raises:
        DataError: an item cannot be decoded.
        DiskFullError: they do not fit on the disk.
        StoreError: they do not fit in the store's limit, or it cannot be written.
    """
    setting = Setting.choose(device, precision, threads, store.root)
    request = Request(items, digests, store, setting, batch_size or setting.batch_size, together)
    folders = [store.open(pooled_key(source, setting.precision)) for source in sources]
    return _extract(request, sources, folders)


def _extract(
    request: Request, sources: Sequence[Source], folders: Sequence[KeyFolder]
) -> Iterator[Extracted]:

    def find_missing() -> list[np.ndarray]:
        return [folder.missing(request.digests) for folder in folders]

    # processes that look at different moments would not share out the same batches
    missing = processes.from_first(find_missing) if request.together else find_missing()
    passes = _passes(sources, folders, missing)
    n_all = sum(len(each.missing) * len(each.computed) for each in passes)
    title, units = "Extracting features", UNITS[sources[0].modality] if sources else "items"
    if len(sources) > 1:
        title, units = f"{title} of {len(sources)} sources", f"{units} x sources"
    with progress(title, n_all, units) if n_all else nullcontext(lambda n_done: None) as advance:
        for each in passes:
            passed = _run(request, each, sources, folders, advance) if len(each.missing) else Passed({}, {})
            outcomes = {
                number: (
                    *_outcome(request, sources[number], folders[number], passed.failures.get(place)),
                    passed.seconds_per_item.get(place),
                )
                for place, number in enumerate(each.computed)
            }
            for number, equal in each.asked:
                yield Extracted(number, *outcomes[equal])


def _run(
    request: Request,
    each: _Pass,
    sources: Sequence[Source],
    folders: Sequence[KeyFolder],
    advance: Callable[[int], None],
) -> Passed:
    """Make a pass, in all processes if they are together; sources are numbered by their places in `computed`."""
    own = [sources[number] for number in each.computed]
    into = [folders[number] for number in each.computed]

    def run() -> Passed:
        return run_pass(request, own, into, each.missing, advance=advance)

    if not request.together or processes.count() == 1:
        return run()
    of_all = processes.jointly(
        lambda: {place: _portable(error) for place, error in run().failures.items()}
    )  # processes disturb each other: what they measure is no time of one
    return Passed({place: error for each in reversed(of_all) for place, error in each.items()}, {})


def _portable(error: Exception) -> HeadstartError:
    """An error that can be sent to another process."""
    if isinstance(error, HeadstartError):
        return error
    return HeadstartError(f"{type(error).__name__}: {error}")


def _passes(
    sources: Sequence[Source], folders: Sequence[KeyFolder], missing: Sequence[np.ndarray]
) -> list[_Pass]:
    """The sources of each pass, in the order of the first of each."""
    passes: dict[tuple[str, bytes], _Pass] = {}
    first_of: dict[str, int] = {}
    for number, (source, folder, absent) in enumerate(zip(sources, folders, missing, strict=True)):
        its = passes.setdefault((source.preprocessing.digest(), absent.tobytes()), _Pass(absent, [], []))
        if folder.path.name not in first_of:
            first_of[folder.path.name] = number
            its.computed.append(number)
        its.asked.append((number, first_of[folder.path.name]))
    return list(passes.values())


def _outcome(
    request: Request, source: Source, folder: KeyFolder, failure: Exception | None
) -> tuple[Features | None, Exception | None]:
    """The features of a source after its pass; a shard may have been found damaged since, and is computed again."""
    request = replace(request, together=False)  # from here on each process sees its own disk
    for _ in range(ATTEMPTS):
        if failure is not None:
            return None, failure
        folder.refresh()
        places = folder.find(request.digests)
        if (places.shard >= 0).all():
            return Features.read(tuple(source.stages), folder, places), None
        failure = run_pass(request, [source], [folder], folder.missing(request.digests)).failures.get(0)
    return None, failure or kept_failing(folder)


def pooled_key(source: Source, precision: Precision) -> Key:
    """The key under which a source's pooled features are stored."""
    return Key(
        source=source.digest,
        preprocessing=source.preprocessing.digest(),
        what="pooled",
        stages=tuple(source.stages.items()),
        precision=precision,
        label=source.uri,
    )


def kept_failing(key_folder: KeyFolder) -> StoreError:
    """The error for shards that vanish or are damaged as soon as they are written."""
    return StoreError(
        f"stored features keep being damaged or removed: {key_folder.path}; pass another folder with --store"
    )
