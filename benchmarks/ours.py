"""headstart on the same work. `python -m benchmarks.ours NAME FOLDER` prints one line of JSON.

Time runs from the files to metrics.json, store empty, data checks and depth profile included, classical baseline
and report off; imports are not counted. `whole` is the run to its end, with the exported model.
"""

from __future__ import annotations

import json
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.work import EMODB, HYMENOPTERA, MINILM, WHISPER, n_threads, sentences_table


def images(folder: Path) -> dict[str, Any]:
    """A frozen fit of the timm folder on hymenoptera."""
    return timed_fit(HYMENOPTERA, source=str(folder))


def text(folder: Path) -> dict[str, Any]:
    """A frozen fit of MiniLM on 4,000 sentences."""
    with tempfile.TemporaryDirectory() as temporary:
        return timed_fit(sentences_table(Path(temporary)), source=str(MINILM))


def speakers(folder: Path) -> dict[str, Any]:
    """A frozen fit of Whisper's encoder on emodb's speakers, ten folds by sentence."""
    result = timed_fit(EMODB, source=str(WHISPER), target="speaker", group="sentence", folds=10)
    return result


def timed_fit(data: Path, **options: Any) -> dict[str, Any]:
    """What a fit by these options took and reached."""
    from headstart.fitting.options import fit_options
    from headstart.fitting.procedure import import_packages, run_fit

    import_packages()
    with tempfile.TemporaryDirectory() as temporary:
        out = Path(temporary) / "run"
        checked = fit_options(
            data=data, out=out, store=str(Path(temporary) / "store"), baseline=False, report=False, threads=n_threads(),
            **options,
        )  # fmt: skip
        written: list[float] = []
        watcher = threading.Thread(target=_when_there, args=(out / "metrics.json", written), daemon=True)
        started = time.perf_counter()
        watcher.start()
        run = run_fit(checked)
        whole = time.perf_counter() - started
        watcher.join()
        metrics = run.metrics
        history = _history(run.path / "history.jsonl")
    return {
        "seconds": written[0] - started - metrics["seconds"]["imports"],
        "accuracy": metrics["test"]["accuracy"]["value"],
        "whole": whole,
        "phases": metrics["seconds"],
        "stages": metrics["chosen"]["head_stages"],
        "profile": metrics["profile"],
        "policy": metrics["chosen"]["policy"],
        "history": history,
    }


def _history(path: Path) -> list[dict[str, Any]]:
    return [json.loads(row) for row in path.read_text().splitlines()] if path.exists() else []


def _when_there(path: Path, written: list[float]) -> None:
    """Note the moment at which a file appears; asked 50 times a second."""
    while not path.exists():
        time.sleep(0.02)
    written.append(time.perf_counter())


OURS: dict[str, Callable[[Path], dict[str, Any]]] = {work.__name__: work for work in (images, text, speakers)}


def main() -> None:
    """Run one work and print what it took."""
    name, folder = sys.argv[1], Path(sys.argv[2]) if len(sys.argv) > 2 else Path()
    print(json.dumps(OURS[name](folder)))


if __name__ == "__main__":
    main()
