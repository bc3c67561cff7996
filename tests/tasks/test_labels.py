"""Labels as text."""

from __future__ import annotations

from headstart.tasks import joined, label_names, natural_order


def test_natural_order() -> None:
    assert natural_order(["10", "9", "03", "9"]) == ("03", "9", "10")
    assert natural_order(["b", "10", "9"]) == ("10", "9", "b")


def test_names_of_an_item() -> None:
    assert label_names("cat|dog") == ("cat", "dog") and label_names("-") == ()
    assert joined(label_names("cat|dog")) == "cat|dog" and joined(()) == "-"
