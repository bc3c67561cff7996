"""`TransferAdapter` keeps scikit-learn's promises, and uses no label of the target."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

import small_data
from headstart import TransferAdapter
from headstart.errors import DataError, OptionError

PICTURES, NUMBERS = small_data.digits(n_each=30)
PALE = (150 + PICTURES // 3).astype(np.uint8)


@pytest.fixture
def model(tmp_path: Path) -> TransferAdapter:
    return TransferAdapter(
        source=small_data.LETTERS, precision="fp32", threads=1, store=str(tmp_path / "store")
    )


def test_constructors_only_store(model: TransferAdapter) -> None:
    copy = clone(model.set_params(method="standardise", seed=3))
    assert copy.get_params() == model.get_params() and copy.method == "standardise"
    for ask in (copy.transform, copy.predict_proba, copy.predict):
        with pytest.raises(NotFittedError):
            ask(PICTURES)


def test_it_adapts_and_answers_in_the_labels_that_were_given(model: TransferAdapter) -> None:
    labels = np.array(["zero", "one", "two"])[NUMBERS]
    assert model.fit(PICTURES, labels, X_target=PALE) is model
    assert list(model.classes_) == ["one", "two", "zero"]
    probabilities = model.predict_proba(PALE)
    assert probabilities.shape == (90, 3) and np.allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    found = model.predict(PALE)
    np.testing.assert_array_equal(found, model.classes_[probabilities.argmax(axis=1)])
    assert model.method_ in model.scores_ and "none" in model.scores_
    assert model.stopped_because_ and model.head_stages_
    assert model.transform(PALE[:5]).shape == (5, model.n_features_out_)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict_proba(PALE), probabilities)
    alone = clone(model).set_params(method="none").fit(PICTURES, labels, X_target=PALE)
    assert alone.method_ == "none"
    assert model.method_.startswith("bn+")
    assert model.score(PALE, labels) > alone.score(PALE, labels) + 0.3


def test_what_it_refuses(model: TransferAdapter) -> None:
    with pytest.raises(DataError, match="pass X_target"):
        model.fit(PICTURES, NUMBERS)
    with pytest.raises(OptionError, match="there is no method 'corall'"):
        model.set_params(method="corall").fit(PICTURES, NUMBERS, X_target=PALE)


def test_the_example_of_the_docs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = Path(__file__).parents[2] / "docs" / "adapt.md"
    example = page.read_text().split("```python\n")[1].split("```")[0]
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path))
    exec(compile(example, str(page), "exec"), {})
    method, right = capsys.readouterr().out.split()
    assert method == "bn+standardise+mcc+rebalanced" and float(right) > 0.97
