"""The decisions of a choice under a time budget, kept so that a resumed choice takes them again."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from headstart.progress import say


class Ledger:
    """What was decided for each policy, and the time spent so far.

    A decision rests on measured times, which differ from run to run; a choice that goes on after a kill must
    keep those it made.

    Args:
        path: the JSON file; None keeps nothing.
        resume: whether to take up what the file holds.
    """

    def __init__(self, path: Path | None, *, resume: bool) -> None:
        self._path = path
        self._decisions: dict[str, dict[str, Any]] = {}
        self.spent_seconds = 0.0
        if resume and path is not None and path.exists():
            try:
                content = json.loads(path.read_text(encoding="utf-8"))
                self._decisions = dict(content["decisions"])
                self.spent_seconds = float(content["spent_seconds"])
            except (ValueError, KeyError, TypeError):
                say(f"{path} is damaged; the choice starts again")

    def decision(self, policy: str) -> dict[str, Any] | None:
        """What was decided for a policy, or None."""
        return self._decisions.get(policy)

    def note(self, policy: str, decision: dict[str, Any], spent_seconds: float) -> None:
        """Keep a decision; the file is complete at every moment."""
        self._decisions[policy] = decision
        self.spent_seconds = spent_seconds
        if self._path is None:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self._path.with_name(self._path.name + ".part")
        content = {"decisions": self._decisions, "spent_seconds": self.spent_seconds}
        temporary.write_text(json.dumps(content, indent=1), encoding="utf-8")
        os.replace(temporary, self._path)
