"""The winner of a race, trained once more on training and validation items together."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

from headstart.errors import HeadstartError, StoreError
from headstart.progress import say
from headstart.tune.race.candidate_run import Build, CandidateRun
from headstart.tune.training.result import Trained


def train_again(
    build: Build, best: CandidateRun, folder: Path, *, seconds: float, resume: bool
) -> Trained | None:
    """Train a candidate on all items for the epochs it was planned with, to the end of its schedule.

    The temperature, the validation score and the history stay those of the training that was validated: for this one
    no item is held out.

    Args:
        build: prepares the training.
        best: the candidate.
        folder: for checkpoints.
        seconds: the longest it may take.
        resume: whether to resume from a checkpoint there.

    Returns:
        The result; None if it failed or the time was over before its last epoch ended.
    """
    validated, n_epochs = best.result(), best.facts.epochs
    best.drop()
    try:
        training = build(best.candidate, folder)
        training.limit_epochs(n_epochs)
        trained = training.run(resume=resume, deadline=time.monotonic() + max(0.0, seconds))
    except StoreError:
        raise
    except HeadstartError as error:
        say(f"{best.name} on all items: {error}")
        return None
    if not trained.history or int(trained.history[-1]["epoch"]) < n_epochs:
        say(f"{best.name}: the time was over before it was trained on all items")
        return None
    return replace(
        trained,
        head=replace(trained.head, temperature=validated.head.temperature),
        validation=validated.validation,
        validation_logits=validated.validation_logits,
        history=validated.history,
        seconds=validated.seconds + trained.seconds,
    )
