"""Sources are named by the shortest ends of their URIs that tell them apart."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from headstart.report.names import Names, short_names

uris = st.lists(st.text("ab/:.", min_size=1, max_size=8), min_size=1, max_size=6, unique=True)


def short(*uris: str) -> list[str]:
    return list(short_names(uris).values())


def test_the_last_part_is_enough_if_no_other_has_it() -> None:
    assert short("../weights/mobilenetv2", "timm:resnet50.a1_in1k", "hf:google/vit@main", "run:runs/xray/") == [
        "mobilenetv2", "resnet50.a1_in1k", "vit@main", "xray"
    ]  # fmt: skip


def test_more_parts_where_the_last_is_the_same() -> None:
    assert short("a/net", "b/net", "timm:net") == ["a/net", "b/net", "timm:net"]
    assert short("x/a/net", "y/a/net", "other") == ["x/a/net", "y/a/net", "other"]
    assert short("net", "a/net") == ["net", "a/net"]


@given(uris)
def test_no_two_short_names_are_equal(found: list[str]) -> None:
    names = short_names(found)
    assert list(names) == found and len(set(names.values())) == len(found)
    assert all(uri.rstrip("/").endswith(name.rstrip("/")) for uri, name in names.items())


def test_names_in_a_sentence_are_replaced_whole() -> None:
    names = Names({"../w/net": "net", "../w/net, random weights": "random weights", "../w/net2": "net2"})
    text = "Start from ../w/net2: ../w/net, random weights and ../w/net. Not x../w/net or ../w/net/b."
    assert names.within(text) == "Start from net2: random weights and net. Not x../w/net or ../w/net/b."
    assert [piece for piece, is_name in names.parts(text) if is_name] == ["net2", "random weights", "net"]
    assert list(Names({}).parts("a b")) == [("a b", False)]
