"""Findings: what they say, when they are silent, and what they found in real sets."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from headstart.data.checks import check
from headstart.data.examples import Examples, string_array
from headstart.data.findings import Finding
from headstart.data.length_checks import check_lengths
from headstart.data.preprocessing import (
    AudioPreprocessing,
    ImagePreprocessing,
    TextPreprocessing,
    with_window,
)
from headstart.data.read import read_examples
from headstart.data.scanning import Scan, scan
from headstart.data.unreadable import drop_unreadable
from headstart.errors import DataError

WHISPER = AudioPreprocessing(max_seconds=30.0)


def texts(items: list[str], labels: str, splits: list[str] | None = None) -> Examples:
    names = string_array(f"row {i + 1}" for i in range(len(items)))
    parts = None if splits is None else string_array(splits)
    return Examples("text", items, names, string_array(labels), splits=parts)


def found(examples: Examples) -> dict[str, tuple[int, str]]:
    findings = check(examples, scan(examples.items, examples.modality, threads=1))
    return {finding.kind: (finding.n_items, finding.message) for finding in findings}


def test_nothing_to_say_about_clean_data() -> None:
    assert found(texts([f"word {i}" for i in range(20)], "ab" * 10)) == {}


def test_repeats_conflicts_and_leaks() -> None:
    items = [f"word {i}" for i in range(20)] + ["Word, 0", "word 1", "word 2."]
    examples = texts(items, "ab" * 10 + "aba", ["train"] * 18 + ["test"] * 3 + ["train"] * 2)
    examples = replace(examples, groups=string_array(["g"] * 19 + ["h"] * 4), group="patient")
    got = found(examples)
    assert got["duplicate_across"][0] == 1 and "row 1 = row 21 'word 0'" in got["duplicate_across"][1]
    assert got["duplicate_within"][0] == 2
    assert "conflicting_labels" not in got
    assert got["group_leak"][0] == 2 and "patient" in got["group_leak"][1]


def test_conflicting_labels() -> None:
    got = found(texts(["same", "same", *(f"w{i}" for i in range(18))], "ab" * 10))
    assert got["conflicting_labels"][0] == 1 and "a / b" in got["conflicting_labels"][1]


def test_rare_unseen_and_uneven_classes() -> None:
    items = [f"word {i}" for i in range(63)]
    got = found(texts(items, "a" * 60 + "bbc", ["train"] * 62 + ["test"]))
    assert "b (2)" in got["few_items"][1]
    assert "has the class c" in got["unseen_class"][1]
    assert "'a' has 60" in got["imbalance"][1]


def test_unreadable_items_are_dropped_up_to_a_share() -> None:
    few = texts([f"word {i}" for i in range(39)] + [""], "ab" * 20)
    seen = scan(few.items, "text", threads=1)
    kept, kept_scan = drop_unreadable(few, seen)
    assert len(kept) == 39 == len(kept_scan.digests)
    assert check(few, seen)[0].kind == "unreadable" and check(few, seen)[0].severity == "warning"
    many = texts(["x", "y", ""], "aba")
    with pytest.raises(DataError, match=r"1 of 3 texts cannot be read: row 3 \(the text is empty\)"):
        drop_unreadable(many, scan(many.items, "text", threads=1))
    gone = texts([f"word {i}" for i in range(39)] + [""], "a" * 39 + "b")
    with pytest.raises(DataError, match="no item of class b"):
        drop_unreadable(gone, scan(gone.items, "text", threads=1))


def test_near_duplicates_of_pictures(picture: Callable[..., Image.Image]) -> None:
    def jpeg(image: Image.Image, quality: int) -> bytes:
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=quality)
        return buffer.getvalue()

    items = [jpeg(picture(i, 200, 150), 95) for i in range(12)]
    items += [jpeg(picture(0, 200, 150), 40), jpeg(picture(1, 120, 90), 90)]
    splits = string_array(["train"] * 12 + ["train", "test"])
    names = string_array(range(14))
    got = found(Examples("image", items, names, string_array("ab" * 7), splits=splits))
    assert got["near_duplicate_within"][0] == 1 and "0 = 12" in got["near_duplicate_within"][1]
    assert got["near_duplicate_across"][0] == 1 and "1 = 13" in got["near_duplicate_across"][1]


def test_silent_and_long_recordings(recording: Callable[..., Path]) -> None:
    items = [recording(f"{i}.wav", seconds=0.2 + i, pitch_hz=200 + 90 * i) for i in range(4)]
    items.append(recording("silent.wav", level=0.0))
    examples = Examples("audio", items, string_array(p.name for p in items), string_array("ababa"))
    seen = scan(items, "audio", threads=1)
    assert "silent.wav" in {f.kind: f for f in check(examples, seen)}["silent"].message
    (long,) = check_lengths(examples, seen, AudioPreprocessing(max_seconds=3.0))
    assert "Longer than 3 s: 1 of 5 recordings" in long.message
    assert check_lengths(examples, seen, AudioPreprocessing()) == []


def lasting(seconds: list[float]) -> tuple[Examples, Scan]:
    """Recordings of these durations, as a pass over their files would find them."""
    names = string_array(f"{index}.wav" for index in range(len(seconds)))
    digests = string_array(range(len(seconds)))
    examples = Examples("audio", [Path(name) for name in names], names)
    return examples, Scan(digests, np.zeros((len(seconds), 1), np.uint8), {}, seconds=np.array(seconds))


def padding(seconds: list[float], preprocessing: AudioPreprocessing = WHISPER) -> list[Finding]:
    examples, seen = lasting(seconds)
    found = check_lengths(examples, seen, with_window(preprocessing, seen.seconds))
    return [finding for finding in found if finding.kind == "padding"]


def test_a_few_long_recordings_are_told_with_what_they_cost() -> None:
    (told,) = padding([1.5] * 50 + [600.0] + [1.5] * 49)
    assert told.severity == "warning" and told.items == ("50.wav",)
    assert told.message == (
        "The longest of 100 recordings lasts 600.0 s, so all of them are computed in a window of 30 s: 94% of "
        "that is padding. 2 s would do without 50.wav: cut the long ones, or leave them out."
    )
    assert padding([1.5] * 99 + [5.0]) == []  # 69% of windows of 5 s
    (told,) = padding([1.5] * 99 + [7.0])
    assert "window of 7 s: 78%" in told.message
    assert padding([1.0] * 60 + [20.0] * 40) == []  # not a few
    assert padding([1.0] * 100) == []
    assert padding([1.0] * 99 + [20.0], replace(WHISPER, fixed_window=True)) == []  # nothing would change


def test_cut_texts(word_tokenizer: TextPreprocessing) -> None:
    examples = texts(["a b", "a " * 100_000, "b", "a"], "abab")
    seen = scan(examples.items, "text", threads=1)
    (cut,) = check_lengths(examples, seen, word_tokenizer)
    assert "1 of 4 texts (25.0%)" in cut.message and cut.severity == "warning"


@pytest.mark.real
def test_real_leaks_are_found(shared: Path) -> None:
    counts = {}
    for name in ("trec", "sst2", "pneumoniamnist", "amcd"):
        got = found(read_examples(shared / "data" / name))
        counts[name] = got["duplicate_across"][0]
        if name == "trec":
            assert "DESC / LOC" in got["conflicting_labels"][1]
    assert counts == {"trec": 11, "sst2": 3, "pneumoniamnist": 3, "amcd": 7}


@pytest.mark.real
def test_real_pictures_are_not_taken_for_near_duplicates(shared: Path) -> None:
    for name in ("chest_xray", "hymenoptera", "emodb"):
        got = found(read_examples(shared / "data" / name))
        assert not any(kind.startswith(("near", "duplicate")) for kind in got), name


def test_classes_that_differ_only_in_case() -> None:
    names = string_array(range(40))
    labels = string_array(["Cat", "cat ", "dog", "cow"] * 10)
    examples = Examples("text", [f"word {i}" for i in range(40)], names, labels)
    assert "'Cat' / 'cat '" in found(examples)["like_classes"][1]


def test_without_labels_only_the_items_are_looked_at() -> None:
    examples = Examples("text", ["a b", "A, b"], string_array("12"), notes=("Texts are taken from 'x'.",))
    got = found(examples)
    assert set(got) == {"duplicate_within", "note"}
    assert "1 text more than once" in got["duplicate_within"][1]


def test_animated_pictures_are_said(picture: Callable[..., Image.Image]) -> None:
    buffer = io.BytesIO()
    picture(0).save(buffer, "GIF", save_all=True, append_images=[picture(1)])
    examples = Examples("image", [buffer.getvalue()], string_array(["a.gif"]))
    assert "1 file with several pictures (a.gif: GIF of 2 frames" in found(examples)["animated"][1]
    assert check_lengths(examples, scan(examples.items, "image", threads=1), ImagePreprocessing()) == []
