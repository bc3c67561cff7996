"""`--freeze auto`: a race of ways to train within a budget; it is never worse than the head alone on validation.

The others run under successive halving; with the time that is left the best one's rates are tried at three
times and a third, then a network from scratch, then those that were put aside. Of those that pass the rule of
`compare` the one of least validation loss is taken, and trained again on training and validation items together,
or averaged with others of its cut (docs/race.md says why).

Every decision that rests on measured time goes into the study file, so that a race that was killed and taken
up again decides the same.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from headstart.progress import say
from headstart.tune.loop.identity import check_identity
from headstart.tune.race.budget import SHARE, Cost, least_epochs, plan, survivors, told
from headstart.tune.race.choice import AutoChoice, best_of, candidate_of, reference
from headstart.tune.race.comparison import LEAST_ERRORS
from headstart.tune.race.entrants import RATES, Entrant
from headstart.tune.race.retraining import train_again
from headstart.tune.race.runner import Build, Judge, Runner
from headstart.tune.race.soup import soup_of
from headstart.tune.race.study import Study
from headstart.tune.training.result import Trained

MEASURING = 1 / 3  # of the budget may go into preparing and measuring before the race is run
_LIVE_EPOCH = 3.0  # an epoch without a stored prefix is a forward and a backward pass: three forward passes


class Race:
    """One race.

    Args:
        build: prepares the training of an entrant, with validation.
        judge: the validation items and the head alone.
        budget_seconds: wall-clock time for all of it, the last training included.
        again: prepares the training of an entrant on training and validation items; None: it is left out.
        growth: items of that training over those of the others.
        grouped: whether items come in groups, so that it adds groups that were not seen.
        pass_seconds: time of one forward pass over the items to train on, where it is known.
        folder: for the study and checkpoints; None: a temporary one.
        resume: whether to take up what the folder holds.
        seed: of the study.
        identity: what must be equal for a race to be taken up, as plain values of JSON by name.

    Raises:
        OptionError: the folder holds another race.
    """

    def __init__(
        self,
        build: Build,
        judge: Judge,
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
        self.build, self.judge, self.again, self.growth, self.grouped = build, judge, again, growth, grouped
        self.budget, self.pass_seconds = budget_seconds, pass_seconds
        self.folder, self.resume, self.seed = folder, resume, seed
        self.identity = dict(identity or {})
        self.runners: dict[str, Runner] = {}

    def run(self, entrants: Sequence[Entrant], scratch: Entrant | None = None) -> AutoChoice:
        """Race and choose.

        Args:
            entrants: in the order in which they are given a place.
            scratch: the network from weights of chance, run where time is left for it.
        """
        with self._place() as place:
            others = [entrant.at(factor) for entrant in entrants for factor in RATES]
            everyone = [*entrants, *others, *([] if scratch is None else [scratch])]
            texts = [entrant.policy.text for entrant in everyone]
            self.study = Study(place, texts, resume=self.resume, seed=self.seed)
            check_identity(self.study.decide("identity", self.identity), self.identity)
            self.started = time.monotonic() - self.study.spent_seconds
            self.place = place
            if self.judge.has_room:
                self._halve(self._field(entrants))
                self._use_the_rest(scratch)
                self._say_what_had_no_time()
            choice = self._conclude()
            for runner in self.runners.values():
                runner.close()
            return choice

    @property
    def spent(self) -> float:
        """Seconds since the race began, in all processes."""
        return time.monotonic() - self.started

    def _left(self) -> float:
        return self.budget - self.spent

    @contextmanager
    def _place(self) -> Iterator[Path]:
        if self.folder is not None:
            yield self.folder
            return
        with tempfile.TemporaryDirectory(prefix="headstart-race-") as place:
            yield Path(place)

    def _decide(self, what: str, decision: Any) -> Any:
        """A decision that rests on time: the kept one, where there is one."""
        kept = self.study.decide(what, decision)
        self.study.spend(self.spent)
        return kept

    def _enter(self, entrant: Entrant) -> Runner:
        runner = Runner(entrant, self.build, self.study, self.judge, self.place)
        self.runners[runner.name] = runner
        return runner

    def _field(self, entrants: Sequence[Entrant]) -> list[Runner]:
        """Measure everyone who may fit, and give places within the budget."""
        field: list[Runner] = []
        for entrant in entrants:
            runner = self._enter(entrant)
            need, what = self._least(entrant, field)
            left = self._left()
            in_time = need < SHARE * left and self.spent < MEASURING * self.budget
            if not self._decide(f"{runner.name} is measured", in_time):
                self._no_time(runner, f"{what} about {told(need)}", left)
                continue
            runner.measure()
            if not runner.is_out:
                field.append(runner)
        return self._planned(field)

    def _least(self, entrant: Entrant, field: Sequence[Runner]) -> tuple[float, str]:
        """The seconds below which an entrant cannot be of use, by a forward pass, and what takes them."""
        if entrant.policy.cut:  # and an epoch on it, which is not known before
            return 2 * self.pass_seconds, "storing the frozen prefix and an epoch on it takes"
        wanted = max((int(runner.facts["wanted"]) for runner in field), default=1)
        n_epochs = least_epochs(wanted, is_first=not field)
        what = "an epoch takes" if n_epochs == 1 else f"{n_epochs} epochs take"
        return n_epochs * _LIVE_EPOCH * self.pass_seconds, what

    def _planned(self, field: Sequence[Runner]) -> list[Runner]:
        left = self._left()
        costs = {runner.name: self._cost(runner) for runner in field}
        wanted = max((int(runner.facts["wanted"]) for runner in field), default=1)
        places = self._decide("epochs", plan(costs, wanted, left))
        for runner in field:
            if runner.name not in places:
                self._no_time(runner, f"an epoch takes about {told(runner.facts['epoch_seconds'])}", left)
                continue
            runner.plan(min(int(places[runner.name]), int(runner.facts["wanted"])))
            if places[runner.name] < wanted:
                say(f"{runner.name}: {places[runner.name]} of {wanted} epochs fit the budget")
        return [runner for runner in field if runner.name in places]

    def _halve(self, field: list[Runner]) -> None:
        """Successive halving; those put aside keep their checkpoints."""
        field = sorted(field, key=lambda runner: float(runner.facts["epoch_seconds"]))
        for rung in range(3):
            for runner in field:
                steps = runner.rungs
                self._advance(runner, steps[min(rung, len(steps) - 1)])
            field = sorted((r for r in field if r.reached and not r.is_out), key=lambda r: r.score.loss)
            for runner in field[survivors(len(field)) :]:
                runner.drop()
            field = field[: survivors(len(field))]

    def _use_the_rest(self, scratch: Entrant | None) -> None:
        """Other rates of the best, scratch, then those that were put aside, as long as they fit."""
        best = self._leader()
        if best is not None:
            for factor in RATES:
                self._extra(best.entrant.at(factor), like=best)
        if scratch is not None:
            self._extra(scratch, like=None)
        aside = [r for r in self.runners.values() if r.reached and not r.is_done and not r.is_out]
        for runner in sorted(aside, key=lambda r: r.score.loss):
            n_left = int(runner.facts["epochs"]) - runner.reached
            need = self._cost(runner).epoch_seconds * n_left + float(runner.facts["prepare_seconds"])
            if self._fits(runner, need):
                for rung in runner.rungs:
                    self._advance(runner, rung)

    def _extra(self, entrant: Entrant, like: Runner | None) -> None:
        """Run one more from start to end where it fits; one that falls behind at its first rung is left."""
        runner = self._enter(entrant)
        if like is not None:
            known = {name: like.facts[name] for name in ("epoch_seconds", "prepare_seconds", "wanted")}
            n_epochs = int(like.facts["epochs"])
        else:
            known = self._costs_of_all_stages()
            n_epochs = int(known["wanted"])
        need = float(known["epoch_seconds"]) * n_epochs + float(known["prepare_seconds"])
        if not self._fits(runner, need):
            self._no_time(runner, f"it takes about {told(need)}", self._left())
            return
        self.study.note(runner.name, **{"seconds": 0.0, **known, "epochs": n_epochs, **runner.facts})
        for rung in runner.rungs:
            self._advance(runner, rung)
            if runner.is_out or (like is not None and not self._keeps_up(runner, like)):
                return

    def _keeps_up(self, runner: Runner, like: Runner) -> bool:
        losses = self.study.rungs(like.name)
        ours = self.study.rungs(runner.name)
        return all(loss <= losses.get(epoch, loss) for epoch, loss in list(ours.items())[-1:])

    def _advance(self, runner: Runner, epoch: int) -> None:
        keep = 0.0 if self.again is None else self._cost(runner).again(int(runner.facts["epochs"]))
        runner.advance(epoch, time.monotonic() + max(0.0, self._left() - keep))
        self.study.spend(self.spent)

    def _conclude(self) -> AutoChoice:
        """Choose, and train the chosen one on all items or average it with others of its cut."""
        runners = list(self.runners.values())
        candidates = [reference(self.judge), *(candidate_of(self.judge, runner) for runner in runners)]
        scratch = self.runners.get("scratch")
        fresh = scratch.result() if scratch is not None and scratch.reached and scratch.is_done else None
        found = best_of(candidates)
        if found is None:
            n_tried = sum(candidate.tried for candidate in candidates) - 1
            why = "no candidate could be tried within the budget"
            if n_tried:
                why = f"none of {n_tried} tried passes"
            elif not self.judge.has_room:
                why = (
                    f"it makes fewer than {LEAST_ERRORS} errors on the validation items, too few for a training to be "
                    "seen to be better"
                )
            kept = [replace(candidates[0], chosen=True), *candidates[1:]]
            return AutoChoice("all", None, tuple(kept), f"the head alone is kept: {why}", scratch=fresh)
        best = self.runners[found.name]
        mixed = soup_of(self.judge, best, runners)
        again = None
        if mixed is None or self.grouped:  # items of new groups gain more than averages
            again = self._again(best)
        if again is not None:
            trained, how = again, "then trained on training and validation items together"
        elif mixed is not None:
            trained, how = (
                mixed[1],
                f"averaged over {', '.join(mixed[0])}, better on validation than any of them",
            )
        else:
            trained, how = best.result(), "trained without the validation items"
        candidates = [replace(c, chosen=c.name == best.name) for c in candidates]
        above = "" if found.better else ", but above it on validation"
        reason = f"{best.name}: {found.why}{above}; {how}"
        return AutoChoice(
            found.policy,
            trained,
            tuple(candidates),
            reason,
            refitted=again is not None,
            scratch=fresh,
            averaged=again is None and mixed is not None,
        )

    def _again(self, best: Runner) -> Trained | None:
        """The chosen candidate trained on all items; None where it does not fit."""
        if self.again is None:
            return None
        n_epochs, left = int(best.facts["epochs"]), self._left()
        need = self._cost_with_again(best).again(n_epochs)
        if not self._decide("again", need <= left):
            say(f"{best.name}: training it on all items takes about {told(need)}, {told(left)} are left")
            return None
        for runner in self.runners.values():
            if runner is not best:
                runner.drop()
        return train_again(self.again, best, self.place / "again", seconds=self._left(), resume=self.resume)

    def _leader(self) -> Runner | None:
        done = [r for r in self.runners.values() if r.reached and r.is_done and not r.is_out]
        return min(done, key=lambda r: r.score.loss, default=None)

    def _cost(self, runner: Runner) -> Cost:
        """What time is kept free for; the last training on all items counts where items come in groups.

        There it gives most, since it adds groups that were not seen (docs/race.md); of other items it adds few, and
        more epochs of the candidates themselves give more.
        """
        return self._cost_with_again(runner) if self.grouped else Cost(float(runner.facts["epoch_seconds"]))

    def _cost_with_again(self, runner: Runner) -> Cost:
        epoch, prepare = (float(runner.facts[name]) for name in ("epoch_seconds", "prepare_seconds"))
        return Cost(epoch) if self.again is None else Cost(epoch, epoch * self.growth, prepare * self.growth)

    def _fits(self, runner: Runner, need: float) -> bool:
        """Whether seconds fit beside the last training of those that may be taken so far."""
        reached = [r for r in self.runners.values() if r.reached and not r.is_out]
        planned = [r for r in reached if self.judge.compare(r.logits).better]
        reserve = max((self._cost(r).again(int(r.facts["epochs"])) for r in planned), default=0.0)
        reserve = reserve if self.again is not None else 0.0
        left = self._left()
        return bool(self._decide(f"{runner.name} fits", need <= SHARE * (left - reserve)))

    def _costs_of_all_stages(self) -> dict[str, Any]:
        """The facts of a training of the whole network, by one that was measured, else by a forward pass."""
        measured = [r.facts for r in self.runners.values() if "epoch_seconds" in r.facts]
        live = [
            float(r.facts["epoch_seconds"])
            for r in self.runners.values()
            if r.entrant.policy.cut == 0 and "epoch_seconds" in r.facts
        ]
        seconds = max([_LIVE_EPOCH * self.pass_seconds, *live])
        wanted = max((int(facts["wanted"]) for facts in measured), default=1)
        return {"epoch_seconds": seconds, "prepare_seconds": seconds / 2, "wanted": wanted}

    def _no_time(self, runner: Runner, reason: str, left: float) -> None:
        if not runner.is_out:
            why = f"not tried: {reason}, and {told(left)} of the budget were left"
            runner.leave_out(why, quietly=True)

    def _say_what_had_no_time(self) -> None:
        out = [
            r.name for r in self.runners.values() if r.is_out and "of the budget were left" in r.facts["why"]
        ]
        if not any(runner.reached for runner in self.runners.values()):
            say(f"the budget of {self.budget:.3g} s is too small to try a candidate: the head alone is kept")
        elif out:
            say(f"not tried for lack of time: {', '.join(out)}")
