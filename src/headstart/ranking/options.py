"""The options of `rank`, each declared once, as those of `fit`."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from headstart.data.in_memory_data import DataInMemory
from headstart.errors import OptionError
from headstart.fitting.shared_options import (
    MACHINE,
    RUN,
    SOURCE,
    AnyPath,
    CommonOptions,
    RunOptions,
    Shown,
    as_tuples,
    checked,
    seconds_of,
)


class RankOptions(CommonOptions, RunOptions):
    """Every option of a ranking."""

    sources: Annotated[tuple[str, ...], Shown(SOURCE, "SOURCES...")] = Field(
        default=(),
        kw_only=False,
        description="Two sources or more: timm:NAME, hf:NAME[@REVISION], a folder, a file, run:RUN or bundled:letters.",
    )
    sources_file: Annotated[AnyPath | None, Shown(SOURCE, "FILE", flag="--sources")] = Field(
        default=None,
        description="A text file with one source per line, and its own --arch where it needs one.",
    )
    arch: Annotated[tuple[str, ...], Shown(SOURCE, "SOURCE=ARCH")] = Field(
        default=(),
        description="The architecture of one of the sources: SOURCE=FILE:Class or SOURCE=NAME; may be repeated.",
    )
    ray: Annotated[str | None, Shown(MACHINE, "ADDRESS")] = Field(
        default=None,
        description="HOST:PORT of a Ray cluster whose machines measure the sources (docs/ranking.md).",
    )
    budget: Annotated[str | None, Shown(RUN, "TIME")] = Field(
        default=None,
        description="Time for the ranking, such as 90s, 10m or 1h: hopeless sources are dropped on a sample first.",
    )
    partial: Annotated[bool, Shown(RUN)] = Field(
        default=False,
        description="Score the first source with only its first stages pretrained and the others random, for every "
        "number of stages.",
    )

    @property
    def budget_seconds(self) -> float | None:
        """The budget in seconds; None if there is none."""
        return None if self.budget is None else seconds_of(self.budget)


def rank_options(**given: Any) -> RankOptions:
    """Check the options of a ranking and report all faults at once.

    Args:
        given: fields of RankOptions by name; `sources` and `arch` may be lists.

    Raises:
        OptionError: an option is unknown or has a wrong value.
    """
    as_tuples(given, ("sources", "arch"))
    options = checked(RankOptions, given, places=("data", "sources_file", "out", "store"))
    if options.ray is not None and isinstance(options.data, DataInMemory):
        raise OptionError(
            f"--ray reads the data on other machines: pass a path in the place of a {options.data}"
        )
    if options.budget is not None:
        seconds_of(options.budget)
        if options.ray is not None:
            raise OptionError("--budget is for one machine: leave it out with --ray")
    return options
