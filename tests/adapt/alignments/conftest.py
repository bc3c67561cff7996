"""Golden values of other implementations, and two domains of which one is a moved copy of the other."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from headstart.adapt.domains import Domains


@pytest.fixture
def golden(shared: Path) -> dict:
    """Values of skada 0.6.0 and closed forms by name, with the inputs `Xs`, `ys`, `Xt` and outputs `out_...`."""
    folder = shared / "golden"
    found = json.loads((folder / "domain_adaptation.json").read_text())
    with np.load(folder / "domain_adaptation_inputs.npz") as arrays:
        return found | {name: arrays[name] for name in arrays}


@pytest.fixture
def moved() -> Domains:
    """Three classes; the target has other means and scales, and its features are mixed."""
    random = np.random.default_rng(3)
    codes = np.arange(240) % 3
    x_ND = random.normal(size=(240, 5)) @ random.normal(size=(5, 5)) + 3 * np.eye(5)[codes]
    mixed = x_ND[120:] @ (np.eye(5) + 0.3 * random.normal(size=(5, 5))) + 2
    return Domains(x_ND[:120].astype("float32"), codes[:120], mixed.astype("float32"), 3)


@pytest.fixture
def weighted(moved: Domains) -> Domains:
    """The same where the target is known to have other class shares."""
    return Domains(moved.source_ND, moved.codes_N, moved.target_MD, 3, shares_C=np.array([0.6, 0.3, 0.1]))
