"""Planted shifts of each kind: what `diagnose` says, its numbers and sentences."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np

from headstart.adapt.domains import Domains
from headstart.adapt.label_shift import Shares
from headstart.adapt.shift import Texts, advice, diagnose, sentences
from headstart.adapt.shift.texts import Reading
from headstart.adapt.summary import summarise

CLASSES = ("ant", "bee", "cat")


def shares(values: object, half: float = 0.05) -> Shares:
    value = np.asarray(values, dtype=np.float64)
    return Shares(value, np.maximum(value - half, 0), np.minimum(value + half, 1))


EVEN = shares([1 / 3, 1 / 3, 1 / 3])
SKEWED = shares([0.8, 0.1, 0.1])


def domains(target_shares: Shares, moved: float = 0.0, seed: int = 0) -> Domains:
    rng = np.random.default_rng(seed)
    means = 1.5 * np.random.default_rng(99).normal(size=(3, 12))
    of_source, of_target = rng.integers(0, 3, 450), rng.choice(3, 300, p=target_shares.value_C)
    source = means[of_source] + rng.normal(size=(450, 12))
    return Domains(source, of_source, means[of_target] + rng.normal(size=(300, 12)) + moved, 3)


def test_no_shift() -> None:
    found = diagnose(domains(EVEN), {"em": EVEN, "bbse": EVEN}, EVEN)
    assert found.kind == "none" and found.certain
    assert "No shift" in sentences(found, CLASSES)[0] and "as it is" in advice(found)


def test_covariate_shift() -> None:
    found = diagnose(domains(EVEN, moved=1.5), {"em": EVEN, "bbse": EVEN}, EVEN)
    assert found.kind == "covariate" and found.certain
    assert (found.a_distance.low or 0) > 1 and found.size.p_value is not None and found.size.p_value < 0.01
    assert advice(replace(found, certain=True)).startswith("Align the domains; the class shares")
    assert "cannot be seen from the features" in advice(replace(found, certain=False))


def test_drawn_source_items_show_no_shift_by_themselves() -> None:
    """Skewed features, and items drawn from their means and spread: the same domain, which look apart."""
    both = domains(EVEN)
    of_source, of_target = np.exp(both.source_ND), np.exp(both.target_MD)
    drawn, codes = summarise(of_source, both.codes_N, 3).draw()
    given: dict[str, Any] = {"estimates": {"em": EVEN, "bbse": EVEN}, "after_alignment": EVEN}
    found = diagnose(Domains(drawn, codes, of_target, 3), **given, from_summary=True)
    assert found.kind == "covariate" and found.new_classes.beyond_95.value is None
    lines = sentences(found, CLASSES)
    assert lines[0].startswith("Covariate shift is assumed") and "drawn from means" in lines[1]
    assert "if you know that something has changed" in advice(found)
    assert json.loads(json.dumps(found.to_json()))["from_summary"] is True


def test_label_shift_alone_is_not_aligned() -> None:
    found = diagnose(domains(SKEWED), {"em": SKEWED, "bbse": SKEWED}, shares([0.6, 0.2, 0.2]))
    assert found.kind == "label"
    assert (found.a_distance.low or 0) > 0.3 > (found.left.low or 0) if found.left else False
    lines = sentences(found, CLASSES)
    assert "Label shift" in lines[0] and any("ant has 3" in line and "80%" in line for line in lines)
    assert "Do not align" in advice(found)


def test_a_class_that_is_missing() -> None:
    gone = Shares(np.array([0.6, 0.4, 0.0]), np.array([0.55, 0.35, 0.0]), np.array([0.65, 0.45, 0.01]))
    found = diagnose(domains(gone), {"em": gone, "bbse": gone})
    assert found.kind == "label" and found.shares.missing == (2,)
    assert any("no items of cat" in line for line in sentences(found, CLASSES))


def test_both_where_alignment_confirms_the_shares() -> None:
    found = diagnose(domains(SKEWED, moved=0.7), {"em": SKEWED, "bbse": SKEWED}, shares([0.7, 0.15, 0.15]))
    assert found.kind == "both" and found.certain
    assert "weight the source" in advice(found)


def test_both_possibly_where_nothing_overlaps() -> None:
    """What another language does: every item is told apart, and alignment makes the shares equal."""
    read = Reading(1000, 1.1, 0.9, 0.0, {"LATIN": 1.0})
    given: dict[str, Any] = {"domains": domains(SKEWED, moved=9), "estimates": {"em": SKEWED, "bbse": SKEWED}}
    found = diagnose(**given, after_alignment=EVEN, texts=Texts(read, read, 0.1, 0.1))
    assert found.kind == "both" and not found.certain
    assert "possibly" in sentences(found, CLASSES)[0] and "Do not align" in advice(found)
    features = diagnose(
        **given, after_alignment=EVEN
    )  # features alone say of most shifts that nothing overlaps
    assert features.kind == "covariate" and not features.certain


def test_texts_that_share_their_words_overlap() -> None:
    read = Reading(1000, 1.1, 0.9, 0.0, {"LATIN": 1.0})
    for known, kind in ((0.7, "covariate"), (0.1, "both")):
        texts = Texts(read, read, known, known)
        found = diagnose(domains(SKEWED, moved=9), {"em": SKEWED, "bbse": SKEWED}, EVEN, texts=texts)
        assert found.kind == kind and not found.certain


def test_two_languages_need_class_shares_that_are_known_to_be_alike() -> None:
    read = Reading(1000, 1.1, 0.9, 0.0, {"LATIN": 1.0})
    texts = Texts(read, read, 0.1, 0.1)
    for half, kind in ((0.02, "covariate"), (0.2, "both")):
        even = shares(EVEN.value_C, half)
        found = diagnose(domains(EVEN, moved=9), {"em": even, "bbse": even}, even, texts=texts)
        assert found.kind == kind


def test_a_shift_that_class_shares_explain_though_they_are_uncertain() -> None:
    wide = shares([0.8, 0.1, 0.1], half=0.5)
    found = diagnose(domains(SKEWED), {"em": wide, "bbse": wide})
    assert found.kind == "label" and not found.certain
    assert "probably" in sentences(found, CLASSES)[0]


def test_estimates_that_disagree_are_not_believed() -> None:
    other = shares([0.2, 0.7, 0.1])
    found = diagnose(domains(EVEN, moved=9), {"em": SKEWED, "bbse": other}, other)
    assert found.kind == "covariate" and not found.certain
    assert "cannot be believed" in sentences(found, CLASSES)[0]


def test_new_classes_are_measured_only_between_like_domains() -> None:
    rng = np.random.default_rng(7)
    means = 3 * rng.normal(size=(6, 12))
    of_target = rng.integers(0, 6, 300)
    of_source = rng.integers(0, 3, 300)
    source, target = (means[c] + rng.normal(size=(300, 12)) for c in (of_source, of_target))
    found = diagnose(Domains(source, of_source, target, 3), {"em": EVEN, "bbse": EVEN})
    assert found.new_classes.is_likely and any("lacks" in line for line in sentences(found, CLASSES))
    far = diagnose(Domains(source, of_source, target + 9, 3), {"em": EVEN, "bbse": EVEN})
    assert far.new_classes.beyond_95.value is None and "too much" in far.new_classes.beyond_95.why


def test_an_unread_language_is_neither_aligned_nor_corrected() -> None:
    read = Reading(1000, 1.1, 0.9, 0.0, {"LATIN": 1.0})
    unread = Reading(1000, 2.1, 0.12, 0.0, {"LATIN": 1.0})
    texts = Texts(read, unread, 0.05, 0.03)
    found = diagnose(domains(SKEWED, moved=9), {"em": SKEWED, "bbse": SKEWED}, EVEN, texts=texts)
    assert found.unread and found.has_label_shift
    lines = sentences(found, CLASSES)
    assert any("hardly reads" in line for line in lines) and any(
        "Estimated class shares" in line for line in lines
    )
    assert "Use an encoder" in advice(found) and found.to_json()["texts"]["known_tokens"] == 0.05


def test_json_holds_it() -> None:
    found = diagnose(domains(SKEWED), {"em": SKEWED, "bbse": SKEWED})
    again = json.loads(json.dumps(found.to_json()))
    assert again["kind"] == "label" and again["after_alignment"] is None
    assert again["shares"]["target"][0]["value"] == 0.8


def test_groups_of_the_target_count() -> None:
    rng = np.random.default_rng(5)
    speaker = np.repeat(np.arange(10), 30)
    x = 3 * rng.normal(size=(10, 20))[speaker] + rng.normal(size=(300, 20))
    names = np.array([f"s{number}" for number in speaker], dtype=object)
    codes = rng.integers(0, 3, 150)
    plain = diagnose(Domains(x[:150], codes, x[150:], 3), {"em": EVEN, "bbse": EVEN})
    grouped = diagnose(
        Domains(x[:150], codes, x[150:], 3, groups_N=names[:150]),
        {"em": EVEN, "bbse": EVEN},
        groups_M=names[150:],
    )
    assert plain.kind == "covariate" and grouped.kind == "none"
