"""The run directory: what a finished run leaves, and how it is read again.

`export`, `program` and `card` are imported where they are used: they need torch.
"""

from headstart.metrics import Interval
from headstart.runs.directory import RunDirectory
from headstart.runs.metrics import Chosen, Metrics, Verdict
from headstart.runs.predictions import Predictions

__all__ = ["Chosen", "Interval", "Metrics", "Predictions", "RunDirectory", "Verdict"]
