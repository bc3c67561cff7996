"""headstart.yaml: it holds options, and lets no code run that the user does not name on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from headstart.errors import OptionError
from headstart.fitting.configuration import code_flags, options_of_command, with_absolute_paths
from headstart.runs import RunDirectory


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A file of options that names a Python file, and code of a repository."""
    (tmp_path / "net.py").write_text(f"open({str(tmp_path / 'it_ran')!r}, 'w')\n")
    options = {"data": "d", "source": "w.pt", "arch": f"{tmp_path}/net.py:Net", "trust_remote_code": True}
    path = tmp_path / "headstart.yaml"
    path.write_text(json.dumps(options))
    return path


def test_a_file_alone_lets_no_code_run(hostile: Path) -> None:
    arch = f"{hostile.parent}/net.py:Net"
    with pytest.raises(OptionError, match=f"add: --arch {arch} --trust-remote-code"):
        options_of_command({}, hostile, None)
    with pytest.raises(OptionError, match="add: --trust-remote-code"):
        options_of_command({"arch": arch}, hostile, None)
    with pytest.raises(OptionError, match=f"add: --arch {arch}$"):
        options_of_command({"trust_remote_code": True}, hostile, None)
    assert not (hostile.parent / "it_ran").exists()


def test_a_resumed_run_alone_lets_no_code_run(hostile: Path, tmp_path: Path) -> None:
    run = RunDirectory.create(tmp_path / "run")
    run.write_text("headstart.yaml", hostile.read_text())
    run.release()
    with pytest.raises(OptionError, match="lets code run on this machine"):
        options_of_command({}, None, run.path)


def test_what_is_typed_again_counts(hostile: Path) -> None:
    given = {"arch": "other:Net", "trust_remote_code": False}
    options = options_of_command(given, hostile, None)
    assert (options.arch, options.trust_remote_code) == ("other:Net", False)
    assert code_flags(options.model_dump()) == ["--arch", "other:Net"]


def test_a_name_of_timm_is_no_code(tmp_path: Path) -> None:
    path = tmp_path / "headstart.yaml"
    path.write_text("data: d\nsource: w.pt\narch: resnet18\n")
    options = options_of_command({}, path, None)
    assert options.arch == "resnet18"
    assert code_flags(options.model_dump()) == []


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("audit", "an audit: see headstart audit --resume"),
        ("rank", "a ranking: give the command of the ranking again"),
        ("calibrate", "a calibration: give the command of the calibration again"),
    ],
)
def test_the_configuration_of_another_verb_is_refused(tmp_path: Path, kind: str, words: str) -> None:
    path = tmp_path / "headstart.yaml"
    path.write_text(json.dumps({kind: {"data": "d"}}))
    with pytest.raises(OptionError, match=f"is not the configuration of a fit but of {words}"):
        options_of_command({}, path, None)


def test_what_exists_is_written_with_its_whole_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for folder in ("photos", "runs/a"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "net.py").write_text("")
    written = with_absolute_paths(
        {
            "data": "photos",
            "source": "run:runs/a",
            "arch": "net.py:Net",
            "recipe": "few-shot",
            "store": "~/photos",
        }
    )
    assert written == {
        "data": str(tmp_path / "photos"),
        "source": f"run:{tmp_path}/runs/a",
        "arch": f"{tmp_path}/net.py:Net",
        "recipe": "few-shot",
        "store": str(tmp_path / "photos"),
    }
    unchanged = {"data": "owner/name", "source": "timm:resnet50.a1_in1k", "arch": "resnet50", "store": None}
    assert with_absolute_paths(unchanged) == unchanged
    (tmp_path / "scratch").mkdir()
    arch = ["net.py:Net", "photos=net.py:Net", "timm:x=resnet50"]
    of_audit = with_absolute_paths(
        {"against": "scratch, ./photos,timm:x", "arch": arch, "target_data": "photos"}
    )
    net = f"{tmp_path}/net.py:Net"
    assert of_audit["against"] == f"scratch,{tmp_path}/photos,timm:x"
    assert of_audit["arch"] == [net, f"{tmp_path}/photos={net}", "timm:x=resnet50"]
    assert of_audit["target_data"] == str(tmp_path / "photos")
