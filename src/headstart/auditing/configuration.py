"""An audit that is resumed: its options, and whether data and sources are still those it began with."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from headstart.auditing.options import AuditOptions, audit_options
from headstart.errors import InputError, OptionError
from headstart.files import named_path, read_json
from headstart.fitting.configuration import code_flags
from headstart.yaml_files import read_settings

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
    if resume is None:
        if given.get("data") is None:
            raise OptionError("name the data to audit: headstart audit DATA --source SOURCE")
        return audit_options(**given)
    from headstart.runs import RunDirectory
    from headstart.runs.directory import CONFIGURATION

    place = named_path(resume, "--resume")
    RunDirectory.resume(place).release()  # reports at once what cannot be resumed
    content = read_settings(place / CONFIGURATION, "the configuration", OptionError)
    saved = content.get("audit")
    if not isinstance(saved, Mapping):
        raise OptionError(f"{place} is no audit: resume it with headstart fit --resume {place}")
    options = audit_options(**saved)
    missing = [word for word in code_words(options) if word not in _words(given)]
    if missing:
        raise OptionError(
            f"{place} lets code run on this machine, which a file alone may not do. If you trust that code, add: "
            f"{shlex.join(code_words(options))}"
        )
    for name, value in given.items():
        may_change = name in ("arch", "trust_remote_code", *_MAY_CHANGE)
        if not may_change and str(value) != str(getattr(options, name, None)):
            raise OptionError(
                f"cannot resume {place} with another --{name.replace('_', '-')}: leave it out, or start a new audit"
            )
    changed = {name: given[name] for name in _MAY_CHANGE if given.get(name) is not None}
    return audit_options(**{**saved, **changed})


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

    given = options.model_dump(mode="json", exclude=set(_MAY_CHANGE))
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


def _words(given: Mapping[str, Any]) -> list[str]:
    arch = given.get("arch") or ()
    words = [word for each in arch for word in ("--arch", str(each))]
    return [*words, *(["--trust-remote-code"] if given.get("trust_remote_code") else [])]
