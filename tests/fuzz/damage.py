"""What is done to a valid file, all of it decided by one random generator."""

from __future__ import annotations

import copy
import json
import os
import re
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**31, 2**63, -(2**63), 10**30, 0.5, -1e308, float("nan"), float("inf"),
    "", " ", "x", "\x00", "a/../../b", "/etc/passwd", "\ud800", "é\u200b", "9" * 400, "1e999", "[]", [], {},
    [[]], [None], [1, "a"], {"a": {}}, ["x"] * 50, "train", "image", "os:system", "../x.py:Net",
)  # fmt: skip
WORDS = (
    b"", b" ", b"NaN", b"inf", b"1e999", b"-1", b"0", b"null", b"true", b"99999999999999999999", b"\x00", b"\xff\xfe",
    b"\xc3\x28", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\r", b"\n", b"\t", b",", b'"', b"'", b"[", b"{", b"}", b": ",
    b"../../x", b"/dev/zero", b"x" * 5000, b"=1+1", b"\x1b[31m", b"&a [*a, *a]", b"!!python/object/apply:os.system [x]",
    b"2001-99-99", b"1e38", b"\xe2\x80\x8b", b"~nobody/x", b"http://127.0.0.1:9/x",
)  # fmt: skip
_NUMBERS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 2**63 - 1, 2**64 - 1)
_TEXTS = (".json", ".jsonl", ".yaml", ".csv", ".tsv", ".txt", ".md")


def damage(path: Path, chance: Random) -> None:
    """Damage one file in place, mostly inside, sometimes the file as a whole."""
    kind = chance.random()
    if kind < 0.04:
        _replace_file(path, chance)
    elif path.suffix in (".json", ".jsonl") and kind < 0.6 and _is_json(path):
        _damage_json(path, chance)
    elif path.suffix in (".npz", ".pt2", ".pth") and kind < 0.6 and zipfile.is_zipfile(path):
        _damage_member(path, chance)
    else:
        path.write_bytes(damaged(path.read_bytes(), chance, text=path.suffix in _TEXTS))


def damaged(content: bytes, chance: Random, *, text: bool) -> bytes:
    """Some bytes after one to four changes."""
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        content = chance.choice(_IN_TEXT if text and chance.random() < 0.8 else _IN_BYTES)(content, chance)
    return content


def _flip_bit(content: bytes, chance: Random) -> bytes:
    changed = bytearray(content)
    if changed:
        changed[_place(content, chance)] ^= 1 << chance.randrange(8)
    return bytes(changed)


def _set_number(content: bytes, chance: Random) -> bytes:
    width = chance.choice((1, 2, 4, 8))
    number = chance.choice(_NUMBERS) & (256**width - 1)
    at = _place(content, chance)
    return content[:at] + number.to_bytes(width, chance.choice(("little", "big"))) + content[at + width :]  # type: ignore[arg-type]


def _cut(content: bytes, chance: Random) -> bytes:
    return content[
        : chance.choice((0, 1, len(content) // 2, max(0, len(content) - 1), _place(content, chance)))
    ]


def _remove(content: bytes, chance: Random) -> bytes:
    at = _place(content, chance)
    return content[:at] + content[at + chance.choice((1, 2, 16, 300)) :]


def _repeat(content: bytes, chance: Random) -> bytes:
    at = _place(content, chance)
    return (
        content[:at]
        + content[at : at + chance.choice((1, 8, 200))] * chance.choice((2, 3, 50))
        + content[at:]
    )


def _zeros(content: bytes, chance: Random) -> bytes:
    at, n_bytes = _place(content, chance), chance.choice((1, 4, 64, 1000))
    return content[:at] + bytes(len(content[at : at + n_bytes])) + content[at + n_bytes :]


def _noise(content: bytes, chance: Random) -> bytes:
    at = _place(content, chance)
    return content[:at] + chance.randbytes(chance.choice((1, 3, 40))) + content[at:]


def _word(content: bytes, chance: Random) -> bytes:
    """Replace a word or number of a text."""
    found = list(re.finditer(rb"[\w.+-]+", content))
    if not found:
        return content + chance.choice(WORDS)
    word = chance.choice(found)
    return content[: word.start()] + chance.choice(WORDS) + content[word.end() :]


def _insert_word(content: bytes, chance: Random) -> bytes:
    at = _place(content, chance)
    return content[:at] + chance.choice(WORDS) + content[at:]


def _lines(content: bytes, chance: Random) -> bytes:
    """Remove, repeat or exchange lines."""
    lines = content.split(b"\n")
    one, other = chance.randrange(len(lines)), chance.randrange(len(lines))
    kind = chance.randrange(3)
    if kind == 0:
        del lines[one]
    elif kind == 1:
        lines.insert(other, lines[one])
    else:
        lines[one], lines[other] = lines[other], lines[one]
    return b"\n".join(lines)


def _place(content: bytes, chance: Random) -> int:
    """A position; half of them in the first or last 100 bytes, where headers and indexes lie."""
    if not content:
        return 0
    edge = min(100, len(content))
    kind = chance.random()
    if kind < 0.25:
        return chance.randrange(edge)
    return len(content) - 1 - chance.randrange(edge) if kind < 0.5 else chance.randrange(len(content))


_Change = Callable[[bytes, Random], bytes]
_IN_BYTES: tuple[_Change, ...] = (
    _flip_bit,
    _flip_bit,
    _set_number,
    _set_number,
    _cut,
    _remove,
    _repeat,
    _zeros,
    _noise,
)
_IN_TEXT: tuple[_Change, ...] = (_word, _word, _insert_word, _lines, _flip_bit, _cut, _remove, _repeat)


def _is_json(path: Path) -> bool:
    """Whether the file is still JSON: it may have been damaged before."""
    try:
        text = path.read_text("utf-8")
        return all(
            json.loads(line) is not ... for line in (text.splitlines() if path.suffix == ".jsonl" else [text])
        )
    except (ValueError, RecursionError):
        return False


def _damage_json(path: Path, chance: Random) -> None:
    """Replace, remove or add a value anywhere in a JSON file; of a .jsonl, in one line."""
    lines = path.read_text("utf-8").splitlines() if path.suffix == ".jsonl" else [path.read_text("utf-8")]
    if not lines:
        return
    at = chance.randrange(len(lines))
    lines[at] = json.dumps(with_other_value(json.loads(lines[at]), chance))
    path.write_text("\n".join(lines) + "\n", "utf-8")


def with_other_value(value: Any, chance: Random) -> Any:
    """A copy of a value of JSON with one value inside it replaced, removed or added."""
    value = copy.deepcopy(value)
    places = list(_containers(value))
    if not places:
        return chance.choice(VALUES)
    inside = chance.choice(places)
    keys = list(inside) if isinstance(inside, dict) else list(range(len(inside)))
    key, kind = chance.choice(keys), chance.random()
    if kind < 0.2:
        del inside[key]
    elif kind < 0.3:
        inside[key] = inside[
            chance.choice([each for each in keys if each in inside or isinstance(inside, list)])
        ]
    elif kind < 0.35 and isinstance(inside, dict):
        inside[str(chance.choice(VALUES))[:50]] = chance.choice(VALUES)
    elif kind < 0.4 and isinstance(inside[key], str):
        inside[key] = inside[key][: chance.randrange(len(inside[key]) + 1)] + str(chance.choice(VALUES))[:50]
    else:
        inside[key] = chance.choice(VALUES)
    return value


def _containers(value: Any) -> Any:
    if isinstance(value, dict | list) and value:
        yield value
        for inside in value.values() if isinstance(value, dict) else value[:50]:
            yield from _containers(inside)


def _damage_member(path: Path, chance: Random) -> None:
    """Damage a member of a zip archive and write the archive anew, so that its checksums are right."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = [(info, archive.read(info)) for info in archive.infolist()]
    except Exception:  # it was damaged before, in any way
        return
    if not members:  # its only member was left out before
        return
    at = chance.randrange(len(members))
    with zipfile.ZipFile(path, "w") as archive:
        for index, (info, content) in enumerate(members):
            if index == at and chance.random() < 0.1:
                continue
            archive.writestr(info, damaged(content, chance, text=False) if index == at else content)


def _replace_file(path: Path, chance: Random) -> None:
    """Put something else in the place of a file."""
    path.unlink()
    kind = chance.choice(
        ("nothing", "folder", "link to itself", "dangling link", "pipe", "empty", "device", "text")
    )
    if kind == "folder":
        path.mkdir()
    elif kind == "link to itself":
        path.symlink_to(path.name)
    elif kind == "dangling link":
        path.symlink_to("nowhere")
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "empty":
        path.touch()
    elif kind == "text":
        path.write_bytes(chance.choice(WORDS) * chance.choice((1, 1000)))


def copy_of(valid: Path, folder: Path) -> Path:
    """A fresh copy of a valid file or folder."""
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    place = folder / valid.name
    if valid.is_dir():
        shutil.copytree(valid, place, symlinks=True)
    else:
        shutil.copyfile(valid, place)
    return place
