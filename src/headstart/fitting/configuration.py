"""headstart.yaml: the options of a run, written resolved and read again by `--config` and `--resume`."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from headstart import processes
from headstart.data.in_memory_data import is_in_memory
from headstart.errors import OptionError
from headstart.files import named_path
from headstart.fitting.options import FitOptions, fit_options
from headstart.fitting.source_path import absolute_arch, absolute_place
from headstart.run_kinds import RUN_KINDS, kind_in
from headstart.yaml_files import read_settings


def options_of_command(given: dict[str, Any], config: Path | None, resume: Path | None) -> FitOptions:
    """The options of a `fit` command: those given there override those of a file or of an unfinished run.

    Args:
        given: options as written on the command line.
        config: a headstart.yaml.
        resume: an unfinished run to resume.

    Raises:
        OptionError: an option is wrong, or there is no data to fit.
    """
    if resume is not None:
        from headstart.runs import RunDirectory

        if given.get("out") is not None:
            raise OptionError("--resume continues in the run's own folder: remove --out")
        resume = named_path(resume, "--resume")
        if processes.is_first():
            RunDirectory.resume(resume).release()  # reports at once what cannot be resumed
        config = resume / "headstart.yaml"
    elif config is not None:
        config = named_path(config, "--config")
    options = {} if config is None else read_options(config)
    if config is not None:
        _check_code(config, options, given)
    if resume is not None:
        _check_same_run(resume, options, given)
    options.update(given)
    if options.get("data") is None:
        raise OptionError("name the data to fit: headstart fit DATA --source SOURCE")
    if config is not None:
        require_on_disk(options["data"], config, "fit")
    return fit_options(**options)


def read_options(path: Path) -> dict[str, Any]:
    """Read the options of a headstart.yaml.

    Raises:
        OptionError: the file is missing or is not a mapping of options.
    """
    content = read_settings(path, "the configuration", OptionError)
    kind = kind_in(content)
    if kind != "fit":
        found = RUN_KINDS[kind]
        remedy = f"{found.words}: {found.again or f'see headstart {kind} --resume'}"
        raise OptionError(f"{path} is not the configuration of a fit but of {remedy}")
    options = content.get("fit", content)
    if not isinstance(options, dict):
        raise OptionError(f"{path}: `fit` must hold options by name")
    return {str(name): value for name, value in options.items()}


def with_absolute_paths(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options for a file that is read in any folder: what names a file or folder that exists is made absolute.

    Args:
        options: of a verb, by name.
    """
    found = dict(options)
    for name in ("data", "run", "target_data", "source", "source_data", "recipe", "store"):
        if found.get(name) is not None:
            found[name] = absolute_place(str(found[name]))
    if found.get("against"):
        names = [name.strip() for name in str(found["against"]).split(",")]
        # A name without a slash may be a method: "scratch" is no folder of that name.
        found["against"] = ",".join(absolute_place(name) if "/" in name else name for name in names)
    for name, absolute in (("sources", absolute_place), ("arch", absolute_arch)):
        value = found.get(name)
        if value:
            found[name] = absolute(value) if isinstance(value, str) else type(value)(map(absolute, value))
    return found


def require_on_disk(data: Any, config: Path, verb: str) -> None:
    """Refuse the configuration of a run whose data a script held: a command cannot read it again.

    Args:
        data: as the configuration names it, or as the user did in its place.
        config: its file.
        verb: that made the run.

    Raises:
        OptionError: no file holds the data.
    """
    if is_in_memory(str(data)):
        raise OptionError(
            f"{config} is of a run on data that a script held ({data}), which no file holds: call headstart.{verb} in "
            "Python again, or name data on this disk after the command"
        )


def code_flags(options: Mapping[str, Any]) -> list[str]:
    """The options that let code run, as written on a command line: they count only if the user types them."""
    arch = options.get("arch")
    flags = ["--arch", str(arch)] if arch is not None and ":" in str(arch) else []  # a timm name runs nothing
    return [*flags, *(["--trust-remote-code"] if options.get("trust_remote_code") else [])]


def _check_code(path: Path, saved: Mapping[str, Any], given: Mapping[str, Any]) -> None:
    """Refuse a file that lets code run which the user did not name on this command line.

    Raises:
        OptionError: with the options to add.
    """
    flags = code_flags({name: value for name, value in saved.items() if name not in given})
    if flags:
        raise OptionError(
            f"{path} lets code run on this machine, which a file alone may not do. If you trust that code, "
            f"add: {shlex.join(flags)}"
        )


def _check_same_run(run: Path, saved: Mapping[str, Any], given: Mapping[str, Any]) -> None:
    """Refuse to resume a run under a policy or from a source that it was not started with.

    Data that was moved may be given by its new path, since checkpoints hold a digest of its content; a head alone
    has no checkpoints.

    Raises:
        OptionError: the policy or the source differs, or the data if only the head is fitted.
    """
    freeze = saved.get("freeze", "all")
    words = {"freeze": "--freeze", "source": "--source", "data": "the data"}
    for name in ("freeze", "source", "data") if freeze == "all" else ("freeze", "source"):
        was, now = saved.get(name), given.get(name)
        if now is not None and not _same(str(was), str(now)):
            before = "the default source" if was is None else f"{words[name]} {was}"
            raise OptionError(
                f"cannot resume {run}: it was started with {before}, not {now}. "
                "Resume with the same settings, or start a new run"
            )


def _same(one: str, other: str) -> bool:
    """Whether two options are equal, or paths to one place."""
    return one == other or (Path(one).exists() and Path(other).exists() and Path(one).samefile(other))
