"""Links in a source's folder bring no other file of this disk into a run."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

import tiny
from headstart.errors import SourceError
from headstart.sources import load_source

SECRET = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nsecret\n"


def moved(path: Path, to: Path) -> None:
    """Put a link in the place of a file or folder."""
    to.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(path, to)
    path.symlink_to(to)


def refused(folder: Path, name: str) -> None:
    with pytest.raises(SourceError, match=re.escape(name) + " is a link that leads out of"):
        assert load_source(str(folder)).classifier


@pytest.fixture
def text(tmp_path: Path) -> Path:
    tiny.save_text(tmp_path / "text")
    return tmp_path / "text"


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "tokenizer_config.json"])
def test_a_small_file_that_is_a_link_to_elsewhere(text: Path, tmp_path: Path, name: str) -> None:
    moved(text / name, tmp_path / "elsewhere" / name)
    refused(text, name)


def test_a_vocabulary_that_the_library_reads(text: Path, tmp_path: Path) -> None:
    (text / "tokenizer.json").unlink()
    (tmp_path / "passwd").write_text(SECRET)
    (text / "vocab.txt").symlink_to(tmp_path / "passwd")
    refused(text, "vocab.txt")


@pytest.mark.parametrize("name", ["README.md", "labels.txt", "model.safetensors.index.json"])
def test_card_labels_and_index(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "timm"
    tiny.save_timm(folder)
    (tmp_path / "passwd").write_text("{}" if name.endswith("json") else "root\n" * 10)
    (folder / name).symlink_to(tmp_path / "passwd")
    if name.endswith("index.json"):
        (folder / "model.safetensors").unlink()
    refused(folder, name)


def test_a_step_of_a_sentence_folder(text: Path, tmp_path: Path) -> None:
    steps = [{"type": "x.Transformer", "path": ""}, {"type": "x.Pooling", "path": "1_Pooling"}]
    tiny.write_json(text / "modules.json", steps)
    tiny.write_json(text / "1_Pooling" / "config.json", {"pooling_mode_mean_tokens": True})
    load_source(str(text))
    moved(text / "1_Pooling", tmp_path / "elsewhere")
    refused(text, "1_Pooling")


def test_links_that_may_be(text: Path, tmp_path: Path) -> None:
    expected = load_source(str(text)).digest
    moved(text / "model.safetensors", tmp_path / "elsewhere" / "big")
    (text / "model.safetensors").unlink()
    (text / "model.safetensors").symlink_to(tmp_path / "elsewhere" / "big")
    moved(text / "config.json", text / "inside" / "config.json")
    (tmp_path / "link").symlink_to(text)
    (text / "notes.txt").symlink_to(tmp_path / "anything")
    assert load_source(str(tmp_path / "link")).digest == expected


def test_a_snapshot_of_the_hub(text: Path, tmp_path: Path) -> None:
    expected, repository = load_source(str(text)).digest, tmp_path / "models--me--it"
    snapshot = repository / "snapshots" / "abc"
    snapshot.mkdir(parents=True)
    (repository / "blobs").mkdir()
    for path in sorted(path for path in text.iterdir() if path.is_file()):
        shutil.copy(path, repository / "blobs" / path.stem)
        (snapshot / path.name).symlink_to(f"../../blobs/{path.stem}")
    assert load_source(str(snapshot)).digest == expected
    moved(repository / "blobs", tmp_path / "other")
    refused(snapshot, "config.json")
