"""The table of libraries: which one opens a folder, and that stored features of earlier versions are found."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from headstart.errors import SourceError
from headstart.features import pooled_key
from headstart.sources import load_source
from headstart.sources.libraries import LIBRARIES, library_of, recognised

BERT = {"model_type": "bert", "vocab_size": 20}
TIMM = {"architecture": "resnet18"}
OWN = {"library": "custom", "architecture": "net.py:Net", "modality": "audio"}


@pytest.mark.parametrize(
    ("raw", "arch", "expected"),
    [
        (BERT, None, "transformers"),
        (TIMM, None, "timm"),
        ({**TIMM, "model_type": "timm_wrapper"}, None, "timm"),
        ({}, "resnet18", "timm"),
        (BERT, "net.py:Net", "custom"),
        (OWN, None, "custom"),
        ({}, None, None),
    ],
)
def test_the_first_library_that_recognises_a_folder_opens_it(
    raw: dict[str, Any], arch: str | None, expected: str | None
) -> None:
    library = recognised(raw, arch)
    assert (library and library.NAME) == expected
    assert library is None or library_of({"library": library.NAME}) is library


def test_names_and_modalities() -> None:
    assert [library.NAME for library in LIBRARIES] == ["custom", "timm", "transformers"]
    found = [recognised(raw) for raw in (BERT, TIMM, OWN)]
    assert [
        library and library.modality_of(raw) for library, raw in zip(found, (BERT, TIMM, OWN), strict=True)
    ] == ["text", "image", "audio"]
    with pytest.raises(SourceError, match="library must be one of custom, timm, transformers, got 'keras'"):
        library_of({"library": "keras"})


def test_the_bundled_sources_digest_and_key_are_those_of_version_0_1() -> None:
    source = load_source("bundled:letters")
    assert source.digest == "61eecb463a367be69efca32543342e3df4b543d88fb1e084fc06157a303682c3"
    assert pooled_key(source, "fp32").digest == "0287de7f76fcf0650ef0efe5ce309833"


@pytest.mark.real
@pytest.mark.parametrize(
    ("folder", "digest", "key"),
    [
        (
            "mobilenetv2_100.tf2_ptq_in1k",
            "96157d7ffef154687583dc57240cd7af1bd9e9cdd48659fa765b10bcf1544f60",
            "c807132a717d2932959e124e20eb5f73",
        ),
        (
            "whisper-tiny.en-encoder",
            "3fdac555e5ccb2abd2157ff24acf7f7404166bb95c74e76c62db33db694ba2e6",
            "207566d4edabba9927ee07bed108bb30",
        ),
    ],
)
def test_digests_and_keys_are_those_of_version_0_1(shared: Path, folder: str, digest: str, key: str) -> None:
    source = load_source(str(shared / "weights" / folder))
    assert (source.digest, pooled_key(source, "fp32").digest) == (digest, key)
