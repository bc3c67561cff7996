"""The command `headstart rank`."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from typing import Any

from headstart.cli.options import AsJson, Quiet, print_result, with_options
from headstart.progress import set_quiet
from headstart.ranking.options import RankOptions


@with_options(RankOptions)
def rank(*, as_json: AsJson = False, quiet: Quiet = False, **given: Any) -> None:
    """Rank SOURCES for DATA: what a head alone on each will reach, before anything is trained."""
    set_quiet(quiet)
    from headstart.ranking.result import RankingStopped
    from headstart.verbs.rank import rank as rank_verb

    try:
        with redirect_stdout(sys.stderr):  # what code of the user's own prints is no result
            ranking = rank_verb(**{name: value for name, value in given.items() if value is not None})
    except RankingStopped as stop:
        print_result(stop.ranking, as_json)
        raise
    print_result(ranking, as_json)
