"""The kinds of adapters, and how their parameters are recognised by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from headstart.errors import OptionError, did_you_mean

Method = Literal["lora", "dora", "ia3"]
"""lora: Hu et al. 2021; dora: Liu et al. 2024, lora with one magnitude per row;
ia3: Liu et al. 2022, one gain per channel."""

METHODS: tuple[Method, ...] = get_args(Method)
DEFAULT_RANK = 8


@dataclass(frozen=True)
class Adapter:
    """A kind of adapter.

    Args:
        method: `lora`, `dora` or `ia3`.
        rank: of the product that is added to a weight, at least 1; `ia3` ignores it.

    Raises:
        OptionError: there is no such method, or the rank is below 1.
    """

    method: Method
    rank: int = DEFAULT_RANK

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise OptionError(
                f"there is no adapter '{self.method}'; there are {', '.join(METHODS)}."
                f"{did_you_mean(self.method, METHODS)}"
            )
        if self.rank < 1:
            raise OptionError(f"1 <= rank must hold for {self.method}, got rank={self.rank}")


def is_adapter(name: str) -> bool:
    """Whether a parameter, by its name in the network, belongs to an adapter."""
    return any(part.startswith(("lora_", "ia3_")) for part in name.split("."))
