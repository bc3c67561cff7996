"""A data set of the hub by its id, all the way to a finished run; the hub is a small one on 127.0.0.1."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from headstart.runs import RunDirectory
from loopback_hub import SmallHub

pytest.importorskip("datasets")


def test_fit_by_the_id_of_a_data_set(texts: Path, text_source: Path, tmp_path: Path) -> None:
    """Its parts are the split of the run."""
    header, *rows = texts.read_text().splitlines()
    served = tmp_path / "served"
    served.mkdir()
    for part, own in (("train", rows[:30]), ("test", rows[30:])):
        (served / f"{part}.csv").write_text("\n".join([header, *own, ""]))
    words = ["fit", "me/moments", "--source", str(text_source), "--out", "x", "--store", "store"]
    words += ["--precision", "fp32", "--threads", "1", "--no-baseline", "--no-report", "--json"]
    code = "import sys; from headstart.cli import main; sys.argv = ['headstart', *sys.argv[1:]]; main()"
    with SmallHub({"datasets/me/moments": served}) as hub:
        done = subprocess.run(
            [sys.executable, "-c", code, *words],
            env=hub.environment(tmp_path / "home"),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    metrics = json.loads(done.stdout)
    assert metrics.pop("run") == str(tmp_path / "x")
    assert metrics == json.loads((tmp_path / "x" / "metrics.json").read_text())
    assert (metrics["n_train"], metrics["n_test"]) == (30, 10)
    assert metrics["test"]["accuracy"]["value"] > metrics["baselines"]["majority"]["accuracy"]["value"]
    predictions = RunDirectory.open(tmp_path / "x").predictions()
    assert len(predictions.items) == 10 and tuple(predictions.classes) == ("early", "late")
    assert "data: me/moments\n" in (tmp_path / "x" / "headstart.yaml").read_text()
