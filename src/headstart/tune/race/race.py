"""`--freeze auto`: a race of candidates within a budget; the head alone is kept unless one is better beyond chance.

The candidates run under successive halving; if time is left, three times and a third of the best one's rates
are tried, then the network from scratch, then the candidates that were put aside. Of those that pass the rule of
comparison.py the one with the least validation loss is chosen, and trained again on training and validation items
together, or averaged with others of its policy (docs/race.md says why).

Every decision that depends on measured time is kept in the study file, so that a race that was killed and
resumed makes the same decisions.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from headstart.progress import say
from headstart.tune.loop.resume_check import check_can_resume
from headstart.tune.race.budget import SHARE, least_epochs, plan, survivors
from headstart.tune.race.candidate_run import Build, CandidateRun, wanted_epochs
from headstart.tune.race.candidates import OTHER_RATES, Candidate
from headstart.tune.race.comparison import Bound, ValidationItems
from headstart.tune.race.costs import Costs, in_seconds
from headstart.tune.race.result import (
    RaceResult,
    best_of,
    head_alone,
    head_alone_kept,
    report_lack_of_time,
    result_of,
    won_by,
)
from headstart.tune.race.retraining import train_again
from headstart.tune.race.soup import soup_of
from headstart.tune.race.study import Facts, Outcome, Study
from headstart.tune.training.result import Trained

MEASURING = 1 / 3  # share of the budget for preparing and measuring before the race


class Race:
    """One race.

    Args:
        build: prepares the training of a candidate, with validation.
        validation: the items that candidates are compared on, and the head alone on them.
        budget_seconds: wall-clock time for the whole race, the last training included.
        again: prepares the training of a candidate on training and validation items; None: it is left out.
        growth: items of that training over those of the others.
        grouped: whether items come in groups, so that it adds groups that were not seen.
        pass_seconds: time of one forward pass over the training items, if known.
        folder: for the study and checkpoints; None: a temporary one.
        resume: whether to resume the race in the folder.
        seed: of the study.
        identity: what must be equal for a race to be resumed, as plain JSON values by name.

    Raises:
        OptionError: the folder holds another race.
    """

    def __init__(
        self,
        build: Build,
        validation: ValidationItems,
        *,
        budget_seconds: float,
        again: Build | None = None,
        growth: float = 1.2,
        grouped: bool = False,
        pass_seconds: float = 0.0,
        folder: Path | None = None,
        resume: bool = False,
        seed: int = 0,
        identity: Mapping[str, Any] | None = None,
    ) -> None:
        self.build, self.validation, self.again = build, validation, again
        self.costs = Costs(pass_seconds, again is not None, growth, grouped)
        self.budget_seconds = budget_seconds
        self.folder, self.resume, self.seed = folder, resume, seed
        self.identity = dict(identity or {})
        self.runs: dict[str, CandidateRun] = {}

    def run(self, candidates: Sequence[Candidate], scratch: Candidate | None = None) -> RaceResult:
        """Race and choose.

        Args:
            candidates: in the order in which they are given time.
            scratch: the network from random weights, run if time is left for it.
        """
        temporary = TemporaryDirectory(prefix="headstart-race-") if self.folder is None else None
        with temporary or nullcontext(str(self.folder)) as place:
            self.place = Path(place)
            others = [candidate.at(factor) for candidate in candidates for factor in OTHER_RATES]
            everyone = [*candidates, *others, *([] if scratch is None else [scratch])]
            texts = [candidate.policy.text for candidate in everyone]
            self.study = Study(self.place, texts, resume=self.resume, seed=self.seed)
            check_can_resume(self.study.decide("identity", self.identity), self.identity, "the race")
            self.started = time.monotonic() - self.study.spent_seconds
            if not self.validation.cannot_tell:
                self._halve(self._field(candidates))
                self._use_the_rest(scratch)
                report_lack_of_time(list(self.runs.values()), self.budget_seconds)
            result = self._conclude()
            for run in self.runs.values():
                run.close()
            return result

    @property
    def spent(self) -> float:
        """Seconds since the race began, in all processes."""
        return time.monotonic() - self.started

    def _left(self) -> float:
        return self.budget_seconds - self.spent

    def _decide(self, what: str, decision: Any) -> Any:
        """A decision that depends on time: the stored one, if present."""
        kept = self.study.decide(what, decision)
        self.study.spend(self.spent)
        return kept

    def _enter(self, candidate: Candidate) -> CandidateRun:
        run = CandidateRun(candidate, self.build, self.study, self.validation, self.place)
        self.runs[run.name] = run
        return run

    def _field(self, candidates: Sequence[Candidate]) -> list[CandidateRun]:
        """Measure the candidates that may fit, and plan their epochs within the budget."""
        field: list[CandidateRun] = []
        for candidate in candidates:
            run = self._enter(candidate)
            need, what = self._least(candidate, field)
            left = self._left()
            in_time = need < SHARE * left and self.spent < MEASURING * self.budget_seconds
            if not self._decide(f"{run.name} is measured", in_time):
                self._no_time(run, f"{what} about {in_seconds(need)}", left)
                continue
            run.measure()
            if not run.is_out:
                field.append(run)
        return self._planned(field)

    def _least(self, candidate: Candidate, field: Sequence[CandidateRun]) -> tuple[float, str]:
        """The seconds that a candidate needs at least, estimated from a forward pass, and what they are for."""
        if candidate.policy.cut:  # and an epoch on it, which cannot be estimated before
            return 2 * self.costs.pass_seconds, "storing the frozen prefix and an epoch on it takes"
        n_epochs = least_epochs(wanted_epochs(field), is_first=not field)
        what = "an epoch takes" if n_epochs == 1 else f"{n_epochs} epochs take"
        return n_epochs * self.costs.live_epoch(), what

    def _planned(self, field: Sequence[CandidateRun]) -> list[CandidateRun]:
        left, wanted = self._left(), wanted_epochs(field)
        costs = {run.name: self.costs.planned(run.facts) for run in field}
        epochs = self._decide("epochs", plan(costs, wanted, left))
        for run in field:
            if run.name not in epochs:
                self._no_time(run, f"an epoch takes about {in_seconds(run.facts.epoch_seconds)}", left)
                continue
            run.plan(min(int(epochs[run.name]), run.facts.wanted))
            if epochs[run.name] < wanted:
                say(f"{run.name}: {epochs[run.name]} of {wanted} epochs fit the budget")
        return [run for run in field if run.name in epochs]

    def _halve(self, field: list[CandidateRun]) -> None:
        """Successive halving; those put aside keep their checkpoints."""
        field = sorted(field, key=lambda run: run.facts.epoch_seconds)
        for rung in range(3):
            for run in field:
                steps = run.rungs
                self._advance(run, steps[min(rung, len(steps) - 1)])
            field = sorted((r for r in field if r.reached and not r.is_out), key=lambda r: r.score.loss)
            for run in field[survivors(len(field)) :]:
                run.drop()
            field = field[: survivors(len(field))]

    def _use_the_rest(self, scratch: Candidate | None) -> None:
        """Other rates of the best, the network from scratch, then those that were put aside, as long as they fit."""
        best = self._leader()
        if best is not None:
            for factor in OTHER_RATES:
                self._extra(best.candidate.at(factor), like=best)
        if scratch is not None:
            self._extra(scratch, like=None)
        aside = [r for r in self.runs.values() if r.reached and not r.is_done and not r.is_out]
        for run in sorted(aside, key=lambda r: r.score.loss):
            facts = run.facts
            need = facts.epoch_seconds * (facts.epochs - run.reached) + facts.prepare_seconds
            if self._fits(run, need):
                for rung in run.rungs:
                    self._advance(run, rung)

    def _extra(self, candidate: Candidate, like: CandidateRun | None) -> None:
        """Run one more candidate from start to end if it fits; if it falls behind after a rung, it is put aside."""
        run = self._enter(candidate)
        known = self._facts_of_all_stages() if like is None else like.facts
        n_epochs = known.wanted if like is None else known.epochs
        need = known.epoch_seconds * n_epochs + known.prepare_seconds
        if not self._fits(run, need):
            self._no_time(run, f"it takes about {in_seconds(need)}", self._left())
            return
        if not run.facts.epochs:
            self.study.note(
                run.name,
                wanted=known.wanted,
                epochs=n_epochs,
                epoch_seconds=known.epoch_seconds,
                prepare_seconds=known.prepare_seconds,
            )
        for rung in run.rungs:
            self._advance(run, rung)
            if run.is_out or (like is not None and not run.keeps_up_with(like)):
                return

    def _advance(self, run: CandidateRun, epoch: int) -> None:
        facts = run.facts
        keep = self.costs.planned(facts).again(facts.epochs) if self.costs.retrains else 0.0
        run.advance(epoch, time.monotonic() + max(0.0, self._left() - keep))
        self.study.spend(self.spent)

    def _conclude(self) -> RaceResult:
        """Choose, and train the winner on all items or average it with others of its policy."""
        runs = list(self.runs.values())
        bound = self._bound()
        results = [head_alone(self.validation), *(result_of(run, self.validation, bound) for run in runs)]
        last = self.runs.get("scratch")
        scratch = last.result() if last is not None and last.reached and last.is_done else None
        winner = best_of(results)
        if winner is None:
            return head_alone_kept(results, self.validation, scratch)
        best = self.runs[winner.name]
        second = best_of([row for row in results if not row.from_scratch]) if winner.from_scratch else None
        transferred = None if second is None else self.runs[second.name].result()
        averaged = soup_of(self.validation, best, runs)
        again = None
        if averaged is None or self.costs.grouped:  # items of new groups help more than averages
            again = self._retrained(best)
        if again is not None:
            trained, how = again, "then trained on training and validation items together"
        elif averaged is not None:
            names, trained = averaged
            how = f"averaged over {', '.join(names)}, better on validation than any of them"
        else:
            trained, how = best.result(), "trained without the validation items"
        result = won_by(winner, results, trained, how)
        return replace(
            result,
            refitted=again is not None,
            averaged=again is None and averaged is not None,
            from_scratch=scratch,
            transferred=transferred,
        )

    def _bound(self) -> Bound:
        """What chance gives, of all that was looked at so far."""
        return self.validation.bound([look for run in self.runs.values() for look in run.looks])

    def _retrained(self, best: CandidateRun) -> Trained | None:
        """The winner trained on all items; None if that does not fit."""
        if self.again is None:
            return None
        left = self._left()
        need = self.costs.with_retraining(best.facts).again(best.facts.epochs)
        if not self._decide("again", need <= left):
            say(
                f"{best.name}: training it on all items takes about {in_seconds(need)}, {in_seconds(left)} are left"
            )
            return None
        for run in (each for each in self.runs.values() if each is not best):
            run.drop()
        return train_again(self.again, best, self.place / "again", seconds=self._left(), resume=self.resume)

    def _leader(self) -> CandidateRun | None:
        done = [r for r in self.runs.values() if r.reached and r.is_done and not r.is_out]
        best = min(done, key=lambda r: r.score.loss, default=None)
        # Kept, since in a resumed race a candidate that was put aside and trained later is done already.
        return self.runs.get(self._decide("leader", "" if best is None else best.name))

    def _fits(self, run: CandidateRun, need: float) -> bool:
        """Whether seconds fit in addition to the last training of the possible winners so far."""
        reached, bound = [r for r in self.runs.values() if r.reached and not r.is_out], self._bound()
        may_win = [r.facts for r in reached if self.validation.compare(r.logits, bound).better]
        again = (self.costs.planned(facts).again(facts.epochs) for facts in may_win)
        reserve = max(again, default=0.0) if self.costs.retrains else 0.0
        return bool(self._decide(f"{run.name} fits", need <= SHARE * (self._left() - reserve)))

    def _facts_of_all_stages(self) -> Facts:
        """The facts of a training of the whole network, estimated from the measured ones."""
        measured = [r for r in self.runs.values() if r.facts.wanted]
        live = [run.facts for run in measured if run.candidate.policy.cut == 0]
        return self.costs.of_all_stages(live, [run.facts for run in measured])

    def _no_time(self, run: CandidateRun, reason: str, left: float) -> None:
        if not run.is_out:
            why = f"not tried: {reason}, and {in_seconds(left)} of the budget were left"
            run.leave_out(Outcome.NO_TIME, why)
