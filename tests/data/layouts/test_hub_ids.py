"""Ids of data sets, read by `datasets` itself from a small hub on 127.0.0.1."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from loopback_hub import SmallHub

datasets = pytest.importorskip("datasets")

# HF_ENDPOINT is read when `datasets` is imported: each reading is a process of its own
READ = """
import hashlib, json, sys
from headstart.data import read_examples
from headstart.errors import DataError
try:
    found = read_examples(sys.argv[1])
except DataError as error:
    print(json.dumps({"error": str(error)}))
else:
    items = [item if isinstance(item, str) else hashlib.sha256(item).hexdigest() for item in found.items]
    told = {"modality": found.modality, "items": items, "labels": found.labels.tolist()}
    told["splits"] = None if found.splits is None else found.splits.tolist()
    print(json.dumps({**told, "origin": found.split_origin}))
"""
CARD = """---
dataset_info:
  features:
  - name: sentence
    dtype: string
  - name: label
    dtype:
      class_label:
        names:
          '0': sad
          '1': glad
---
A small set.
"""


@pytest.fixture
def hub() -> Iterator[SmallHub]:
    with SmallHub() as found:
        yield found


@pytest.fixture
def read(hub: SmallHub, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Read an id in a process with its own cache; what was found, or the error's words."""

    def call(name: str, **environment: str) -> dict[str, Any]:
        words = [sys.executable, "-c", READ, name]
        done = subprocess.run(
            words,
            env={**hub.environment(tmp_path / "home"), **environment},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return found

    return call


def serve(hub: SmallHub, folder: Path, name: str) -> Path:
    """A new folder that the hub serves as a data set."""
    folder.mkdir()
    hub.repositories[f"datasets/{name}"] = folder
    return folder


def tables(folder: Path, ending: str = "csv") -> None:
    """Texts of two classes by number, in a table a part, with a card that names the classes."""
    (folder / "README.md").write_text(CARD)
    for part, n_rows in (("train", 4), ("test", 2)):
        rows = {"sentence": [f"{part} {i}" for i in range(n_rows)], "label": [i % 2 for i in range(n_rows)]}
        made = datasets.Dataset.from_dict(rows)
        (made.to_csv if ending == "csv" else made.to_parquet)(str(folder / f"{part}.{ending}"))


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_texts_with_parts_and_class_names(
    ending: str, hub: SmallHub, read: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    tables(serve(hub, tmp_path / "served", "me/feelings"), ending)
    found = read("me/feelings")
    assert found == {
        "modality": "text",
        "items": ["train 0", "train 1", "train 2", "train 3", "test 0", "test 1"],
        "labels": ["sad", "glad"] * 3,
        "splits": ["train"] * 4 + ["test"] * 2,
        "origin": "The split was given by the data set's parts: train 4, test 2.",
    }
    assert any(path.endswith(f"train.{ending}") for _, path, _, _ in hub.requests)


def test_pictures_inside_parquet_come_as_they_were_saved(
    hub: SmallHub, read: Callable[..., dict[str, Any]], tmp_path: Path, picture: Callable[..., Image.Image]
) -> None:
    folder = serve(hub, tmp_path / "served", "me/pictures")
    (folder / "data").mkdir()
    features = datasets.Features(image=datasets.Image(), label=datasets.ClassLabel(names=["cat", "dog"]))
    contents = []
    for index in range(6):
        buffer = io.BytesIO()
        picture(index).save(buffer, "PNG" if index % 2 else "JPEG")
        contents.append(buffer.getvalue())
    for part, inside in (("train", slice(0, 4)), ("validation", slice(4, 6))):
        encoded = [{"bytes": content, "path": None} for content in contents[inside]]
        rows = {"image": encoded, "label": [index % 2 for index in range(len(encoded))]}
        made = datasets.Dataset.from_dict(rows, features=features)
        made.to_parquet(str(folder / "data" / f"{part}-00000-of-00001.parquet"))
    found = read("me/pictures")
    assert found["modality"] == "image"
    assert found["items"] == [hashlib.sha256(content).hexdigest() for content in contents]
    assert found["labels"] == ["cat", "dog"] * 3
    assert found["splits"] == ["train"] * 4 + ["test"] * 2
    assert found["origin"].endswith("train 4, test 2 (validation).")


def test_what_was_fetched_serves_without_the_hub(
    hub: SmallHub, read: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    """Told to stay offline, or with no hub to reach; the name is one that the cache writes differently."""
    tables(serve(hub, tmp_path / "served", "me/MyFeelings"))
    found = read("me/MyFeelings")
    n_requests = len(hub.requests)
    assert read("me/MyFeelings", HF_HUB_OFFLINE="1") == found
    assert len(hub.requests) == n_requests
    away = {"HF_ENDPOINT": "http://127.0.0.1:9"}
    assert read("me/MyFeelings", **away) == found
    assert "the hub cannot be reached: check the path" in read("me/other", **away)["error"]
    told = read("me/other", HF_HUB_OFFLINE="1")["error"]
    assert "'me/other' is neither" in told and "HF_HUB_OFFLINE is set" in told and "unset it" in told


def test_a_missing_or_closed_repository_is_told_with_the_remedy(
    hub: SmallHub, read: Callable[..., dict[str, Any]]
) -> None:
    told = read("me/none")["error"]
    assert told.startswith("'me/none' is neither a file or folder here nor a data set that could be loaded:")
    assert "doesn't exist on the Hub" in told and "Check the path or the name (OWNER/NAME)" in told
    hub.status["datasets/me/closed"] = 403
    told = read("me/closed")["error"]
    assert "'me/closed' is a gated dataset" in told and "HF_TOKEN" in told
