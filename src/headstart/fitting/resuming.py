"""Options of a command, or those of the unfinished run that it resumes."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from headstart.errors import OptionError
from headstart.files import named_path
from headstart.fitting.configuration import require_on_disk, with_absolute_paths
from headstart.fitting.shared_options import Options
from headstart.yaml_files import read_settings

Made = TypeVar("Made", bound=Options)


@dataclass(frozen=True)
class Resumable(Generic[Made]):
    """What one verb resumes.

    Attributes:
        kind: of its runs, which is the verb.
        noun: of its runs, with the article.
        make: checks options by name.
        code_words: the options that let code run, as words of a command: they count only if the user types them.
        example: the rest of a command.
        may_change: names of options that may differ when a run is resumed.
    """

    kind: str
    noun: str
    make: Callable[..., Made]
    code_words: Callable[[Made], Sequence[str]]
    example: str
    may_change: Sequence[str]

    def options(self, given: Mapping[str, Any], resume: Path | None) -> Made:
        """The options of a command, or those of the unfinished run that is resumed.

        Args:
            given: options as written on the command line.
            resume: an unfinished run of this kind.

        Raises:
            OptionError: an option is wrong, or differs from that of the run.
            InputError: there is nothing to resume.
        """
        if resume is None:
            if given.get("data") is None:
                raise OptionError(f"name the data to {self.kind}: headstart {self.kind} {self.example}")
            return self.make(**given)
        from headstart.run_kinds import RUN_KINDS, kind_in
        from headstart.runs import RunDirectory
        from headstart.runs.directory import CONFIGURATION

        place = named_path(resume, "--resume")
        RunDirectory.resume(place).release()  # reports at once what cannot be resumed
        content = read_settings(place / CONFIGURATION, "the configuration", OptionError)
        saved = content.get(self.kind)
        if not isinstance(saved, Mapping):
            noun, kind = self.noun.split()[-1], kind_in(content)
            finish = RUN_KINDS[kind].again or f"resume it with headstart {kind} --resume {place}"
            raise OptionError(f"{place} is no {noun}: {finish}")
        options = self.make(**saved)
        given = with_absolute_paths(given)  # as they were saved
        missing = [word for word in self.code_words(options) if word not in _code_words(given)]
        if missing:
            raise OptionError(
                f"{place} lets code run on this machine, which a file alone may not do. If you trust that code, add: "
                f"{shlex.join(self.code_words(options))}"
            )
        for name, value in given.items():
            may_change = name in ("arch", "trust_remote_code", *self.may_change)
            if not may_change and str(value) != str(getattr(options, name, None)):
                raise OptionError(
                    f"cannot resume {place} with another --{name.replace('_', '-')}: leave it out, or start "
                    f"{self.noun} anew"
                )
        require_on_disk(given.get("data") or saved.get("data"), place / CONFIGURATION, self.kind)
        changed = {name: given[name] for name in self.may_change if given.get(name) is not None}
        return self.make(**{**saved, **changed})


def _code_words(given: Mapping[str, Any]) -> list[str]:
    """The words of a command that let code run."""
    arch = given.get("arch") or ()
    named = [arch] if isinstance(arch, str) else arch
    words = [word for each in named for word in ("--arch", str(each))]
    return [*words, *(["--trust-remote-code"] if given.get("trust_remote_code") else [])]
