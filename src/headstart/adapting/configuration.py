"""An adaptation that is resumed: its options. What was extracted is in the feature store."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from headstart.adapting.options import AdaptOptions, adapt_options
from headstart.fitting.configuration import code_flags
from headstart.fitting.resuming import Resumable

_MAY_CHANGE = ("threads", "store", "report")  # when an adaptation is resumed


def options_of_command(given: Mapping[str, Any], resume: Path | None) -> AdaptOptions:
    """The options of an `adapt` command, or those of the unfinished adaptation that is resumed.

    Args:
        given: options as written on the command line.
        resume: an unfinished adaptation.

    Raises:
        OptionError: an option is wrong, or differs from that of the adaptation.
        InputError: there is nothing to resume.
    """
    verb = Resumable("adapt", "an adaptation", adapt_options, code_words, "DATA TARGET", _MAY_CHANGE)
    return verb.options(given, resume)


def code_words(options: AdaptOptions) -> list[str]:
    """The options that let code run, as words of a command: they count only if the user types them."""
    return code_flags(options.model_dump())
