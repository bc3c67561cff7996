"""A threshold decides about its class; other classes and labels are answered as usual."""

from __future__ import annotations

import numpy as np

from headstart.tasks import CLASSIFICATION, MULTILABEL, Targets
from headstart.tasks.threshold import Threshold

CLASSES = ("a", "b", "c")
OUTPUTS = np.array([[0.2, 0.5, 0.3], [0.6, 0.1, 0.3], [0.15, 0.45, 0.4]], np.float32)


def test_the_class_from_its_threshold_on_else_the_likeliest_other() -> None:
    targets = Targets(CLASSIFICATION, CLASSES)
    assert Threshold("a", 0.2).answers(OUTPUTS, targets).tolist() == ["a", "a", "b"]
    assert Threshold("b", 0.48).answers(OUTPUTS, targets).tolist() == ["b", "a", "c"], (
        "b is likeliest in both"
    )


def test_one_label_of_several() -> None:
    targets = Targets(MULTILABEL, CLASSES)
    assert targets.decode(OUTPUTS).tolist() == ["b", "a", "-"]
    assert Threshold("c", 0.3).answers(OUTPUTS, targets).tolist() == ["b|c", "a|c", "c"]
    assert Threshold("b", 0.6).answers(OUTPUTS, targets).tolist() == ["-", "a", "-"]


def test_a_threshold_near_zero_calls_what_it_was_chosen_to_call() -> None:
    outputs = np.array([[2e-9, 1 - 2e-9], [5e-10, 1 - 5e-10]])
    assert Threshold("a", 1e-9).answers(outputs, Targets(CLASSIFICATION, ("a", "b"))).tolist() == ["a", "b"]


def test_which_items_have_a_class_or_label() -> None:
    classes, labels = Targets(CLASSIFICATION, CLASSES), Targets(MULTILABEL, CLASSES)
    assert classes.has(classes.encode(["b", "a", "b"]), "b").tolist() == [True, False, True]
    assert labels.has(labels.encode(["a|b", "-", "c"]), "b").tolist() == [True, False, False]
