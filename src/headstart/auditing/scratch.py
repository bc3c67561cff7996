"""The same network trained from random weights on the draws of an audit, as long as the time lasts.

It gets a fair chance: rates of its own, all of its stages trained, the augmentation of the recipe, the epochs that fit
the time. On each draw a quarter of the items is set aside, several rates are tried, and the best by validation is
trained again on the whole draw, with its number of epochs. The first draw of every number of labels comes first: an
audit that is short of time has fewer draws, not fewer points. The smallest shows how long an epoch takes, then come the
others from the largest on.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from headstart.auditing.cells import Cell, Cells
from headstart.auditing.draws import Draws
from headstart.auditing.measuring import Method, cell_of, or_why_not, with_seed
from headstart.auditing.work import Measured
from headstart.errors import DataError
from headstart.fitting.learning import parts_of
from headstart.fitting.race import at_rate
from headstart.fitting.result import source_with
from headstart.fitting.workspace import Workspace
from headstart.progress import progress
from headstart.tune.race.costs import in_seconds
from headstart.units import counted

if TYPE_CHECKING:
    from headstart.tune import Policy, Trained

RATES = (10.0, 30.0, 3.0)  # times the recipe's, whose rates are for pretrained weights
STEPS = 600  # a training is as long as this, unless the recipe's epochs are longer
LEAST_EPOCHS = 4  # with fewer for each, one rate is tried instead of three
_AGAIN = 1.4  # what training again on the whole draw takes, in trainings on what is not set aside
_EPOCH = 4.0  # what an epoch takes in forward passes, before it is measured
_SHARE = 0.9  # of the time that a training may plan with


def with_scratch(
    workspace: Workspace, draws: Draws, cells: Cells, number: int, ends: float | None, pass_seconds: float
) -> Measured:
    """Train from random weights on as many draws as fit the time.

    Args:
        workspace: of the network with random weights.
        draws: of the training items.
        cells: that are kept; those found there are not trained again.
        number: of the method among the cells.
        ends: when the time is over, by `time.perf_counter`; None: never.
        pass_seconds: of a forward pass of one item.
    """
    given = (
        "the same network trained from random weights: all stages, its own rates, the recipe's augmentation"
    )
    measured = Measured(Method("scratch", "scratch", 0.0, given))
    trainings = _Trainings(workspace, pass_seconds, _EPOCH * pass_seconds)
    sizes = (draws.sizes[0], *reversed(draws.sizes[1:]))
    order = [(size, seed) for seed in range(draws.n_seeds) for size in sizes]
    found = {key: cell for key in order if (cell := cells.find(number, *key)) is not None}
    if ends is not None:  # what an earlier process spent counts
        ends -= sum(cell.seconds for cell in found.values())
    no_time = ""
    with progress("Training from random weights", len(order), "draws") as advance:
        for place, key in enumerate(order):
            if key not in found:
                rest = sum(
                    size for size, seed in order[place:] if seed == key[1] and (size, seed) not in found
                )
                left = np.inf if ends is None else ends - time.perf_counter()
                try:
                    cell = trainings.learn(draws.positions[key], draws.seed + key[1], left * key[0] / rest)
                    found[key] = cells.keep(number, *key, cell)
                except _NoTime as error:
                    no_time = str(error)
            advance(1)
    measured.cells.update(found)
    done = sum(cell.values is not None for cell in found.values())
    tried = [found[key].given for key in order if key in found and found[key].given]
    notes = [f"{done} of {counted(len(order), 'draws')} trained", *tried[:1], no_time]
    measured.note = "; ".join(note for note in notes if note)
    return measured


class _NoTime(Exception):
    """What is left is too short for one training."""


@dataclass(eq=False)
class _Trainings:
    """Trainings of one network from random weights.

    Attributes:
        workspace: of the network.
        pass_seconds: of a forward pass of one item.
        item_seconds: of an epoch, per item: estimated before the first training, then measured.
    """

    workspace: Workspace
    pass_seconds: float
    item_seconds: float

    def learn(self, train: np.ndarray, seed: int, allowed: float) -> Cell:
        """Train on a draw.

        Args:
            train: positions of the items.
            seed: random seed.
            allowed: seconds that it may take.
        """
        return or_why_not(partial(self._learn, allowed))(train, seed)

    def _learn(self, allowed: float, train: np.ndarray, seed: int) -> Cell:
        from headstart.tune import Policy

        started = time.perf_counter()
        own = with_seed(self.workspace, seed)
        why, parts = parts_of(own, train)
        if parts is None:
            raise DataError(f"nothing can be set aside to compare rates on: {why}")
        inside, aside = parts
        stages = tuple(own.plan.source.stages)
        policy = Policy.at(0, stages)
        recipe = own.plan.recipe_for(policy)
        wanted = max(recipe.epochs or 1, -(-STEPS * recipe.batch_size // len(train)))
        held_out = own.plan.data.positions("test")
        epoch = self.item_seconds * len(inside)
        left = allowed - len(held_out) * self.pass_seconds
        n_affordable = _SHARE * left / epoch
        rates = RATES if n_affordable >= LEAST_EPOCHS * (len(RATES) + _AGAIN) else RATES[:1]
        epochs = int(min(wanted, n_affordable / (len(rates) + _AGAIN)))
        if epochs < 1:
            need = (len(rates) + _AGAIN) * epoch / _SHARE
            raise _NoTime(
                f"no time for {counted(len(train), 'items')}, which take about {in_seconds(need)} with one epoch, and "
                f"{in_seconds(max(0.0, left))} were left: give a longer --budget"
            )
        best, rate = self._best(own, policy, rates, epochs, inside, aside)
        again = self._trained(own, policy, rate, max(1, best.best_epoch), train, aside[:0])
        head = replace(again.head, temperature=best.head.temperature)
        features = own.features_by(source_with(own.plan.source, again.state_dict), held_out)
        outputs = head.outputs(features.stacked(head.stages))
        given = f"{counted(len(rates), 'rates')} of up to {counted(epochs, 'epochs')} were tried"
        quality = None if best.validation is None else best.validation.quality
        return cell_of(own.plan.data, outputs, train, quality, len(aside), started, given)

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
        recipe = at_rate(own.plan.recipe_for(policy), rate).model_copy(update={"epochs": epochs})
        started = time.perf_counter()
        trained = own.training(policy, recipe, train, aside, None, probe=None).run()
        n_epochs = max(1, len(trained.history))
        self.item_seconds = (time.perf_counter() - started) / (n_epochs * len(train))
        return trained
