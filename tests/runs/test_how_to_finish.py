"""What to do with an unfinished run depends on its kind."""

from __future__ import annotations

from pathlib import Path

import pytest

from headstart.errors import InputError
from headstart.runs import RunDirectory
from headstart.runs.how_to_finish import how_to_finish


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("audit:\n  data: photos\n", "resume it with headstart audit --resume"),
        ("rank:\n  data: photos\n", "give the command of the ranking again"),
        ("calibrate:\n  data: photos\n", "give the command of the calibration again"),
        ("fit:\n  data: photos\n", "resume it with headstart fit --resume"),
        ("audit: [", "resume it with headstart fit --resume"),
        (None, "resume it with headstart fit --resume"),
    ],
)
def test_each_kind(tmp_path: Path, content: str | None, words: str) -> None:
    run = RunDirectory.create(tmp_path / "run")
    if content is not None:
        run.write_text("headstart.yaml", content)
    assert how_to_finish(run.file("headstart.yaml"), "my run").startswith(words)
    assert ("--resume 'my run'" in how_to_finish(run.file("headstart.yaml"), "my run")) == (
        "--resume" in words
    )
    run.release()
    with pytest.raises(InputError, match=f"did not finish; {words}"):
        RunDirectory.open(run.path)
