"""Settings in YAML: read as written, and refused with the file and the line where they are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from headstart.errors import InputError, OptionError
from headstart.yaml_files import read_settings


def bomb() -> bytes:
    """267 bytes of aliases that stand for 10^9 values."""
    lines = ["a: &a [" + ",".join(["lol"] * 9) + "]"]
    lines += [f"{new}: &{new} [{','.join(['*' + old] * 9)}]" for old, new in zip("abcdefgh", "bcdefghi")]
    return "\n".join(lines).encode()


WRONG = {
    "aliases": (bomb(), "line 1: anchors .* and aliases .* are not read"),
    "an alias": (b"a: 1\nb: *a\n", "line 2: anchors"),
    "not UTF-8": (b"\xff\xfeepochs: 3\n", "cannot be read as YAML in UTF-8"),
    "an odd date": (b"epochs: !!timestamp 2001-13-45\n", "cannot be read as YAML"),
    "a huge number": (b"epochs: " + b"9" * 5_000, "cannot be read as YAML"),
    "deep": (b"a: " + b"[" * 5_000, "line 1: nested deeper than 20 levels"),
    "a key twice": (b"epochs: 3\nlr: 1\nepochs: 5\n", "line 3: 'epochs' is given twice"),
    "a key that is a list": (b"? [a]\n: 3\n", "line 1: found unhashable key"),
    "an object of Python": (b"a: !!python/object:os.system x\n", "line 1: could not determine a constructor"),
    "no names": (b"- 1\n", "must hold settings by name"),
    "not YAML": (b"epochs: [1,\n", "is not YAML, line 2"),
    "control characters": (b"epochs: \x00\n", "cannot be read as YAML"),
    "too long": (b"#" * 1_000_001, "longer than 1 MB"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_one_error_with_the_file(name: str, tmp_path: Path) -> None:
    content, told = WRONG[name]
    path = tmp_path / "mine.yaml"
    path.write_bytes(content)
    with pytest.raises(OptionError, match=told) as caught:
        read_settings(path, "the recipe", OptionError)
    assert "mine.yaml" in str(caught.value) and len(str(caught.value)) < 400


def test_what_is_right_is_read_as_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("\ufeffdata: 2001-01-01\nnested: {a: [1, 2.5, yes, null]}\n1: x\n", encoding="utf-8")
    nested = {"a": [1, 2.5, True, None]}
    assert read_settings(path, "the recipe") == {"data": "2001-01-01", "nested": nested, "1": "x"}
    path.write_text("")
    assert read_settings(path, "the recipe") == {}
    with pytest.raises(
        InputError, match=r"none\.yaml cannot be read as the recipe \(No such file or directory\)"
    ):
        read_settings(tmp_path / "none.yaml", "the recipe")
