"""One word for the items of a modality, wherever they are named."""

from __future__ import annotations

import re
from pathlib import Path

import headstart
from headstart.units import UNITS, agreeing, counted

PACKAGE = Path(headstart.__file__).parent


def test_counts_with_their_unit() -> None:
    assert counted(1, UNITS["audio"]) == "1 recording"
    assert counted(3_000, UNITS["image"]) == "3,000 images"


def test_no_other_table_and_no_other_word_in_messages() -> None:
    """Tables of unit words stand in `units.py` alone, and no string speaks of clips."""
    sources = {path: path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py")}
    tables = [p.name for p, text in sources.items() if re.search(r'"audio": \(?"(recordings?|clips?)"', text)]
    assert tables == ["units.py"]
    said = [
        p.name for p, text in sources.items() if re.search(r'(?<!")"[^"\n]*\bclips?\b[^"\n]*"(?!")', text)
    ]
    assert said == []


def test_one_of_several_kinds_of_nouns() -> None:
    assert counted(1, "near copies") == "1 near copy" and counted(2, "copies") == "2 copies"
    assert counted(1, "classes") == "1 class" and counted(1, "processes") == "1 process"
    assert (
        counted(1, "independent units") == "1 independent unit"
        and counted(2, "more classes") == "2 more classes"
    )
    assert agreeing(1, "is", "are") == "is" and agreeing(0, "is", "are") == "are"


def test_no_message_leaves_singular_and_plural_open() -> None:
    """Not "1 item(s)" nor "there are 1 groups": `counted` and `agreeing` make the right form."""
    sources = {path.name: path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py")}
    open_form = re.compile(r"\{[^{}\n]*\} [a-z]+\((s|es)\)|there are \{n_")
    assert [name for name, text in sources.items() if open_form.search(text)] == []
