"""The study file of a race: an Optuna study whose trials are the candidates, in a journal of JSON lines.

Optuna keeps what was tried and the results; the order of the rungs is the race's own. Its pruner of successive
halving is asynchronous: it compares a trial with those that came before it, promotes the first one in any case,
and with few candidates keeps the wrong ones.

A line is written and synced before the race continues, so a race killed at any moment finds everything that was
finished. A half-written line is left out. There is one writer, so Optuna's lock, which would remain after a
killed process, is not used.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.errors import OptionError
from headstart.files import atomic_path, read_regular, write_error
from headstart.progress import say

_NAME = "race"
_FORMAT = 3  # version of the facts below; a file without it was written by an older headstart
_STARTS = ("pretrained", "random weights")


class Outcome(StrEnum):
    """How a candidate ended."""

    HEAD_ALONE = "head alone"  # what the others are compared with
    NO_TIME = "no time"  # not tried: it does not fit the budget
    REFUSED = "refused"  # not tried: its training cannot be prepared
    FAILED = "failed"  # its training stopped with an error
    PUT_ASIDE = "put aside"  # not trained to its end, others were better
    NOT_BETTER = "not better"  # trained to its end, not better than the head alone
    BETTER = "better"  # trained to its end, better than the head alone


@dataclass(frozen=True)
class Facts:
    """What is known about a candidate, except its losses.

    Attributes:
        wanted: epochs of its recipe; 0: not measured.
        epochs: epochs it is planned with; 0: not planned.
        epoch_seconds: an epoch with its validation.
        prepare_seconds: before the first step.
        seconds: time spent on it.
        last_epoch: epochs it ran.
        ended: whether it stopped early, before its last epoch.
        outcome: why it is out of the race; None: it is not.
        why: the same in a sentence.
    """

    wanted: int = 0
    epochs: int = 0
    epoch_seconds: float = 0.0
    prepare_seconds: float = 0.0
    seconds: float = 0.0
    last_epoch: int = 0
    ended: bool = False
    outcome: Outcome | None = None
    why: str = ""


@dataclass(frozen=True, eq=False)
class _Outputs:
    """What a rung gave on the validation items."""

    logits: NDArray[np.float32]
    looks: NDArray[np.float32]


class Study:
    """What is known about each candidate of one race, kept on disk if a folder is given.

    Args:
        folder: of `study.jsonl` and the outputs of each rung; None keeps them in memory.
        policies: texts of all policies that may enter.
        resume: whether to resume what the folder holds; else it is removed.
        seed: of Optuna's sampler, which is not used here.

    Raises:
        OptionError: the folder holds the race of an older version.
    """

    def __init__(self, folder: Path | None, policies: Sequence[str], *, resume: bool, seed: int = 0) -> None:
        self.folder = folder
        self._outputs: dict[tuple[str, int], _Outputs] = {}
        self._policies = sorted(set(policies))
        self.is_resumed = resume
        self._study = self._open(resume, seed)
        self._check_format()
        self._trials: dict[str, Any] = {}

    def enter(self, name: str, policy: str, rate: float, *, from_scratch: bool) -> None:
        """Make a trial for a candidate, or find its trial.

        Args:
            name: of the candidate, unique in the race.
            policy: text of its policy.
            rate: what the recipe's rates are multiplied by.
            from_scratch: whether it starts from random weights.
        """
        import optuna

        start = _STARTS[from_scratch]
        trials = self._study.get_trials(deepcopy=False)
        known = next((trial for trial in trials if trial.user_attrs.get("name") == name), None)
        if known is None:
            asked = {"policy": policy, "rate": rate, "start": start}
            self._study.enqueue_trial(asked, user_attrs={"name": name})
            trial = self._study.ask()
        elif known.state == optuna.trial.TrialState.WAITING:
            trial = self._study.ask()  # a kill came in between; no other trial waits
        else:
            trial = optuna.trial.Trial(self._study, known._trial_id)
        if known is None or not known.state.is_finished():  # what was suggested before stays as it is
            trial.suggest_categorical("policy", self._policies)
            trial.suggest_float("rate", 1e-3, 1e3, log=True)
            trial.suggest_categorical("start", _STARTS)
        self._trials[name] = trial

    def note(self, name: str, /, **changes: Any) -> None:
        """Change facts of a candidate; those of a closed trial stay as they are."""
        known = self.facts(name)
        changed = replace(known, **changes)
        if changed != known and self.is_open(name):
            self._trials[name].set_user_attr("facts", asdict(changed))

    def facts(self, name: str) -> Facts:
        """The facts of a candidate."""
        kept = dict(self._trials[name].user_attrs.get("facts", {}))
        if kept.get("outcome") is not None:
            kept["outcome"] = Outcome(kept["outcome"])
        return Facts(**kept)

    def report(
        self,
        name: str,
        epoch: int,
        loss: float,
        logits_NC: NDArray[np.float32],
        looks: Sequence[NDArray[np.float32]] = (),
    ) -> None:
        """Keep a finished rung: the outputs first, so that the study never names a file that does not exist.

        Args:
            name: of the candidate.
            epoch: that the rung ends with.
            loss: on validation, of the best weights so far.
            logits_NC: of these weights on the validation items.
            looks: quality and loss of each of these items in all that was looked at so far, each of shape (2, N).
        """
        stacked = np.stack(looks) if len(looks) else np.zeros((0, 2, len(logits_NC)), np.float32)
        self._outputs[name, epoch] = outputs = _Outputs(logits_NC, stacked)
        if self.folder is not None:
            with atomic_path(self._outputs_path(name, epoch)) as temporary:
                np.savez(temporary, **vars(outputs))
        self._trials[name].report(loss, epoch)

    def rungs(self, name: str) -> dict[int, float]:
        """Epoch to validation loss of the finished rungs of a candidate, in order."""
        number = self._trials[name].number
        trial = self._study.get_trials(deepcopy=False)[number]
        return dict(sorted(trial.intermediate_values.items()))

    def logits(self, name: str, epoch: int) -> NDArray[np.float32]:
        """Validation logits of a finished rung."""
        return self._read(name, epoch).logits

    def looks(self, name: str, epoch: int) -> NDArray[np.float32]:
        """What was looked at until a finished rung, of shape (n_looks, 2, N)."""
        return self._read(name, epoch).looks

    def end(self, name: str, state: str, loss: float | None = None) -> None:
        """Close a trial: "complete" with its loss, "pruned", or "fail". A closed one stays as it is."""
        import optuna

        number = self._trials[name].number
        if self._study.get_trials(deepcopy=False)[number].state.is_finished():
            return
        self._study.tell(number, loss, state=optuna.trial.TrialState[state.upper()])

    def is_open(self, name: str) -> bool:
        """Whether a candidate's trial still runs."""
        return not self._study.get_trials(deepcopy=False)[self._trials[name].number].state.is_finished()

    def decide(self, what: str, value: Any) -> Any:
        """A decision of the race: the stored one, else this value, which is then stored."""
        kept = self._study.user_attrs
        if what in kept:
            return kept[what]
        self._study.set_user_attr(what, value)
        return value

    def spend(self, seconds: float) -> None:
        """Keep the time spent so far, if it grew by a second or more since it was kept."""
        if seconds >= self.spent_seconds + 1:
            self._study.set_user_attr("spent_seconds", seconds)

    @property
    def spent_seconds(self) -> float:
        """The time spent before this process resumed the race."""
        return float(self._study.user_attrs.get("spent_seconds", 0.0))

    def _check_format(self) -> None:
        kept = self._study.user_attrs
        if kept and kept.get("format") != _FORMAT:
            raise OptionError(
                f"cannot resume the race in {self.folder}: it was started by another version of headstart. Start a "
                "new run, or resume with the version that started it"
            )
        self.decide("format", _FORMAT)

    def _open(self, resume: bool, seed: int) -> Any:
        import optuna

        if self.folder is None:
            return self._create(optuna.storages.InMemoryStorage(), seed)
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / "study.jsonl"
        if resume and not _repaired(path):
            say(f"{path} is damaged; the race starts again")
            resume = self.is_resumed = False
        if not resume:
            try:
                path.unlink(missing_ok=True)
            except OSError as error:  # a folder of this name
                raise write_error(path, error) from None
        return self._create(_journal(path), seed)

    def _create(self, storage: Any, seed: int) -> Any:
        import optuna

        verbosity = optuna.logging.get_verbosity()
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        try:
            return optuna.create_study(
                storage=storage,
                sampler=optuna.samplers.RandomSampler(seed=seed),
                pruner=optuna.pruners.NopPruner(),
                study_name=_NAME,
                direction="minimize",
                load_if_exists=True,
            )
        finally:
            optuna.logging.set_verbosity(verbosity)

    def _read(self, name: str, epoch: int) -> _Outputs:
        if (name, epoch) not in self._outputs:
            with np.load(self._outputs_path(name, epoch)) as file:
                self._outputs[name, epoch] = _Outputs(**file)
        return self._outputs[name, epoch]

    def _outputs_path(self, name: str, epoch: int) -> Path:
        assert self.folder is not None  # outputs of a race without a folder are all in memory
        return self.folder / f"outputs-{self._trials[name].number}-{epoch}.npz"


class _NoLock:
    """The run's folder is claimed by one process already."""

    def acquire(self) -> bool:
        return True

    def release(self) -> None:
        return None


def _journal(path: Path) -> Any:
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    lock: Any = _NoLock()
    return JournalStorage(JournalFileBackend(str(path), lock_obj=lock))


def _repaired(path: Path) -> bool:
    """Cut off a last line that was not written to its end; False if another line cannot be read."""
    if not path.exists():
        return True
    try:
        content = read_regular(path)
        whole = content[: content.rfind(b"\n") + 1]
        for line in whole.splitlines():
            json.loads(line)
    except (OSError, ValueError, RecursionError):
        return False
    if len(whole) < len(content):
        with open(path, "rb+") as file:
            file.truncate(len(whole))
    return True
