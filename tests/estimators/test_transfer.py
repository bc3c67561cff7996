"""The estimators keep scikit-learn's promises."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

import headstart
import small_data
from headstart import TransferClassifier, TransferRegressor
from headstart.errors import DataError, OptionError

PICTURES, NUMBERS = small_data.digits()


@pytest.fixture
def model(tmp_path: Path) -> TransferClassifier:
    return TransferClassifier(
        source=small_data.LETTERS, precision="fp32", threads=1, store=str(tmp_path / "store")
    )


def test_constructors_only_store(model: TransferClassifier) -> None:
    parameters = model.get_params()
    assert parameters["source"] == small_data.LETTERS and parameters["freeze"] == "all"
    copy = clone(model.set_params(seed=3))
    assert copy.get_params() == model.get_params() and copy.seed == 3
    assert "source='bundled:letters'" in repr(model)
    TransferClassifier(source="no:thing", freeze="nonsense")


@pytest.mark.parametrize(
    "labels",
    [NUMBERS, NUMBERS.astype(str), [f"0{number}" for number in NUMBERS], NUMBERS == 1],
    ids=["integers", "strings", "list", "booleans"],
)
def test_labels_of_any_type_come_back(labels: Any, model: TransferClassifier) -> None:
    assert model.fit(PICTURES, labels) is model
    expected = np.asarray(labels)
    predicted = model.predict(PICTURES)
    assert predicted.dtype == expected.dtype and predicted.shape == expected.shape
    assert set(predicted) <= set(expected)
    np.testing.assert_array_equal(model.classes_, np.unique(expected))
    probabilities = model.predict_proba(PICTURES)
    assert probabilities.shape == (len(PICTURES), len(model.classes_))
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal(model.classes_[probabilities.argmax(axis=1)], predicted)
    assert model.score(PICTURES, labels) == pytest.approx(np.mean(predicted == expected))


def test_what_it_tells_of_itself(model: TransferClassifier) -> None:
    model.fit(PICTURES, NUMBERS)
    assert list(model.profile_) == ["block1", "block2", "block3", "block4"]
    assert set(model.head_stages_) <= set(model.profile_)
    assert model.stopped_because_
    features = model.transform(PICTURES[:5])
    assert features.shape == (5, model.n_features_out_) and features.dtype == np.float32


def test_not_fitted_yet(model: TransferClassifier) -> None:
    for ask in (model.predict, model.predict_proba, model.transform):
        with pytest.raises(NotFittedError):
            ask(PICTURES)


def test_cross_validation_and_pipelines(model: TransferClassifier, tmp_path: Path) -> None:
    folder = small_data.digit_folder(tmp_path / "digits")
    paths = np.array([str(path) for path in sorted(folder.rglob("*.png"))])
    labels = np.array([Path(path).parent.name for path in paths])
    scores = cross_val_score(model, paths, labels, cv=3)
    assert scores.shape == (3,) and scores.mean() > 0.5
    steps = Pipeline([("same", FunctionTransformer(validate=False)), ("model", model)])
    assert steps.fit(paths, labels).score(paths, labels) > 0.5
    features = Pipeline([("features", clone(model)), ("own", LogisticRegression(max_iter=2_000))])
    assert features.fit(paths, labels).predict(paths).shape == labels.shape


def test_the_same_seed_gives_the_same_bits(model: TransferClassifier) -> None:
    first = model.fit(PICTURES, NUMBERS).predict_proba(PICTURES)
    np.testing.assert_array_equal(clone(model).fit(PICTURES, NUMBERS).predict_proba(PICTURES), first)


def test_a_policy_that_trains(model: TransferClassifier) -> None:
    model.set_params(freeze="first:2", epochs=2).fit(PICTURES, NUMBERS)
    assert model.predict_proba(PICTURES).shape == (len(PICTURES), 3)


def test_a_recipe_and_its_changes_reach_the_training(model: TransferClassifier) -> None:
    with pytest.raises(OptionError, match="no recipe 'few-shots'"):
        clone(model).set_params(freeze="first:2", recipe="few-shots").fit(PICTURES, NUMBERS)
    model.set_params(freeze="first:2", recipe="bit-small", epochs=1, views=2).fit(PICTURES, NUMBERS)
    assert model.predict_proba(PICTURES).shape == (len(PICTURES), 3)


def test_it_learns_what_fit_learns(tmp_path: Path, model: TransferClassifier) -> None:
    """With all items as training part, the estimator and the verb's refit give the same probabilities."""
    folder = small_data.digit_folder(tmp_path / "digits")
    options = {"precision": "fp32", "threads": 1, "baseline": False, "report": False, "refit_all": True}
    run = headstart.fit(folder, small_data.LETTERS, out=tmp_path / "x", **options)  # type: ignore[arg-type]
    paths = sorted(folder.rglob("*.png"))
    model.fit(paths, [path.parent.name for path in paths])
    np.testing.assert_allclose(model.predict_proba(paths), run.predict(paths).probabilities, atol=1e-3)


def test_wrong_input(model: TransferClassifier, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="two classes"):
        model.fit(PICTURES, np.zeros(len(PICTURES)))
    with pytest.raises(DataError, match="labels"):
        model.fit(PICTURES, NUMBERS[:-1])
    with pytest.raises(OptionError, match="budget"):
        clone(model).set_params(freeze="auto").fit(PICTURES, NUMBERS)
    with pytest.raises(OptionError, match="freeze policy"):
        clone(model).set_params(freeze="nonsense").fit(PICTURES, NUMBERS)
    (tmp_path / "bad.png").write_bytes(b"no picture")
    model.fit(PICTURES, NUMBERS)
    with pytest.raises(DataError, match=r"bad\.png"):
        model.predict([tmp_path / "bad.png"])


def test_several_labels_an_item(model: TransferClassifier) -> None:
    """Which digit it is not, but two properties of it: even, and below five."""
    indicator = np.stack([NUMBERS % 2 == 0, NUMBERS < 5, 0 * NUMBERS], axis=1).astype(int)
    scores = cross_val_score(model, PICTURES, indicator, cv=3)
    assert scores.mean() > 0.5
    fitted = model.fit(PICTURES, indicator)
    p = fitted.predict_proba(PICTURES)
    assert fitted.multilabel_ and p.shape == (len(PICTURES), 3) and (p[:, 2] == 0).all()
    assert set(fitted.predict(PICTURES).ravel()) <= {0, 1} and fitted.score(PICTURES, indicator) > 0.7
    lists = [[name for name, has in zip(("even", "small"), row) if has] for row in indicator]
    fitted = clone(model).fit(PICTURES, lists)
    assert fitted.classes_.tolist() == ["even", "small"]
    assert all(set(row) <= {"even", "small"} for row in fitted.predict(PICTURES[:9]))
    assert fitted.score(PICTURES, lists) > 0.7


def test_a_quantity(model: TransferClassifier) -> None:
    regressor = TransferRegressor(**model.get_params())
    brightness = np.array([float(np.asarray(picture).mean()) for picture in PICTURES])
    assert cross_val_score(Pipeline([("model", regressor)]), PICTURES, brightness, cv=3).mean() > 0.5
    fitted = clone(regressor).fit(PICTURES, brightness)
    assert fitted.predict(PICTURES[:4]).shape == (4,) and fitted.score(PICTURES, brightness) > 0.7
    assert max(fitted.profile_.values()) > 0.5
    with pytest.raises(DataError, match="not finite"):
        clone(regressor).fit(PICTURES, [float("nan"), *brightness[1:]])


def test_tables_of_pandas(model: TransferClassifier, tmp_path: Path) -> None:
    root = small_data.digit_folder(tmp_path / "digits")
    paths = sorted(root.rglob("*.png"))
    table = pd.DataFrame(
        {"path": [str(path) for path in paths], "digit": [path.parent.name for path in paths]}
    )
    table = table.iloc[::-1]  # its index begins with 41
    model.fit(table["path"], table["digit"])
    assert set(model.classes_) == set(table["digit"])
    assert model.score(table[["path"]], table["digit"]) > 0.5


def test_a_fitted_one_is_pickled_without_its_items(model: TransferClassifier) -> None:
    held = pickle.dumps(model.fit(PICTURES, NUMBERS))
    weights = sum(array.nbytes for array in model._items.source.network.state_dict().values())
    assert len(held) < weights + 50_000
    np.testing.assert_array_equal(pickle.loads(held).predict_proba(PICTURES), model.predict_proba(PICTURES))
