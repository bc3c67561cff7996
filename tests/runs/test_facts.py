"""What a run says about its data is true."""

from __future__ import annotations

from pathlib import Path

from headstart.data import DataSet
from headstart.runs import DataFacts

ROWS = [f"a word {row} or {row * 7},{'ab'[row % 2]},{'' if row < 4 else 'xy'[row % 2]}" for row in range(24)]


def facts(path: Path, rows: list[str]) -> DataFacts:
    path.write_text("\n".join(["text,label,domain", *rows]))
    return DataFacts.of(DataSet.read(path), path.name)


def test_items_without_a_domain_are_not_a_domain(tmp_path: Path) -> None:
    found = facts(tmp_path / "a.csv", ROWS)
    assert (found.domain, found.n_domains) == ("domain", 2)
    assert sum(found.n_items.values()) == 24


def test_the_digest_tells_items_and_labels_but_not_their_order(tmp_path: Path) -> None:
    digest = facts(tmp_path / "a.csv", ROWS).digest
    assert facts(tmp_path / "b.csv", ROWS[::-1]).digest == digest
    other_label = [ROWS[0].replace(",a,", ",b,"), *ROWS[1:]]
    other_text = [f"so {ROWS[0]}", *ROWS[1:]]
    digests = {facts(tmp_path / "c.csv", rows).digest for rows in (other_label, other_text, ROWS[1:])}
    assert len(digests | {digest}) == 4
