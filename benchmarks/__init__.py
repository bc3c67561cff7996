"""Measurements against the peers, each a ratio of two times taken in one run on one machine."""
