"""The store: found by content, repaired if damaged, pruned by age, safe when the disk is full."""

from __future__ import annotations

import errno
import json
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from headstart.errors import DiskFullError, OptionError, StoreError
from headstart.features import Key, Store, default_root
from headstart.features.key_folder import KeyFolder

KEY = Key("weights", "preprocessing", "pooled", (("stem", "stem"),), "fp32", label="net")


def digests(*numbers: int) -> np.ndarray:
    return np.array([f"item{number}" for number in numbers])


def write(key_folder: KeyFolder, *numbers: int) -> None:
    values = torch.tensor(numbers, dtype=torch.float32)[:, None].expand(-1, 300)
    key_folder.write(digests(*numbers), {"stage.000": [values]})
    key_folder.refresh()


def read(key_folder: KeyFolder, *numbers: int) -> list[float | None]:
    places = key_folder.find(digests(*numbers))
    return [
        None if shard < 0 else float(key_folder.tensor(shard, "stage.000")[row, 0])
        for shard, row in zip(places.shard.tolist(), places.row.tolist())
    ]


def test_values_are_found_by_content(tmp_path: Path) -> None:
    key_folder = Store(tmp_path).open(KEY)
    write(key_folder, 3, 1, 2)
    write(key_folder, 5, 4)
    assert read(key_folder, 1, 5, 7, 1, 3) == [1, 5, None, 1, 3]
    assert read(Store(tmp_path).open(KEY), 4, 2, 0) == [4, 2, None]
    assert key_folder.missing(digests(9, 1, 8, 9, 5)).tolist() == [0, 2]
    assert key_folder.missing(digests()).tolist() == []


@pytest.mark.parametrize(
    "change",
    [
        {"source": "other"},
        {"preprocessing": "other"},
        {"what": "state", "cut": 1},
        {"stages": (("layer1", "layer1"),)},
        {"precision": "bf16"},
        {"view": 1},
        {"view": 1, "seed": 3},
    ],
)
def test_another_meaning_is_another_key(tmp_path: Path, change: dict[str, object]) -> None:
    store = Store(tmp_path)
    write(store.open(KEY), 1)
    assert read(store.open(replace(KEY, **change)), 1) == [None]
    assert read(store.open(replace(KEY, label="another name")), 1) == [1]


@pytest.mark.parametrize("at", [0, 12, 80, 700, -1])
def test_a_flipped_byte_is_reported_and_repaired(
    tmp_path: Path, at: int, capsys: pytest.CaptureFixture[str]
) -> None:
    key_folder = Store(tmp_path).open(KEY)
    write(key_folder, 1, 2)
    (path,) = key_folder.path.glob("*.safetensors")
    good = path.read_bytes()
    write(key_folder, 3)
    key_folder.close()
    damaged = bytearray(good)
    damaged[at] ^= 0x40
    path.write_bytes(damaged)

    key_folder = Store(tmp_path).open(KEY)
    assert key_folder.missing(digests(1, 2, 3)).tolist() == [0, 1]
    assert "damaged and will be computed again" in capsys.readouterr().err
    assert not path.exists()
    write(key_folder, 1, 2)
    assert path.read_bytes() == good
    assert read(key_folder, 1, 2, 3) == [1, 2, 3]


def test_a_vanished_shard_is_one_clear_error(tmp_path: Path) -> None:
    key_folder = Store(tmp_path).open(KEY)
    write(key_folder, 1)
    next(key_folder.path.glob("*.safetensors")).unlink()
    with pytest.raises(StoreError, match="was removed from the feature store"):
        key_folder.tensor(0, "stage.000")
    assert key_folder.missing(digests(1)).tolist() == [0]


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of one megabyte, where this user may mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.geteuid() != 0 or os.system(f"mount -t tmpfs -o size=1m tmpfs {folder} 2>/dev/null") != 0:
        pytest.skip("a small disk can only be mounted by root")
    yield folder
    os.system(f"umount -l {folder}")


def test_a_full_disk_is_one_error_and_leaves_no_half_file(tiny_disk: Path) -> None:
    key_folder = Store(tiny_disk).open(KEY)
    write(key_folder, 1)
    before = sorted(path.name for path in key_folder.path.iterdir())
    with pytest.raises(
        DiskFullError, match=r"features do not fit in .*disk.*: 4 MB needed, .* free"
    ) as caught:
        key_folder.write(digests(2), {"stage.000": [torch.ones(1, 1_000_000)]})
    assert "--store" in str(caught.value)
    assert sorted(path.name for path in key_folder.path.iterdir()) == before
    assert read(key_folder, 1) == [1]
    with pytest.raises(DiskFullError, match="5 MB needed"):
        Store(tiny_disk).make_room([key_folder], 5_000_000)


def test_a_quota_is_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key_folder = Store(tmp_path).open(KEY)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(DiskFullError, match=r"1\.23 kB needed"):
        write(key_folder, 1)
    assert not list(key_folder.path.glob("*.safetensors")) and not list(key_folder.path.glob(".tmp*"))


def test_a_folder_that_cannot_be_made_is_one_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"cannot be read or written.*--store"):
        Store(tmp_path / "file").open(KEY)


def test_oldest_keys_go_first_and_those_in_use_stay(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = Store(tmp_path)
    key_folders = {}
    for number in range(4):
        key_folder = key_folders[number] = store.open(replace(KEY, source=str(number), label=f"net{number}"))
        write(key_folder, 1)
        os.utime(key_folder.path / "key.json", (1000.0 + number, 1000.0 + number))
    for number in (1, 2, 3):
        key_folders[number].close()
    assert [entry.label for entry in store.list()] == ["net0", "net1", "net2", "net3"]
    n_bytes = store.list()[0].n_bytes

    removed = store.prune(limit_bytes=2 * n_bytes)
    assert [entry.label for entry in removed] == ["net1", "net2"]
    assert "Removed" in capsys.readouterr().err
    assert [entry.label for entry in store.list()] == ["net0", "net3"]
    assert read(key_folders[0], 1) == [1]
    assert [entry.label for entry in store.prune(digests=[key_folders[3].path.name[:8]])] == ["net3"]
    key_folders[0].close()
    assert store.prune(unused_seconds=time.time()) == ()
    assert [entry.label for entry in store.prune(unused_seconds=60)] == ["net0"]
    assert store.list() == () and store.prune() == ()


def test_room_is_made_before_writing(tmp_path: Path) -> None:
    old = Store(tmp_path).open(KEY)
    write(old, *range(20))
    old.close()
    store = Store(tmp_path, limit_bytes=30_000)
    new = store.open(replace(KEY, source="new", label="new"))
    store.make_room([new], 20_000)
    assert [entry.label for entry in store.list()] == ["new"]
    with pytest.raises(StoreError, match=r"40.* of features do not fit in the store .* limit is 30 kB"):
        store.make_room([new], 40_000)


def test_leftovers_of_dead_processes_are_removed_and_live_ones_kept(tmp_path: Path) -> None:
    from headstart.locks import create_locked

    store = Store(tmp_path)
    folder = store.open(KEY).path
    (folder / ".tmp-dead").write_bytes(b"half")
    file, alive = create_locked(folder, ".tmp-")
    store.open(KEY)
    assert not (folder / ".tmp-dead").exists()
    assert alive.exists()
    file.close()
    store.open(KEY)
    assert not alive.exists()


def test_root_is_given_or_the_cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADSTART_CACHE", str(tmp_path / "mine"))
    assert Store().root == tmp_path / "mine"
    assert Store(tmp_path).root == tmp_path
    monkeypatch.delenv("HEADSTART_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.setattr("sys.platform", "linux")
    assert default_root() == tmp_path / "xdg" / "headstart"
    monkeypatch.setattr("sys.platform", "darwin")
    assert default_root().parts[-3:] == ("Library", "Caches", "headstart")
    monkeypatch.setattr("sys.platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path))
    assert default_root() == tmp_path / "headstart" / "Cache"


@pytest.mark.parametrize("missing", ["fcntl", "network disk"])
def test_a_disk_without_locks_works_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    if missing == "fcntl":
        monkeypatch.setattr("headstart.locks.fcntl", None)
    else:

        def refuse(file: object, kind: int) -> None:
            raise OSError(37, "No locks available")

        monkeypatch.setattr("fcntl.flock", refuse)
    store = Store(tmp_path)
    key_folder = store.open(KEY)
    write(key_folder, 1, 2)
    young, old = key_folder.path / ".tmp-young", key_folder.path / ".tmp-old"
    for path in (young, old):
        path.write_bytes(b"half")
    os.utime(old, (0, 0))
    assert read(store.open(KEY), 2) == [2]
    assert young.exists() and not old.exists()
    assert [entry.label for entry in store.prune(limit_bytes=0)] == ["net"]


def test_keys_without_settings_of_views_are_as_they_were() -> None:
    """What was stored before views had settings is found again."""
    plain = Key("w", "p", "state", (("stem", "stem"),), "fp32", cut=1, view=2, seed=3)
    assert plain.digest == "05a95f28fd27b1ae498d3a723a47badd"
    assert replace(plain, augment='{"kind": "trivial"}').digest != plain.digest


def test_a_user_without_a_home_folder_is_told_how_to_name_a_store(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HEADSTART_CACHE", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr("os.getuid", lambda: 987_654)  # of no user of this machine
    with pytest.raises(OptionError, match=r"no home folder .* --store"):
        default_root()


HEADERS: dict[str, object] = {
    "shape": {"items": {"dtype": "U8", "shape": [3, 32], "data_offsets": [0, 64]}},
    "offsets": {"items": {"dtype": "U8", "shape": [2, 32], "data_offsets": []}},
    "type": {"items": {"dtype": "BF16", "shape": ["x"], "data_offsets": [0, 64]}},
    "width": {"items": {"dtype": "U8", "shape": [64, 1], "data_offsets": [0, 64]}},
    "metadata": {"__metadata__": {"axes": '{"items": [5], "stage.000": [0, 1]}'}},
}


@pytest.mark.parametrize("name", [*HEADERS, "depth"])
def test_a_header_that_says_anything_is_damage_like_any_other(tmp_path: Path, name: str) -> None:
    key_folder = Store(tmp_path).open(KEY)
    write(key_folder, 1, 2)
    (path,) = key_folder.path.glob("*.safetensors")
    good = path.read_bytes()
    key_folder.close()
    length = int.from_bytes(good[:8], "little")
    header = b"[" * 100_000
    if name != "depth":
        header = json.dumps({**json.loads(good[8 : 8 + length]), **HEADERS[name]}).encode()  # type: ignore[dict-item]
    path.write_bytes(len(header).to_bytes(8, "little") + header + good[8 + length :])
    key_folder = Store(tmp_path).open(KEY)
    assert key_folder.missing(digests(1, 2)).tolist() == [0, 1]
    write(key_folder, 1, 2)
    assert path.read_bytes() == good and read(key_folder, 1, 2) == [1, 2]


@pytest.mark.parametrize(
    "content", ["[1]", "{}", '{"label": 1, "what": "pooled", "precision": "x"}', "{", "[" * 100_000, "\ud800"]
)
def test_a_foreign_key_file_is_left_alone_and_hinders_nothing(
    tmp_path: Path, content: str, capsys: pytest.CaptureFixture[str]
) -> None:
    foreign = tmp_path / "mine" / "key.json"
    foreign.parent.mkdir()
    foreign.write_bytes(content.encode("utf-8", "surrogatepass"))
    store = Store(tmp_path)
    key_folder = store.open(KEY)
    write(key_folder, 1)
    store.make_room([key_folder], 10)
    assert [entry.label for entry in store.list()] == ["net"]
    assert capsys.readouterr().err.count("is not of the feature store") == 1
    key_folder.close()
    assert [entry.label for entry in store.prune(limit_bytes=0)] == ["net"] and foreign.exists()


def test_a_damaged_key_file_of_its_own_is_written_again(tmp_path: Path) -> None:
    key_folder = Store(tmp_path).open(KEY)
    write(key_folder, 1)
    good = (key_folder.path / "key.json").read_bytes()
    (key_folder.path / "key.json").write_bytes(good[:30])
    assert read(Store(tmp_path).open(KEY), 1) == [1]
    assert (key_folder.path / "key.json").read_bytes() == good


def test_a_store_that_is_removed_while_it_is_in_use_is_one_clear_error(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    key_folder = store.open(KEY)
    write(key_folder, 1)
    shutil.rmtree(tmp_path / "store")
    for use in (lambda: write(key_folder, 2), lambda: store.make_room([key_folder], 1)):
        with pytest.raises(StoreError, match="was removed while it was in use"):
            use()
    assert read(key_folder, 1) == [None]


def test_the_home_folder_may_be_written_as_a_tilde(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Store("~/mine").root == tmp_path / "mine"
    monkeypatch.setenv("HEADSTART_CACHE", "~/cache")
    assert Store().root == tmp_path / "cache"
    with pytest.raises(OptionError, match="the feature store"):
        Store("~no-such-user/x")


@pytest.mark.parametrize("verified", [False, True], ids=["when it is listed", "when it is verified"])
def test_a_shard_that_only_cannot_be_opened_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verified: bool
) -> None:
    key_folder = Store(tmp_path).open(KEY)
    for number in (1, 2, 3):
        write(key_folder, number)

    def refuse(path: Path, *, follow: bool) -> None:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE), str(path))

    monkeypatch.setattr("headstart.features.shards.open_regular", refuse)
    with pytest.raises(StoreError, match="Too many open files"):
        if verified:
            key_folder.find(digests(1, 2, 3))
        else:
            Store(tmp_path).open(KEY)
    monkeypatch.undo()
    assert read(Store(tmp_path).open(KEY), 1, 2, 3) == [1, 2, 3]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_named_pipe_in_the_place_of_a_shard_is_damage(tmp_path: Path) -> None:
    key_folder = Store(tmp_path).open(KEY)
    write(key_folder, 1)
    (path,) = key_folder.path.glob("*.safetensors")
    path.unlink()
    os.mkfifo(path)
    assert read(key_folder, 1) == [None] and not path.exists()
    os.mkfifo(path)
    assert read(Store(tmp_path).open(KEY), 1) == [None] and not path.exists()


def test_a_link_in_the_place_of_a_key_folder_is_refused_and_never_followed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (victim := tmp_path / "victim").mkdir()
    (victim / "precious.safetensors").write_bytes(b"not a shard")
    (root := tmp_path / "store").mkdir()
    (root / KEY.digest).symlink_to("../victim")
    with pytest.raises(StoreError, match=f"{KEY.digest} is a link"):
        Store(root).open(KEY)
    (victim / "key.json").write_text('{"label": "net", "what": "pooled", "precision": "fp32"}')
    assert Store(root).list() == () and Store(root).prune(limit_bytes=0) == ()
    assert (root / KEY.digest).is_symlink() and "Removed" not in capsys.readouterr().err
    assert sorted(path.name for path in victim.iterdir()) == ["key.json", "precious.safetensors"]
    (root / KEY.digest).unlink()
    (root / KEY.digest).write_text("")
    with pytest.raises(StoreError, match=f"{KEY.digest} is a file"):
        Store(root).open(KEY)


def test_a_store_may_be_reached_through_a_link_and_links_in_a_key_folder_are_not_followed(
    tmp_path: Path,
) -> None:
    (tmp_path / "store").mkdir()
    (tmp_path / "link").symlink_to("store")
    key_folder = Store(tmp_path / "link").open(KEY)
    write(key_folder, 1, 2)
    key_folder.close()
    (path,) = (tmp_path / "store").glob("*/*.safetensors")
    for name in (path.name, "key.json", ".tmp-dead"):
        victim = tmp_path / f"victim-{name}"
        if (path.parent / name).exists():
            (path.parent / name).rename(victim)
        else:
            victim.write_text("mine")
        (path.parent / name).symlink_to(victim)
    before = {each: (each.read_bytes(), each.stat().st_mtime_ns) for each in tmp_path.glob("victim*")}
    key_folder = Store(tmp_path / "link").open(KEY)
    assert read(key_folder, 1, 2) == [None, None]
    write(key_folder, 1, 2)
    assert read(key_folder, 1, 2) == [1, 2]
    assert {each: (each.read_bytes(), each.stat().st_mtime_ns) for each in before} == before
    assert len(before) == 3 and not (path.parent / "key.json").is_symlink()
