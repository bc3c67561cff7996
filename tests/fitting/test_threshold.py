"""`--threshold`: the run, its predictions, its scores, its report and an evaluation of it answer by the same one."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import headstart
from headstart.errors import OptionError
from headstart.runs import Predictions, RunDirectory
from headstart.runs.decision import Decision
from headstart.runs.shared_copy import shared_copy
from small_data import LETTERS, SETTINGS, digit_folder

RULE = "digit 1:recall=0.9"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return digit_folder(tmp_path_factory.mktemp("data") / "digits", n_classes=3, n_each=40)


@pytest.fixture(scope="module")
def run(data: Path, tmp_path_factory: pytest.TempPathFactory) -> headstart.Run:
    place = tmp_path_factory.mktemp("run")
    return headstart.fit(
        data, LETTERS, threshold=RULE, out=place / "run", store=place / "store", baseline=False, **SETTINGS
    )


def _called(predictions: Predictions, value: float) -> np.ndarray:
    return np.asarray(predictions.probabilities[:, predictions.classes.index("digit 1")] >= value)


def test_scores_are_those_of_the_answers(run: headstart.Run) -> None:
    decision = Decision.of(_record(run.path))
    assert decision is not None and decision.rule == "recall=0.9" and decision.least == 9
    assert decision.n_of_class >= 20 and decision.n_items == run.metrics["n_train"]
    held_out = Predictions.read(run.path / "predictions.parquet")
    called = _called(held_out, decision.threshold.value)
    answers, labels = np.array(held_out.predicted), np.array(held_out.labels)
    np.testing.assert_array_equal(answers == "digit 1", called)
    of_class = labels == "digit 1"
    assert decision.scores["recall"].value == pytest.approx(called[of_class].mean())
    assert decision.scores["precision"].value == pytest.approx(of_class[called].mean())
    assert decision.scores["false_alarms"].value == pytest.approx(called[~of_class].mean())
    assert decision.scores["accuracy"].value == pytest.approx((answers == labels).mean())
    assert "called “digit 1” if the probability of that is" in " ".join(run.summary.split())


def test_a_copy_for_a_hub_has_the_threshold(run: headstart.Run) -> None:
    files = shared_copy(RunDirectory.open(run.path), "digits").files
    record, card = files["metrics.json"], files["README.md"]
    assert isinstance(record, bytes) and isinstance(card, bytes)
    assert json.loads(record)["threshold"] == run.metrics["threshold"]
    assert "An item is called “digit 1” if the probability of that is" in card.decode()


def test_the_threshold_is_that_of_the_training_items(run: headstart.Run, data: Path, tmp_path: Path) -> None:
    """Other labels of the held-out items change no threshold."""
    names = set(Predictions.read(run.path / "predictions.parquet").items)
    table = tmp_path / "data.csv"
    rows = ["file,label,split"]
    for index, path in enumerate(sorted(data.rglob("*.png"))):
        name, own = path.relative_to(data).as_posix(), path.parent.name
        held_out = name in names
        rows.append(f"{path},{f'digit {index % 3}' if held_out else own},{'test' if held_out else 'train'}")
    table.write_text("\n".join(rows))
    again = headstart.fit(
        table, LETTERS, threshold=RULE, out=tmp_path / "run", baseline=False, report=False, export=False,
        follow_outside=True, **SETTINGS,
    )  # fmt: skip
    assert again.metrics["threshold"]["value"] == run.metrics["threshold"]["value"]


def test_predictions_and_their_files_answer_by_it(run: headstart.Run, data: Path, tmp_path: Path) -> None:
    value = run.metrics["threshold"]["value"]
    for ending in ("csv", "parquet"):
        found = run.predict(data, out=tmp_path / f"predictions.{ending}")
        called = _called(found, value)
        np.testing.assert_array_equal(np.array(found.predicted) == "digit 1", called)
        assert (np.array(found.classes)[found.probabilities.argmax(axis=1)] != found.predicted).any()
        assert Predictions.read(tmp_path / f"predictions.{ending}").predicted == found.predicted


def test_an_unreadable_item_has_no_answer(run: headstart.Run, data: Path, tmp_path: Path) -> None:
    good = next(data.rglob("*.png"))
    (tmp_path / "bad.png").write_bytes(b"no picture")
    found = run.predict([str(good), str(tmp_path / "bad.png")])
    assert found.predicted[1] is None and found.predicted[0] is not None


def test_an_evaluation_and_the_pages_say_it(run: headstart.Run, tmp_path: Path) -> None:
    other = digit_folder(tmp_path / "other", n_classes=3, n_each=70)
    found = headstart.evaluate(run.path, other, out=tmp_path / "evaluation", threads=1)
    block = found.metrics["threshold"]
    assert block["value"] == run.metrics["threshold"]["value"]
    predictions = Predictions.read(found.path / "predictions.parquet")
    called = _called(predictions, block["value"])
    assert block["scores"]["recall"]["value"] == pytest.approx(
        called[np.array(predictions.labels) == "digit 1"].mean()
    )
    assert "False alarms" in found.summary
    for page in (run.path / "report.html", found.path / "report.html"):
        assert "(used)" in page.read_text() and "chosen for recall 0.9" in page.read_text()
    assert "`threshold` in `head.json`" in (run.path / "README.md").read_text()


def test_each_fold_has_its_own(data: Path, tmp_path: Path) -> None:
    run = headstart.fit(
        data, LETTERS, threshold="digit 0:cost=9", folds=3, out=tmp_path / "run", baseline=False, export=False,
        report=False, **SETTINGS,
    )  # fmt: skip
    held_out = Predictions.read(run.path / "predictions.parquet")
    assert run.metrics["threshold"]["value"] == pytest.approx(0.1)
    calls = np.array(held_out.predicted) == "digit 0"
    np.testing.assert_array_equal(calls, held_out.probabilities[:, 0] >= 0.1)


def test_a_training_chooses_on_validation_items(data: Path, tmp_path: Path) -> None:
    run = headstart.fit(
        data, LETTERS, threshold=RULE, freeze="none", epochs=2, lr=3e-3, out=tmp_path / "run",
        baseline=False, export=False, report=False, **SETTINGS,
    )  # fmt: skip
    block = run.metrics["threshold"]
    trained = run.metrics["chosen"]["policy"] != "all"
    assert block["chosen_on"] == ("validation items" if trained else "training items, cross-validated")
    assert block["n_items"] == (run.metrics["n_validation"] if trained else run.metrics["n_train"])


def test_a_precision_out_of_reach_leaves_the_usual_answers(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = headstart.fit(
        data, LETTERS, threshold="digit 2:precision=0.999", out=tmp_path / "run", baseline=False, export=False,
        report=False, **SETTINGS,
    )  # fmt: skip
    assert "threshold" not in run.metrics
    said = "No threshold reaches digit 2:precision=0.999"
    assert said in capsys.readouterr().err and said in " ".join(run.summary.split())


def test_a_cost_with_weights_is_told_to_count_twice(data: Path, tmp_path: Path) -> None:
    run = headstart.fit(
        data, LETTERS, threshold="digit 2:cost=4", class_weight={"digit 2": 3}, out=tmp_path / "run", baseline=False,
        export=False, report=False, **SETTINGS,
    )  # fmt: skip
    assert "Weights and a cost ask for the same twice" in " ".join(run.summary.split())


@pytest.mark.parametrize(
    ("rule", "message"),
    [("digit 7:recall=0.9", "Did you mean 'digit"), ("Digit 1:recall=0.9", "mean 'digit 1'")],
)
def test_an_unknown_class_is_refused_before_anything_is_read(data: Path, rule: str, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        headstart.fit(data, LETTERS, threshold=rule)


def test_a_quantity_has_no_threshold(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("text,score\n" + "\n".join(f"text {i},{i / 7}" for i in range(40)))
    with pytest.raises(OptionError, match="needs classes"):
        headstart.fit(tmp_path / "data.csv", "hf:any", target="score", task="regression", threshold=RULE)


def _record(path: Path) -> headstart.runs.Record:
    from headstart.runs import RunDirectory

    return RunDirectory.open(path).record
