"""Fixtures shared by all tests."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from headstart.runs.run import Run

settings.register_profile("headstart", deadline=None, max_examples=50)  # a busy machine is not a fault
settings.load_profile("headstart")

os.environ["HEADSTART_RECORD"] = "off"  # also for the runs of session fixtures, and in other processes

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("HEADSTART_SHARED", ROOT.parent / "shared"))

LONGEST = ("test_kills.py", "test_fuzz.py", "test_targets.py", "test_alone.py", "test_together.py")
"""Modules with tests of many seconds, which start first: at the end one worker would wait for the other."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.name not in LONGEST)


@pytest.fixture(scope="session", autouse=True)
def programs_untraced() -> Iterator[None]:
    """Coverage rests while torch makes, saves and opens a program: it would follow every line of torch there."""
    if sys.gettrace() is None:
        yield
        return
    import torch.export

    with pytest.MonkeyPatch.context() as patch:
        for holder, name in (
            *((torch.export, name) for name in ("export", "save", "load")),
            (torch.export.ExportedProgram, "module"),
        ):
            patch.setattr(holder, name, _untraced(getattr(holder, name)))
        yield


def _untraced(call: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(call)
    def run(*given: Any, **named: Any) -> Any:
        tracer = sys.gettrace()
        sys.settrace(None)
        try:
            return call(*given, **named)
        finally:
            sys.settrace(tracer)

    return run


@pytest.fixture(scope="session", autouse=True)
def programs_kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Networks of one structure are traced once for all tests of a process, as for a user who has one store."""
    import headstart.runs.export
    from headstart.features import Store
    from headstart.runs.kept_program import KeptPrograms

    store = Store(tmp_path_factory.mktemp("programs"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(headstart.runs.export, "KeptPrograms", lambda _, name: KeptPrograms(store, name))
        yield


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data and weights; tests that need it skip where it is absent."""
    if not (SHARED / "data").is_dir() or not (SHARED / "weights").is_dir():
        pytest.skip(f"real data and weights are not here: {SHARED} (set HEADSTART_SHARED to their folder)")
    return SHARED


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test has a feature store of its own, never the user's."""
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture(scope="session", autouse=True)
def untouched_record(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test records a run for the user: where the record would lie by default, there is nothing in the end."""
    folder = tmp_path_factory.mktemp("data-home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(folder))
        yield
    assert list(folder.iterdir()) == []


@pytest.fixture(scope="session")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the data, sources and runs lie that several tests read."""
    return tmp_path_factory.mktemp("work")


@pytest.fixture(scope="session")
def digit_folder(work: Path) -> Path:
    import small_data

    return small_data.digit_folder(work / "digits")


@pytest.fixture(scope="session")
def texts(work: Path) -> Path:
    import small_data

    return small_data.text_table(work / "texts.csv")


@pytest.fixture(scope="session")
def text_source(work: Path) -> Path:
    import small_data

    return small_data.text_source(work / "bert")


@pytest.fixture(scope="session")
def audio_source(work: Path) -> Path:
    import small_data

    return small_data.audio_source(work / "wav2vec2")


@pytest.fixture(scope="session")
def store(work: Path) -> str:
    """One feature store for all runs on the same digits."""
    return str(work / "store")


@pytest.fixture(scope="session")
def digit_run(work: Path, digit_folder: Path, store: str) -> Run:
    """A run of the default policy with everything on."""

    import headstart
    import small_data

    return headstart.fit(
        digit_folder, small_data.LETTERS, out=work / "runs" / "digits", store=store, **small_data.SETTINGS
    )


@pytest.fixture(scope="session")
def text_run(work: Path, texts: Path, text_source: Path) -> Run:
    """A run with the standard head on a tiny BERT."""

    import headstart
    import small_data

    more = {"head": "standard", "epochs": 2, "report": False, "store": str(work / "store")}
    return headstart.fit(texts, str(text_source), out=work / "runs" / "texts", **more, **small_data.SETTINGS)


@pytest.fixture(scope="session")
def tone_run(work: Path, audio_source: Path) -> Run:
    """A run on recordings with a tiny Wav2Vec2."""

    import headstart
    import small_data

    tones = small_data.tone_folder(work / "tones")
    more = {"report": False, "store": str(work / "store")}
    return headstart.fit(tones, str(audio_source), out=work / "runs" / "tones", **more, **small_data.SETTINGS)


@pytest.fixture
def training_returned(monkeypatch: pytest.MonkeyPatch) -> None:
    """A training is returned, whatever a few validation items say about it."""
    monkeypatch.setattr("headstart.fitting.training._is_compared", lambda workspace, validation: False)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Any]:
    """A cluster of two nodes of two cores each."""
    from ray.cluster_utils import Cluster

    before = os.environ.get("PYTHONPATH")
    here = Path(__file__).parent  # its nodes import the tests' module as this process does
    os.environ["PYTHONPATH"] = os.pathsep.join([str(here), *sys.path])
    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 2, "include_dashboard": False})
    made.add_node(num_cpus=2)
    try:
        yield made
    finally:
        made.shutdown()
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before
