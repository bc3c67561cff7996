"""The same network trained from random weights on the draws of an audit, as long as the time lasts.

It gets a fair chance: rates of its own, all of its stages trained, the augmentation of the recipe, the epochs that fit
the time. On each draw a quarter of the items is set aside, several rates are tried, and the best by validation is
trained again on the whole draw, with its number of epochs. The first draw of every number of labels comes first, the
largest number before all: an audit that is short of time has fewer draws, not fewer points.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from headstart.auditing.cells import Cell, Cells
from headstart.auditing.draws import Draws
from headstart.auditing.measuring import Method, with_seed
from headstart.auditing.work import Measured
from headstart.errors import DataError, HeadstartError, one_line
from headstart.evidence.over_seeds import item_values
from headstart.fitting.comparing import set_aside
from headstart.fitting.learnable import clause, why_not_learnable
from headstart.fitting.result import source_with
from headstart.fitting.timing import timed_epoch
from headstart.fitting.workspace import Workspace
from headstart.progress import progress
from headstart.tune.race.costs import in_seconds
from headstart.units import counted

if TYPE_CHECKING:
    from headstart.tune import Policy, Trained

RATES = (10.0, 30.0, 3.0)  # times the recipe's, whose rates are for pretrained weights
STEPS = 600  # a training is as long as this, unless the recipe's epochs are longer
LEAST_EPOCHS = 4  # with fewer for each, one rate is tried instead of three
_SHARE = 0.9  # of the time that a training may plan with


def with_scratch(
    workspace: Workspace, draws: Draws, cells: Cells, number: int, ends: float | None
) -> Measured:
    """Train from random weights on as many draws as fit the time.

    Args:
        workspace: of the network with random weights.
        draws: of the training items.
        cells: that are kept; those found there are not trained again.
        number: of the method among the cells.
        ends: when the time is over, by `time.perf_counter`; None: never.
    """
    given = (
        "the same network trained from random weights: all stages, its own rates, the recipe's augmentation"
    )
    measured = Measured(Method("scratch", "scratch", lambda train, seed: _never(), 0.0, given, at_once=False))
    trainings = _Trainings(workspace)
    order = [(size, seed) for seed in range(draws.n_seeds) for size in reversed(draws.sizes)]
    left_out: list[str] = []
    with progress("Training from random weights", len(order), "draws") as advance:
        for place, key in enumerate(order):
            found = cells.find(number, *key)
            if found is None and not left_out:
                same_round = sum(size for size, seed in order[place:] if seed == key[1])
                left = np.inf if ends is None else ends - time.perf_counter()
                allowed = left * key[0] / same_round
                found = trainings.learn(draws.positions[key], draws.seed + key[1], allowed)
                if found.values is None and found.why.startswith(_NO_TIME):
                    left_out.append(found.why)
                else:
                    cells.keep(number, *key, found)
            if found is not None:
                measured.cells[key] = found
            advance(1)
    done = sum(cell.values is not None for cell in measured.cells.values())
    if done < len(order):
        why = f" ({left_out[0]})" if left_out else ""
        measured.note = f"{done} of {counted(len(order), 'draws')} trained{why}"
    givens = [cell.given for cell in measured.cells.values() if cell.given]
    if givens:
        measured.note = "; ".join(part for part in (f"with all labels {givens[0]}", measured.note) if part)
    return measured


_NO_TIME = "no time:"


def _never() -> Cell:
    raise NotImplementedError("its draws depend on the time: see with_scratch")


@dataclass(eq=False)
class _Trainings:
    """Trainings of one network from random weights, with the measured time of an epoch."""

    workspace: Workspace
    item_seconds: float = 0.0

    def learn(self, train: np.ndarray, seed: int, allowed: float) -> Cell:
        """Train on a draw.

        Args:
            train: positions of the items.
            seed: random seed.
            allowed: seconds that it may take.
        """
        started = time.perf_counter()
        own = with_seed(self.workspace, seed)
        try:
            inside, aside = set_aside(own, train)
            why = why_not_learnable(own.plan, inside)
            if why:
                raise DataError(why)
        except DataError as error:
            why = f"nothing can be set aside to compare rates on: {clause(error)}"
            return Cell(len(train), None, None, 0.0, why)
        try:
            return self._learn(own, train, inside, aside, allowed, started)
        except HeadstartError as error:
            return Cell(len(train), None, None, time.perf_counter() - started, one_line(error))

    def _learn(
        self,
        own: Workspace,
        train: np.ndarray,
        inside: np.ndarray,
        aside: np.ndarray,
        allowed: float,
        started: float,
    ) -> Cell:
        from headstart.tune import Policy

        stages = tuple(own.plan.source.stages)
        policy = Policy.at(0, stages)
        recipe = own.plan.recipe_for(policy)
        wanted = max(recipe.epochs or 1, -(-STEPS * recipe.batch_size // len(train)))
        if not self.item_seconds:
            plan = replace(own.plan, policy=policy, recipe=recipe)
            self.item_seconds = timed_epoch(plan, own.setting) / len(plan.data.positions("train"))
        epoch = self.item_seconds * len(inside)
        left = allowed - (time.perf_counter() - started)
        n_affordable = _SHARE * left / epoch
        rates = RATES if n_affordable >= LEAST_EPOCHS * (len(RATES) + 1.4) else RATES[:1]
        epochs = int(min(wanted, n_affordable / (len(rates) + 1.4)))
        if epochs < 1:
            why = f"{_NO_TIME} {len(rates)} training with one epoch takes about {in_seconds(2.4 * epoch)}"
            return Cell(len(train), None, None, 0.0, f"{why}, and {in_seconds(max(0.0, left))} were left")
        best, rate = self._best(own, policy, rates, epochs, inside, aside)
        again = self._trained(own, policy, rate, max(1, best.best_epoch), train, aside[:0])
        head = replace(again.head, temperature=best.head.temperature)
        held_out = own.plan.data.positions("test")
        features = own.features_by(source_with(own.plan.source, again.state_dict), held_out)
        values = item_values(
            own.targets.task, head.outputs(features.stacked(head.stages)), own.codes[held_out]
        )
        given = f"{counted(len(rates), 'rates')} of up to {counted(epochs, 'epochs')} were tried"
        quality = None if best.validation is None else best.validation.quality
        seconds = time.perf_counter() - started
        return Cell(len(train), values.astype(np.float32), quality, seconds, given=given)

    def _best(
        self,
        own: Workspace,
        policy: Policy,
        rates: tuple[float, ...],
        epochs: int,
        inside: np.ndarray,
        aside: np.ndarray,
    ) -> tuple[Trained, float]:
        """The training with the least validation loss, and its rate."""
        found = [(self._trained(own, policy, rate, epochs, inside, aside), rate) for rate in rates]
        return min(found, key=lambda each: np.inf if each[0].validation is None else each[0].validation.loss)

    def _trained(
        self, own: Workspace, policy: Policy, rate: float, epochs: int, train: np.ndarray, aside: np.ndarray
    ) -> Trained:
        recipe = own.plan.recipe_for(policy)
        if isinstance(recipe.lr, str):
            raise DataError("the recipe's rate is found before training, so there is nothing to multiply")
        recipe = recipe.model_copy(
            update={"lr": recipe.lr * rate, "head_lr": recipe.head_lr * rate, "epochs": epochs}
        )
        return own.training(policy, recipe, train, aside, None, probe=None).run()
