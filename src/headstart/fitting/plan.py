"""What stands before any training: the data read, checked and split, the source loaded, the policy read."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from headstart.clock import IMPORTS, Clock, long_lived
from headstart.errors import DataError, DiskFullError, OptionError, SourceError
from headstart.fitting.cautions import judged_by_class, unopened, without_part, without_views
from headstart.fitting.options import FitOptions
from headstart.progress import say

if TYPE_CHECKING:
    from headstart.data import Examples, Finding, Scan
    from headstart.sources import Source
    from headstart.tune import Policy, Recipe

_TRANSFORMERS = (  # what every model of transformers imports when its class is first asked for
    "transformers.modeling_utils",
    "transformers.modeling_layers",
    "transformers.processing_utils",
    "transformers.generation.utils",
    "transformers.models.auto.modeling_auto",
    "headstart.sources.library_transformers",
)
_LIBRARIES = {
    "image": ("timm",),
    "text": (*_TRANSFORMERS, "tokenizers"),
    "audio": (*_TRANSFORMERS, "soundfile", "soxr"),
}


@dataclass(frozen=True)
class Prepared:
    """A fit before its first expensive step.

    Attributes:
        examples: readable items with labels and splits.
        scan: what one pass over the items found, in the order of `examples`.
        findings: what the data checks say.
        source: the pretrained network; for audio, with the window of this data set.
        policy: what is frozen.
        recipe: how it is trained, where it is.
        units: what folds keep together, of shape (n_items,): groups, joined where they share an item.
    """

    examples: Examples
    scan: Scan
    findings: Sequence[Finding]
    source: Source
    policy: Policy
    recipe: Recipe
    units: np.ndarray | None

    def positions(self, part: str) -> np.ndarray:
        """Positions of the items of a part: "train", "validation" or "test"."""
        return np.flatnonzero(self.examples.splits == part)


def prepare(config: FitOptions, clock: Clock) -> Prepared:
    """Read the data and the source, and check all that can be known before the long part.

    Args:
        config: the options.
        clock: takes the phases "data", "checks" and "source".

    Raises:
        InputError: anything about the data, the source or the options is wrong.
    """
    from headstart.data import read_examples

    with clock.phase("data"):
        examples = read_examples(
            config.data,
            target=config.target,
            group=config.group,
            domain=config.domain,
            modality=config.modality,
            task=None if config.task == "auto" else config.task,
        )
    return prepare_examples(examples, config, clock)


def check_place(config: FitOptions) -> None:
    """Refuse a device that is not there and a store that cannot be one, before anything is read.

    Raises:
        OptionError: naming the option.
        DiskFullError: the store's disk has no room at all.
    """
    from headstart.features import Setting
    from headstart.features.failures import explained
    from headstart.features.store import default_root

    Setting.choose(config.device, config.precision, config.threads)
    root = default_root() if config.store is None else Path(config.store)
    standing = root
    try:
        standing = next(path for path in (root, *root.absolute().parents) if path.exists())
        if standing.is_dir():
            return _try_to_write(standing)
        wrong = f"{standing} is a file, not a folder"
    except OSError as error:
        failure = explained(error, standing, n_bytes=1)
        if isinstance(failure, DiskFullError):
            raise failure from None
        wrong = f"{standing} cannot be written ({error.strerror or error})"
    raise OptionError(
        f"the feature store {root}: {wrong}; pass a folder you may write with --store, or set HEADSTART_CACHE"
    )


def _try_to_write(folder: Path) -> None:
    """Make a folder and a file in it, and remove them: rights alone say yes to root on what is read-only."""
    with tempfile.TemporaryDirectory(prefix=".headstart-", dir=folder) as trial:
        (Path(trial) / "trial").write_bytes(b"1")


def check_learnable(job: Prepared, config: FitOptions) -> None:
    """Refuse parts that nothing can be learned from or measured on, before anything is computed.

    Raises:
        DataError: one class in the training part, or nothing held out.
    """
    train = job.positions("train")
    found = sorted(set(np.asarray(job.examples.labels)[train]))
    if len(found) < 2:
        raise DataError(
            f"{config.data}: all {len(train)} training items have the one label '{found[0] if found else ''}'; "
            f"at least two are needed there. {job.examples.split_origin}"
        )
    if config.folds is None and not len(job.positions("test")):
        raise DataError(
            f"{config.data}: the given split holds no test part: name one 'test' in the split column or "
            "folders, or evaluate by cross-validation with --folds 5"
        )


def prepare_examples(examples: Examples, config: FitOptions, clock: Clock, split: bool = True) -> Prepared:
    """The same for examples that are read already.

    Args:
        examples: labelled items.
        config: the options.
        clock: takes the phases "checks" and "source".
        split: hold items out where no split was given; else all are learned from.
    """
    from headstart.data import (
        bound_groups,
        check,
        check_lengths,
        check_unreadable,
        drop_unreadable,
        identity,
        scan,
    )
    from headstart.processes import available_cores
    from headstart.tune.checks import check_recipe

    if examples.labels is None:
        raise DataError("the data has no labels to learn: name their column with --target")
    with clock.phase(IMPORTS):
        _import_library(examples.modality)
    with long_lived(), clock.phase("source"):
        source = _load(config, examples)
        policy = _policy(config, source)
        recipe = recipe_of(config, source.modality, policy)
        check_recipe(recipe, policy, examples.task, examples.modality)
        cautions = [
            *policy.cautions(pretrained=source.provenance.pretrained),
            *without_part(config, policy),
            *unopened(policy, recipe),
            *without_views(policy, recipe, source.modality),
            *judged_by_class(recipe, examples.task),
        ]
        for caution in cautions:
            say(caution)
    with clock.phase("checks"):
        found = scan(examples.items, examples.modality, threads=config.threads or available_cores())
        readable, seen = drop_unreadable(examples, found)
        keys = identity(readable, seen)
        readable = _with_parts(readable, config, keys, split)
        unreadable = check_unreadable(examples, found)
        source = with_data_window(source, seen)
        findings = [*unreadable, *check(readable, seen), *check_lengths(readable, seen, source.preprocessing)]
        units = bound_groups(readable.groups, keys)
    return Prepared(readable, seen, findings, source, policy, recipe, units)


def with_data_window(source: Source, seen: Scan) -> Source:
    """An audio source with the one window of the data set; any other source as it is."""
    from headstart.data import AudioPreprocessing, with_window

    if not isinstance(source.preprocessing, AudioPreprocessing) or seen.seconds is None:
        return source
    return replace(source, preprocessing=with_window(source.preprocessing, seen.seconds))


def _import_library(modality: str) -> None:
    """Import what loading a source of this modality needs, so that its seconds count as imports."""
    import importlib

    for name in _LIBRARIES[modality]:
        importlib.import_module(name)


def _load(config: FitOptions, examples: Examples) -> Source:
    from headstart.sources import default_source, load_source

    uri = str(config.source or default_source(examples.modality))
    source = load_source(
        uri, arch=config.arch, modality=examples.modality, trust_remote_code=config.trust_remote_code
    )
    if source.modality != examples.modality:
        raise SourceError(
            f"{uri} takes {source.modality}, and {Path(config.data).name} holds {examples.modality}: "
            "pass a source of the data's kind with --source"
        )
    if config.head == "standard":
        from headstart.sources.standard_head import with_standard_head

        return with_standard_head(source)
    return source


def _policy(config: FitOptions, source: Source) -> Policy:
    """What is frozen; a standard head's own pooling has weights of chance, so it trains also under `all`."""
    from headstart.sources.transformers.class_pooling import POOLING_STAGE
    from headstart.tune import Policy

    stages = tuple(source.stages)
    policy = Policy.parse(config.freeze, stages)
    if config.head == "standard" and stages[-1] == POOLING_STAGE and policy.cut == len(stages):
        return Policy.at(len(stages) - 1, stages)
    return policy


def recipe_of(config: FitOptions, modality: str, policy: Policy) -> Recipe:
    """The recipe of the options under a policy, with the policy's own rate where none is given.

    Args:
        config: the options.
        modality: "image", "text" or "audio".
        policy: what is frozen; under `gradual` every stage opens where nothing is said of the length.
    """
    from headstart.tune import Recipe
    from headstart.tune.recipes.bundled import find_recipe

    told: dict[str, Any] = {
        "rate": policy.rate,
        "least_epochs": len(policy.trained) if policy.gradual else 1,
        "epochs": config.epochs,
        "lr": config.lr,
        "batch_size": config.batch_size,
        "views": config.views,
    }
    if config.recipe is not None:
        return Recipe.load(find_recipe(config.recipe), modality, **told)
    return Recipe.for_modality(modality, **told)


def _with_parts(examples: Examples, config: FitOptions, keys: np.ndarray, split: bool) -> Examples:
    """With splits; with `--folds` every item is learned from and held out in turn."""
    from headstart.data import with_splits

    if config.folds is None and split:
        return with_splits(examples, seed=config.seed, keys=keys)
    by = f", by {examples.group or 'group'}" if examples.groups is not None else ""
    aside = " The given split is left aside." if examples.splits is not None else ""
    origin = f"{config.folds}-fold cross-validation of the whole procedure{by}, seed {config.seed}.{aside}"
    return replace(examples, splits=np.full(len(examples), "train", dtype=object), split_origin=origin)
