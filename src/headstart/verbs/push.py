"""push: the model of a finished run as a repository on a Hugging Face hub."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from headstart.progress import say
from headstart.units import counted


@dataclass(frozen=True)
class Pushed:
    """What was uploaded.

    Attributes:
        repository: USER/NAME.
        url: its address.
        sizes: name of each file to its number of bytes.
        left: names of the run's files that stay here.
    """

    repository: str
    url: str
    sizes: Mapping[str, int]
    left: tuple[str, ...]

    @property
    def text(self) -> str:
        """The result as lines of plain text."""
        return (
            f"{self.url}: {counted(len(self.sizes), 'files')}, {sum(self.sizes.values()) / 1e6:,.1f} MB\n"
            f"Use it: headstart fit DATA --source hf:{self.repository}\n"
            f"Predict with it: hf download {self.repository} --local-dir FOLDER, then headstart predict FOLDER ITEMS"
        )

    def to_json(self) -> dict[str, Any]:
        """The same as JSON holds it."""
        return asdict(self)


def push(run: str | Path, repository: str, *, public: bool = False) -> Pushed:
    """Upload the model of a finished run to a Hugging Face hub, as a model repository.

    Uploaded are the model in its forms, the head, the names of the classes, the preprocessing, a card with the scores,
    and a record that makes `hf:USER/NAME` a source. Items, predictions, the report, paths, and what tells whether an
    item was learned from stay here (docs/sharing.md).

    Args:
        run: its folder; a run of `fit`.
        repository: USER/NAME; it is made if there is none. One that exists gets a new commit, and stays private or
            public.
        public: let everybody read it; without it, a new repository is private, and a public one is refused.

    Returns:
        What was uploaded, and what stays here.

    Raises:
        InputError: there is no such run, it holds no model, there is no token, or the hub refuses.
        OptionError: the name is not USER/NAME.
        HeadstartError: the hub cannot be reached, or the connection broke.
    """
    from headstart.runs import RunDirectory
    from headstart.runs.hub_upload import check_repository, upload
    from headstart.runs.shared_copy import check_can_be_shared, shared_copy

    directory = RunDirectory.open(run)
    check_can_be_shared(directory)
    check_repository(repository)
    copy = shared_copy(directory, repository.partition("/")[2])
    say(f"Uploading to {repository}:")
    for name, n_bytes in copy.sizes.items():
        say(f"  {name}  {n_bytes / 1e3:,.0f} kB")
    say(f"Not uploaded: {', '.join(copy.left)}.")
    url = upload(repository, copy.files, public=public, message="Run of headstart")
    return Pushed(repository, url, copy.sizes, copy.left)
