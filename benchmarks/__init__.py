"""Measurements against the peers, each a ratio of two times taken in one run on one machine."""

import os

os.environ.setdefault("HEADSTART_RECORD", "off")  # runs of benchmarks are not the user's
