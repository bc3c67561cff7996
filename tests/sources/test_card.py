"""Licence and upstream task, as a source's own card and configuration tell them."""

from __future__ import annotations

from pathlib import Path

import pytest

from headstart.sources.card import licence_and_upstream


def test_the_hubs_metadata_is_read(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text(
        "---\nlicense: mit\npipeline_tag: fill-mask\ndatasets: [a, b, c, d, e]\n---\n# A model\n---\n"
    )
    assert licence_and_upstream(tmp_path, {}) == ("mit", "fill-mask (a, b, c and 2 more)")


def test_the_configuration_goes_first(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("---\nlicense: mit\ndatasets: one\n---\n")
    raw = {"licence": "Apache-2.0", "num_classes": 1000, "source": {"licence": "BSD"}}
    assert licence_and_upstream(tmp_path, raw) == ("Apache-2.0", "classification, 1,000 classes (one)")
    assert licence_and_upstream(tmp_path, {"upstream": "letters"}) == ("mit", "letters")


def test_no_card_or_a_damaged_one_tells_nothing(tmp_path: Path) -> None:
    assert licence_and_upstream(tmp_path, {}) == (None, None)
    (tmp_path / "README.md").write_text("---\n: : {\n---\n")
    assert licence_and_upstream(tmp_path, {}) == (None, None)
    (tmp_path / "README.md").write_text("# no metadata")
    assert licence_and_upstream(tmp_path, {}) == (None, None)


@pytest.mark.parametrize(
    "metadata",
    [
        "datasets: 5",
        "license: 2001-99-99",
        "license: !!timestamp 2001-99-99",
        "license: " + "[" * 3_000,
        "license: {a: b}",
        "a: &a [x, x]\nb: &b [*a, *a]\nlicense: *b",
        "license: \x00",
        "license: [1, {a: 2}]",
    ],
)
def test_odd_metadata_is_no_error_and_stays_short(metadata: str, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text(f"---\n{metadata}\n---\n")
    licence, upstream = licence_and_upstream(tmp_path, {})
    assert licence in (None, "2001-99-99") and upstream is None


def test_long_texts_are_cut(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text(f"---\nlicense: {'x' * 999}\ndatasets: [{'y' * 999}, 3, b]\n---\n")
    assert licence_and_upstream(tmp_path, {}) == ("x" * 200, f"{'y' * 200}, b")
    (tmp_path / "README.md").write_bytes(b"---\nlicense: \xff\n---\n")
    assert licence_and_upstream(tmp_path, {}) == (None, None)
