"""Can a result be learned from some items? Asked of the training part and of every fold before anything is computed.

Small sets in groups can leave one class, or one group, where a fold or a validation part is held out. Folds that do so
are replaced: by those of other seeds, then by fewer folds.

Legend: N items.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headstart.data.in_memory_data import Data
from headstart.errors import DataError
from headstart.fitting.options import FitOptions
from headstart.fitting.plan import Plan
from headstart.fitting.preflight import check_learnable
from headstart.progress import say
from headstart.units import agreeing

N_SEEDS = 10  # draws of the folds that are tried for each number of folds


@dataclass(frozen=True, eq=False)
class Folds:
    """Folds of the whole procedure.

    Attributes:
        numbers: fold of each item, of shape (N,), from 0.
        note: how they differ from those that were asked for, in a sentence; "" if they do not.
    """

    numbers: np.ndarray
    note: str = ""


def check_plan(plan: Plan, options: FitOptions) -> None:
    """Refuse data from which nothing can be learned or on which nothing can be measured, or a network without program.

    Args:
        plan: data, source, policy, recipe and seed.
        options: how the data is called, and how it is evaluated.

    Raises:
        DataError: nothing is held out, or some part is too small.
        ArchitectureError: the network cannot be written as model.pt2.
    """
    from headstart.fitting.exportable import check_exportable

    check_learnable(plan.data, options.data, held_out=options.folds is None)
    check_parts(plan, options.data, n_folds=options.folds, refit_all=options.refit_all)
    if options.export:
        check_exportable(plan.source, plan.arch)


def check_parts(plan: Plan, name: Data, *, n_folds: int | None, refit_all: bool) -> None:
    """Refuse data of which some part would fail midway, before any feature is extracted.

    Args:
        plan: data, policy, recipe and seed.
        name: how messages call the data.
        n_folds: folds of the evaluation; None: one held-out part.
        refit_all: whether a result is learned from every item in the end.

    Raises:
        DataError: nothing can be learned from the training part, or without one of the folds.
    """
    train = plan.data.positions("train")
    why = why_not_learnable(plan, train)
    if not why and refit_all:
        why = why_not_learnable(plan, np.arange(len(plan.data)))
    if why:
        raise DataError(f"{name}: {why}. {plan.data.examples.split_origin}")
    if n_folds is not None:
        note = evaluation_folds(plan, train, n_folds).note
        if note:
            say(note)


def evaluation_folds(plan: Plan, items: np.ndarray, n_folds: int) -> Folds:
    """Folds from whose training sides a result can be learned: as many as asked for, or fewer.

    Args:
        plan: data, policy, recipe and seed.
        items: positions of the N items.
        n_folds: folds wanted.

    Raises:
        DataError: there are no such folds; the message names what is left if a fold is held out, and the remedy.
    """
    from headstart.data import fold_indices

    strata, units = np.asarray(plan.data.strata)[items], _units(plan, items)
    usual = fold_indices(strata, units, n_folds, plan.seed)
    first, n_usual = _why_not_all(plan, items, usual), int(usual.max()) + 1
    if not first:
        which = "items" if plan.data.examples.groups is None else "groups"
        fewer = f"{n_usual} folds in place of {n_folds}: no class has more than {n_usual} {which}."
        return Folds(usual, fewer if n_usual < n_folds else "")
    for n_tried in range(n_usual, 1, -1):
        for seed in range(plan.seed, plan.seed + N_SEEDS):
            numbers = fold_indices(strata, units, n_tried, seed)
            if not _why_not_all(plan, items, numbers):
                fewer = f"{int(numbers.max()) + 1} folds in place of {n_usual}"
                done = (
                    fewer if numbers.max() < usual.max() else f"Folds of seed {seed} in place of {plan.seed}"
                )
                return Folds(numbers, f"{done}, because {first}.")
    raise DataError(
        f"No {n_folds} folds, nor fewer, leave enough to learn from: {first}. Give more items"
        f"{'' if plan.data.examples.groups is None else ' in more groups'}, or evaluate on one held-out part "
        "(without --folds)."
    )


def _why_not_all(plan: Plan, items: np.ndarray, numbers: np.ndarray) -> str:
    """Why nothing can be learned with one of the folds held out; "" if it can with each."""
    for fold in range(int(numbers.max()) + 1):
        why = why_not_learnable(plan, items[numbers != fold])
        if why:
            return f"with fold {fold + 1} of {int(numbers.max()) + 1} held out, {why}"
    return ""


def sets_aside(plan: Plan, n_train: int) -> bool:
    """Whether a part is set aside as validation, if none is given.

    Not for the head alone, nor if there are so few labels that all are used for training, in the fixed number of steps
    of the recipe: a part set aside would be too small to choose by, and the training needs every label.

    Args:
        plan: policy and recipe.
        n_train: number of training items.
    """
    from headstart.tune.objectives.contrastive import FEW

    policy, recipe = plan.policy, plan.recipe
    if policy.cut == len(policy.stages):
        return False
    by_pairs_alone = bool(recipe.contrastive) and not recipe.epochs and policy.cut is not None
    return not (by_pairs_alone and n_train <= FEW * len(plan.data.examples.targets.classes))


def why_not_learnable(plan: Plan, train: np.ndarray) -> str:
    """Why the head alone cannot be chosen on some items (see `choose_head`), as a clause; "" if it can.

    Args:
        plan: data and seed.
        train: positions of the items.
    """
    from headstart.data.splits import require_folds

    task = plan.data.examples.task
    found = sorted(set(np.asarray(plan.data.labels)[train].tolist()))
    if len(found) < 2:
        kind, _ = task.words.answer
        have = agreeing(len(train), "the one training item has", f"all {len(train)} training items have")
        return f"{have} the {kind} {found[0] if found else ''!r}"
    strata = task.strata(np.asarray(plan.data.codes)[train])
    if task.one_per_item and np.bincount(strata).max() < 2:
        return ""  # a head on the last stage, without a choice
    groups = plan.data.examples.groups
    if groups is not None and len(set(groups[train].tolist())) == 1:
        return ""  # likewise: another group may be held out, but none is left to choose by
    try:
        require_folds(strata, _units(plan, train))
    except DataError as error:
        return f"no head can be chosen on the {len(train)} training items, because {clause(error)}"
    return ""


def clause(error: DataError) -> str:
    """The first sentence of a message; the remedies that follow are for the whole data."""
    return str(error).partition(". ")[0].rstrip(".")


def _units(plan: Plan, positions: np.ndarray) -> np.ndarray | None:
    return None if plan.data.units is None else plan.data.units[positions]
