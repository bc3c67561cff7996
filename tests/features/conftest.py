"""A small real network as a source."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from headstart.sources.source import Source

# the processes started by tests import tiny_source too, so it is a module and no fixture
sys.path.insert(0, str(Path(__file__).parent))

from tiny_source import make_tiny_source


@pytest.fixture
def tiny_source() -> Source:
    return make_tiny_source()
