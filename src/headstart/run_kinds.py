"""The kinds of runs, each named as the verb that makes it: what messages call it, and how it is finished."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class RunKind:
    """A kind of run.

    Attributes:
        words: what it is, in a sentence.
        again: how an unfinished one is finished; "": it is resumed, with the verb's --resume.
        instead: what to name where a model is needed; "": it holds one.
    """

    words: str
    again: str = ""
    instead: str = ""


RUN_KINDS: Mapping[str, RunKind] = {
    "fit": RunKind("a fit"),
    "adapt": RunKind("an adaptation"),
    "audit": RunKind("an audit", instead="fit its source, and name that run"),
    "rank": RunKind(
        "a ranking",
        again="give the command of the ranking again, which uses the features that are stored already",
        instead="fit one of the sources in its ranking.csv, and name that run",
    ),
    "evaluate": RunKind(
        "an evaluation",
        again="give the command of the evaluation again",
        instead="name the run that it evaluates",
    ),
    "calibrate": RunKind("a calibration", again="give the command of the calibration again"),
    "explain": RunKind(
        "a set of explanations",
        again="give the command of the explanations again",
        instead="name the run that it explains",
    ),
}


def kind_in(settings: Mapping[str, object]) -> str:
    """The kind of the run that a configuration is of.

    Args:
        settings: the content of a headstart.yaml.
    """
    return next((kind for kind in RUN_KINDS if kind != "fit" and kind in settings), "fit")
