"""Makes the helpers of these tests importable, and the pictures they share."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def pictures() -> tuple[Tensor, np.ndarray]:
    """60 pictures of 3 classes, of shape (60, 1, 6, 6), and their labels."""
    import tune_networks

    return tune_networks.pictures()
