"""How options are declared once, and those that several verbs share.

The flags and help of a command, the signature of its verb and docs/options.md are made from such fields.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    SkipValidation,
    ValidationError,
    field_validator,
)
from pydantic.fields import FieldInfo

from headstart.data.in_memory_data import DataInMemory, as_data
from headstart.errors import OptionError, did_you_mean, shortened
from headstart.files import named_path
from headstart.tune.recipes.recipe import refuse_truth_values

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
        flag: on the command line, where it is not made from the name of the field.
        is_argument: whether it is given by its place on the command line, though it may be left out.
    """

    group: str
    metavar: str = ""
    otherwise: str = ""
    flag: str = ""
    is_argument: bool = False


def _as_text(value: Any) -> Any:
    return str(value) if isinstance(value, Path) else value


AnyPath = Annotated[str | Path, BeforeValidator(_as_text)]  # a str once it is validated
AnyItems = Annotated[Any, BeforeValidator(_as_text)]  # the same, or items that a script holds
# A str or a DataInMemory once it is validated, the name of either in a configuration.
AnyData = Annotated[str | Path | SkipValidation[DataInMemory], BeforeValidator(as_data), PlainSerializer(str)]


class Options(BaseModel):
    """Checked when they are made, and then fixed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    _numbers_are_numbers = field_validator("*", mode="before")(refuse_truth_values)


class DataOption(Options):
    """What every verb that learns takes first."""

    data: Annotated[AnyData, Shown(DATA)] = Field(
        kw_only=False,
        description="A folder, a table, an npz file or a hub id; in Python also a data set in memory.",
    )


class CommonOptions(Options):
    """What the estimators and every verb that learns take."""

    modality: Annotated[Literal["image", "text", "audio"] | None, Shown(DATA)] = Field(
        default=None, description="image, text or audio, if the data does not show it."
    )
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


class RunOptions(DataOption):
    """What every verb that reads labelled data and makes a run takes."""

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
    text: Annotated[str | None, Shown(DATA, "COLUMNS", "a column such as text or review")] = Field(
        default=None, description="Column of the texts; several, joined by commas, are read as one text."
    )
    follow_outside: Annotated[bool, Shown(DATA)] = Field(
        default=False,
        description="Also read files outside of the data folder that links or a table point to.",
    )
    trust_remote_code: Annotated[bool, Shown(SOURCE)] = Field(
        default=False, description="Let the model code of a hub source run on this machine."
    )
    out: Annotated[AnyPath | None, Shown(RUN, "FOLDER", "runs/ and the name of the data")] = Field(
        default=None, exclude=True, description="Folder of the run: numbered if it exists, never overwritten."
    )
    report: Annotated[bool, Shown(RUN)] = Field(default=True, description="Write report.html.")


# What a command that is offered next takes over from the one that ended: how data is read, and the machine.
CARRIED = tuple(
    name
    for name in (*RunOptions.model_fields, *CommonOptions.model_fields)
    if name not in (*DataOption.model_fields, "out")
)

_RULES = {
    "float_parsing": "must be a number",
    "int_parsing": "must be a whole number",
}  # by the type of a fault

Kind = TypeVar("Kind", bound=Options)


def reading(options: Any) -> dict[str, Any]:
    """How the data of a verb is read: the arguments of `headstart.data.read_examples`, its path left out.

    Args:
        options: of a verb that takes RunOptions and CommonOptions.
    """
    names = ("target", "group", "domain", "modality", "text", "follow_outside")
    task = None if options.task == "auto" else options.task
    weight = getattr(options, "weight", None)  # of a fit alone
    return {**{name: getattr(options, name) for name in names}, "task": task, "weight": weight}


def checked(kind: type[Kind], given: Mapping[str, Any], *, places: tuple[str, ...] = ()) -> Kind:
    """Make options of a kind, or report all faults at once.

    Args:
        kind: the class of options.
        given: values by name.
        places: the fields that name a file or a folder.

    Raises:
        OptionError: an option is unknown or has a wrong value.
    """
    try:
        options = kind(**given)
    except ValidationError as error:
        raise OptionError(_all_faults(error, kind.model_fields)) from None
    for name in places:
        if (place := getattr(options, name)) is not None:
            named_path(str(place).removeprefix("run:"), f"option {name}:")
    return options


def as_tuples(given: dict[str, Any], names: Iterable[str]) -> None:
    """Make tuples of texts of options that may be given as one text or as a list.

    Args:
        given: values by name, changed in place.
        names: of these options.
    """
    for name in names:
        if isinstance(given.get(name), (str, bytes)):
            given[name] = (given[name],)
        elif given.get(name) is not None:
            given[name] = tuple(str(each) for each in given[name])


def flags_of(options: Options, names: Iterable[str]) -> list[str]:
    """The options that differ from their defaults, as words of a command.

    Args:
        options: checked.
        names: of the options, in the order to write them.
    """
    words: list[str] = []
    for name in names:
        value = getattr(options, name)
        if value != type(options).model_fields[name].default:
            flag = flag_of(name, type(options).model_fields[name])
            words += [f"--no-{flag[2:]}"] if value is False else [flag]
            words += [] if isinstance(value, bool) else [_as_word(value)]
    return words


def _as_word(value: Any) -> str:
    if isinstance(value, Mapping):
        return ",".join(f"{name}={each:g}" for name, each in value.items())
    return str(value)


def flag_of(name: str, field: FieldInfo) -> str:
    """How an option is written on the command line."""
    return shown(field).flag or f"--{name.replace('_', '-')}"


def shown(field: FieldInfo) -> Shown:
    """How an option is shown."""
    return next(found for found in field.metadata if isinstance(found, Shown))


def default_words(field: FieldInfo) -> str:
    """The default of an option in words; "" if there is none to show."""
    if field.is_required() or field.default is False or field.default == ():
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


def _argument(name: str, known: Mapping[str, Any]) -> str:
    """What an argument is called on the command line, and in Python if that differs."""
    metavar = next((each.metavar for each in known[name].metadata if isinstance(each, Shown)), "")
    return f"{metavar} ({name}=)" if metavar else name.upper()


def _all_faults(error: ValidationError, known: Mapping[str, Any]) -> str:
    """One line per option: a value that may have several forms and fits none has one fault per form."""
    lines: dict[str, str] = {}
    for fault in error.errors():
        name = str(fault["loc"][0])
        if fault["type"] == "extra_forbidden":
            lines[name] = f"there is no option '{name}'.{did_you_mean(name, known)}"
        elif name in lines:
            continue
        elif fault["type"] == "missing":
            lines[name] = f"{_argument(name, known)} is missing"
        else:
            form = " or 'auto'" if name == "lr" else ""
            rule = _RULES.get(fault["type"]) or fault["msg"].replace("Input should", "must")
            rule = rule.removeprefix("Value error, ")
            lines[name] = f"option {name}: {rule}{form}, got {shortened(repr(fault['input']))}"
    return "\n".join(lines.values())
