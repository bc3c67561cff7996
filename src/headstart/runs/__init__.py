"""Runs: the directory of a run, what is written there, and how it is read again."""

from headstart.runs.directory import RunDirectory
from headstart.runs.metrics import Chosen, Interval, Metrics, Verdict
from headstart.runs.predictions import Predictions

__all__ = ["Chosen", "Interval", "Metrics", "Predictions", "RunDirectory", "Verdict"]
