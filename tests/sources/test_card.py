"""Licence and upstream task, as a source's own card and configuration tell them."""

from __future__ import annotations

from pathlib import Path

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
