"""How a network is trained, as a small set of settings that can be read from a YAML file."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from headstart.errors import OptionError, did_you_mean

_BY_MODALITY: dict[str, dict[str, Any]] = {
    "image": {"epochs": 10, "lr": 1e-4, "head_lr": 2e-4, "batch_size": 32},
    "text": {"epochs": 4, "lr": 5e-5, "head_lr": 1e-4, "batch_size": 16, "augment": False},
    "audio": {"epochs": 10, "lr": 5e-5, "head_lr": 1e-4, "batch_size": 16},
}


class Recipe(BaseModel):
    """Training settings; `Recipe.for_modality` gives the defaults of a modality.

    Rates are peak rates of AdamW; the head starts fitted, on standardised features, so its rate is low too.
    The schedule rises linearly over `warmup_share` of all steps and then falls to zero along half a cosine,
    or stays. `patience` counts epochs without a better validation loss; the best weights are kept anyway.
    `views` is the number of stored views of each item when a frozen prefix is stored: the first is the plain
    item, further ones are augmented. `augment` concerns live training (`none`).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    epochs: int = Field(default=10, ge=1, le=10_000)
    lr: float = Field(default=1e-4, gt=0, le=10)
    head_lr: float = Field(default=1e-3, gt=0, le=10)
    batch_size: int = Field(default=32, ge=1, le=65_536)
    weight_decay: float = Field(default=0.01, ge=0, le=1)
    schedule: Literal["cosine", "constant"] = "cosine"
    warmup_share: float = Field(default=0.1, ge=0, le=1)
    patience: int = Field(default=5, ge=1)
    label_smoothing: float = Field(default=0.0, ge=0, lt=1)
    clip_norm: float | None = Field(default=1.0, gt=0)
    views: int = Field(default=1, ge=1, le=64)
    augment: bool = True

    @classmethod
    def for_modality(cls, modality: str, **changes: Any) -> Recipe:
        """The defaults of a modality, with changes.

        Args:
            modality: "image", "text" or "audio".
            changes: settings by name; None stands for "not given".

        Raises:
            OptionError: naming every unknown setting and every wrong value at once.
        """
        given = {name: value for name, value in changes.items() if value is not None}
        return cls.checked({**_BY_MODALITY[modality], **given})

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
            lines = [_fault(fault) for fault in error.errors()]
        raise OptionError("\n".join([f"the recipe{f' {where}' if where else ''} is wrong:", *lines]))

    @classmethod
    def load(cls, path: Path, modality: str, **changes: Any) -> Recipe:
        """Read a recipe from YAML: the settings it names, over the defaults of the modality.

        Args:
            path: a YAML file of settings by name.
            modality: whose defaults fill what the file leaves open.
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
        return cls.checked({**_BY_MODALITY[modality], **content, **given}, where=str(path))

    def to_yaml(self) -> str:
        """The recipe as YAML that `load` reads back to an equal one."""
        import yaml

        return str(yaml.safe_dump(self.model_dump(), sort_keys=False))


def _fault(fault: Any) -> str:
    name = ".".join(str(part) for part in fault["loc"])
    if fault["type"] == "extra_forbidden":
        return f"  there is no setting '{name}'.{did_you_mean(name, Recipe.model_fields)}"
    return f"  {name}: {fault['msg'][0].lower()}{fault['msg'][1:]}, got {fault['input']!r}"
