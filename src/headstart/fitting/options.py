"""The options of `fit`, each declared once: its type, default, constraint and words.

The command's flags and help, the signature of `headstart.fit`, the constructors of the estimators, headstart.yaml
and docs/options.md are all made from these fields. To add an option, add a field.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from headstart.errors import OptionError
from headstart.fitting.class_weight import ClassWeight
from headstart.fitting.shared_options import (
    DATA,
    RUN,
    SOURCE,
    TRAINING,
    AnyPath,
    CommonOptions,
    Precision,
    RunOptions,
    Shown,
    checked,
    seconds_of,
)
from headstart.tracking.tracker import Library, check_library
from headstart.tune.policies.catalogue import usages
from headstart.tune.policies.policy import check_policy_text
from headstart.tune.recipes.bundled import find_recipe
from headstart.tune.recipes.recipe import Recipe

if TYPE_CHECKING:
    from headstart.evidence.threshold_rule import ThresholdRule


def _of_recipe(name: str) -> Any:
    """A setting of the recipe that an option overrides, with the recipe's own words and constraints."""
    setting = Recipe.model_fields[name]
    field: Any = Field(default=None, description=setting.description)
    field.metadata.extend(setting.metadata)
    return field


class LearnOptions(CommonOptions):
    """Options of learning, which the estimators take too."""

    source: Annotated[
        AnyPath | None, Shown(SOURCE, otherwise="a well-known one for the data, from the hub")
    ] = Field(
        default=None,
        kw_only=False,
        description="timm:NAME, hf:NAME[@REVISION], a folder, a file, run:RUN or bundled:letters.",
    )
    freeze: Annotated[str, Shown(SOURCE)] = Field(
        default="all",
        kw_only=False,
        description=f"What trains besides the head: {usages()}; a cut and what trains after it are joined by a "
        "comma, as in first:2,lora:8.",
    )
    arch: Annotated[str | None, Shown(SOURCE)] = Field(
        default=None, description="FILE:Class, module:Class or a timm name, for a file of weights alone."
    )
    head: Annotated[Literal["auto", "standard"], Shown(SOURCE)] = Field(
        default="auto", description="auto, or standard: the pooling and the head of the library's own class."
    )
    budget: Annotated[str | None, Shown(SOURCE, "TIME")] = Field(
        default=None, description="Time for --freeze auto, such as 90s, 10m or 1h."
    )
    class_weight: Annotated[ClassWeight | None, Shown(TRAINING, "WEIGHTS")] = Field(
        default=None,
        description="How much each class counts in learning: balanced (every class the same), or CLASS=WEIGHT,...",
    )
    recipe: Annotated[AnyPath | None, Shown(TRAINING, otherwise="the settings of the modality")] = Field(
        default=None, description="Training settings: a name of `headstart recipes`, or a YAML file."
    )
    epochs: Annotated[int | None, Field(ge=1), Shown(TRAINING, otherwise="the recipe's")] = _of_recipe(
        "epochs"
    )
    lr: Annotated[
        Annotated[float, Field(gt=0)] | Literal["auto"] | None, Shown(TRAINING, otherwise="the recipe's")
    ] = _of_recipe("lr")
    batch_size: Annotated[int | None, Shown(TRAINING, otherwise="the recipe's")] = _of_recipe("batch_size")
    views: Annotated[int | None, Shown(TRAINING, otherwise="the recipe's")] = _of_recipe("views")

    @property
    def budget_seconds(self) -> float | None:
        """The budget in seconds; None if there is none."""
        return None if self.budget is None else seconds_of(self.budget)


class FitOptions(LearnOptions, RunOptions):
    """Every option of a fit; all but `out` are written resolved to RUN/headstart.yaml."""

    weight: Annotated[str | None, Shown(DATA, "COLUMN")] = Field(
        default=None, description="Column of the weight of each item in learning."
    )
    source_data: Annotated[AnyPath | None, Shown(SOURCE, "PATH")] = Field(
        default=None,
        description="The source's own training data, in any layout, without labels too: held-out items that it "
        "holds are reported.",
    )

    compile: Annotated[bool, Shown(TRAINING)] = Field(
        default=False, description="Compile the trained blocks; slower on processors (docs/training.md)."
    )
    folds: Annotated[int | None, Shown(RUN)] = Field(
        default=None, ge=2, le=100, description="Evaluate by cross-validation with this number of folds."
    )
    refit_all: Annotated[bool, Shown(RUN)] = Field(
        default=False, description="After the evaluation, learn from every label."
    )
    baseline: Annotated[bool, Shown(RUN)] = Field(default=True, description="Measure the classical baseline.")
    guard: Annotated[bool, Shown(RUN)] = Field(
        default=False, description="Return the classical baseline if it is better in training beyond chance."
    )

    threshold: Annotated[str | None, Shown(RUN, "RULE", otherwise="the most probable class")] = Field(
        default=None,
        description="From which probability on an item is given a class, chosen on training items: "
        "CLASS:recall=0.95, CLASS:precision=0.9, or CLASS:cost=5 if a missed item costs 5 times a false alarm.",
    )
    track: Annotated[Library | None, Shown(RUN)] = Field(
        default=None,
        description="Also report losses, scores, options and the report to this library (docs/sharing.md).",
    )
    export: Annotated[bool, Shown(RUN)] = Field(
        default=True,
        description="Write model.pt2, by which the run predicts; without it a run is made some seconds sooner.",
    )

    @property
    def threshold_rule(self) -> ThresholdRule | None:
        """What a threshold is chosen for; None: none is."""
        from headstart.evidence.threshold_rule import ThresholdRule

        return None if self.threshold is None else ThresholdRule.parse(self.threshold)

    def resolved(self, source: str, precision: Precision) -> FitOptions:
        """With the source and the precision that were taken if the options left them open.

        The device stays as it was given: a run may be resumed, or made again, on another machine.

        Args:
            source: the URI of the source.
            precision: fp32 or bf16.
        """
        return self.model_copy(update={"source": self.source or source, "precision": precision})


def fit_options(**given: Any) -> FitOptions:
    """Check the options of a fit and report all faults at once.

    Args:
        given: fields of FitOptions by name.

    Raises:
        OptionError: an option is unknown or has a wrong value.
    """
    options = checked(FitOptions, given, places=("data", "source", "source_data", "recipe", "out", "store"))
    check_policy_text(options.freeze)
    if options.recipe is not None:
        find_recipe(options.recipe)
    _ = options.threshold_rule  # refused before anything is read
    if options.budget is not None:
        seconds_of(options.budget)
    elif options.freeze == "auto":
        raise OptionError("--freeze auto needs a --budget, such as --budget 5m")
    if options.compile and options.freeze == "auto":
        raise OptionError("--compile is for one training: a race would compile every candidate again")
    if options.track is not None:
        check_library(options.track)
    if options.guard and not options.baseline:
        raise OptionError("--guard compares with the classical baseline: leave out --no-baseline")
    return options
