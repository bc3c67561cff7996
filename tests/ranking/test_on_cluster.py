"""A ranking on a real Ray cluster is the one of this machine, also if a node dies in the middle."""

from __future__ import annotations

import importlib.util
import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import headstart
import small_data
import small_sources
from headstart.errors import OptionError
from small_data import LETTERS, SETTINGS

needs_ray = pytest.mark.skipif(
    importlib.util.find_spec("ray") is None, reason="needs the extra: pip install 'headstart[cluster]'"
)


@needs_ray
def test_the_ranking_is_the_same_and_survives_a_node(cluster: Any, tmp_path: Path) -> None:
    data = small_data.digit_folder(tmp_path / "digits", n_classes=3, n_each=30)
    noise = small_sources.changed(tmp_path / "noise", small_sources.shuffled)
    sources = [noise, LETTERS, str(tmp_path / "none")]
    here = headstart.rank(data, sources, out=tmp_path / "here", **SETTINGS)
    doomed = cluster.add_node(num_cpus=2)
    with ThreadPoolExecutor(1) as pool:
        there = pool.submit(
            headstart.rank, data, sources, out=tmp_path / "there", ray=cluster.address, **SETTINGS
        )
        time.sleep(4.0)  # the nodes import their libraries in this time
        cluster.remove_node(doomed, allow_graceful=False)
        assert _numbers(there.result()) == _numbers(here)


def _numbers(ranking: headstart.Ranking) -> str:
    found = ranking.facts.to_json()
    del found["advice"], found["advised"]  # of sources that cannot be told apart it names the fastest
    for row in found["ranked"]:
        del row["milliseconds"]
    return json.dumps(found)


def test_a_budget_is_for_one_machine(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="leave it out with --ray"):
        headstart.rank(tmp_path, [LETTERS, "b"], ray="127.0.0.1:1", budget="5m")
