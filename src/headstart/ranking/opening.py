"""Open the sources of a ranking; one that cannot be opened is listed with its reason, and the others are ranked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from headstart.errors import InputError, SourceError
from headstart.files import name_of
from headstart.fitting.plan import with_window_of
from headstart.progress import progress
from headstart.ranking.entries import Entry
from headstart.ranking.options import RankOptions
from headstart.units import UNITS

if TYPE_CHECKING:
    from headstart.data import DataSet, Modality
    from headstart.sources import Source


@dataclass(frozen=True, eq=False)
class Candidate:
    """A source that was opened.

    Attributes:
        entry: as the user named it.
        source: the network; for audio, with the window of the items that are not held out.
        same_as: other names under which the same weights and preprocessing were given.
    """

    entry: Entry
    source: Source
    same_as: tuple[str, ...] = ()


def open_all(
    entries: Sequence[Entry], data: DataSet, options: RankOptions
) -> tuple[list[Candidate], dict[str, str]]:
    """Open the sources of a ranking.

    Args:
        entries: what to open.
        data: the data set.
        options: how the data is called, and whether remote code may run.

    Returns:
        The sources, each once, and the reason of every one that failed.

    Raises:
        SourceError: none can be opened.
    """
    opened: dict[tuple[str, str], Candidate] = {}
    failed: dict[str, str] = {}
    with progress("Opening sources", len(entries), "sources") as advance:
        for entry in entries:
            try:
                source = _open(entry, data.examples.modality, options)
                source = with_window_of(source, data, data.learnable)
            except InputError as error:
                failed[entry.name] = str(error)
            except SystemExit as stop:  # code of the user's own
                failed[entry.name] = (
                    f"its code ends the program (sys.exit({stop.code!r})): remove that from {entry.arch}"
                )
            else:
                key = (source.digest, source.preprocessing.digest())
                earlier = opened.get(key)
                names = () if earlier is None else (*earlier.same_as, entry.name)
                same = Candidate(entry, source) if earlier is None else replace(earlier, same_as=names)
                opened[key] = same
            advance(1)
    if not opened:
        raise SourceError(f"none of the sources can be ranked:\n{reasons(failed)}")
    return list(opened.values()), failed


def reasons(failed: Mapping[str, str]) -> str:
    """Why each source failed, one line per source."""
    return "\n".join(f"{uri}: {why}" for uri, why in failed.items())


def _open(entry: Entry, modality: Modality, options: RankOptions) -> Source:
    from headstart.sources import load_source

    source = load_source(
        entry.uri, arch=entry.arch, modality=modality, trust_remote_code=options.trust_remote_code
    )
    if source.modality != modality:
        raise SourceError(
            f"it takes {UNITS[source.modality]}, and {name_of(str(options.data))} holds {UNITS[modality]}: leave it out"
        )
    return source
