"""A plan: one source, one policy and one recipe on a data set. Many plans can share one data set."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from headstart.clock import IMPORTS, Clock, long_lived
from headstart.errors import SourceError
from headstart.files import name_of
from headstart.fitting.options import FitOptions
from headstart.fitting.preflight import check_processes, options_without_effect
from headstart.fitting.source_data import overlap_of
from headstart.fitting.weights import Weights, check_weights, weights_of
from headstart.progress import say, waiting

if TYPE_CHECKING:
    import numpy as np

    from headstart.data import DataSet, Examples, Finding, Modality
    from headstart.data.source_overlap import SourceOverlap
    from headstart.evidence.threshold_rule import ThresholdRule
    from headstart.sources import Source
    from headstart.tune import Policy, Recipe

_TRANSFORMERS = (  # what every model of transformers imports when its class is first used
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


@dataclass(frozen=True, eq=False)
class Plan:
    """What a fit learns from, and how; made before the first expensive step.

    Attributes:
        data: the data set, labelled.
        source: the pretrained network; for audio, with the window of the items that are not held out.
        policy: what is frozen.
        recipe: how it is trained under that policy.
        recipe_for: the recipe under another policy.
        findings: what the data checks found, including checks that need the source.
        seed: random seed of every choice.
        arch: the architecture of weights that do not name their own, needed to build the network again.
        standard_head: whether the pooling and the head of the library's own class are used.
        compiled: whether trained blocks are compiled.
        budget_seconds: time for a race.
        threshold: what a threshold on a class is chosen for; None: the usual answer is given.
        overlap: which items the source was trained on; None if its own training data was not given.
        weights: how much each item counts in learning; None: all the same.
    """

    data: DataSet
    source: Source
    policy: Policy
    recipe: Recipe
    recipe_for: Callable[[Policy], Recipe]
    findings: Sequence[Finding] = ()
    seed: int = 0
    arch: str | None = None
    standard_head: bool = False
    compiled: bool = False
    budget_seconds: float = 0.0
    threshold: ThresholdRule | None = None
    overlap: SourceOverlap | None = None
    weights: Weights | None = None

    @classmethod
    def of(cls, data: DataSet, source: Source, policy: Policy, options: FitOptions) -> Plan:
        """The plan for a data set that is read, and a source that is loaded.

        Args:
            data: the data set.
            source: the pretrained network.
            policy: what is frozen.
            options: the other settings.
        """
        from headstart.data import Finding, check_lengths
        from headstart.evidence.threshold_rule import COST_AND_WEIGHTS

        recipe_for = partial(recipe_of, options, source.modality)
        source = with_window_of(source, data, data.learnable)
        lengths = check_lengths(data.examples, data.scan, source.preprocessing)
        weights = weights_of(options, data)
        weighted = [] if weights is None else [weights.finding(data.positions("train"))]
        if (
            weights is not None
            and options.threshold_rule is not None
            and options.threshold_rule.goal == "cost"
        ):
            weighted.append(Finding("threshold", "warning", COST_AND_WEIGHTS))
        return cls(
            data,
            source,
            policy,
            recipe_for(policy),
            recipe_for,
            (*weighted, *data.findings, *lengths),
            seed=options.seed,
            arch=options.arch,
            standard_head=options.head == "standard",
            compiled=options.compile,
            budget_seconds=options.budget_seconds or 0.0,
            threshold=options.threshold_rule,
            weights=weights,
        )

    def with_overlap(self, overlap: SourceOverlap) -> Plan:
        """The same plan, with what the source's own training data holds, which is the first finding.

        Args:
            overlap: which items the source was trained on.
        """
        findings = (overlap.finding(self.data.examples), *self.findings)
        return replace(self, overlap=overlap, findings=findings)


def plan_fit(examples: Examples, options: FitOptions, clock: Clock) -> Plan:
    """Plan a fit of data that was read, with what the source's own training data holds of it.

    Args:
        examples: items that were read.
        options: the options.
        clock: takes the phases "checks", "source" and "source data".

    Raises:
        InputError: anything about the data, the source or the options is wrong.
    """
    plan = plan_examples(examples, options, clock)
    overlap = overlap_of(plan.data, options, clock)
    return plan if overlap is None else plan.with_overlap(overlap)


def plan_examples(examples: Examples, options: FitOptions, clock: Clock, split: bool = True) -> Plan:
    """Load the source and check the options, then check and split the data, which takes longer.

    Args:
        examples: items that were read.
        options: the options.
        clock: takes the phases "checks" and "source".
        split: hold items out if no split was given; False: every item is learned from.

    Raises:
        InputError: anything about the data, the source or the options is wrong.
    """
    from headstart.data import DataSet
    from headstart.data.labels import require_labels
    from headstart.processes import available_cores
    from headstart.tune.checks import check_recipe

    require_labels(examples)
    weighted = check_weights(options, examples)
    with waiting("Reading the source …"):
        with clock.phase(IMPORTS):
            import_library(examples.modality)
        with long_lived(), clock.phase("source"):
            source = load(options, examples.modality)
    with clock.phase("source"):
        policy = policy_of(options, source)
        recipe = recipe_of(options, source.modality, policy)
        check_recipe(recipe, policy, examples.task, examples.modality, weighted=weighted)
        check_processes(options, source, policy, recipe)
        for caution in options_without_effect(options, policy, recipe, source, examples.task):
            say(caution)
    data = DataSet.of(
        examples,
        split=split,
        folds=options.folds,
        seed=options.seed,
        threads=options.threads or available_cores(),
        clock=clock,
    )
    return Plan.of(data, source, policy, options)


def load(options: FitOptions, modality: Modality) -> Source:
    """Load the source of the options, or the default source of the data's modality.

    Raises:
        SourceError: it is not a source of that modality.
    """
    from headstart.sources import default_source, load_source

    uri = str(options.source or default_source(modality))
    source = load_source(
        uri, arch=options.arch, modality=modality, trust_remote_code=options.trust_remote_code
    )
    if source.modality != modality:
        raise SourceError(
            f"{uri} takes {source.modality}, and {name_of(str(options.data))} holds {modality}: "
            "pass a source of the data's kind with --source"
        )
    if options.head == "standard":
        from headstart.sources.standard_head import with_standard_head

        return with_standard_head(source)
    return source


def policy_of(options: FitOptions, source: Source) -> Policy:
    """What is frozen; a standard head's own pooling has random weights, so it trains under `all` too."""
    from headstart.sources.transformers.class_pooling import POOLING_STAGE
    from headstart.tune import Policy

    stages = tuple(source.stages)
    policy = Policy.parse(options.freeze, stages)
    if options.head == "standard" and stages[-1] == POOLING_STAGE and policy.cut == len(stages):
        return Policy.at(len(stages) - 1, stages)
    return policy


def recipe_of(options: FitOptions, modality: str, policy: Policy) -> Recipe:
    """The recipe of the options under a policy, with the policy's own rate if none is given.

    Args:
        options: the options.
        modality: "image", "text" or "audio".
        policy: what is frozen; under `gradual` every stage opens if no length is given.
    """
    from headstart.tune import Recipe
    from headstart.tune.recipes.bundled import find_recipe

    settings: dict[str, Any] = {
        "rate": policy.rate,
        "least_epochs": len(policy.trained) if policy.gradual else 1,
        "epochs": options.epochs,
        "lr": options.lr,
        "batch_size": options.batch_size,
        "views": options.views,
    }
    if options.recipe is not None:
        return Recipe.load(find_recipe(options.recipe), modality, **settings)
    return Recipe.for_modality(modality, **settings)


def with_window_of(source: Source, data: DataSet, positions: np.ndarray) -> Source:
    """An audio source with the window of some items, as long as the longest of them; any other source as it is.

    Args:
        source: the pretrained network.
        data: the data set.
        positions: of the items that are learned from; longer ones that are held out are cut to the window.
    """
    from headstart.data import AudioPreprocessing, with_window

    seconds = data.scan.seconds
    if not isinstance(source.preprocessing, AudioPreprocessing) or seconds is None:
        return source
    return replace(source, preprocessing=with_window(source.preprocessing, seconds[positions]))


def import_library(modality: str) -> None:
    """Import what loading a source of this modality needs, so that its seconds count as imports."""
    for name in _LIBRARIES.get(modality, ()):
        importlib.import_module(name)
