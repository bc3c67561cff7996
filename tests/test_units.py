"""One word for the items of a modality, wherever they are named."""

from __future__ import annotations

import re
from pathlib import Path

import headstart
from headstart.units import UNITS, counted

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
