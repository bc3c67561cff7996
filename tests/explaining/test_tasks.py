"""A quantity and several labels per item are explained too."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import headstart
import small_data
import tiny
from headstart.errors import OptionError

WORDS = [word for word in dict.fromkeys(tiny.SENTENCE.split()) if word not in ("red", "blue")]


def table(path: Path, labels: dict[tuple[bool, bool], str]) -> Path:
    """Random words, with "red" or "blue" or both or none among them; what each stands for."""
    generator = np.random.default_rng(0)
    rows = ["text,label"]
    for index in range(80):
        has = bool(index % 2), bool(index // 2 % 2)
        words = [
            *generator.choice(WORDS, 5, replace=False),
            *(["red"] if has[0] else []),
            *(["blue"] if has[1] else []),
        ]
        rows.append(f"{' '.join(generator.permutation(words))},{labels[has]}")
    return small_data.write(path, "\n".join(rows) + "\n")


def test_a_quantity(work: Path, text_source: Path, tmp_path: Path) -> None:
    values = {(a, b): str(10 + 5 * a - 3 * b) for a in (False, True) for b in (False, True)}
    data = table(tmp_path / "values.csv", values)
    how = {"report": False, "baseline": False, "store": str(work / "store"), "task": "regression"}
    run = headstart.fit(data, str(text_source), out=tmp_path / "run", **how, **small_data.SETTINGS)  # type: ignore[arg-type]
    items = [f"old {word} tree red near car blue dog" for word in ("small", "house", "saw")]
    found = headstart.explain(run.path, items, out=tmp_path / "out", threads=1)
    for each in found.items:
        places = list(each.parts.places)
        assert places[int(each.attributions.argmax())] == "red"
        assert places[int(each.attributions.argmin())] == "blue"
    assert "lowers the value by" in found.facts.sentence and "Is given" in found.report.read_text()
    with pytest.raises(OptionError, match="predicts the quantity label: leave it out"):
        headstart.explain(run.path, items, class_name="label")


def test_several_labels_per_item(work: Path, text_source: Path, tmp_path: Path) -> None:
    data = table(
        tmp_path / "labels.csv",
        {(True, True): "warm|cold", (True, False): "warm", (False, True): "cold", (False, False): "-"},
    )
    how = {"report": False, "baseline": False, "store": str(work / "store"), "task": "multilabel"}
    run = headstart.fit(data, str(text_source), out=tmp_path / "run", **how, **small_data.SETTINGS)  # type: ignore[arg-type]
    found = [
        headstart.explain(
            run.path,
            ["old tree red near car blue dog"],
            class_name=name,
            out=tmp_path / name,
            report=False,
            threads=1,
        )
        for name in ("warm", "cold")
    ]
    warm, cold = (dict(zip(each.items[0].parts.places, each.items[0].attributions)) for each in found)
    assert warm["red"] > cold["red"] and cold["blue"] > warm["blue"]
    assert max(warm, key=lambda word: warm[word]) == "red" and [each.facts.output for each in found] == [
        "warm",
        "cold",
    ]
