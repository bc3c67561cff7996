"""The run directory: the files of a finished run, and how they are read.

`export`, `program` and `card` are imported where they are used: they need torch.
"""

from headstart.runs.directory import RunDirectory
from headstart.runs.facts import DataFacts, RunFacts, SourceFacts, SplitPart
from headstart.runs.predictions import Predictions
from headstart.runs.record import Chosen, Record

__all__ = [
    "Chosen",
    "DataFacts",
    "Predictions",
    "Record",
    "RunDirectory",
    "RunFacts",
    "SourceFacts",
    "SplitPart",
]
