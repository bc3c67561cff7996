"""`headstart adapt` from two domains to the result, on the small source and digits made on the spot."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import headstart
import small_data
from headstart.adapting.configuration import options_of_command
from headstart.adapting.procedure import run_adapt
from headstart.adapting.result import Adaptation
from headstart.errors import InputError, OptionError
from headstart.runs import Predictions, RunDirectory
from small_data import LETTERS, SETTINGS


def paler(folder: Path, copy: Path, labels: str = "as they are") -> Path:
    """The same pictures, paler: another domain. Labels may be shuffled among the files, or left out."""
    files = sorted(folder.rglob("*.png"))
    classes = [file.parent.name for file in files]
    if labels == "shuffled":
        classes = list(np.random.default_rng(0).permutation(classes))
    for number, (file, name) in enumerate(zip(files, classes, strict=True)):
        place = copy / ("" if labels == "none" else name) / f"{number:04d}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(150 + np.asarray(Image.open(file)) // 3).save(place)
    return copy


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_data.digit_folder(tmp_path_factory.mktemp("digits") / "digits", n_classes=3, n_each=30)


@pytest.fixture(scope="module")
def target(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return paler(source, tmp_path_factory.mktemp("target") / "pale_digits")


@pytest.fixture(scope="module")
def adapted(source: Path, target: Path, tmp_path_factory: pytest.TempPathFactory) -> Adaptation:
    out = tmp_path_factory.mktemp("adapted") / "a"
    return headstart.adapt(source, target, source=LETTERS, method="standardise", out=out, **SETTINGS)


def test_it_is_a_run_that_predicts_the_target(adapted: Adaptation, target: Path) -> None:
    record = RunDirectory.open(adapted.path).record
    assert record.kind == "adapt" and record.n_train == 90 and record.n_test == 90
    predictions = adapted.predict(target)
    written = Predictions.read(adapted.path / "predictions.parquet")
    assert list(predictions.items) == list(written.items) and list(predictions.labels) == list(written.labels)
    assert np.abs(predictions.probabilities - written.probabilities).max() < 1e-3


def test_scores_are_of_the_target_and_paired_with_source_only(adapted: Adaptation) -> None:
    facts = adapted.facts
    assert facts.names == ("digits", "pale_digits") and facts.n_scored == 90 and not facts.held_out
    assert [row.name for row in facts.methods] == ["none", "standardise"]
    row = facts.returned
    assert row.name == "standardise" and row.truth is not None and row.gain is not None
    before = facts.source_only.truth
    assert before is not None
    assert row.gain.value == pytest.approx(float(row.truth) - float(before))
    assert adapted.metrics["test"]["accuracy"]["value"] == pytest.approx(float(row.truth))
    right = sum(each.after or 0 for each in facts.classes)
    assert right / 90 == pytest.approx(float(row.truth))
    assert list(adapted.table["method"]) == ["none", "standardise"]


def test_labels_of_the_target_change_nothing_but_scores(source: Path, tmp_path: Path) -> None:
    given: dict[str, Any] = {"source": LETTERS, "report": False, **SETTINGS}
    target = paler(source, tmp_path / "right")
    adapted = headstart.adapt(source, target, out=tmp_path / "run", **given)
    expected = _numbers(adapted.path)
    for labels in ("shuffled", "none"):
        data = paler(source, tmp_path / labels, labels)
        found = headstart.adapt(source, data, out=tmp_path / f"run-{labels}", **given)
        assert found.facts.n_scored == (90 if labels == "shuffled" else 0)
        # the files lie in another order, so sums are rounded in another way
        np.testing.assert_allclose(_numbers(found.path), expected, atol=1e-3)
        assert (found.facts.method, found.facts.reason) == (adapted.facts.method, adapted.facts.reason)
        for name in ("kind", "certain"):
            assert found.facts.shift[name] == adapted.facts.shift[name]
        for row, other in zip(found.facts.methods, adapted.facts.methods, strict=True):
            assert row.name == other.name and row.scores == pytest.approx(other.scores, abs=1e-3)
        assert bool(found.facts.to_label) == (labels == "none")  # items that have a label need none
    assert "no labels of the source's classes" in found.facts.sentence


def _numbers(run: Path) -> np.ndarray:
    """The probabilities in a run, sorted by the number of the file."""
    written = Predictions.read(run / "predictions.parquet")
    return written.probabilities[np.argsort([Path(name).name for name in written.items])]


def test_items_that_are_set_aside_are_not_adapted_on(source: Path, target: Path, tmp_path: Path) -> None:
    found = headstart.adapt(
        source, target, source=LETTERS, method="standardise", holdout=0.4, out=tmp_path / "r", **SETTINGS
    )
    assert found.facts.held_out and found.facts.n_adapted + found.facts.n_scored == 90
    assert 0.3 <= found.facts.n_scored / 90 <= 0.55


def test_two_domains_of_one_data_set(source: Path, target: Path, tmp_path: Path) -> None:
    data = tmp_path / "both"
    shutil.copytree(source, data / "ink")
    shutil.copytree(target, data / "pale")
    given: dict[str, Any] = {"domain": "domain", "source": LETTERS, "method": "standardise", **SETTINGS}
    found = headstart.adapt(data, from_domain="ink", to_domain="pale", out=tmp_path / "r", **given)
    assert found.facts.names == ("ink", "pale") and found.facts.n_source == 90
    with pytest.raises(OptionError, match=r"there is no domain 'pal'. Did you mean 'pale'"):
        headstart.adapt(data, from_domain="ink", to_domain="pal", **given)
    with pytest.raises(OptionError, match=r"--to: it is missing. Column 'domain' .* ink, pale"):
        headstart.adapt(data, from_domain="ink", **given)
    with pytest.raises(OptionError, match="name two domains"):
        headstart.adapt(data, from_domain="ink", to_domain="ink", **given)
    with pytest.raises(OptionError, match="not both"):
        headstart.adapt(data, target, from_domain="ink", **given)


def test_what_cannot_be_adapted_is_one_clear_error(source: Path, target: Path, tmp_path: Path) -> None:
    given: dict[str, Any] = {"source": LETTERS, **SETTINGS}
    with pytest.raises(OptionError, match="what is adapted to"):
        headstart.adapt(source, **given)
    alone = tmp_path / "one"
    alone.mkdir()
    shutil.copy(next(iter(sorted(target.rglob("*.png")))), alone / "a.png")
    with pytest.raises(InputError, match="one has 1 item: at least 2"):
        headstart.adapt(source, alone, **given)
    texts = tmp_path / "texts.csv"
    texts.write_text("text\n" + "some words of a review\n" * 5)
    with pytest.raises(InputError, match=r"must be of one kind|holds no"):
        headstart.adapt(source, texts, **given)
    two = tmp_path / "two.csv"
    two.write_text("text,label,shop\n" + "fine words,good,north\nbad words,bad,south\n" * 5)
    with pytest.raises(
        OptionError, match=r"with --from and --to \(of few different values: shop \(north, south\)\)"
    ):
        headstart.adapt(two, **given)
    with pytest.raises(InputError, match=r"holds no texts: give data that holds texts. It holds"):
        headstart.adapt(two, target, **given)
    with pytest.raises(InputError, match="does not exist"):
        headstart.adapt(source, tmp_path / "nowhere", **given)
    with pytest.raises(OptionError, match="there is no method 'corall'"):
        headstart.adapt(source, target, method="corall", **given)


def test_an_adaptation_that_was_stopped_is_resumed(
    source: Path, target: Path, tmp_path: Path, adapted: Adaptation, monkeypatch: pytest.MonkeyPatch
) -> None:
    from headstart.adapting import saving

    monkeypatch.chdir(source.parent)  # and it is resumed in another folder
    place = os.path.relpath(target, source.parent)
    given: dict[str, Any] = {"data": source.name, "target_data": place, "source": LETTERS}
    given |= {"method": "standardise", "out": str(tmp_path / "r"), **SETTINGS}
    with monkeypatch.context() as patch:

        def stop(*_: Any) -> None:
            raise KeyboardInterrupt

        patch.setattr(saving, "finish", stop)
        with pytest.raises(KeyboardInterrupt) as stopped:
            run_adapt(options_of_command(given, None))
    assert "headstart adapt --resume" in stopped.value.__notes__[0]
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OptionError, match="another --method"):
        options_of_command({"method": "none"}, tmp_path / "r")
    found = run_adapt(options_of_command({}, tmp_path / "r"), tmp_path / "r")
    assert found.path == tmp_path / "r"
    np.testing.assert_array_equal(_numbers(found.path), _numbers(adapted.path))
