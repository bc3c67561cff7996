"""A classical baseline is written as a program and as a source that opens again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch

from headstart.backbone import Backbone
from headstart.data.preprocessing import with_window
from headstart.evidence import extract_classical, fit_classical
from headstart.evidence.classical_source import classical_source
from headstart.heads.predictor import Predictor
from headstart.runs.export import inputs_of
from headstart.runs.program import export_program, run_program
from headstart.sources.libraries import build_network


def items_of(modality: str, folder: Path) -> list[Any]:
    rng = np.random.default_rng(0)
    if modality == "image":
        return [rng.integers(0, 256, (40, 30, 3)).astype(np.uint8) for _ in range(12)]
    if modality == "text":
        return [f"{'fine' if k % 2 else 'dull'} film number {k}" for k in range(12)]
    for index in range(12):
        soundfile.write(folder / f"{index}.wav", rng.normal(size=4000 + 900 * index) * 0.1, 16000)
    return [folder / f"{index}.wav" for index in range(12)]


@pytest.mark.parametrize("modality", ["image", "text", "audio"])
def test_the_program_and_the_configuration_give_the_same(modality: Any, tmp_path: Path) -> None:
    features = extract_classical(items_of(modality, tmp_path), modality, threads=1)
    labels = np.array(["a", "b"] * 6, dtype=object)
    model = fit_classical(features, np.arange(12), labels, None, classes=("a", "b"))
    source, head = classical_source(model, modality)
    preprocessing: Any = source.preprocessing
    if modality == "audio":
        preprocessing = with_window(preprocessing, [0.9])
    predictor = Predictor(Backbone(source.network, source.stages), head).eval()
    inputs = inputs_of(preprocessing.to_json(), source.network)
    written = export_program(predictor, inputs, tmp_path / "model.pt2")
    assert written.difference < 1e-5 and "batch" in written.open_axes
    example = inputs.checks[-1]
    with torch.no_grad():
        wanted = predictor(*example)
        torch.testing.assert_close(run_program(tmp_path / "model.pt2")(*example), wanted)
        again = build_network(source.config)  # of a run's source.json, without --arch
        again.load_state_dict(source.network.state_dict())
        torch.testing.assert_close(again(*example), source.network(*example))
    assert not source.provenance.pretrained and len(source.digest) == 64
