"""What to rank: the command line and a file of sources."""

from __future__ import annotations

from pathlib import Path

import pytest

from headstart.errors import OptionError
from headstart.ranking.entries import Entry, read_entries
from headstart.ranking.options import rank_options


def test_sources_of_the_command_and_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "sources.txt"
    file.write_text(
        "# mine\n\n'./my weights' --arch net.py:Net  # its own class\n./b --arch=resnet18\nrun:c\n./s/a#b\n"
    )
    options = rank_options(data="x", sources=["timm:a", "run:c"], sources_file=file, arch=["timm:a=m.py:A"])
    assert read_entries(options) == (
        Entry("timm:a", "m.py:A", "timm:a"),
        Entry("run:c", None, "run:c"),
        Entry("./my weights", "net.py:Net", "./my weights"),
        Entry("./b", "resnet18", "./b"),
        Entry("./s/a#b", None, "./s/a#b"),
    )


@pytest.mark.parametrize(
    ("sources", "archs", "words"),
    [
        ([], [], "got 0 sources: name them after the data"),
        (["a"], [], "got 1 source: try it alone with headstart fit x --source a"),
        (["a", "a"], [], "(a, given twice)"),
        (["a", "b"], ["c=net.py:Net"], "one of the ranked sources, got 'c=net.py:Net'"),
        (["./weights", "b"], ["./weight=N"], "Did you mean './weights'?"),
        (["a", "b"], ["a="], "got 'a='"),
    ],
)
def test_wrong_sources(sources: list[str], archs: list[str], words: str) -> None:
    with pytest.raises(OptionError) as told:
        read_entries(rank_options(data="x", sources=sources, arch=archs))
    assert words in str(told.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"a b c\n", "line 1: got 'a b c'; write SOURCE, or SOURCE --arch FILE:Class"),
        (b"a\n'open\n", 'line 2: "\'open" has an open quote'),
        (b"\xff\xfe", "is not a text file in UTF-8"),
    ],
)
def test_a_wrong_file(tmp_path: Path, content: bytes, words: str) -> None:
    file = tmp_path / "sources.txt"
    file.write_bytes(content)
    with pytest.raises(OptionError) as told:
        read_entries(rank_options(data="x", sources=["a"], sources_file=file))
    assert words in str(told.value)
    with pytest.raises(OptionError, match="cannot be read"):
        read_entries(rank_options(data="x", sources=["a"], sources_file=tmp_path / "none.txt"))


def test_one_source_with_two_architectures_has_two_names(tmp_path: Path) -> None:
    file = tmp_path / "sources.txt"
    file.write_text("w --arch net.py:A\nw --arch net.py:B\n")
    names = [entry.name for entry in read_entries(rank_options(data="x", sources_file=file))]
    assert names == ["w --arch net.py:A", "w --arch net.py:B"]
    with pytest.raises(OptionError, match="--arch names two architectures for w"):
        read_entries(rank_options(data="x", sources=["w", "b"], arch=["w=net.py:A", "w=net.py:B"]))
