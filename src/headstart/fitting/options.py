"""The options of `fit`, declared once: the command, the script and headstart.yaml share them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from headstart.errors import OptionError, did_you_mean

Precision = Literal["auto", "fp32", "bf16"]


class FitConfig(BaseModel):
    """Everything that decides the result of a fit; written resolved to RUN/headstart.yaml."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    data: str
    source: str | None = None
    arch: str | None = None
    target: str | None = None
    task: Literal["auto", "classification", "multilabel", "regression"] = "auto"
    group: str | None = None
    modality: Literal["image", "text", "audio"] | None = None
    freeze: str = "all"
    head: Literal["auto", "standard"] = "auto"
    folds: int | None = Field(default=None, ge=2, le=100)
    budget: str | None = None
    recipe: str | None = None
    epochs: int | None = Field(default=None, ge=1)
    lr: Annotated[float, Field(gt=0)] | Literal["auto"] | None = None
    batch_size: int | None = Field(default=None, ge=1)
    views: int | None = Field(default=None, ge=1, le=64)
    refit_all: bool = False
    compile: bool = False
    baseline: bool = True
    report: bool = True
    seed: int = Field(default=0, ge=0)
    precision: Precision = "auto"
    device: str = "auto"
    threads: int | None = Field(default=None, ge=1)
    store: str | None = None
    trust_remote_code: bool = False

    @field_validator("data", "source", "store", "recipe", mode="before")
    @classmethod
    def _path_to_text(cls, value: Any) -> Any:
        return str(value) if isinstance(value, Path) else value

    @property
    def budget_seconds(self) -> float | None:
        """The budget in seconds, or None where none was given."""
        return None if self.budget is None else seconds_of(self.budget)


def fit_config(**options: Any) -> FitConfig:
    """Check the options of a fit and tell all faults at once.

    Args:
        options: fields of FitConfig by name.

    Raises:
        OptionError: an option is unknown or has a wrong value.
    """
    try:
        config = FitConfig(**options)
    except ValidationError as error:
        raise OptionError(_all_faults(error)) from None
    if config.budget is not None:
        seconds_of(config.budget)
    elif config.freeze == "auto":
        raise OptionError("--freeze auto needs a --budget, such as --budget 5m")
    if config.compile and config.freeze == "auto":
        raise OptionError("--compile is for one training: a race would compile every candidate anew")
    return config


def read_config(path: Path) -> dict[str, Any]:
    """Read the options of a headstart.yaml.

    Raises:
        OptionError: the file is absent or is not a mapping of options.
    """
    import yaml

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise OptionError(f"cannot read the configuration {path}: {error.strerror}") from None
    except yaml.YAMLError as error:
        raise OptionError(f"{path} is not YAML: {error}") from None
    if not isinstance(content, dict):
        raise OptionError(f"{path} must hold options by name, such as a run's headstart.yaml")
    options = content.get("fit", content)
    if not isinstance(options, dict):
        raise OptionError(f"{path}: `fit` must hold options by name")
    return dict(options)


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
    lines = []
    for fault in error.errors():
        name = ".".join(str(part) for part in fault["loc"])
        if fault["type"] == "extra_forbidden":
            lines.append(f"there is no option '{name}'.{did_you_mean(name, FitConfig.model_fields)}")
        else:
            lines.append(f"option {name}: {fault['msg']}, got {fault['input']!r}")
    return "\n".join(lines)
