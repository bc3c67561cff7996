"""Device, precision and threads: what a user may say, and what this machine has."""

from __future__ import annotations

import os

import pytest
import torch

from headstart.backbone.precision import gain_of_bf16
from headstart.errors import OptionError
from headstart.features import Setting, choose_device, choose_precision
from headstart.features.device import torch_threads
from headstart.processes import available_cores

CPU = torch.device("cpu")


def test_auto_is_what_is_there() -> None:
    assert choose_device("auto").type in ("cuda", "mps", "cpu")
    assert choose_device("cpu") == CPU
    assert choose_precision("auto", CPU) in ("fp32", "bf16")
    assert choose_precision("auto", torch.device("mps")) == "fp32"
    assert choose_precision("bf16", CPU) == "bf16"


@pytest.mark.parametrize(("gain", "precision"), [(0.6, "fp32"), (1.1, "fp32"), (1.9, "bf16")])
def test_a_processor_computes_in_bf16_where_it_is_faster(
    monkeypatch: pytest.MonkeyPatch, gain: float, precision: str
) -> None:
    monkeypatch.setattr("headstart.backbone.precision._has_bf16_instructions", lambda: True)
    monkeypatch.setattr("headstart.features.precision_record.gain_of_bf16", lambda: gain)
    assert choose_precision("auto", CPU) == precision
    monkeypatch.setattr("headstart.backbone.precision._has_bf16_instructions", lambda: False)
    assert choose_precision("auto", CPU) == "fp32"


def test_thegain_of_bf16_is_measured_once() -> None:
    first = gain_of_bf16()
    assert 0 < first < 100 and gain_of_bf16() == first


def test_the_best_device_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr("torch.backends.mps.is_available", lambda: True)
    assert choose_device("auto").type == "mps"
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    assert choose_device("auto").type == "cuda"
    setting = Setting(torch.device("cuda"), "bf16", 8)
    assert setting.n_workers == 1 and setting.batch_size > Setting(CPU, "fp32", 8).batch_size
    assert Setting(CPU, "fp32", 8).n_workers == 8


def test_wrong_words_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(OptionError, match="this machine has no device 'cuda'"):
        choose_device("cuda")
    with pytest.raises(OptionError, match="device must be auto, cpu, cuda or mps, got 'gpu'"):
        choose_device("gpu")
    with pytest.raises(OptionError, match="precision must be auto, fp32 or bf16, got 'fp16'"):
        choose_precision("fp16", CPU)


def test_threads_come_from_the_cores_this_process_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda process: {0, 5, 7}, raising=False)
    assert available_cores() == 3
    assert Setting.choose("cpu", "fp32").n_threads == 3
    assert Setting.choose("cpu", "fp32", 2).n_threads == 2
    monkeypatch.delattr("os.sched_getaffinity")
    assert available_cores() == os.cpu_count()


def test_torch_threads_are_put_back() -> None:
    before = torch.get_num_threads()
    with torch_threads(before + 1):
        assert torch.get_num_threads() == before + 1
    assert torch.get_num_threads() == before
    with Setting(CPU, "fp32", before).threads():
        assert torch.get_num_threads() == before


@pytest.mark.parametrize("device", ["cpu:9", "cuda:99", "cpu:1"])
def test_a_number_that_no_device_has(device: str) -> None:
    with pytest.raises(OptionError, match=f"this machine has no device '{device}'"):
        choose_device(device)
    assert choose_device("cpu:0").type == "cpu"
