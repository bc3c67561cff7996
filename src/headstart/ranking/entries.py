"""What to rank: the sources of the command line and of a file, each with the architecture it needs."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from headstart.data.in_memory_data import DataInMemory
from headstart.errors import OptionError, did_you_mean, shortened
from headstart.files import named_path, read_regular
from headstart.ranking.options import RankOptions
from headstart.units import counted


@dataclass(frozen=True)
class Entry:
    """One source to rank.

    Attributes:
        uri: how the user named it.
        arch: FILE:Class, module:Class or a timm name, for a file of weights alone.
        name: how the ranking names it: the URI, with the architecture if one URI has several; "": the URI.
    """

    uri: str
    arch: str | None = None
    name: str = ""


def read_entries(options: RankOptions) -> tuple[Entry, ...]:
    """The sources to rank, in the order they were given, each once.

    Args:
        options: of the ranking.

    Raises:
        OptionError: there are fewer than two, a line cannot be read, or --arch names none of them.
    """
    entries = [Entry(uri) for uri in options.sources]
    if options.sources_file is not None:
        entries += _read_file(named_path(options.sources_file, "--sources"))
    archs: dict[str, str] = {}
    for text in options.arch:
        uri, arch = _source_and_arch(text, entries)
        if archs.setdefault(uri, arch) != arch:
            raise OptionError(
                f"--arch names two architectures for {uri}: put them in a file for --sources, one line for each"
            )
    entries = [Entry(entry.uri, archs.get(entry.uri, entry.arch)) for entry in entries]
    distinct = _named(dict.fromkeys(entries))
    if len(distinct) < 2:
        given = f"got {counted(len(distinct), 'sources')}" + (
            f" ({distinct[0].uri}, given twice)" if len(entries) > len(distinct) == 1 else ""
        )
        remedy = (
            f"try it alone with {_fit_of(distinct[0], options)}"
            if distinct
            else "name them after the data, or one per line in a file with --sources"
        )
        raise OptionError(f"a ranking needs at least two sources, {given}: {remedy}")
    return distinct


def _fit_of(entry: Entry, options: RankOptions) -> str:
    """How a source alone is tried on the same data."""
    if isinstance(options.data, DataInMemory):
        return f"headstart.fit(data, {entry.uri!r})"
    return f"headstart fit {shlex.quote(str(options.data))} --source {shlex.quote(entry.uri)}"


def _named(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """Give each entry a name of its own."""
    listed = list(entries)
    times = Counter(entry.uri for entry in listed)
    return tuple(
        replace(entry, name=f"{entry.uri} --arch {entry.arch}" if times[entry.uri] > 1 else entry.uri)
        for entry in listed
    )


def _read_file(path: Path) -> list[Entry]:
    try:
        lines = read_regular(path).decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise OptionError(f"{path} is not a text file in UTF-8: write one source per line") from None
    except OSError as error:
        raise OptionError(
            f"--sources {path} cannot be read ({error.strerror or error}): name a text file with one source per line"
        ) from None
    entries = [_entry(line, f"{path}, line {number}") for number, line in enumerate(lines, start=1)]
    return [entry for entry in entries if entry is not None]


def _entry(line: str, where: str) -> Entry | None:
    """The source of a line; None if the line is empty or a comment."""
    usage = "write SOURCE, or SOURCE --arch FILE:Class"
    if line.lstrip().startswith("#"):
        return None
    try:
        words = _without_comment(shlex.split(line))
    except ValueError as error:
        raise OptionError(f"{where}: {shortened(line)!r} has an open quote ({error}); {usage}") from None
    match words:
        case []:
            return None
        case [uri]:
            return Entry(uri)
        case [uri, "--arch", arch]:
            return Entry(uri, arch)
        case [uri, option] if option.startswith("--arch="):
            return Entry(uri, option.removeprefix("--arch="))
    raise OptionError(f"{where}: got {shortened(line.strip())!r}; {usage}")


def _without_comment(words: list[str]) -> list[str]:
    """The words before one that begins a comment; # inside a word is part of a path."""
    return words[: next((place for place, word in enumerate(words) if word.startswith("#")), len(words))]


def _source_and_arch(text: str, entries: list[Entry]) -> tuple[str, str]:
    """The two parts of --arch SOURCE=ARCH; a source may itself contain =."""
    known = [entry.uri for entry in entries]
    for uri in known:
        if text.startswith(f"{uri}=") and len(text) > len(uri) + 1:
            return uri, text[len(uri) + 1 :]
    raise OptionError(
        f"--arch must be SOURCE=FILE:Class with one of the ranked sources, got {shortened(text)!r}."
        f"{did_you_mean(text.partition('=')[0], known)}"
    )
