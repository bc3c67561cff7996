"""How a network is trained, as a small set of settings that can be read from a YAML file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from headstart.errors import OptionError, did_you_mean, shortened
from headstart.yaml_files import read_settings

_BY_MODALITY: dict[str, dict[str, Any]] = {
    "image": {"epochs": 10, "lr": 1e-4, "head_lr": 2e-4, "batch_size": 32},
    "text": {"epochs": 4, "lr": 5e-5, "head_lr": 1e-4, "batch_size": 16, "augment": "none"},
    "audio": {"epochs": 10, "lr": 5e-5, "head_lr": 1e-4, "batch_size": 16},
}

OF_CLASSES = ("class_weights", "logit_adjustment", "label_smoothing")
"""The settings of the loss that need classes or labels: a quantity has none."""


def refuse_truth_values(cls: type[BaseModel], value: Any, info: ValidationInfo) -> Any:
    """A validator of all fields: yes and no are no numbers, though Python counts them as 1 and 0."""
    if isinstance(value, bool) and cls.model_fields[str(info.field_name)].annotation is not bool:
        raise PydanticCustomError("truth_value", "Input should not be true or false")
    return value


class Recipe(BaseModel):
    """Training settings, each with its description; `Recipe.for_modality` gives the defaults of a modality.

    docs/recipes.md and the bundled default recipes say of each setting what its description says.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    epochs: int = Field(default=10, ge=0, le=10_000)
    """Maximum number of epochs."""
    steps: int | None = Field(default=None, ge=1, le=10_000_000)
    """Number of optimizer steps; overrides epochs. null: by epochs."""
    patience: int = Field(default=5, ge=1)
    """Stop after this many epochs without a lower validation loss; the best weights are kept in any case."""

    optimizer: Literal["adamw", "sgd"] = "adamw"
    """The optimizer: adamw or sgd."""
    momentum: float = Field(default=0.9, ge=0, lt=1)
    """Momentum of sgd."""
    lr: Annotated[float, Field(gt=0, le=10)] | Literal["auto"] = 1e-4
    """Peak learning rate of the last stage, or auto: the rate that the rate finder suggests."""
    head_lr: float = Field(default=1e-3, gt=0, le=10)
    """Peak learning rate of the head."""
    layer_decay: float = Field(default=1.0, gt=0, le=1)
    """The rate of a stage is lr * layer_decay ** (its distance from the last stage)."""
    weight_decay: float = Field(default=0.01, ge=0, le=1)
    """Weight decay; biases and normalisation layers are not decayed."""
    clip_norm: float | None = Field(default=1.0, gt=0)
    """Largest norm of the gradients; larger ones are scaled down to it. null: no limit."""
    head_start: Literal["probe", "random"] = "probe"
    """What the head starts from: probe (the head fitted on frozen features) or random weights."""

    schedule: Literal["cosine", "linear", "constant", "steps"] = "cosine"
    """How the rates fall after the warm-up: cosine, linear, constant or steps."""
    warmup_share: float = Field(default=0.1, ge=0, le=1)
    """Share of all steps in which the rates rise from zero to their peak."""
    decay_at: tuple[Annotated[float, Field(gt=0, lt=1)], ...] = (0.4, 0.6, 0.8)
    """With schedule: steps, the rates are divided by ten after these shares of all steps."""

    batch_size: int = Field(default=32, ge=1, le=65_536)
    """Batch size."""
    accumulate: int = Field(default=1, ge=1, le=65_536)
    """Split each batch into this many parts and add up their gradients: less memory, the same steps."""
    checkpointing: bool = False
    """Compute activations again in the backward pass: less memory, about a third more time."""

    ema: float | None = Field(default=None, gt=0, lt=1)
    """Decay of a moving average of the weights, such as 0.99; the average is used. null: none."""
    l2_sp: float = Field(default=0.0, ge=0)
    """Strength of the pull of the trained stages towards their pretrained weights."""
    wise_ft: bool = False
    """Interpolate between the weights at the start and at the end, by validation."""

    class_weights: bool = False
    """Weigh the loss by class, so that every class counts the same."""
    sampling: Literal["natural", "balanced"] = "natural"
    """How batches are drawn: natural, or balanced (every class equally often)."""
    logit_adjustment: float = Field(default=0.0, ge=0)
    """Shift the logits by this times the log of the class frequencies while training."""
    label_smoothing: float = Field(default=0.0, ge=0, lt=1)
    """Share of each target that is spread over all classes."""

    views: int = Field(default=1, ge=1, le=64)
    """Number of stored views of each item under a frozen prefix: the plain one, then augmented ones."""
    augment: Literal["none", "light", "trivial"] = "light"
    """Augmentation: none, light, or trivial (TrivialAugment, images only)."""
    word_dropout: float = Field(default=0.1, ge=0, lt=1)
    """Texts: share of the words left out under augment: light."""
    noise_db: float = Field(default=30.0, ge=0)
    """Recordings: signal-to-noise ratio of the added noise, in decibels."""
    speed: float = Field(default=0.0, ge=0, lt=1)
    """Recordings: largest relative change of speed."""
    spec_augment: bool = False
    """Recordings: silence two stretches of time and two bands of frequency."""
    mixup: float = Field(default=0.0, ge=0)
    """Mix each item with another of its batch: alpha of mixup. 0: off."""
    cutmix: float = Field(default=0.0, ge=0)
    """Images: replace a rectangle by that of another image: alpha of cutmix. 0: off."""

    contrastive: int = Field(default=0, ge=0, le=1_000_000, validate_default=True)
    """Number of steps of the class-contrastive stage before the head is fitted. 0: none."""

    _numbers_are_numbers = field_validator("*", mode="before")(refuse_truth_values)

    @field_validator("contrastive")
    @classmethod
    def _something_trains(cls, steps: int, info: ValidationInfo) -> int:
        if not steps and info.data.get("epochs") == 0:
            raise PydanticCustomError(
                "idle", "with epochs 0 the contrastive stage must take at least one step"
            )
        if info.data.get("steps") and info.data.get("epochs") == 0:
            raise PydanticCustomError("no_end", "steps has no effect with epochs 0: leave one of them out")
        return steps

    @property
    def weighs_rare_classes(self) -> bool:
        """Whether a rare class counts more in training than its number of items."""
        return bool(self.class_weights or self.sampling == "balanced" or self.logit_adjustment)

    def stage_rate(self, stage: str, stages: Sequence[str]) -> float:
        """The peak rate of a stage: `lr`, decayed by the stage's distance from the last one.

        Args:
            stage: its name.
            stages: names of all stages, in order.

        Raises:
            TypeError: `lr` is "auto", which the rate finder replaces before training.
        """
        if isinstance(self.lr, str):
            raise TypeError("the rate 'auto' must be found before training")
        distance: int = len(stages) - 1 - list(stages).index(stage)
        return self.lr * self.layer_decay**distance

    @classmethod
    def for_modality(
        cls, modality: str, *, rate: float = 1.0, least_epochs: int = 1, **changes: Any
    ) -> Recipe:
        """The defaults of a modality, with changes.

        Args:
            modality: "image", "text" or "audio".
            rate: the modality's `lr` is multiplied by this; a given `lr` stays as it is.
            least_epochs: the smallest number of epochs if `epochs` is not given.
            changes: settings by name; None means not given.

        Raises:
            OptionError: naming every unknown setting and every wrong value at once.
        """
        given = {name: value for name, value in changes.items() if value is not None}
        return cls.checked({**_defaults(modality, rate, least_epochs), **given})

    @classmethod
    def checked(cls, settings: dict[str, Any], where: str = "") -> Recipe:
        """A recipe of these settings, or one error that names every fault.

        Args:
            settings: settings by name.
            where: the file they come from.

        Raises:
            OptionError: naming every unknown setting and every wrong value at once.
        """
        try:
            return cls(**{str(name): value for name, value in settings.items()})
        except ValidationError as error:
            faults = {_name(fault): _fault(fault) for fault in reversed(error.errors())}
        raise OptionError(
            "\n".join([f"the recipe{f' {where}' if where else ''} is wrong:", *reversed(faults.values())])
        )

    @classmethod
    def load(
        cls, path: Path, modality: str, *, rate: float = 1.0, least_epochs: int = 1, **changes: Any
    ) -> Recipe:
        """Read a recipe from YAML: its settings override the defaults of the modality.

        Args:
            path: a YAML file of settings by name.
            modality: its defaults fill in what the file leaves out.
            rate: their `lr` is multiplied by this; an `lr` in the file stays as it is.
            least_epochs: the smallest number of epochs if neither the file nor `changes` give `epochs`.
            changes: settings that override those of the file; None means not given.

        Raises:
            OptionError: the file cannot be read, or its settings are wrong.
        """
        content = read_settings(Path(path), "the recipe", OptionError)
        given = {name: value for name, value in changes.items() if value is not None}
        if "epochs" in given:  # the length in the command overrides the length in the file
            given.setdefault("steps", None)
        return cls.checked({**_defaults(modality, rate, least_epochs), **content, **given}, where=str(path))


def _defaults(modality: str, rate: float, least_epochs: int) -> dict[str, Any]:
    found = _BY_MODALITY[modality]
    return {**found, "lr": found["lr"] * rate, "epochs": max(least_epochs, found["epochs"])}


def _name(fault: Any) -> str:
    """The setting of a fault; after `lr` its location names the form that the value does not have."""
    return ".".join(
        str(part) for part in fault["loc"] if part in Recipe.model_fields or isinstance(part, int)
    ) or str(fault["loc"][0])


def _fault(fault: Any) -> str:
    name = _name(fault)
    if fault["type"] == "extra_forbidden":
        return f"  there is no setting '{name}'.{did_you_mean(name, Recipe.model_fields)}"
    form = " or be 'auto'" if name == "lr" else ""
    return (
        f"  {name}: {fault['msg'][0].lower()}{fault['msg'][1:]}{form}, got {shortened(repr(fault['input']))}"
    )
