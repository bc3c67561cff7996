"""Spread calls of one function over the machines of a Ray cluster (https://docs.ray.io, Moritz et al. 2018).

Ray makes a call again on another machine if the one that made it dies. Written by hand: an address that does not
answer is an error within seconds (Ray tries for two minutes and then ends the process), and data that a machine does
not see is sent to it, once.
"""

from __future__ import annotations

import hashlib
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

from headstart.errors import HeadstartError, OptionError
from headstart.progress import say

T = TypeVar("T")
A = TypeVar("A")

ANSWER_SECONDS = 12.0
N_RETRIES = 5  # of a call, each time after a machine or a process has died


class _Lost(HeadstartError):
    """A call whose machine or process died, as often as it was tried."""


@dataclass(frozen=True)
class _Place:
    """Data as a machine of the cluster finds it.

    Attributes:
        path: absolute.
        fingerprint: of what lies there.
        sent: the content by relative name, a reference of Ray; None: every machine sees the path.
    """

    path: str
    fingerprint: str
    sent: Any


def map_on_cluster(
    address: str, function: Callable[[A, Path], T], arguments: Sequence[A], data: Path
) -> Iterator[tuple[int, T | HeadstartError]]:
    """Call a function with each argument, on the machines of a cluster, one call per core at a time.

    Args:
        address: HOST:PORT of the cluster, as `ray start --head` prints it; this machine must belong to the cluster.
        function: of a module that every machine can import; called with an argument and the path of the data there. It
            has one core, so it should use one thread. It may be called again if its machine dies.
        arguments: what it is called with; paths in them must be absolute.
        data: a file or a folder. A machine that does not see the same there gets a copy.

    Yields:
        The number of an argument and the result, or why there is none, as soon as it is known.

    Raises:
        OptionError: Ray is not installed, nothing answers at the address, or a machine cannot run headstart.
        HeadstartError: the data cannot be sent.
    """
    ray = _ray()
    with _connected(ray, address):
        place = _place(ray, data)
        call = ray.remote(num_cpus=1, max_retries=N_RETRIES)(_call)
        waiting = {
            call.remote(function, argument, place): number for number, argument in enumerate(arguments)
        }
        try:
            while waiting:
                (done,), _ = ray.wait(list(waiting), num_returns=1)
                yield waiting.pop(done), _result(ray, done)
        finally:
            for each in waiting:
                ray.cancel(each, force=True)


def _ray() -> Any:
    try:
        import ray
    except ImportError:
        raise OptionError("headstart rank --ray needs the extra: pip install 'headstart[cluster]'") from None
    return ray


@contextmanager
def _connected(ray: Any, address: str) -> Iterator[None]:
    """A block with a connection to the cluster; one that this program has already is used and kept."""
    if ray.is_initialized():
        yield
        return
    _check_answers(address)
    try:
        ray.init(address=address, log_to_driver=False, logging_level="error")
    except (Exception, SystemExit) as error:
        raise _no_cluster(address, str(error)) from None
    try:
        yield
    finally:
        ray.shutdown()


def _check_answers(address: str) -> None:
    """Try the address in another process, which can be ended."""
    trial = "import sys, ray; ray.init(address=sys.argv[1], log_to_driver=False, logging_level='error')"
    try:
        done = subprocess.run(
            [sys.executable, "-c", trial, address], capture_output=True, text=True, timeout=ANSWER_SECONDS
        )
    except subprocess.TimeoutExpired:
        raise _no_cluster(address, f"no answer within {ANSWER_SECONDS:g} seconds") from None
    if done.returncode:
        last = (done.stderr.strip() or "it ended the connection").splitlines()[-1]
        raise _no_cluster(address, last)


def _no_cluster(address: str, why: str) -> OptionError:
    return OptionError(
        f"no Ray cluster answers at --ray {address} ({why}): pass HOST:PORT as `ray start --head` prints it, on a "
        "machine that belongs to the cluster (`ray status` shows it)"
    )


def _place(ray: Any, data: Path) -> _Place:
    """The data, sent to the cluster if a machine does not see the same as this one; machines are looked at once."""
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    path = str(data.absolute())
    ours = _look(path)
    look = ray.remote(num_cpus=0, max_retries=0)(_look)
    nodes = _alive(ray)
    looks = {
        node: look.options(scheduling_strategy=NodeAffinitySchedulingStrategy(node, soft=False)).remote(path)
        for node in nodes
    }
    blind = []
    for node, reference in looks.items():
        name, theirs = nodes[node], _result(ray, reference)
        if isinstance(theirs, _Lost):
            continue  # the machine has died since: others do its work
        if isinstance(theirs, HeadstartError):
            raise OptionError(f"{name} of the cluster cannot run headstart {ours[0]}: {theirs}")
        if theirs[0] != ours[0]:
            raise OptionError(
                f"{name} of the cluster has headstart {theirs[0]}, this machine {ours[0]}: install one version"
            )
        if theirs[1] != ours[1]:
            blind.append(name)
    if not blind:
        return _Place(path, ours[1], None)
    say(f"{', '.join(blind)} of the cluster does not see {data}: it is sent there")
    return _Place(path, ours[1], ray.put(_content(Path(path))))


def _alive(ray: Any) -> dict[str, str]:
    """The names of the machines of the cluster that answer, by their ids."""
    return {node["NodeID"]: node["NodeName"] for node in ray.nodes() if node["Alive"]}


def _result(ray: Any, reference: Any) -> Any:
    """The result of a call, or why there is none."""
    try:
        return ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        cause = error.cause
        return (
            cause if isinstance(cause, HeadstartError) else HeadstartError(f"{type(cause).__name__}: {cause}")
        )
    except ray.exceptions.RayError as error:
        return _Lost(f"the cluster gave it up: {str(error).strip().splitlines()[0]}")


def _call(function: Callable[[A, Path], T], argument: A, place: _Place) -> T:
    """One call, on a machine of the cluster."""
    path = Path(place.path)
    if _look(place.path)[1] != place.fingerprint:
        if place.sent is None:
            raise HeadstartError(f"{platform.node()} does not see {path}, or sees something else there")
        path = _unpacked(place.path, place.fingerprint, place.sent)
    return function(argument, path)


def _look(path: str) -> tuple[str, str]:
    """The version of headstart here, and a digest of names and sizes of the files at a path."""
    files = [(str(file.relative_to(path)), file.stat().st_size) for file in _files(Path(path))]
    return version("headstart"), hashlib.sha256(repr(files).encode()).hexdigest()


def _files(path: Path) -> list[Path]:
    """The files at a path, in order: itself, or those of the folder."""
    if path.is_file():
        return [path]
    return sorted(file for file in path.rglob("*") if file.is_file())


def _content(path: Path) -> dict[str, bytes]:
    """The files at a path by relative name.

    Raises:
        HeadstartError: a link is among them, which might lead anywhere.
    """
    files = _files(path)
    links = [entry for entry in (path, *path.rglob("*")) if entry.is_symlink()]
    if links:
        raise HeadstartError(
            f"{path} is not where all machines of the cluster see it, and it cannot be sent, since {links[0]} is a "
            "link: put the data on a disk that they share"
        )
    return {str(file.relative_to(path)): file.read_bytes() for file in files}


_kept: dict[str, tempfile.TemporaryDirectory[str]] = {}  # removed when this process ends


def _unpacked(path: str, fingerprint: str, sent: Any) -> Path:
    """Data that was sent, in a folder of this process under its own name."""
    if fingerprint not in _kept:
        folder = tempfile.TemporaryDirectory(prefix="headstart-")
        content: dict[str, bytes] = _ray().get(sent)
        for name, data in content.items():
            file = Path(folder.name, Path(path).name, *([] if name == "." else [name]))
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
        _kept[fingerprint] = folder
    return Path(_kept[fingerprint].name) / Path(path).name
