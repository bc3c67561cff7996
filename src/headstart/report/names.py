"""Short names of sources: the shortest ends of their URIs that tell them apart."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

_MARKS = re.compile(r"[/:\\]")


def short_names(uris: Sequence[str]) -> dict[str, str]:
    """The shortest distinct end of each URI, cut after a slash or a colon.

    Args:
        uris: any number, no two of them equal.

    Example:
        >>> list(short_names(["../weights/mobilenet", "timm:mobilenet", "hf:google/vit@main"]).values())
        ['weights/mobilenet', 'timm:mobilenet', 'vit@main']
    """
    ends = {uri: _ends(uri) for uri in uris}
    counts: dict[str, int] = {}
    for found in ends.values():
        for end in set(found):
            counts[end] = counts.get(end, 0) + 1
    return {uri: next((end for end in found if counts[end] == 1), uri) for uri, found in ends.items()}


def _ends(uri: str) -> list[str]:
    """All ends of a URI, the shortest first."""
    whole = uri.rstrip("/\\") or uri
    starts = [0, *(mark.end() for mark in _MARKS.finditer(whole))]
    return [whole[start:] for start in reversed(starts) if _MARKS.split(whole[start:])[0]] or [whole]


@dataclass(frozen=True)
class Names:
    """What the rows of a table are called, there and in sentences.

    Attributes:
        short: by the name in full.
    """

    short: Mapping[str, str]

    def __getitem__(self, name: str) -> str:
        return self.short.get(name, name)

    def parts(self, text: str) -> Iterator[tuple[str, bool]]:
        """A sentence with short names, as pairs of a text and whether it is a name.

        Args:
            text: with names in full.
        """
        longest_first = sorted(self.short, key=len, reverse=True)
        pattern = "|".join(re.escape(name) for name in longest_first)
        if not pattern:
            yield text, False
            return
        for place, piece in enumerate(re.split(rf"(?<![\w/\\:.@-])({pattern})(?![\w/\\@-]|:\S)", text)):
            if piece:
                yield (self[piece], True) if place % 2 else (piece, False)

    def within(self, text: str) -> str:
        """A sentence with short names, as plain text."""
        return "".join(piece for piece, _ in self.parts(text))
