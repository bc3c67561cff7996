"""The options of `audit`, each declared once, as those of `fit`."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from headstart.errors import OptionError, did_you_mean
from headstart.fitting.shared_options import (
    RUN,
    SOURCE,
    AnyPath,
    CommonOptions,
    RunOptions,
    Shown,
    as_tuples,
    checked,
    seconds_of,
)
from headstart.tune.policies.policy import check_policy_text

SCRATCH, CLASSICAL, ALL = "scratch", "classical", "all"
BUDGET = "10m"  # of an audit that trains networks, if none is given


class AuditOptions(CommonOptions, RunOptions):
    """Every option of an audit."""

    source: Annotated[
        AnyPath | None, Shown(SOURCE, otherwise="a well-known one for the data, from the hub")
    ] = Field(
        default=None,
        kw_only=False,
        description="timm:NAME, hf:NAME[@REVISION], a folder, a file, run:RUN or bundled:letters.",
    )
    arch: Annotated[tuple[str, ...], Shown(SOURCE, "[SOURCE=]ARCH")] = Field(
        default=(),
        description="The architecture of a source that does not name its own: FILE:Class, module:Class or a timm "
        "name, for --source; SOURCE=ARCH for one of --against; may be repeated.",
    )
    source_data: Annotated[AnyPath | None, Shown(SOURCE, "PATH")] = Field(
        default=None,
        description="The source's own training data, in any layout, without labels too: held-out items that it "
        "holds are reported, and the gain without them.",
    )
    freeze: Annotated[str, Shown(SOURCE)] = Field(
        default="all",
        description="How transfer learns: all (the head alone), or another policy of fit, which trains once per "
        "number of labels and seed.",
    )
    against: Annotated[str, Shown(RUN, "NAMES")] = Field(
        default=f"{SCRATCH},{CLASSICAL}",
        description="What transfer is compared with, joined by commas: scratch (the same network from random "
        "weights), classical (classical features), and other sources.",
    )
    labels: Annotated[str | None, Shown(RUN, "NUMBERS", "five numbers up to all")] = Field(
        default=None,
        description="Numbers of training items, rising, joined by commas, such as 20,50,100,all.",
    )
    seeds: Annotated[int, Shown(RUN)] = Field(
        default=5, ge=1, le=100, description="Draws of the training items for each number of labels."
    )
    budget: Annotated[str | None, Shown(RUN, "TIME", f"{BUDGET} if networks are trained")] = Field(
        default=None, description="Time for the audit, such as 90s, 10m or 1h; scratch gets what is left."
    )

    @property
    def others(self) -> tuple[str, ...]:
        """The sources of --against."""
        return tuple(name for name in self._against if name not in (SCRATCH, CLASSICAL))

    @property
    def with_scratch(self) -> bool:
        """Whether the network from random weights is measured."""
        return SCRATCH in self._against

    @property
    def with_classical(self) -> bool:
        """Whether classical features are measured."""
        return CLASSICAL in self._against

    @property
    def budget_seconds(self) -> float | None:
        """The budget in seconds; None if there is none."""
        if self.budget is not None:
            return seconds_of(self.budget)
        return seconds_of(BUDGET) if self.with_scratch or self.freeze == "auto" else None

    @property
    def _against(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name.strip() for name in self.against.split(",") if name.strip()))


def audit_options(**given: Any) -> AuditOptions:
    """Check the options of an audit and report all faults at once.

    Args:
        given: fields of AuditOptions by name; `arch`, `against` and `labels` may be lists.

    Raises:
        OptionError: an option is unknown or has a wrong value.
    """
    as_tuples(given, ("arch",))
    for name in ("against", "labels"):
        if isinstance(given.get(name), (list, tuple)):
            given[name] = ",".join(str(each) for each in given[name])
    options = checked(AuditOptions, given, places=("data", "source", "source_data", "out", "store"))
    check_policy_text(options.freeze)
    if options.budget is not None:
        seconds_of(options.budget)
    if not options.against.replace(",", "").strip():
        raise OptionError("--against must name at least one of scratch, classical or a source")
    for name in options.others:
        near = did_you_mean(name, (SCRATCH, CLASSICAL)) if ":" not in name and "/" not in name else ""
        if near:
            raise OptionError(f"--against {name}: there is no such method.{near}")
    parsed_labels(options.labels)
    return options


def parsed_labels(text: str | None) -> tuple[int | None, ...] | None:
    """The numbers of --labels, None standing for all; None if the option was not given.

    Raises:
        OptionError: one is no number, or they do not rise.
    """
    if text is None:
        return None
    words = [word.strip().lower() for word in text.split(",") if word.strip()]
    found: list[int | None] = []
    for word in words:
        if word == ALL:
            found.append(None)
        elif word.isdecimal() and len(word) < 12 and int(word):
            found.append(int(word))
        else:
            raise OptionError(
                f"--labels must be numbers of training items or 'all', such as 20,50,all, got {word!r}"
            )
    numbers = [number for number in found if number is not None]
    if not found or numbers != sorted(set(numbers)) or None in found[:-1]:
        raise OptionError(f"--labels must rise, with 'all' last, such as 20,50,100,all; got {text!r}")
    return tuple(found)
