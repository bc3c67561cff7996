"""The hub path against a small hub on 127.0.0.1."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import tiny
from headstart.errors import HeadstartError, SourceError
from headstart.sources import load_source
from headstart.sources.hub import choose_files, download
from loopback_hub import COMMIT, SmallHub


@pytest.fixture
def bert(tmp_path: Path, small_hub: SmallHub) -> SmallHub:
    """A hub with a tiny BERT at me/bert."""
    tiny.save_text(tmp_path / "bert")
    small_hub.repositories["me/bert"] = tmp_path / "bert"
    return small_hub


def gets(hub: SmallHub) -> int:
    return sum(method == "GET" and "/resolve/" in path for method, path, _, _ in hub.requests)


def test_a_repository_is_fetched_once_and_knows_its_commit(bert: SmallHub) -> None:
    source = load_source("hf:me/bert")
    assert source.provenance.revision == COMMIT
    assert source.modality == "text"
    n_fetched = gets(bert)
    assert load_source("hf:me/bert").digest == source.digest
    assert gets(bert) == n_fetched


def test_a_pinned_commit_in_the_cache_asks_nothing(bert: SmallHub) -> None:
    load_source(f"hf:me/bert@{COMMIT}")
    n_requests = len(bert.requests)
    load_source(f"hf:me/bert@{COMMIT}")
    assert len(bert.requests) == n_requests


def test_a_tag_is_resolved_and_an_unknown_one_told(bert: SmallHub) -> None:
    assert load_source("hf:me/bert@v1").provenance.revision == COMMIT
    with pytest.raises(SourceError, match="hf:me/bert has no revision 'v2'"):
        load_source("hf:me/bert@v2")


def test_timm_comes_by_the_same_path(tmp_path: Path, small_hub: SmallHub) -> None:
    model = tiny.save_timm(tmp_path / "timm")
    small_hub.repositories["timm/test_resnet.r160_in1k"] = tmp_path / "timm"
    source = load_source("timm:test_resnet")
    pixels = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        ours = source.network(pixels)
        theirs = model.forward_head(model.forward_features(pixels), pre_logits=True)
    assert torch.equal(ours, theirs)
    assert source.preprocessing.mean == (0.4, 0.5, 0.6)


def test_wav2vec2_comes_by_the_same_path(tmp_path: Path, small_hub: SmallHub) -> None:
    tiny.save_audio(tmp_path / "audio", "wav2vec2")
    small_hub.repositories["me/audio"] = tmp_path / "audio"
    source = load_source("hf:me/audio")
    assert source.modality == "audio"
    assert list(source.stages) == ["feature_encoder", "layer.0", "layer.1"]


def test_the_token_is_sent(bert: SmallHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_mine")
    load_source("hf:me/bert")
    # huggingface_hub's first request of a process may be one of its own, /api/agent-harnesses, without a token
    of_the_repository = [request for request in bert.requests if "me/bert" in request[1]]
    assert len(bert.requests) - len(of_the_repository) <= 1
    assert {token for _, _, _, token in of_the_repository} == {"Bearer hf_mine"}


@pytest.mark.parametrize(
    ("status", "message"), [(401, "no model repository 'me/bert'"), (403, "is gated: accept its terms")]
)
def test_no_access_says_what_to_do(bert: SmallHub, status: int, message: str) -> None:
    bert.status["me/bert"] = status
    with pytest.raises(SourceError, match=message):
        load_source("hf:me/bert")


def test_a_name_that_cannot_be_is_told(small_hub: SmallHub) -> None:
    with pytest.raises(SourceError, match="not a hub repository's name"):
        load_source("hf:me/bert/part")


def test_a_broken_connection_is_resumed_then_told_and_leaves_nothing_half(
    tmp_path: Path, bert: SmallHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants, file_download

    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 1000)
    monkeypatch.setattr(file_download.time, "sleep", lambda seconds: None)
    bert.faults["model.safetensors"] = "cut"
    with pytest.raises(HeadstartError) as caught:
        download("me/bert")
    assert "hf:me/bert was not fetched completely" in str(caught.value)
    assert "run again to fetch the others" in str(caught.value)
    first, *resumed = bert.ranges("model.safetensors")
    assert first is None and resumed
    assert all(asked is not None and asked > "bytes=1" for asked in resumed)
    assert not list((tmp_path / "hub").rglob("model.safetensors"))

    bert.faults.clear()
    n_before = len(bert.ranges("config.json"))
    folder = download("me/bert").folder
    assert len(bert.ranges("config.json")) == n_before
    served = (tmp_path / "bert" / "model.safetensors").read_bytes()
    assert (folder / "model.safetensors").read_bytes() == served


@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
def test_a_file_with_another_content_is_refused_and_removed(bert: SmallHub, name: str) -> None:
    bert.faults[name] = "changed"
    with pytest.raises(SourceError, match=rf"{name} is not the file that the hub announced.*It was removed"):
        load_source("hf:me/bert")
    bert.faults.clear()
    assert load_source("hf:me/bert").provenance.revision == COMMIT


def test_a_byte_that_changed_in_the_cache_is_found(tmp_path: Path, bert: SmallHub) -> None:
    path = download("me/bert").folder / "model.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.resolve().write_bytes(content)
    with pytest.raises(SourceError, match=r"model\.safetensors is not the file that the hub announced"):
        load_source("hf:me/bert")
    assert load_source("hf:me/bert").provenance.revision == COMMIT


def test_without_the_hub_what_was_fetched_serves(
    bert: SmallHub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    load_source("hf:me/bert")
    bert.status["me/bert"] = 503
    load_source("hf:me/bert")
    assert "using what was fetched before (01234567)" in capsys.readouterr().err


def test_offline_names_what_is_on_this_disk(
    tmp_path: Path, bert: SmallHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")  # where no runs are
    load_source("hf:me/bert")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert load_source("hf:me/bert").provenance.revision == COMMIT
    with pytest.raises(SourceError) as caught:
        load_source("hf:facebook/wav2vec2-base")
    assert "HF_HUB_OFFLINE is set" in str(caught.value)
    assert "--source hf:me/bert" in str(caught.value)
    with pytest.raises(SourceError) as caught:
        load_source("hf:facebook/wav2vec2-base", modality="text")
    assert str(caught.value).endswith("On this disk: --source hf:me/bert.")


def test_a_repository_without_weights_is_told(tmp_path: Path, small_hub: SmallHub) -> None:
    tiny.write_json(tmp_path / "empty" / "config.json", {"model_type": "bert"})
    small_hub.repositories["me/empty"] = tmp_path / "empty"
    with pytest.raises(SourceError, match="hf:me/empty holds no weights that can be read"):
        load_source("hf:me/empty")


def test_the_environment_alone_is_enough(tmp_path: Path, bert: SmallHub) -> None:
    code = "from headstart.sources import load_source; print(load_source('hf:me/bert').provenance.revision)"
    own = {"HF_ENDPOINT": bert.url, "HF_HOME": str(tmp_path / "home"), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **own}, capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == COMMIT, done.stderr


def test_one_kind_of_weights_is_chosen() -> None:
    names = [
        "README.md", "config.json", "1_Pooling/config.json", "2_Dense/model.safetensors", "a/b/c.json",
        "model.safetensors", "pytorch_model.bin", "onnx/model.onnx", "tf_model.h5", "tokenizer.json",
        "training_args.bin",
    ]  # fmt: skip
    small, weights = choose_files(names)
    assert small == ["1_Pooling/config.json", "README.md", "config.json", "tokenizer.json"]
    assert weights == ["2_Dense/model.safetensors", "model.safetensors"]


def test_all_shards_are_chosen() -> None:
    shards = [f"model-0000{i}-of-00002.safetensors" for i in (1, 2)]
    _, weights = choose_files(["config.json", "model.safetensors.index.json", *shards])
    assert weights == ["model.safetensors.index.json", *shards]
    _, weights = choose_files(["pytorch_model.bin.index.json", "pytorch_model-00001-of-00001.bin"])
    assert weights == ["pytorch_model.bin.index.json", "pytorch_model-00001-of-00001.bin"]
