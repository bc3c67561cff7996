"""The run directory: claimed once, numbered, whole files, unfinished until it is not."""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
from pathlib import Path

import numpy as np
import pytest

from headstart import files
from headstart.errors import DiskFullError, HeadstartError, InputError, OptionError
from headstart.fitting.facts import facts_of
from headstart.runs.directory import RunDirectory


def claim(out: str) -> str:
    return str(RunDirectory.create(out).path)


def test_numbers_and_never_overwrites(tmp_path: Path) -> None:
    names = [RunDirectory.create(tmp_path / "runs" / "xray").path.name for _ in range(3)]
    assert names == ["xray", "xray-2", "xray-3"]


def test_an_empty_folder_is_taken_a_full_one_is_not(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").write_text("mine")
    assert RunDirectory.create(tmp_path / "empty").path == tmp_path / "empty"
    assert RunDirectory.create(tmp_path / "full").path == tmp_path / "full-2"
    assert (tmp_path / "full" / "notes.txt").read_text() == "mine"


def test_two_processes_never_share_a_folder(tmp_path: Path) -> None:
    (tmp_path / "xray").mkdir()
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        claimed = pool.map(claim, [str(tmp_path / "xray")] * 12, chunksize=1)
    assert len(set(claimed)) == 12


def test_a_file_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "xray").write_text("")
    with pytest.raises(OptionError, match="file"):
        RunDirectory.create(tmp_path / "xray")
    with pytest.raises(OptionError, match="of this name exists"):
        RunDirectory.create(tmp_path / "xray" / "deep" / "er")


def test_unwritable_output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path, *arguments: object, **options: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(self))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(OptionError, match="cannot be written: Permission denied"):
        RunDirectory.create(tmp_path / "xray")


def test_too_little_room_is_said_before_the_work(tmp_path: Path) -> None:
    with pytest.raises(DiskFullError, match="--out"):
        RunDirectory.create(tmp_path / "xray", needed_bytes=10**18)
    assert not (tmp_path / "xray").exists()


def test_full_disk_leaves_the_old_file_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = RunDirectory.create(tmp_path / "xray")
    run.write_json("metrics.json", {"old": 1})

    def full(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DiskFullError, match=r"the disk is full, .* --out"):
        run.write_json("metrics.json", {"new": 1})
    assert json.loads((run.path / "metrics.json").read_text()) == {"old": 1}
    assert sorted(path.name for path in run.path.iterdir()) == ["metrics.json", "unfinished"]


def test_unfinished_runs_are_recognised_and_resumed(tmp_path: Path) -> None:
    run = RunDirectory.create(tmp_path / "xray")
    with pytest.raises(InputError, match="still being written"):
        RunDirectory.open(run.path)
    with pytest.raises(InputError, match="another process"):
        RunDirectory.resume(run.path)
    run.release()
    with pytest.raises(InputError, match="--resume"):
        RunDirectory.open(run.path)
    run.write_yaml("headstart.yaml", {"data": "x"})
    again = RunDirectory.resume(run.path)
    again.write_json("metrics.json", {"format_version": 1})
    again.finish()
    assert not RunDirectory.open(run.path).unfinished
    with pytest.raises(InputError, match="nothing to resume"):
        RunDirectory.resume(run.path)


def test_a_resumed_run_knows_the_command_that_began_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["bin/headstart", "adapt", "a b", "c"])
    run = RunDirectory.create(tmp_path / "xray")
    assert run.first_command == ()
    run.write_yaml("headstart.yaml", {"data": "x"})
    run.release()
    monkeypatch.setattr("sys.argv", ["bin/headstart", "adapt", "--resume", "xray"])
    again = RunDirectory.resume(run.path)
    assert again.first_command == ("bin/headstart", "adapt", "a b", "c")
    assert facts_of(again, (), (), "", ()).command == "headstart adapt 'a b' c"
    again.release()
    for damaged in ("", "[]", '{"command": "rm"}', '{"command": [1]}'):
        (run.path / "unfinished").write_text(damaged)
        resumed = RunDirectory.resume(run.path)
        assert resumed.first_command == ()
        assert facts_of(resumed, (), (), "", ()).command == "headstart adapt --resume xray"
        resumed.release()


def test_half_written_files_of_a_killed_process_are_removed_at_the_end(tmp_path: Path) -> None:
    run = RunDirectory.create(tmp_path / "xray")
    with pytest.raises(RuntimeError), files.atomic_path(run.file("model.pt2")) as temporary:
        temporary.rename(temporary.with_name(".model.1.tmp.pt2"))
        raise RuntimeError  # the file has the name that another process would give it
    run.write_text(".notes", "mine")
    run.finish()
    assert [path.name for path in run.path.iterdir()] == [".notes"]


def test_what_is_no_run(tmp_path: Path) -> None:
    RunDirectory.create(tmp_path / "xray")
    with pytest.raises(InputError, match="Did you mean 'xray'"):
        RunDirectory.open(tmp_path / "xrya")
    (tmp_path / "other").mkdir()
    with pytest.raises(InputError, match=r"no metrics\.json"):
        RunDirectory.open(tmp_path / "other")


def test_a_newer_run_is_refused_with_a_remedy(tmp_path: Path) -> None:
    run = RunDirectory.create(tmp_path / "xray")
    run.write_json("metrics.json", {"format_version": 99})
    run.finish()
    with pytest.raises(InputError, match="pip install --upgrade headstart"):
        RunDirectory.open(run.path)
    (run.path / "metrics.json").write_text('{"format_ver')
    with pytest.raises(InputError, match=r"metrics\.json cannot be read as JSON"):
        RunDirectory.open(run.path)


def test_nothing_is_written_outside(tmp_path: Path) -> None:
    run = RunDirectory.create(tmp_path / "xray")
    for name in ("../escape.json", "/tmp/escape.json"):
        with pytest.raises(InputError, match="outside of the run"):
            run.write_json(name, {})


def test_history_survives_a_kill_in_the_middle_of_a_line(tmp_path: Path) -> None:
    run = RunDirectory.create(tmp_path / "xray")
    run.append_jsonl("history.jsonl", {"epoch": 1, "loss": np.float32(0.5)})
    with open(run.path / "history.jsonl", "a") as file:
        file.write('{"epoch": 2, "lo')
    assert run.history == [{"epoch": 1, "loss": 0.5}]
    run.append_jsonl("history.jsonl", {"epoch": 2, "loss": float("nan")})
    assert run.history == [{"epoch": 1, "loss": 0.5}, {"epoch": 2, "loss": None}]


def test_configuration_keeps_its_order_and_odd_text(tmp_path: Path) -> None:
    run = RunDirectory.create(tmp_path / "xray")
    content = {"source": "hf:a/b", "labels": ["03", "no", "ä: #"], "seed": np.int64(3), "data": Path("x/y")}
    run.write_yaml("headstart.yaml", content, comment="headstart fit x\nsecond line")
    assert run.config == {"source": "hf:a/b", "labels": ["03", "no", "ä: #"], "seed": 3, "data": "x/y"}
    assert list(run.config) == list(content)


def test_other_write_errors_are_named(tmp_path: Path) -> None:
    error = files.write_error(tmp_path / "a", OSError(errno.EIO, "Input/output error"))
    assert isinstance(error, HeadstartError)
    assert "Input/output error" in str(error)


def test_a_folder_whose_process_was_killed_before_it_wrote_anything_is_taken_again(tmp_path: Path) -> None:
    run = RunDirectory.create(tmp_path / "xray")
    assert RunDirectory.create(tmp_path / "xray").path.name == "xray-2"
    (run.path / ".headstart.1.tmp.yaml").write_text("da")
    run.release()  # as the end of the process does
    with pytest.raises(InputError, match="stopped before anything was done: give the first command again"):
        RunDirectory.resume(run.path)
    assert RunDirectory.create(tmp_path / "xray").path == run.path


def test_a_run_killed_in_its_last_steps_is_tidied_when_it_is_resumed(tmp_path: Path) -> None:
    run = RunDirectory.create(tmp_path / "xray")
    run.write_json("metrics.json", {"format_version": 1})
    run.write_yaml("headstart.yaml", {})
    for name in (".model.1.tmp.pt2", "training/checkpoints/last.ckpt"):
        run.file(name).parent.mkdir(parents=True, exist_ok=True)
        run.file(name).write_bytes(b"x")
    run.release()
    RunDirectory.resume(run.path).release()
    assert not run.file(".model.1.tmp.pt2").exists() and run.file("training").exists()
    run.file("unfinished").unlink()
    with pytest.raises(InputError, match="is finished: there is nothing to resume"):
        RunDirectory.resume(run.path)
    assert sorted(path.name for path in run.path.iterdir()) == ["headstart.yaml", "metrics.json"]


@pytest.mark.parametrize(
    "name", ["training", "training/checkpoints", "model.pt2", "unfinished", ".model.1.tmp.pt2"]
)
def test_a_run_with_a_link_in_it_is_not_resumed(tmp_path: Path, name: str) -> None:
    run = RunDirectory.create(tmp_path / "xray")
    run.write_yaml("headstart.yaml", {})
    run.release()
    (victim := tmp_path / "victim").mkdir()
    (victim / "last.ckpt").write_bytes(b"mine")
    (link := run.path / name).parent.mkdir(exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(victim)
    before = sorted(run.path.rglob("*"))
    with pytest.raises(InputError, match=f"xray/{name} is a link"):
        RunDirectory.resume(run.path)
    assert sorted(run.path.rglob("*")) == before and (victim / "last.ckpt").exists()


def test_a_folder_that_holds_only_the_marker_as_a_link_is_not_claimed(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("")
    (tmp_path / "xray").mkdir()
    (tmp_path / "xray" / "unfinished").symlink_to("../mine")
    with pytest.raises(InputError, match="unfinished is a link"):
        RunDirectory.create(tmp_path / "xray")


def test_a_run_that_is_reached_through_a_link_is_resumed(tmp_path: Path) -> None:
    run = RunDirectory.create(tmp_path / "xray")
    run.write_yaml("headstart.yaml", {})
    run.release()
    (tmp_path / "link").symlink_to("xray")
    RunDirectory.resume(tmp_path / "link").release()


def test_a_folder_that_is_no_run_is_not_called_finished(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="is not a run"):
        RunDirectory.resume(tmp_path)
    assert (tmp_path / "notes.txt").exists()


@pytest.mark.parametrize("out", ["/", "..", "a/..", "", " ", "x" * 300, "a\0b", "~no-such-user/x"])
def test_a_folder_without_a_name_of_its_own(
    out: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").mkdir()
    monkeypatch.chdir(tmp_path / "a")
    with pytest.raises(OptionError, match="--out"):
        RunDirectory.create(out)
    assert [path.name for path in tmp_path.rglob("*")] == ["a"]


def test_a_truth_value_is_no_version(tmp_path: Path) -> None:
    run = RunDirectory.create(tmp_path / "xray")
    run.write_json("metrics.json", {"format_version": True})
    run.finish()
    with pytest.raises(InputError, match="has no format_version"):
        RunDirectory.open(run.path)


def test_a_file_that_links_to_itself_is_one_clear_error(tmp_path: Path) -> None:
    run = RunDirectory.create(tmp_path / "xray")
    run.file("history.jsonl").symlink_to("history.jsonl")
    assert run.history == []
    run.file("predictions.parquet").symlink_to("predictions.parquet")
    with pytest.raises(InputError, match="there are no predictions at"):
        run.predictions()
