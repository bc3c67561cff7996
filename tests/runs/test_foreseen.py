"""What was foreseen comes back from metrics.json as it was written."""

from __future__ import annotations

import json

from headstart.metrics import Interval
from headstart.runs.foreseen import Foreseen


def test_there_and_back() -> None:
    for difference in (Interval(-0.1, -0.2, 0.0), Interval(-0.1, why="2 groups")):
        found = Foreseen(0.6, 0.7, difference, "undecided", 40)
        assert Foreseen.of_json(json.loads(json.dumps(found.to_json()))) == found
