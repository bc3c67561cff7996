"""The options of `adapt`, each declared once, as those of `fit`."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from headstart.adapt.method_names import AUTO, Parts, usages
from headstart.data.in_memory_data import in_memory
from headstart.errors import OptionError
from headstart.fitting.shared_options import (
    DATA,
    RUN,
    SOURCE,
    AnyPath,
    CommonOptions,
    RunOptions,
    Shown,
    checked,
    reading,
)
from headstart.run_files import METRICS, UNFINISHED


class AdapterOptions(CommonOptions):
    """Options of adapting, which the estimator takes too."""

    source: Annotated[
        AnyPath | None, Shown(SOURCE, otherwise="a well-known one for the data, from the hub")
    ] = Field(
        default=None,
        description="timm:NAME, hf:NAME[@REVISION], a folder, a file, run:RUN or bundled:letters.",
    )
    arch: Annotated[str | None, Shown(SOURCE)] = Field(
        default=None, description="FILE:Class, module:Class or a timm name, for a file of weights alone."
    )
    method: Annotated[str, Shown(SOURCE)] = Field(
        default=AUTO, description=f"auto (chosen without labels of the target), or {usages()}."
    )


class AdaptOptions(AdapterOptions, RunOptions):
    """Every option of an adaptation."""

    data: Annotated[AnyPath, Shown(DATA)] = Field(
        kw_only=False, description="A folder, a table, an npz file or a hub id."
    )
    target_data: Annotated[
        AnyPath | None, Shown(DATA, "TARGET", "the other domain of DATA", is_argument=True)
    ] = Field(
        default=None,
        kw_only=False,
        description="Items of the other domain, labels not needed; then DATA is the labelled data or a finished run.",
    )
    from_domain: Annotated[str | None, Shown(DATA, "NAME", flag="--from")] = Field(
        default=None, description="The domain whose labels are learned from."
    )
    to_domain: Annotated[str | None, Shown(DATA, "NAME", flag="--to")] = Field(
        default=None, description="The domain to adapt to; its labels, if any, only score the result."
    )
    holdout: Annotated[float | None, Shown(RUN, "SHARE")] = Field(
        default=None,
        gt=0,
        lt=1,
        description="Share of the target's items that nothing is adapted on, and that alone are scored.",
    )


def adapt_options(**given: Any) -> AdaptOptions:
    """Check the options of an adaptation and report all faults at once.

    Args:
        given: fields of AdaptOptions by name.

    Raises:
        OptionError: an option is unknown or has a wrong value.
    """
    held = next((found for name in ("data", "target_data") if (found := in_memory(given.get(name)))), None)
    if held is not None:
        raise OptionError(
            f"adapt reads its domains from paths or from a run, got a {held}: write it to a file, or use "
            "headstart.TransferAdapter, which takes lists and arrays"
        )
    options = checked(AdaptOptions, given, places=("data", "target_data", "source", "out", "store"))
    if options.method != AUTO:
        Parts.of(options.method)
    named = options.from_domain is not None or options.to_domain is not None
    if options.target_data is not None and named:
        raise OptionError("name a second data set, or domains of the first with --from and --to, not both")
    return options


def refuse_path_as_column(options: AdaptOptions) -> None:
    """Refuse --target PATH: it names the column of labels, and a user may mean the second argument, TARGET.

    Raises:
        OptionError: with the command that was probably meant.
    """
    column = options.target
    names_domains = options.target_data is not None or options.from_domain is not None
    if column is None or names_domains or not Path(column).expanduser().exists():
        return
    raise OptionError(
        f"--target names the column of labels, and {column} is a path: give the other domain without --target, as in "
        f"{shlex.join(['headstart', 'adapt', str(options.data), column])}"
    )


def run_named(options: AdaptOptions) -> Path | None:
    """The folder of the run that DATA names; None if DATA is no run.

    Raises:
        OptionError: DATA is a run, and an option needs labelled data.
    """
    data = str(options.data)
    folder = Path(data.removeprefix("run:")).expanduser()
    is_run = any((folder / name).is_file() for name in (METRICS, UNFINISHED))
    if not data.startswith("run:") and not is_run:
        return None
    if options.target_data is None:
        raise OptionError(
            f"{data} is a run: name the new data to adapt it to, as in headstart adapt {data} TARGET"
        )
    if options.source is not None:
        raise OptionError(f"--source cannot be used with a run: {data} holds its own network; leave it out")
    if reading(options)["task"] is not None:
        raise OptionError(f"--task cannot be used with a run: {data} knows its task; leave it out")
    return folder
