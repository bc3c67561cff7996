"""A run on a hub: the real client against a small hub, what arrives there, and what it is good for."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import headstart
import small_data
from headstart.errors import HeadstartError, InputError, OptionError
from headstart.runs.decision import Decision, to_json
from headstart.runs.run import Run
from headstart.sources import load_source
from headstart.tasks.threshold import Threshold
from loopback_hub import COMMIT, SmallHub


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SmallHub]:
    """A hub that takes uploads of me, and this process set to it."""
    from huggingface_hub import constants

    with SmallHub() as made:
        made.uploads.folder = tmp_path / "hub"
        for name in ("ENDPOINT", "HF_HUB_CACHE", "HF_HUB_OFFLINE", "HF_HUB_DISABLE_XET"):
            value = {
                "ENDPOINT": made.url,
                "HF_HUB_CACHE": str(tmp_path / "cache"),
                "HF_HUB_DISABLE_XET": True,
            }
            monkeypatch.setattr(constants, name, value.get(name, False))
        template = f"{made.url}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setenv("HF_TOKEN", "hf_mine")
        yield made


def test_a_run_comes_back_as_a_source_and_predicts(
    digit_run: Run, digit_folder: Path, hub: SmallHub, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pushed = headstart.push(digit_run.path, "me/digits")
    there = tmp_path / "hub" / "digits"
    assert {path.name: path.stat().st_size for path in there.iterdir()} == dict(pushed.sizes)
    assert hub.uploads.private == {"me/digits"}
    assert {"model.pt2", "model.safetensors"} <= {path.name for path in there.iterdir()}
    assert len(hub.uploads.large) >= 2, "large files came by their own protocol"
    told = capsys.readouterr().err
    assert "model.pt2  " in told and "Not uploaded: environment.json" in told and "report.html" in told

    source = load_source("hf:me/digits")
    assert source.provenance.revision == COMMIT and source.uri == "hf:me/digits"
    assert source.digest == load_source(f"run:{digit_run.path}").digest

    shutil.copytree(there, tmp_path / "downloaded")
    again = headstart.load(tmp_path / "downloaded").predict(digit_folder)
    expected = digit_run.predict(digit_folder)
    np.testing.assert_array_equal(again.probabilities, expected.probabilities)
    assert headstart.load(tmp_path / "downloaded").metrics["test"] == digit_run.metrics["test"]


def test_nothing_of_the_items_is_uploaded(
    digit_run: Run, text_run: Run, work: Path, hub: SmallHub, tmp_path: Path
) -> None:
    for run, name in ((digit_run, "digits"), (text_run, "texts")):
        pushed = headstart.push(run.path, f"me/{name}")
        kept = {"predictions.parquet", "label_errors.csv", "learned_items.safetensors", "headstart.yaml"}
        assert kept | {"training_statistics.safetensors", "environment.json"} <= set(pushed.left)
        there = tmp_path / "hub" / name
        for path in there.iterdir():
            content = path.read_bytes()
            assert str(work).encode() not in content, f"a path of this machine is in {path.name}"
            for item in run.metrics["label_errors"]["items"]:
                assert item["item"].encode() not in content, f"an item is in {path.name}"
            assert run.metrics["data"]["digest"].encode() not in content
        card = (there / "README.md").read_text()
        assert "Data that is not shared" in card and "```python" in card and "Accuracy" in card
        record = json.loads((there / "metrics.json").read_text())
        assert "label_errors" not in record and record["kind"] == "fit"
    assert (tmp_path / "hub" / "texts" / "tokenizer.json").is_file()
    assert "pipeline(" in (tmp_path / "hub" / "texts" / "README.md").read_text()


def test_the_card_runs_the_files_that_came(
    digit_run: Run, digit_folder: Path, hub: SmallHub, tmp_path: Path
) -> None:
    import re
    import subprocess
    import sys

    headstart.push(digit_run.path, "me/digits")
    there = tmp_path / "hub" / "digits"
    lines = re.findall(r"```python\n(.*?)```", (there / "README.md").read_text(), re.DOTALL)[0]
    items = [str(path) for path in sorted(digit_folder.rglob("*.png"))[:3]]
    code = f"{lines}\nprint(json.dumps(predict({items!r}).tolist()))"
    done = subprocess.run([sys.executable, "-c", code], cwd=there, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    expected = digit_run.predict(items).probabilities
    np.testing.assert_allclose(np.array(json.loads(done.stdout)), expected, atol=1e-4)


def test_a_public_repository_needs_the_word(digit_run: Run, hub: SmallHub, tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    hub.repositories["me/open"] = tmp_path / "theirs"
    with pytest.raises(InputError, match="me/open is public: pass --public"):
        headstart.push(digit_run.path, "me/open")
    assert not list((tmp_path / "theirs").iterdir())
    headstart.push(digit_run.path, "me/open", public=True)
    assert (tmp_path / "theirs" / "model.pt2").is_file()
    headstart.push(digit_run.path, "me/shared", public=True)
    assert hub.uploads.private == set()


def test_an_interrupted_upload_leaves_the_repository_as_it_was(
    digit_run: Run, hub: SmallHub, tmp_path: Path
) -> None:
    hub.uploads.cuts.add("/commit/main")
    with pytest.raises(HeadstartError, match=r"cannot be reached .*nothing of this upload is visible"):
        headstart.push(digit_run.path, "me/digits")
    assert not list((tmp_path / "hub" / "digits").iterdir())
    hub.uploads.cuts.clear()
    headstart.push(digit_run.path, "me/digits")
    assert (tmp_path / "hub" / "digits" / "metrics.json").is_file()


def test_refusals_are_one_message(
    digit_run: Run, hub: SmallHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    for name in ("digits", "me/di gits", "me/a/b", ""):
        with pytest.raises(OptionError, match="write USER/NAME"):
            headstart.push(digit_run.path, name)
    hub.uploads.folder = None
    with pytest.raises(InputError, match=r"refuses to write to me/digits: check the owner's name"):
        headstart.push(digit_run.path, "me/digits")
    monkeypatch.setenv("HF_TOKEN", "hf_other")
    with pytest.raises(InputError, match=r"does not accept the token for me/digits: set HF_TOKEN"):
        headstart.push(digit_run.path, "me/digits")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(InputError, match="HF_HUB_OFFLINE is set"):
        headstart.push(digit_run.path, "me/digits")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(HeadstartError, match=r"http://127\.0\.0\.1:9 cannot be reached"):
        headstart.push(digit_run.path, "me/digits")
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "none"))
    with pytest.raises(InputError, match="push needs a token of the hub: set HF_TOKEN"):
        headstart.push(digit_run.path, "me/digits")


def test_other_runs_are_refused(digit_run: Run, hub: SmallHub, tmp_path: Path) -> None:
    shutil.copytree(digit_run.path, tmp_path / "run")
    record = json.loads((tmp_path / "run" / "metrics.json").read_text())
    (tmp_path / "run" / "metrics.json").write_text(json.dumps({**record, "kind": "adapt"}))
    with pytest.raises(InputError, match="made by `headstart adapt`"):
        headstart.push(tmp_path / "run", "me/run")
    (tmp_path / "run" / "metrics.json").write_text(json.dumps(record))
    (tmp_path / "run" / "head.json").write_text("{}")
    with pytest.raises(InputError, match=r"head\.json is not the file that the run was finished with"):
        headstart.push(tmp_path / "run", "me/run")
    assert small_data.LETTERS in record["source"]["uri"]
    assert hub.repositories == {}


@pytest.fixture
def copied(digit_run: Run, tmp_path: Path) -> Path:
    """A copy of the run that a test may change."""
    return Path(shutil.copytree(digit_run.path, tmp_path / "run"))


def put_onnx(run: Path) -> dict[str, object]:
    """What an export leaves in a run, with another content in the place of the model."""
    (run / "model.onnx").write_bytes(b"translated")
    (run / "model.onnx.md").write_text("how to use it")
    facts: dict[str, object] = {
        "path": "model.onnx",
        "sha256": {name: sha256(run / name) for name in ("model.onnx", "model.onnx.md")},
        "program_sha256": sha256(run / "model.pt2"),
    }
    (run / "model.onnx.json").write_text(json.dumps({**facts, "note": "mine"}))
    return facts


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_an_onnx_file_of_the_run_is_uploaded(copied: Path, hub: SmallHub, tmp_path: Path) -> None:
    facts = put_onnx(copied)
    (copied / "model.onnx.data").write_text("of nothing")
    pushed = headstart.push(copied, "me/digits")
    there = tmp_path / "hub" / "digits"
    assert (there / "model.onnx").read_bytes() == b"translated" and (there / "model.onnx.md").is_file()
    assert json.loads((there / "model.onnx.json").read_text()) == facts
    assert "model.onnx.data" in pushed.left


def test_an_onnx_file_of_something_else_is_not_uploaded(copied: Path, hub: SmallHub, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"translated")
    for name in ("model.onnx", "model.onnx.md", "model.onnx.json"):
        put_onnx(copied)
        shutil.copy(copied / name, secret)
        (copied / name).unlink()
        (copied / name).symlink_to(secret)
        with pytest.raises(InputError, match=rf"{name} cannot be read as .*a link.*headstart export"):
            headstart.push(copied, "me/digits")
        (copied / name).unlink()
    put_onnx(copied)
    (copied / "model.onnx").write_bytes(b"Translated")
    with pytest.raises(InputError, match=r"model\.onnx is not the file that was exported"):
        headstart.push(copied, "me/digits")
    facts = put_onnx(copied)
    (copied / "model.onnx.json").write_text(json.dumps({**facts, "program_sha256": "0" * 64}))
    with pytest.raises(InputError, match=r"model\.onnx was not made from the model\.pt2 beside it: make"):
        headstart.push(copied, "me/digits")
    (copied / "model.onnx.json").write_text(json.dumps({**facts, "sha256": {"../headstart.yaml": "0"}}))
    with pytest.raises(InputError, match=r"model\.onnx\.json does not name the digests"):
        headstart.push(copied, "me/digits")
    assert hub.repositories == {}


def put_threshold(run: Path, value: float, decision: bool = True) -> str:
    """Give a run a threshold as a fit with --threshold does, and return its class."""
    head, record = (json.loads((run / name).read_text()) for name in ("head.json", "metrics.json"))
    found = Decision(Threshold(head["classes"][0], value), "recall=0.95", "training items", 40, 20)
    head["threshold"] = to_json(found.threshold)
    (run / "head.json").write_text(json.dumps(head))
    record["files"]["head.json"] = sha256(run / "head.json")
    record |= {"threshold": found.to_json()} if decision else {}
    (run / "metrics.json").write_text(json.dumps(record))
    return found.threshold.name


def test_a_threshold_is_uploaded_and_in_the_card(copied: Path, hub: SmallHub, tmp_path: Path) -> None:
    name = put_threshold(copied, 0.25)
    headstart.push(copied, "me/digits")
    there = tmp_path / "hub" / "digits"
    assert json.loads((there / "metrics.json").read_text())["threshold"]["rule"] == "recall=0.95"
    card = (there / "README.md").read_text()
    assert f"An item is called “{name}” if the probability of that is 0.25 or more" in card
    assert headstart.load(there).metrics["threshold"]["value"] == 0.25


def test_a_damaged_threshold_is_refused(copied: Path, hub: SmallHub) -> None:
    put_threshold(copied, float("nan"))
    with pytest.raises(
        InputError, match=r"head\.json cannot be read as task and classes .*the threshold is damaged"
    ):
        headstart.push(copied, "me/digits")
    put_threshold(copied, 0.25, decision=False)
    with pytest.raises(InputError, match=r"metrics\.json is damaged \(the threshold is damaged"):
        headstart.push(copied, "me/digits")
    assert hub.repositories == {}


@pytest.mark.parametrize("answer", [[], None, 3, {}])
def test_an_answer_of_no_hub_is_told(
    digit_run: Run, hub: SmallHub, monkeypatch: pytest.MonkeyPatch, answer: object
) -> None:
    monkeypatch.setattr(type(hub.uploads), "answer", lambda *_: (200, answer))
    with pytest.raises(InputError, match=r"does not answer as a hub does \(.*\): check HF_ENDPOINT"):
        headstart.push(digit_run.path, "me/digits")


def test_a_setting_that_cannot_be_is_named(
    digit_run: Run, hub: SmallHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    with pytest.raises(OptionError, match="'None' is not a hub repository's name"):
        headstart.push(digit_run.path, None)  # type: ignore[arg-type]
    monkeypatch.setenv("HF_TOKEN", "hf_é")
    with pytest.raises(InputError, match="the token of the hub holds a character that no token has: set HF_"):
        headstart.push(digit_run.path, "me/digits")
    for endpoint in ("garbage", "ftp://127.0.0.1", "http://", "http://a b", "http://a:b"):
        monkeypatch.setattr(constants, "ENDPOINT", endpoint)
        with pytest.raises(InputError, match=r"HF_ENDPOINT is '.*', which is not the address of a hub"):
            headstart.push(digit_run.path, "me/digits")
