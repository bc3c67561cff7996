"""How the two domains are named, before any source is read."""

from __future__ import annotations

from pathlib import Path

import pytest

import small_data
from headstart.adapting.options import adapt_options
from headstart.adapting.pair import labels_of, names_of, read_pair
from headstart.errors import DataError, OptionError
from headstart.files import name_of


def table(folder: Path, domains: list[str], extra: str = "") -> Path:
    rows = [f"some words {i},{'ab'[i % 2]},{name}{',x' if extra else ''}" for i, name in enumerate(domains)]
    header = "text,label,domain" + (f",{extra}" if extra else "")
    return small_data.write(folder / "table.csv", "\n".join([header, *rows]) + "\n")


def test_a_folder_that_has_no_name_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = tmp_path / "photos" / "inside"
    here.mkdir(parents=True)
    monkeypatch.chdir(here)
    assert name_of(".") == "inside" and name_of("..") == "photos" and name_of("a/b.csv") == "b.csv"
    assert names_of(".", "../inside") == ("inside (source)", "inside (target)")


def test_a_column_without_domains_is_named(tmp_path: Path) -> None:
    options = adapt_options(data=table(tmp_path, [""] * 8), domain="domain", from_domain="a", to_domain="b")
    with pytest.raises(OptionError, match=r"column 'domain' of .* is empty: it names no domain"):
        read_pair(options)


def test_of_many_domains_a_few_are_listed(tmp_path: Path) -> None:
    data = table(tmp_path, [f"d{i:04d}" for i in range(1_000)])
    with pytest.raises(OptionError, match=r"there is no domain 'x'.* d0000, d0001, .* d0019 and 980 more$"):
        read_pair(adapt_options(data=data, domain="domain", from_domain="x", to_domain="d0001"))


def test_a_column_of_the_data_is_never_taken_for_the_labels_put_aside(tmp_path: Path) -> None:
    data = table(tmp_path, ["s"] * 8, extra="headstart labels")
    target = small_data.write(
        tmp_path / "target.csv", "text,headstart labels\n" + "".join(f"words {i},a\n" for i in range(4))
    )
    read = read_pair(adapt_options(data=data, target_data=target, target="label"))
    assert read.target.labels is None and labels_of(read.target) is None


def test_data_without_labels_that_comes_first_is_told(tmp_path: Path) -> None:
    bare = small_data.write(tmp_path / "bare.csv", "text\n" + "".join(f"words {i}\n" for i in range(4)))
    options = adapt_options(data=bare, target_data=table(tmp_path, ["s"] * 8))
    with pytest.raises(DataError, match=r"bare\.csv has no labels .* headstart adapt LABELLED TARGET"):
        read_pair(options)
