"""The notebook of the examples runs from its first cell to its last, offline, in a folder of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

NOTEBOOK = Path(__file__).parents[2] / "examples" / "first_steps.ipynb"


def test_the_notebook_runs(tmp_path: Path) -> None:
    content = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    cells = ["".join(cell["source"]) for cell in content["cells"] if cell["cell_type"] == "code"]
    assert len(cells) > 7 and not any(
        cell["outputs"] for cell in content["cells"] if cell["cell_type"] == "code"
    )
    (tmp_path / "cells.py").write_text("\n\n".join(cells), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "cells.py"], cwd=tmp_path, capture_output=True, text=True, timeout=900, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    told = done.stdout
    assert "On new-digits the run reaches accuracy" in told and "does worse than on its own" in told
    assert {path.name for path in (tmp_path / "runs").iterdir()} == {
        "digits",
        "on-new",
        "on-inverted",
        "audit",
    }
