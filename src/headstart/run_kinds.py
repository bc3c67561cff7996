"""The kinds of runs, each named as the verb that makes it: its record, what messages call it, how it is finished."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class RunKind:
    """A kind of run.

    Attributes:
        words: what it is, in a sentence.
        always: keys of metrics.json that every version wrote: a file without one of them is refused.
        now: keys that this version writes too.
        again: how an unfinished one is finished; "": it is resumed, with the verb's --resume.
        instead: what to name where a model is needed; "": it holds one.
    """

    words: str
    always: tuple[str, ...]
    now: tuple[str, ...] = ()
    again: str = ""
    instead: str = ""


# Further blocks of metrics.json: `adaptation`, `audit`, `evaluation`, `explanation`, `ranking` and `recalibration`.
RUN_KINDS: Mapping[str, RunKind] = {
    "fit": RunKind(
        "a fit",
        always=("n_train", "n_validation", "n_test", "test", "chosen", "seconds", "peak_bytes", "verdict"),
        now=("task", "source", "data", "baselines", "profile"),
    ),
    "adapt": RunKind("an adaptation", always=("task", "data", "n_train", "n_test", "chosen", "seconds")),
    "audit": RunKind(
        "an audit",
        always=("task", "data", "n_train", "n_test", "verdict", "seconds"),
        instead="fit its source, and name that run",
    ),
    "rank": RunKind(
        "a ranking",
        always=("task", "data", "n_train", "n_test", "seconds"),
        again="give the command of the ranking again, which uses the features that are stored already",
        instead="fit one of the sources in its ranking.csv, and name that run",
    ),
    "evaluate": RunKind(
        "an evaluation",
        always=("task", "data", "n_test", "test", "seconds"),
        again="give the command of the evaluation again",
        instead="name the run that it evaluates",
    ),
    "calibrate": RunKind(
        "a calibration",
        always=("task", "data", "n_train", "n_test", "test", "chosen", "seconds"),
        again="give the command of the calibration again",
    ),
    "explain": RunKind(
        "a set of explanations",
        always=("task", "data", "n_test", "seconds"),
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
