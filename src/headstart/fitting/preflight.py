"""What is checked before the long part: the device, the store, what can be learned, options without effect."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from headstart import processes
from headstart.data.in_memory_data import Data
from headstart.errors import DataError, DiskFullError, OptionError
from headstart.files import named_path
from headstart.fitting.options import FitOptions
from headstart.fitting.shared_options import CommonOptions
from headstart.units import agreeing

if TYPE_CHECKING:
    from headstart.data import DataSet
    from headstart.features import Setting
    from headstart.sources import Source
    from headstart.tasks import Task
    from headstart.tune import Policy, Recipe

_OF_TRAINING = ("recipe", "epochs", "lr", "batch_size", "views", "compile")


def check_machine(options: FitOptions) -> Setting:
    """Choose device, precision and threads of a fit, and check everything that needs neither data nor source.

    Args:
        options: the options.

    Raises:
        OptionError: naming the option.
        DiskFullError: the store's disk is full.
    """
    from headstart.tune.speedups.compiled import check_compiler

    setting = check_setting(options, options.out)
    if options.compile:
        check_compiler()
    return setting


def check_setting(options: CommonOptions, out: str | Path | None) -> Setting:
    """Choose device, precision and threads, and check them with the store and the folder of the run.

    Args:
        options: device, precision, threads and store.
        out: the folder of the run; None: not given.

    Raises:
        OptionError: naming the option.
        DiskFullError: the store's disk is full.
    """
    from headstart.features import Setting, choose_device, choose_precision
    from headstart.runs.directory import check_out

    device = choose_device(options.device)
    _check_store(options.store)
    if out is not None:
        check_out(out)
    processes.check_not_sharded()
    # one precision for all processes: it may have to be measured
    precision = processes.from_first(lambda: choose_precision(options.precision, device, options.store))
    return Setting.choose(options.device, precision, options.threads)


def _check_store(store: str | Path | None) -> None:
    from headstart.features.failures import explained
    from headstart.features.store import default_root

    root = default_root() if store is None else named_path(store, "--store")
    existing = root
    try:
        existing = next(path for path in (root, *root.absolute().parents) if path.exists())
        if existing.is_dir():
            return _try_to_write(existing)
        wrong = f"{existing} is a file, not a folder"
    except OSError as error:
        failure = explained(error, existing, n_bytes=1)
        if isinstance(failure, DiskFullError):
            raise failure from None
        wrong = f"{existing} cannot be written ({error.strerror or error})"
    raise OptionError(
        f"the feature store {root}: {wrong}; pass a folder you may write with --store, or set HEADSTART_CACHE"
    )


def _try_to_write(folder: Path) -> None:
    """Write to a file without a name, which no kill can leave behind; permissions alone do not show root a read-only
    disk."""
    with tempfile.TemporaryFile(dir=folder, buffering=0) as trial:
        trial.write(b"1")


def check_learnable(data: DataSet, name: Data, *, held_out: bool) -> None:
    """Refuse parts that nothing can be learned from or measured on, before anything is computed.

    Args:
        data: the data set.
        name: how messages call it.
        held_out: whether a test part is needed.

    Raises:
        DataError: one class in the training part, or nothing held out.
    """
    train = data.positions("train")
    found = sorted(set(np.asarray(data.labels)[train]))
    if len(found) < 2:
        raise DataError(
            f"{name}: {agreeing(len(train), 'the one training item has', f'all {len(train)} training items have')} "
            f"the same label '{found[0] if found else ''}'; at least two are needed there. {data.examples.split_origin}"
        )
    if held_out and not len(data.positions("test")):
        raise DataError(
            f"{name}: the given split holds no test part: name one 'test' in the split column or "
            "folders, or evaluate by cross-validation with --folds 5"
        )


def check_processes(options: FitOptions, source: Source, policy: Policy, recipe: Recipe) -> None:
    """Refuse at once what several processes cannot train.

    Args:
        options: for the device.
        source: the pretrained network.
        policy: what is frozen.
        recipe: the settings of training.

    Raises:
        OptionError: naming what cannot be trained.
    """
    if processes.count() > 1:
        from headstart.features import choose_device
        from headstart.tune.training.network_copy import check_batch_norm

        check_batch_norm(source, policy, recipe, choose_device(options.device))


def options_without_effect(
    options: FitOptions, policy: Policy, recipe: Recipe, source: Source, task: Task
) -> list[str]:
    """Messages about options that do less than they seem to.

    Args:
        options: the options.
        policy: what is frozen.
        recipe: the settings of training.
        source: the pretrained network.
        task: what is learned.
    """
    return [
        *policy.cautions(pretrained=source.provenance.pretrained),
        *without_effect(options, policy),
        *unopened_stages(policy, recipe),
        *unseen_augmentation(policy, recipe, source.modality),
        *judged_by_class(recipe, task),
    ]


def without_effect(options: FitOptions, policy: Policy) -> list[str]:
    """Options that have no effect under a policy.

    Args:
        options: the options.
        policy: what is frozen.
    """
    found = []
    given = [f"--{name.replace('_', '-')}" for name in _OF_TRAINING if getattr(options, name)]
    if given and not policy.trains_stages:
        verb = "has" if len(given) == 1 else "have"
        found.append(
            f"{', '.join(given)} {verb} no effect under --freeze {policy.text}, which fits the head alone: "
            "say what trains, such as --freeze none"
        )
    if options.budget is not None and policy.kind.chooses != "race":
        found.append("--budget has no effect without --freeze auto")
    return found


def unopened_stages(policy: Policy, recipe: Recipe) -> list[str]:
    """The stages that `gradual` does not reach within the epochs of a recipe.

    Args:
        policy: what is frozen.
        recipe: of the length.
    """
    if not policy.gradual or recipe.steps is not None:
        return []
    left = policy.stages[policy.resolved_cut : policy.cut_at(recipe.epochs)]
    if not left:
        return []
    named = left[0] if len(left) == 1 else f"{left[0]} to {left[-1]}"
    return [
        f"'{policy.text}' opens one stage per epoch: in {recipe.epochs} epochs {named} stay frozen. "
        f"To open all: --epochs {len(policy.trained)}"
    ]


def unseen_augmentation(policy: Policy, recipe: Recipe, modality: str) -> list[str]:
    """Augmentation that a recipe asks for and that no item will get.

    Args:
        policy: what is frozen.
        recipe: of the augmentation.
        modality: "image", "text" or "audio".
    """
    if modality == "text":
        if (
            recipe.augment == "none"
            and recipe.word_dropout != type(recipe).model_fields["word_dropout"].default
        ):
            return ["word_dropout has no effect without augment: light"]
        if recipe.augment != "none" and policy.stores_prefix:
            return [
                "word dropout has no effect if a frozen prefix is stored: only --freeze none drops other words "
                "in each epoch"
            ]
        return []
    asked = {
        "augment: trivial": modality == "image" and recipe.augment == "trivial",
        "spec_augment": modality == "audio" and recipe.spec_augment,
        "speed": modality == "audio" and recipe.speed > 0,
    }
    named = ", ".join(name for name, is_asked in asked.items() if is_asked)
    if not named or not policy.stores_prefix or recipe.views > 1 or recipe.augment == "none":
        return []
    return [
        f"the frozen prefix is stored once per item, so {named} has no effect: --views 4 stores augmented "
        "views in addition to the plain one, --freeze none draws one each epoch"
    ]


def judged_by_class(recipe: Recipe, task: Task) -> list[str]:
    """A message: choices count every class the same, metrics count every item the same.

    Args:
        recipe: of the weights.
        task: what is learned.
    """
    if not recipe.weighs_rare_classes:
        return []
    by = task.words.judged
    return [
        "rare classes weigh more in training, so epochs and candidates are compared with every class counting the "
        f"same ({by}); accuracy on the held-out part still counts every item the same"
    ]
