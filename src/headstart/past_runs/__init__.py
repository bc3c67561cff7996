"""The record of finished runs: what each source gave on each data set of this user, kept in one file."""

from headstart.past_runs.place import record_path
from headstart.past_runs.record_file import add, read
from headstart.past_runs.row import FinishedRun
from headstart.past_runs.tables import ScoreTable, comparable, score_table

__all__ = ["FinishedRun", "ScoreTable", "add", "comparable", "read", "record_path", "score_table"]
