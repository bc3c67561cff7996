"""The command `headstart rank`."""

from __future__ import annotations

import json
from typing import Any

from headstart.cli.options import AsJson, Quiet, with_options
from headstart.progress import printable, set_quiet
from headstart.ranking.options import RankOptions


@with_options(RankOptions)
def rank(*, as_json: AsJson = False, quiet: Quiet = False, **given: Any) -> None:
    """Rank SOURCES for DATA: what a head alone on each will reach, before anything is trained."""
    set_quiet(quiet)
    from headstart.verbs.rank import rank as rank_verb

    ranking = rank_verb(**{name: value for name, value in given.items() if value is not None})
    if as_json:
        print(json.dumps(ranking.metrics, indent=2))
    else:
        print(printable(ranking.summary))
