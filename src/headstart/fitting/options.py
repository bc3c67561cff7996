"""The options of `fit`, each declared once: its type, default, constraint and words.

The command's flags and help, the signature of `headstart.fit`, the constructors of the estimators, headstart.yaml
and docs/options.md are all made from these fields. To add an option, add a field.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator
from pydantic.fields import FieldInfo

from headstart.errors import OptionError, did_you_mean, shortened
from headstart.files import named_path
from headstart.tune.policies.catalogue import usages
from headstart.tune.policies.policy import check_policy_text
from headstart.tune.recipes.bundled import find_recipe
from headstart.tune.recipes.recipe import Recipe, refuse_truth_values

DATA, SOURCE = "Data", "Source and policy"
TRAINING, RUN, MACHINE = "Training", "Evaluation and run", "Machine"
GROUPS = (DATA, SOURCE, TRAINING, RUN, MACHINE)  # the order of help and docs

Precision = Literal["auto", "fp32", "bf16"]


@dataclass(frozen=True)
class Shown:
    """How an option is shown in help and docs.

    Attributes:
        group: its heading, one of GROUPS.
        metavar: the name of its value in help, such as COLUMN; "": its type.
        otherwise: what is used if it is not given, where the default does not show it.
    """

    group: str
    metavar: str = ""
    otherwise: str = ""


def _as_text(value: Any) -> Any:
    return str(value) if isinstance(value, Path) else value


AnyPath = Annotated[str | Path, BeforeValidator(_as_text)]  # a str once it is validated


def _of_recipe(name: str) -> Any:
    """A setting of the recipe that an option overrides, with the recipe's own words and constraints."""
    setting = Recipe.model_fields[name]
    field: Any = Field(default=None, description=setting.description)
    field.metadata.extend(setting.metadata)
    return field


class _Options(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    _numbers_are_numbers = field_validator("*", mode="before")(refuse_truth_values)


class _DataOption(_Options):
    data: Annotated[AnyPath, Shown(DATA)] = Field(
        kw_only=False, description="A folder, a table, an npz file or a hub id."
    )


class LearnOptions(_Options):
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
    modality: Annotated[Literal["image", "text", "audio"] | None, Shown(DATA)] = Field(
        default=None, description="image, text or audio, if the data does not show it."
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
    seed: Annotated[int, Shown(MACHINE)] = Field(default=0, ge=0, le=2**32 - 1, description="Random seed.")
    precision: Annotated[Precision, Shown(MACHINE)] = Field(
        default="auto", description="fp32, bf16, or auto: bf16 if the device is faster in it."
    )
    device: Annotated[str, Shown(MACHINE)] = Field(
        default="auto", description="cpu, cuda, mps, or auto: CUDA, then MPS, then CPU."
    )
    threads: Annotated[int | None, Shown(MACHINE, otherwise="the cores this process may use")] = Field(
        default=None, ge=1, description="Number of threads."
    )
    store: Annotated[
        AnyPath | None, Shown(MACHINE, "FOLDER", "$HEADSTART_CACHE, or the user's cache folder")
    ] = Field(default=None, description="Folder of the feature store.")

    @property
    def budget_seconds(self) -> float | None:
        """The budget in seconds; None if there is none."""
        return None if self.budget is None else seconds_of(self.budget)


class FitOptions(LearnOptions, _DataOption):
    """Every option of a fit; all but `out` are written resolved to RUN/headstart.yaml."""

    target: Annotated[str | None, Shown(DATA, "COLUMN", "the column label, target or class")] = Field(
        default=None, description="Column to predict."
    )
    task: Annotated[Literal["auto", "classification", "multilabel", "regression"], Shown(DATA)] = Field(
        default="auto",
        description="classification, multilabel (labels joined by | or ;), regression, or auto: by the labels.",
    )
    group: Annotated[str | None, Shown(DATA, "COLUMN", "the column patient, speaker, group or subject")] = (
        Field(default=None, description="Column of the groups that a split keeps together.")
    )
    domain: Annotated[str | None, Shown(DATA, "COLUMN")] = Field(
        default=None, description="Column that says which domain an item belongs to."
    )
    follow_outside: Annotated[bool, Shown(DATA)] = Field(
        default=False,
        description="Also read files outside of the data folder that links or a table point to.",
    )
    trust_remote_code: Annotated[bool, Shown(SOURCE)] = Field(
        default=False, description="Let the model code of a hub source run on this machine."
    )
    compile: Annotated[bool, Shown(TRAINING)] = Field(
        default=False, description="Compile the trained blocks; slower on processors (docs/training.md)."
    )
    out: Annotated[AnyPath | None, Shown(RUN, "FOLDER", "runs/ and the name of the data")] = Field(
        default=None, exclude=True, description="Folder of the run: numbered if it exists, never overwritten."
    )
    folds: Annotated[int | None, Shown(RUN)] = Field(
        default=None, ge=2, le=100, description="Evaluate by cross-validation with this number of folds."
    )
    refit_all: Annotated[bool, Shown(RUN)] = Field(
        default=False, description="After the evaluation, learn from every label."
    )
    baseline: Annotated[bool, Shown(RUN)] = Field(default=True, description="Measure the classical baseline.")
    report: Annotated[bool, Shown(RUN)] = Field(default=True, description="Write report.html.")

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
    try:
        options = FitOptions(**given)
    except ValidationError as error:
        raise OptionError(_all_faults(error)) from None
    for name in ("data", "source", "recipe", "out", "store"):
        if (place := getattr(options, name)) is not None:
            named_path(str(place).removeprefix("run:"), f"option {name}:")
    check_policy_text(options.freeze)
    if options.recipe is not None:
        find_recipe(options.recipe)
    if options.budget is not None:
        seconds_of(options.budget)
    elif options.freeze == "auto":
        raise OptionError("--freeze auto needs a --budget, such as --budget 5m")
    if options.compile and options.freeze == "auto":
        raise OptionError("--compile is for one training: a race would compile every candidate again")
    return options


def shown(field: FieldInfo) -> Shown:
    """How an option is shown."""
    return next(found for found in field.metadata if isinstance(found, Shown))


def default_words(field: FieldInfo) -> str:
    """The default of an option in words; "" if there is none to show."""
    if field.is_required() or field.default is False:
        return ""
    if field.default is True:
        return "yes"
    return shown(field).otherwise if field.default is None else str(field.default)


def seconds_of(budget: str) -> float:
    """Turn "90s", "10m", "1h" or a bare number of seconds into seconds.

    Raises:
        OptionError: the text is none of these.
    """
    units = {"s": 1.0, "m": 60.0, "h": 3600.0}
    text = budget.strip().lower()
    number, unit = (text[:-1], units[text[-1]]) if text and text[-1] in units else (text, 1.0)
    try:
        seconds = float(number) * unit
    except ValueError:
        seconds = -1.0
    if not 0 < seconds < float("inf"):
        raise OptionError(f"budget must be a time such as 90s, 10m or 1h, got '{budget}'")
    return seconds


def _all_faults(error: ValidationError) -> str:
    """One line per option: a value that may have several forms and fits none has one fault per form."""
    lines: dict[str, str] = {}
    for fault in error.errors():
        name = str(fault["loc"][0])
        if fault["type"] == "extra_forbidden":
            lines[name] = f"there is no option '{name}'.{did_you_mean(name, FitOptions.model_fields)}"
        elif name in lines:
            continue
        else:
            form = " or 'auto'" if name == "lr" else ""
            rule = fault["msg"].replace("Input should", "must")
            lines[name] = f"option {name}: {rule}{form}, got {shortened(repr(fault['input']))}"
    return "\n".join(lines.values())
