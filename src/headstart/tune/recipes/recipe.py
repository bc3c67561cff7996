"""How a network is trained, as a small set of settings that can be read from a YAML file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from headstart.errors import OptionError, did_you_mean

_BY_MODALITY: dict[str, dict[str, Any]] = {
    "image": {"epochs": 10, "lr": 1e-4, "head_lr": 2e-4, "batch_size": 32},
    "text": {"epochs": 4, "lr": 5e-5, "head_lr": 1e-4, "batch_size": 16, "augment": "none"},
    "audio": {"epochs": 10, "lr": 5e-5, "head_lr": 1e-4, "batch_size": 16},
}

OF_CLASSES = ("class_weights", "logit_adjustment", "label_smoothing")
"""The settings of the loss that need classes or labels: a quantity has none."""


class Recipe(BaseModel):
    """Training settings; `Recipe.for_modality` gives the defaults of a modality.

    Length: `epochs`, or `steps` of the optimizer in all, which goes over epochs; `patience` counts epochs
    without a better validation loss, and the best weights are kept anyway.

    Rates are peak rates; `lr` may be "auto": the rate finder's. The head starts fitted (`head_start: probe`)
    on standardised features, so its rate is low too. A stage's rate is `lr * layer_decay ** distance`, by its
    distance from the last stage. The schedule rises linearly over `warmup_share` of all steps, then falls to
    zero along half a cosine or a line, stays, or is divided by ten at each of `decay_at` (`steps`).

    Steps: a batch of `batch_size` is worked off in `accumulate` parts of which the gradients are added up;
    `checkpointing` computes activations again in the backward pass, which saves memory and costs time.

    Weights: `ema` is the decay of a moving average that is evaluated and kept in place of the last weights;
    `l2_sp` pulls the trained stages towards where they started; `wise_ft` interpolates between start and end
    by validation.

    Few of a class: `class_weights` and `logit_adjustment` change the loss, `sampling: balanced` the batches.

    Views: `views` is the number of stored views of each item when a frozen prefix is stored: the first is the
    plain item, further ones are augmented. Live training augments every epoch anew. `augment` says how;
    `word_dropout` is of texts, `noise_db`, `speed` and `spec_augment` of recordings, `mixup` and `cutmix` of
    batches.

    `contrastive` is the number of steps of the class-contrastive stage before the head is fitted; with `epochs: 0`
    nothing trains after it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    epochs: int = Field(default=10, ge=0, le=10_000)
    steps: int | None = Field(default=None, ge=1, le=10_000_000)
    patience: int = Field(default=5, ge=1)

    optimizer: Literal["adamw", "sgd"] = "adamw"
    momentum: float = Field(default=0.9, ge=0, lt=1)
    lr: Annotated[float, Field(gt=0, le=10)] | Literal["auto"] = 1e-4
    head_lr: float = Field(default=1e-3, gt=0, le=10)
    layer_decay: float = Field(default=1.0, gt=0, le=1)
    weight_decay: float = Field(default=0.01, ge=0, le=1)
    clip_norm: float | None = Field(default=1.0, gt=0)
    head_start: Literal["probe", "random"] = "probe"

    schedule: Literal["cosine", "linear", "constant", "steps"] = "cosine"
    warmup_share: float = Field(default=0.1, ge=0, le=1)
    decay_at: tuple[Annotated[float, Field(gt=0, lt=1)], ...] = (0.4, 0.6, 0.8)

    batch_size: int = Field(default=32, ge=1, le=65_536)
    accumulate: int = Field(default=1, ge=1, le=65_536)
    checkpointing: bool = False

    ema: float | None = Field(default=None, gt=0, lt=1)
    l2_sp: float = Field(default=0.0, ge=0)
    wise_ft: bool = False

    class_weights: bool = False
    sampling: Literal["natural", "balanced"] = "natural"
    logit_adjustment: float = Field(default=0.0, ge=0)
    label_smoothing: float = Field(default=0.0, ge=0, lt=1)

    views: int = Field(default=1, ge=1, le=64)
    augment: Literal["none", "light", "trivial"] = "light"
    word_dropout: float = Field(default=0.1, ge=0, lt=1)
    noise_db: float = Field(default=30.0, ge=0)
    speed: float = Field(default=0.0, ge=0, lt=1)
    spec_augment: bool = False
    mixup: float = Field(default=0.0, ge=0)
    cutmix: float = Field(default=0.0, ge=0)

    contrastive: int = Field(default=0, ge=0, le=1_000_000, validate_default=True)

    @field_validator("contrastive")
    @classmethod
    def _something_trains(cls, steps: int, info: ValidationInfo) -> int:
        if not steps and info.data.get("epochs") == 0:
            raise PydanticCustomError("idle", "with epochs 0 the contrastive stage must take a step at least")
        if info.data.get("steps") and info.data.get("epochs") == 0:
            raise PydanticCustomError("no_end", "steps has no part with epochs 0: leave one of them away")
        return steps

    @property
    def weighs_rare_classes(self) -> bool:
        """Whether a rare class counts more in training than its items do."""
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
            rate: what the modality's `lr` is multiplied by; an `lr` that is given stays as it is.
            least_epochs: as many at least where `epochs` is not given.
            changes: settings by name; None stands for "not given".

        Raises:
            OptionError: naming every unknown setting and every wrong value at once.
        """
        given = {name: value for name, value in changes.items() if value is not None}
        return cls.checked({**_defaults(modality, rate, least_epochs), **given})

    @classmethod
    def checked(cls, settings: dict[str, Any], where: str = "") -> Recipe:
        """A recipe of these settings, or one error that tells all faults.

        Args:
            settings: settings by name.
            where: the file they come from.

        Raises:
            OptionError: naming every unknown setting and every wrong value at once.
        """
        try:
            return cls(**{str(name): value for name, value in settings.items()})
        except ValidationError as error:
            told = {_name(fault): _fault(fault) for fault in reversed(error.errors())}
        raise OptionError(
            "\n".join([f"the recipe{f' {where}' if where else ''} is wrong:", *reversed(told.values())])
        )

    @classmethod
    def load(
        cls, path: Path, modality: str, *, rate: float = 1.0, least_epochs: int = 1, **changes: Any
    ) -> Recipe:
        """Read a recipe from YAML: the settings it names, over the defaults of the modality.

        Args:
            path: a YAML file of settings by name.
            modality: whose defaults fill what the file leaves open.
            rate: what their `lr` is multiplied by; an `lr` of the file stays as it is.
            least_epochs: as many at least where neither the file nor `changes` give `epochs`.
            changes: settings that go over those of the file; None stands for "not given".

        Raises:
            OptionError: the file cannot be read, or its settings are wrong.
        """
        import yaml

        try:
            content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
        except OSError as error:
            raise OptionError(f"cannot read the recipe {path}: {error.strerror}") from None
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise OptionError(f"the recipe {path} is not YAML: {error}") from None
        if content is None:
            content = {}
        if not isinstance(content, dict):
            raise OptionError(f"the recipe {path} must hold settings by name, such as 'epochs: 10'")
        given = {name: value for name, value in changes.items() if value is not None}
        if "epochs" in given:  # what the command says of the length goes over what the file says
            given.setdefault("steps", None)
        return cls.checked({**_defaults(modality, rate, least_epochs), **content, **given}, where=str(path))

    def to_yaml(self) -> str:
        """The recipe as YAML that `load` reads back to an equal one."""
        import yaml

        return str(yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False))


def _defaults(modality: str, rate: float, least_epochs: int) -> dict[str, Any]:
    found = _BY_MODALITY[modality]
    return {**found, "lr": found["lr"] * rate, "epochs": max(least_epochs, found["epochs"])}


def _name(fault: Any) -> str:
    """The setting a fault is about; what follows the name of `lr` is the form that did not fit."""
    return ".".join(
        str(part) for part in fault["loc"] if part in Recipe.model_fields or isinstance(part, int)
    ) or str(fault["loc"][0])


def _fault(fault: Any) -> str:
    name = _name(fault)
    if fault["type"] == "extra_forbidden":
        return f"  there is no setting '{name}'.{did_you_mean(name, Recipe.model_fields)}"
    form = " or be 'auto'" if name == "lr" else ""
    return f"  {name}: {fault['msg'][0].lower()}{fault['msg'][1:]}{form}, got {fault['input']!r}"
