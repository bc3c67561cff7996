"""The interface of an alignment: it maps both domains into one space, the target by an affine map."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from headstart.adapt.affine import Affine
from headstart.adapt.domains import Domains


@dataclass(frozen=True)
class Alignment:
    """One alignment.

    Attributes:
        name: in the text of a method.
        label: its name for a reader.
        align: takes the domains as they are; returns them in the common space, and the map that took the target
            there.
    """

    name: str
    label: str
    align: Callable[[Domains], tuple[Domains, Affine]]
