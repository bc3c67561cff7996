"""Files that are whole or absent: written under a temporary name, flushed to the disk, then renamed.

`atomic_path` does this for one file in a block; `put_in_place` is its last step, for writers that make the
temporary file themselves (shards, which are locked while they are written, and checkpoints).
"""

from __future__ import annotations

import errno
import json
import math
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import IO, Any

from headstart.errors import (
    DiskFullError,
    HeadstartError,
    InputError,
    OptionError,
    did_you_mean,
    parsing,
    shortened,
)
from headstart.locks import create_locked, remove_dead

TEMPORARY = ".*.tmp*"  # pattern of the names that `atomic_path` gives
_OTHERS = (  # what a name can be other than a regular file
    (stat.S_ISLNK, "a link"),
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)
_SHORT = 40  # characters of a name that are kept in them


def open_regular(path: Path, *, follow: bool = True) -> BufferedReader:
    """Open a file to read it; a named pipe or a device, which could block or last for ever, is refused.

    Args:
        path: of the file.
        follow: whether it may be a link.

    Raises:
        OSError: it is missing, may not be read, or is not a regular file; `strerror` says which.
    """
    mode = path.stat(follow_symlinks=follow).st_mode
    for is_it, words in _OTHERS:
        if is_it(mode):
            raise OSError(errno.EINVAL, f"it is {words}, not a file", str(path))
    return path.open("rb")


def read_regular(path: Path, *, follow: bool = True) -> bytes:
    """The content of a regular file.

    Args:
        path: of the file.
        follow: whether it may be a link.

    Raises:
        OSError: see `open_regular`.
    """
    with open_regular(path, follow=follow) as file:
        return file.read()


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it into place when the block ends without an error.

    Args:
        path: of the file; an earlier file there is replaced in one step.

    Yields:
        The path to write to. It has the ending of `path`, since some writers look at it.

    Raises:
        DiskFullError: the disk is full.
        HeadstartError: the file cannot be written for another reason.
    """
    name = (f".{path.stem[:_SHORT]}.", f".tmp{path.suffix}")
    try:
        remove_dead(path.parent, *name)  # of a process that was killed while it wrote this file
        file, temporary = create_locked(path.parent, *name)
        with file:
            try:
                yield temporary
                os.chmod(temporary, os.fstat(file.fileno()).st_mode)  # some writers let only the owner read
                put_in_place(temporary, path)
            finally:
                temporary.unlink(missing_ok=True)
    except OSError as error:
        raise write_error(path, error) from None


def name_of(place: str | Path) -> str:
    """The last part of a path, as a sentence names it; "." is the folder that it stands for."""
    path = Path(place)
    return (path if path.name not in ("", "..") else path.resolve()).name or str(place)


def named_path(given: str | Path, what: str) -> Path:
    """The path that a user gave, `~` replaced by the home folder; there need be nothing at it.

    Args:
        given: what the user wrote.
        what: it is for, such as "--out".

    Raises:
        OptionError: no file can have this name.
    """
    text = str(given)
    if not text.strip():
        raise OptionError(f"{what} must not be empty: name a file or a folder")
    try:
        path = Path(text).expanduser()
        path.lstat()
    except RuntimeError:
        raise OptionError(
            f"{what} {shortened(text)}: there is no user with this home folder; write the path without ~"
        ) from None
    except ValueError:
        raise OptionError(f"{what} {shortened(text)!r} holds a null character, which no name can") from None
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise OptionError(f"{what} {shortened(text)}: the name is too long for a file") from None
    return path


def put_in_place(temporary: Path, path: Path, previous: Path | None = None) -> None:
    """Flush a complete temporary file to the disk, then rename it, so that the name is never half a file.

    Args:
        temporary: in the same folder, all its content handed to the system.
        path: its name; an earlier file there is replaced.
        previous: a name that an earlier file at `path` gets instead of being replaced.

    Raises:
        OSError: the disk is full or cannot be written; the earlier file is still there.
    """
    _sync(temporary)
    if previous is not None and path.exists():
        os.replace(path, previous)
    os.replace(temporary, path)
    _sync(path.parent)


def write_bytes(path: Path, content: bytes) -> None:
    """Write a whole file or nothing."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: Path, content: str) -> None:
    """Write a whole UTF-8 file or nothing; characters that UTF-8 cannot hold are written as escapes."""
    write_bytes(path, content.encode("utf-8", "backslashreplace"))


def json_text(content: Any) -> str:
    """Strict JSON (numbers that are not finite become null), readable and ending in a line break."""
    return json.dumps(plain(content), indent=2, allow_nan=False, ensure_ascii=False) + "\n"


def write_json(path: Path, content: Any) -> None:
    """Write a file of `json_text`."""
    write_text(path, json_text(content))


def write_yaml(path: Path, content: Mapping[str, Any], comment: str = "") -> None:
    """Write YAML in the order of the keys, with a comment above it."""
    import yaml

    lines = "".join(f"# {line}\n" for line in comment.splitlines())
    write_text(path, lines + yaml.safe_dump(plain(content), sort_keys=False, allow_unicode=True, width=110))


def write_jsonl(path: Path, records: Iterable[Mapping[str, Any]]) -> None:
    """Write one line of JSON per record."""
    lines = (json.dumps(plain(record), allow_nan=False, ensure_ascii=False) + "\n" for record in records)
    write_text(path, "".join(lines))


def append_jsonl(path: Path, record: Mapping[str, Any]) -> None:
    """Add one line of JSON; a line that an earlier process did not finish is removed first."""
    line = json.dumps(plain(record), allow_nan=False, ensure_ascii=False) + "\n"
    try:
        with open(path, "a+b") as file:
            _drop_half_line(file)
            file.write(line.encode("utf-8", "backslashreplace"))
            file.flush()
    except OSError as error:
        raise write_error(path, error) from None


def read_jsonl(path: Path) -> list[dict[str, Any]]:
    """Read the whole lines of a JSON-lines file; a half-written last line is left out.

    Raises:
        InputError: it is damaged.
    """
    if not path.is_file():
        return []
    with parsing(path, "lines of JSON", "make the run again"):
        *lines, _ = read_regular(path).decode("utf-8").split("\n")
        return [json.loads(line) for line in lines if line]


def read_json(path: Path, remedy: str = "make the run again", kind: type[InputError] = InputError) -> Any:
    """Read a JSON file.

    Args:
        path: of the file.
        remedy: what to do if it is damaged.
        kind: of the error.

    Raises:
        InputError: of the given kind: it does not exist or is damaged.
    """
    with parsing(path, "JSON", remedy, kind):
        return json.loads(read_regular(path).decode("utf-8"))


def did_you_mean_beside(path: Path) -> str:
    """Return " Did you mean 'x'?" if a file or folder with nearly that name lies in the same folder, else "".

    Args:
        path: at which there is nothing.
    """
    try:
        return did_you_mean(path.name, [entry.name for entry in path.parent.iterdir()])
    except OSError:  # there is no such folder, or it may not be listed
        return ""


def plain(value: Any) -> Any:
    """Turn numpy values, paths, tuples and numbers that are not finite into what JSON and YAML hold."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def write_error(path: Path, error: OSError) -> HeadstartError:
    """Return an error of the system as a message: which file, why, what to do."""
    if is_disk_full(error):
        return DiskFullError(
            f"the disk is full, {path} cannot be written: free some space, or pass another folder with --out"
        )
    return HeadstartError(f"cannot write {path}: {error.strerror or error}")


def is_disk_full(error: OSError) -> bool:
    """Whether an error of the system means that a disk, a quota or a file is full."""
    return error.errno in (errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC))


def _sync(path: Path) -> None:
    flags = os.O_RDONLY | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(path, flags)
    except PermissionError:  # Windows opens no folders
        return
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.EBADF):  # some file systems sync no folders
            raise
    finally:
        os.close(descriptor)


def _drop_half_line(file: IO[bytes]) -> None:
    end = file.seek(0, os.SEEK_END)
    if not end:
        return
    file.seek(end - 1)
    if file.read(1) == b"\n":
        return
    file.seek(0)
    file.truncate(file.read().rfind(b"\n") + 1)
