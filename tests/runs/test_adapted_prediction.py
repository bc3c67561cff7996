"""Prediction that adapts on the way: what it agrees with, what it leaves alone, and when it warns."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from headstart.adapt.stream import Stream
from headstart.errors import InputError
from headstart.run_files import TRAINING_STATISTICS
from headstart.runs.adaptable import AdaptableRun
from headstart.runs.adapted_prediction import adapted_probabilities, warnings_of
from headstart.runs.model_files import preprocessing_in
from headstart.runs.prediction import predict
from headstart.runs.run import Run


def test_without_a_map_it_agrees_with_the_program(digit_run: Run, digit_folder: Path) -> None:
    def fixed(run: AdaptableRun) -> Stream:
        return Stream(run.summary.mean, run.summary.total_deviation, prior=1e15)

    files = sorted(digit_folder.rglob("*.png"))
    preprocessing = preprocessing_in(digit_run.path / "source.json")
    found = adapted_probabilities(digit_run.path, files, preprocessing, threads=1, stream=fixed)
    program = predict(digit_run.path, [str(file) for file in files], threads=1)
    np.testing.assert_allclose(found, program.probabilities, atol=1e-5)


def test_it_writes_nothing_into_the_run_and_is_undone_by_leaving_it_out(
    digit_run: Run, digit_folder: Path, tmp_path: Path
) -> None:
    kept = {path.name: path.read_bytes() for path in digit_run.path.iterdir()}
    before = predict(digit_run.path, digit_folder, threads=1)
    adapted = predict(digit_run.path, digit_folder, adapt=True, threads=1)
    after = predict(digit_run.path, digit_folder, threads=1)
    np.testing.assert_array_equal(before.probabilities, after.probabilities)
    assert {path.name: path.read_bytes() for path in digit_run.path.iterdir()} == kept
    assert adapted.items == before.items and adapted.labels == before.labels
    assert not np.array_equal(adapted.probabilities, before.probabilities)
    again = predict(digit_run.path, digit_folder, adapt=True, threads=1)
    np.testing.assert_array_equal(adapted.probabilities, again.probabilities)


def test_labels_change_nothing_and_items_sorted_by_class_lose_nothing(
    digit_run: Run, digit_folder: Path, tmp_path: Path
) -> None:
    files = [str(file) for file in sorted(digit_folder.rglob("*.png"))]
    copies = []
    for number, file in enumerate(files):
        copies.append(str(tmp_path / f"{number:03d}.png"))
        shutil.copy(file, copies[-1])
    labelled = predict(digit_run.path, files, adapt=True, threads=1)
    unlabelled = predict(digit_run.path, copies, adapt=True, threads=1)
    np.testing.assert_array_equal(labelled.probabilities, unlabelled.probabilities)
    mixed = [files[place] for place in np.random.default_rng(3).permutation(len(files))]
    shares = []
    for names in (files, mixed):  # `files` are sorted by class
        found = predict(digit_run.path, names, adapt=True, threads=1)
        shares.append(
            np.mean([f"{Path(name).parent.name}" == label for name, label in zip(names, found.predicted)])
        )
    assert shares[0] == pytest.approx(shares[1], abs=0.06) and shares[0] > 0.6


def test_features_of_another_domain_are_moved_to_those_of_training(
    digit_run: Run, digit_folder: Path, tmp_path: Path
) -> None:
    files, dim = sorted(digit_folder.rglob("*.png")), []
    for number in np.random.default_rng(0).permutation(len(files)):
        dim.append(str(tmp_path / f"{number:03d}.png"))
        Image.fromarray((np.asarray(Image.open(files[number])) * 0.3).astype(np.uint8)).save(dim[-1])
    bright = predict(digit_run.path, [str(files[int(Path(name).stem)]) for name in dim], threads=1)
    alone, adapted = (predict(digit_run.path, dim, adapt=adapt, threads=1) for adapt in (False, True))
    n_alone, n_adapted = (
        (each.probabilities.argmax(axis=1) == bright.probabilities.argmax(axis=1)).sum()
        for each in (alone, adapted)
    )
    assert n_adapted > n_alone


def test_runs_that_cannot_be_adapted_are_refused(digit_run: Run, digit_folder: Path, tmp_path: Path) -> None:
    old = tmp_path / "old"
    shutil.copytree(digit_run.path, old)
    (old / TRAINING_STATISTICS).unlink()
    with pytest.raises(InputError, match="keeps no statistics"):
        predict(old, digit_folder, adapt=True, threads=1)
    assert len(predict(old, digit_folder, threads=1).items) == 42


SHARES, CLASSES = np.full(4, 0.25), ("a", "b", "c", "d")


def test_warnings_come_from_the_answers() -> None:
    generator = np.random.default_rng(0)
    balanced = generator.integers(0, 4, 400)
    assert list(warnings_of(balanced, SHARES, CLASSES)) == []
    (few,) = warnings_of(balanced[:40], SHARES, CLASSES)
    assert "only 40 items" in few
    (other,) = warnings_of(np.where(generator.random(400) < 0.5, 2, balanced), SHARES, CLASSES)
    assert "other shares" in other and "(c: " in other and "25% in training" in other
    assert list(warnings_of(np.sort(balanced), SHARES, CLASSES)) == []  # items are read in a drawn order
