"""The verbs take a DataFrame, a set of `datasets` or pairs in the place of a path, and name no command for them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pandas as pd
import pytest
from PIL import Image

import headstart
import small_data
import small_sources
from headstart.auditing import configuration as audits
from headstart.errors import DataError, OptionError
from headstart.fitting.configuration import options_of_command
from headstart.runs import RunDirectory
from headstart.runs.run import Run
from small_data import LETTERS, SETTINGS


def digit_frame(n_each: int = 14) -> pd.DataFrame:
    """Handwritten digits as PIL images, numbered from anywhere."""
    pictures, numbers = small_data.digits(n_each=n_each)
    images = [Image.fromarray(each) for each in pictures]
    return pd.DataFrame(
        {"image": images, "label": [f"digit {number}" for number in numbers]},
        index=5 + np.arange(len(images)) % 7,
    )


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return digit_frame()


@pytest.fixture(scope="module")
def frame_run(work: Path, frame: pd.DataFrame, store: str) -> Run:
    return headstart.fit(frame, LETTERS, out=work / "runs" / "frame", store=store, **SETTINGS)


def report_of(run: Any) -> str:
    return Path(run.path / "report.html").read_text(encoding="utf-8")


def names_no_data(run: Any) -> bool:
    """Whether neither summary nor report has a command with the name of the data, which would be quoted."""
    told = run.summary + report_of(run).replace("&#39;", "'")
    return "DataFrame in memory" in told and "'DataFrame in memory'" not in told


def features_in(store: str | Path) -> dict[str, int]:
    """The stored features, and when each file was written."""
    found = Path(store).rglob("*.safetensors")
    return {str(path): path.stat().st_mtime_ns for path in found}


def test_a_frame_of_pictures_gives_the_run_of_its_files(frame_run: Run, digit_run: Run) -> None:
    """The same pixels and labels, in another order of the items: what depends on neither is the same."""
    ours, theirs = frame_run.metrics, digit_run.metrics
    assert ours["data"]["name"] == "DataFrame in memory"
    for name in ("modality", "target", "n_items", "n_classes"):
        assert ours["data"][name] == theirs["data"][name], name
    assert ours["test"].keys() == theirs["test"].keys()
    RunDirectory.open(frame_run.path)


def test_features_of_equal_content_are_not_extracted_again(
    frame: pd.DataFrame, frame_run: Run, store: str, tmp_path: Path
) -> None:
    pairs = [(np.asarray(image), label) for image, label in zip(frame.image, frame.label)]
    before = features_in(store)
    how: dict[str, Any] = {"store": store, "baseline": False, "export": False, "report": False, **SETTINGS}
    found = headstart.fit(pairs, LETTERS, out=tmp_path / "pairs", **how)
    assert before and features_in(store) == before
    assert found.metrics["data"]["digest"] == frame_run.metrics["data"]["digest"]
    assert found.metrics["test"] == frame_run.metrics["test"]
    pairs[0] = (255 - pairs[0][0], pairs[0][1])
    headstart.fit(pairs, LETTERS, out=tmp_path / "changed", **how)
    assert features_in(store) != before


def test_the_folder_of_a_run_is_named_after_the_kind_of_data(
    frame_run: Run, frame: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    held = datasets.Dataset.from_dict({"image": list(frame.image[:12]), "label": list(frame.label[:12])})
    found = headstart.evaluate(frame_run.path, held, threads=1)
    assert found.path.name == "dataset-by-frame"


def test_no_command_makes_such_a_run_again(frame_run: Run) -> None:
    report = report_of(frame_run)
    assert "No command makes this run again" in report and "call headstart.fit with the same data" in report
    assert "headstart fit " not in report and names_no_data(frame_run)
    assert (
        "headstart.fit on a DataFrame in memory"
        in (frame_run.path / "headstart.yaml").read_text().split("\n")[0]
    )
    assert RunDirectory.open(frame_run.path).config["data"] == "DataFrame in memory"
    with pytest.raises(
        OptionError, match=r"script held .*: call headstart\.fit in Python again, or name data"
    ):
        options_of_command({}, frame_run.path / "headstart.yaml", None)
    options = options_of_command({"data": "other"}, frame_run.path / "headstart.yaml", None)
    assert options.data == "other" and options.source == LETTERS


def test_a_fit_that_stops_says_that_no_command_resumes_it(
    frame: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("headstart.fitting.procedure.gather", stopped, raising=False)
    monkeypatch.setattr("headstart.fitting.evidence.gather", stopped)
    with pytest.raises(KeyboardInterrupt) as error:
        headstart.fit(frame, LETTERS, out=tmp_path / "x", **SETTINGS)
    assert "no command can resume this run: call headstart.fit again" in error.value.__notes__[0]
    with pytest.raises(OptionError, match=r"which no file holds: call headstart\.fit"):
        options_of_command({}, None, tmp_path / "x")


def test_new_items_are_predicted_and_scored(frame_run: Run, frame: pd.DataFrame, tmp_path: Path) -> None:
    new = frame.assign(ward=range(len(frame)))
    predicted = frame_run.predict(new, threads=1)
    assert predicted.labels == list(frame.label) and predicted.given["ward"][:2] == ["0", "1"]
    alone = frame_run.predict(frame[["image"]], threads=1)
    np.testing.assert_array_equal(alone.probabilities, predicted.probabilities)
    pairs = list(zip(frame.image, frame.label))
    assert frame_run.predict(pairs, threads=1).labels == predicted.labels
    found = headstart.evaluate(frame_run.path, pairs, out=tmp_path / "e", threads=1)
    assert found.metrics["n_test"] == frame_run.metrics["n_test"]  # the others were learned from
    assert "call headstart.evaluate with the same data" in report_of(found)


def test_predictions_do_not_replace_a_file_of_the_data(frame_run: Run, tmp_path: Path) -> None:
    path = tmp_path / "0.csv"
    path.write_text("kept")
    for held in (pd.DataFrame({"file": [str(path)], "note": ["n"]}), [(str(path), "digit 1")]):
        with pytest.raises(OptionError, match="is part of the data"):
            frame_run.predict(held, out=path, force=True)


def test_a_run_is_calibrated_and_explained_on_such_data(frame_run: Run, tmp_path: Path) -> None:
    new = digit_frame(n_each=40)
    new["label"] = np.random.default_rng(0).permutation(new["label"])  # the run is much too sure
    found = headstart.calibrate(frame_run.path, new, out=tmp_path / "c", threads=1)
    assert found.metrics["data"]["name"] == "DataFrame in memory"
    assert "call headstart.calibrate with the same data" in report_of(found)
    shown = headstart.explain(frame_run.path, new[:3], out=tmp_path / "x", most=1, threads=1, report=False)
    assert len(shown.items) == 1


def test_sources_are_ranked_and_audited_on_such_data(
    frame: pd.DataFrame, store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    half = small_sources.changed(tmp_path / "half", small_sources.half)
    how: dict[str, Any] = {"store": store, **SETTINGS}
    ranking = headstart.rank(frame, [half, LETTERS], out=tmp_path / "r", **how)
    assert names_no_data(ranking)
    assert "call headstart.rank with the same data" in report_of(ranking)
    audit = headstart.audit(
        frame, LETTERS, labels="9,all", seeds=2, against="classical", out=tmp_path / "a", **how
    )
    assert names_no_data(audit)
    assert "call headstart.audit with the same data" in report_of(audit)
    with pytest.raises(OptionError, match=r"two sources.*try it alone with headstart\.fit\(data"):
        headstart.rank(frame, [LETTERS])
    with pytest.raises(OptionError, match="--ray reads the data on other machines"):
        headstart.rank(frame, [half, LETTERS], ray="here:1")
    monkeypatch.setattr(
        "headstart.auditing.saving.finish", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt)
    )
    with pytest.raises(KeyboardInterrupt) as error:
        headstart.audit(frame, LETTERS, labels="9", seeds=2, against="classical", out=tmp_path / "b", **how)
    assert "call headstart.audit again" in error.value.__notes__[0]
    with pytest.raises(OptionError, match=r"call headstart\.audit in Python again"):
        audits.options_of_command({}, tmp_path / "b")


def test_what_cannot_be_used_is_refused(frame: pd.DataFrame, frame_run: Run, tmp_path: Path) -> None:
    for place in ({"data": frame}, {"data": "photos", "target_data": frame}):
        with pytest.raises(
            OptionError, match=r"got a DataFrame in memory: write it to a file, or use headstart\.Tran"
        ):
            headstart.adapt(source=LETTERS, **place)
    with pytest.raises(OptionError, match=r"option data: must be a path.*to_pandas"):
        headstart.fit(type("Other", (), {"to_pandas": None})(), LETTERS)
    with pytest.raises(OptionError, match=r"option data: a list must hold pairs \(item, label\)"):
        headstart.evaluate(frame_run.path, list(frame.image))
    texts = pd.DataFrame({"text": ["one text here", "another text here"], "label": ["a", "b"]})
    with pytest.raises(DataError, match="DataFrame in memory holds texts"):
        headstart.evaluate(frame_run.path, texts, out=tmp_path / "e")
