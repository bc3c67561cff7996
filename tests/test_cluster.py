"""Calls on a real Ray cluster of two nodes on this machine, one of which is killed in the middle."""

from __future__ import annotations

import importlib.util
import os
import socket
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import cluster_calls
from headstart.cluster import map_on_cluster
from headstart.errors import DataError, HeadstartError, OptionError

needs_ray = pytest.mark.skipif(
    importlib.util.find_spec("ray") is None, reason="needs the extra: pip install 'headstart[cluster]'"
)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    file = tmp_path / "data" / "a" / "x.txt"
    file.parent.mkdir(parents=True)
    file.write_text("hello")
    return tmp_path / "data"


@needs_ray
def test_each_argument_has_its_result_or_the_reason_why_not(cluster: Any, data: Path) -> None:
    found = dict(map_on_cluster(cluster.address, cluster_calls.lines, range(5), data))
    assert sorted(found) == [0, 1, 2, 3, 4]
    assert [found[number] for number in (0, 1, 4)] == [(n, "hello", str(data)) for n in (0, 1, 4)]
    assert isinstance(found[2], DataError) and str(found[2]) == "source 2 is damaged"
    assert isinstance(found[3], HeadstartError) and "no kernel for this layer" in str(found[3])


@needs_ray
def test_data_that_a_machine_does_not_see_is_sent_there(
    cluster: Any, data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import headstart.cluster as module

    monkeypatch.setenv("STARTED_BY", str(os.getpid()))
    monkeypatch.setattr(module, "_look", cluster_calls.look_as_if_on_another_disk)
    found = dict(map_on_cluster(cluster.address, cluster_calls.lines, [0, 1], data))
    assert {found[number][1] for number in (0, 1)} == {"hello"}
    assert all(place.endswith("/data") and place != str(data) for _, _, place in found.values())
    assert "does not see" in capsys.readouterr().err
    (data / "link").symlink_to(data / "a")
    with pytest.raises(HeadstartError, match="link is a link: put the data on a disk that they share"):
        list(map_on_cluster(cluster.address, cluster_calls.lines, [0], data))


@needs_ray
@pytest.mark.full  # tests/ranking/test_on_cluster.py kills a node in the ordinary run
def test_what_a_killed_node_was_doing_is_done_by_another(cluster: Any, data: Path, tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    begun.mkdir()
    doomed = cluster.add_node(num_cpus=4)
    arguments = [(number, str(begun), doomed.node_id) for number in range(12)]
    with ThreadPoolExecutor(1) as pool:
        outcomes = pool.submit(
            lambda: dict(map_on_cluster(cluster.address, cluster_calls.slow, arguments, data))
        )
        while not (there := {path.name.split(".")[0] for path in begun.glob(f"*.{doomed.node_id}")}):
            assert not outcomes.done()
            time.sleep(0.05)
        cluster.remove_node(doomed, allow_graceful=False)
        assert outcomes.result() == {number: number for number in range(12)}
    elsewhere = {path.name.split(".")[0] for path in begun.iterdir() if doomed.node_id not in path.name}
    assert there and there <= elsewhere, "what was begun on the killed node was made on another"


@needs_ray
def test_an_address_that_does_not_answer_is_one_error_soon(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("headstart.cluster.ANSWER_SECONDS", 4.0)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(5)
        started = time.monotonic()
        with pytest.raises(
            OptionError, match=r"no Ray cluster answers at --ray 127.0.0.1:\d+ \(no answer within"
        ):
            next(map_on_cluster(f"127.0.0.1:{silent.getsockname()[1]}", cluster_calls.lines, [0], data))
        assert time.monotonic() - started < 15
    with pytest.raises(OptionError, match="no Ray cluster answers"):
        next(map_on_cluster("no host at all:1", cluster_calls.lines, [0], data))


def test_without_the_extra_the_line_that_installs_it_is_told(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(OptionError, match=r"pip install 'headstart\[cluster\]'"):
        next(map_on_cluster("127.0.0.1:1", cluster_calls.lines, [0], data))
