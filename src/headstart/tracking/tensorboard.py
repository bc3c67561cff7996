"""TensorBoard: event files in RUN/tensorboard, one folder per training, so that their curves lie over each other.

It has no place for files, so the report is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from headstart.tracking.tracker import Outcome

FOLDER = "tensorboard"


class TensorBoard:
    """The event files of one fit.

    Args:
        folder: where they lie.
    """

    id = FOLDER

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writers: dict[str, Any] = {}

    def log(self, training: str, epoch: int, values: Mapping[str, float]) -> None:
        """Write the numbers of an epoch, so that a TensorBoard that is open shows them."""
        writer = self._writer(training)
        for name, value in values.items():
            writer.add_scalar(name, value, epoch)
        writer.flush()

    def finish(self, outcome: Outcome) -> None:
        """Write scores, and parameters as a table."""
        writer = self._writer("")
        for name, value in outcome.scores.items():
            writer.add_scalar(name, value, 0)
        rows = "\n".join(f"| {name} | `{value}` |" for name, value in outcome.parameters.items())
        writer.add_text("parameters", f"| parameter | value |\n|---|---|\n{rows}")
        self._close()

    def stop(self, *, failed: bool) -> None:
        """Close the files."""
        self._close()

    def _close(self) -> None:
        for writer in self._writers.values():
            writer.close()
        self._writers.clear()

    def _writer(self, training: str) -> Any:
        from torch.utils.tensorboard import SummaryWriter

        if training not in self._writers:
            self._writers[training] = SummaryWriter(log_dir=str(self._folder / training))
        return self._writers[training]


def start(run: Path, resumed: str | None) -> TensorBoard:
    """See `headstart.tracking.tracker.Module`; the files of a resumed fit are continued."""
    import torch.utils.tensorboard  # noqa: F401  # a broken installation shows before anything is learned

    return TensorBoard(run / FOLDER)
