"""Real processes that share out an extraction: the bits of one process, and a clear end when one of them dies."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import together

from headstart.features import Store

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked here")
Run = Callable[..., list[tuple[int, str]]]


@pytest.fixture(scope="module")
def run() -> Iterator[Run]:
    """Runs a case in processes, and gives the exit code and what was printed of each."""
    server = subprocess.Popen(
        [sys.executable, together.__file__],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert server.stdin is not None and server.stdout is not None

    def run_case(case: str, folder: Path, n: int = 2) -> list[tuple[int, str]]:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        print(json.dumps([case, str(folder), n, port]), file=server.stdin, flush=True)
        return [(code, text) for code, text in json.loads(server.stdout.readline())]

    yield run_case
    server.stdin.close()
    assert server.wait(60) == 0
    server.stdout.close()


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> dict[str, np.ndarray]:
    """What one process gives."""
    folder = tmp_path_factory.mktemp("alone")
    decoded: list[int] = []
    return together.extract("alone", Store(folder), decoded)


def read(folder: Path, number: int) -> dict[str, np.ndarray]:
    with np.load(folder / f"read.{number}.npz") as file:
        return dict(file)


@pytest.mark.parametrize(("case", "n"), [("shared", 2), ("shared", 3), ("both", 2)])
def test_each_process_computes_a_share_and_all_read_the_bits_of_one(
    case: str, n: int, run: Run, tmp_path: Path, alone: dict[str, np.ndarray]
) -> None:
    ended = run(case, tmp_path, n)
    assert [code for code, _ in ended] == [0] * n, ended
    for number in range(n):
        found = read(tmp_path, number)
        assert found.keys() == alone.keys()
        for name, values in alone.items():
            np.testing.assert_array_equal(found[name], values)
    # "shared": vectors of both sources, then states; "both": vectors and states of one source, then the other source;
    # a few items more show what states look like
    n_decoded = [int(text.split()[-1]) for _, text in ended]
    assert max(n_decoded) <= 2 * (together.N_ITEMS / n + 4) + 16, n_decoded


def test_processes_with_stores_of_their_own_compute_what_theirs_lacks(
    run: Run, tmp_path: Path, alone: dict[str, np.ndarray]
) -> None:
    ended = run("apart", tmp_path)
    assert [code for code, _ in ended] == [0, 0], ended
    for number in range(2):
        found = read(tmp_path, number)
        assert all(np.array_equal(found[name], values) for name, values in alone.items())


def test_a_source_that_fails_in_one_process_is_reported_in_all(
    run: Run, tmp_path: Path, alone: dict[str, np.ndarray]
) -> None:
    ended = run("failing", tmp_path)
    assert [code for code, _ in ended] == [0, 0], ended
    for number in range(2):
        found = read(tmp_path, number)
        assert "the layer has lost its way" in str(found["failure 2"])
        np.testing.assert_array_equal(found["vectors 1"], alone["vectors 1"])


def test_an_item_that_one_process_cannot_read_ends_all_with_its_name(run: Run, tmp_path: Path) -> None:
    assert [(code, text.strip()) for code, text in run("unreadable", tmp_path)] == [
        (2, "picture 89 cannot be read")
    ] * 2


def test_when_a_process_is_killed_the_others_end_and_what_was_written_is_kept(
    run: Run, tmp_path: Path, alone: dict[str, np.ndarray]
) -> None:
    codes = dict(run("killed", tmp_path))
    assert codes.keys() == {-9, 1}
    assert "another process of this run has ended, so this one ends too" in codes[1]
    n_kept = len(list(tmp_path.rglob("*.safetensors")))
    assert n_kept >= 5 and not list(tmp_path.rglob(".tmp*"))
    again = run("shared", tmp_path)
    assert [code for code, _ in again] == [0, 0], again
    assert all(np.array_equal(read(tmp_path, 1)[name], values) for name, values in alone.items())
    assert sum(int(text.split()[-1]) for _, text in again) < 2 * together.N_ITEMS + 16
