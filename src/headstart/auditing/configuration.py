"""An audit that is resumed: its options, and whether data and sources are still those it began with."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from headstart.auditing.options import AuditOptions, audit_options
from headstart.errors import InputError
from headstart.files import read_json
from headstart.fitting.configuration import code_flags, with_absolute_paths
from headstart.fitting.resuming import Resumable

if TYPE_CHECKING:
    from headstart.data import DataSet
    from headstart.runs import RunDirectory
    from headstart.sources import Source

_MAY_CHANGE = ("data", "threads", "store", "budget", "report")  # when an audit is resumed
_IDENTITY = "audit.json"  # in the folder of the cells


def options_of_command(given: Mapping[str, Any], resume: Path | None) -> AuditOptions:
    """The options of an `audit` command, or those of the unfinished audit that is resumed.

    Args:
        given: options as written on the command line.
        resume: an unfinished audit.

    Raises:
        OptionError: an option is wrong, or differs from that of the audit.
        InputError: there is nothing to resume.
    """
    verb = Resumable("audit", "an audit", audit_options, code_words, "DATA --source SOURCE", _MAY_CHANGE)
    return verb.options(given, resume)


def code_words(options: AuditOptions) -> list[str]:
    """The options that let code run, as words of a command: they count only if the user types them."""
    words = [word for arch in options.arch for word in code_flags({"arch": arch})]
    return [*words, *code_flags({"trust_remote_code": options.trust_remote_code})]


def check_same(run: RunDirectory, options: AuditOptions, data: DataSet, sources: Sequence[Source]) -> None:
    """Note what an audit is made of, or refuse to resume one that was made of something else.

    Args:
        run: the audit's folder.
        options: of the audit.
        data: the data set.
        sources: all of them.

    Raises:
        InputError: data or sources have changed.
    """
    from headstart.runs.directory import TRAINING

    given = with_absolute_paths(options.model_dump(mode="json", exclude=set(_MAY_CHANGE)))
    now = {"data": _digest(data), "sources": [source.digest for source in sources], "options": given}
    path = run.path / TRAINING / _IDENTITY
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        run.write_json(f"{TRAINING}/{_IDENTITY}", now)
        return
    before = read_json(path)
    for name, value in now.items():
        if not isinstance(before, dict) or before.get(name) != value:
            raise InputError(
                f"cannot resume {run.path}: the {name} changed since it was begun. Start a new audit"
            )


def _digest(data: DataSet) -> str:
    """Of the items, their labels, parts and units."""
    whole = hashlib.sha256()
    for column in (data.scan.digests, data.labels, data.examples.splits, data.units):
        whole.update(repr(None if column is None else np.asarray(column).tolist()).encode())
    return whole.hexdigest()
