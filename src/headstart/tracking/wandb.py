"""Weights & Biases: one run in the project of WANDB_PROJECT; WANDB_MODE=offline keeps it on this machine."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from headstart.tracking.tracker import Outcome


class Wandb:
    """One run of Weights & Biases.

    Args:
        run: as `wandb.init` gave it.
    """

    def __init__(self, run: Any) -> None:
        self._run, self.id = run, str(run.id)
        self._trainings: set[str] = set()

    def log(self, training: str, epoch: int, values: Mapping[str, float]) -> None:
        """Send the numbers of an epoch; each training has an axis of its own."""
        if training not in self._trainings:
            self._trainings.add(training)
            for name in values:
                self._run.define_metric(f"{training}/{name}", step_metric=f"{training}/epoch")
        self._run.log(
            {f"{training}/epoch": epoch, **{f"{training}/{name}": value for name, value in values.items()}}
        )

    def finish(self, outcome: Outcome) -> None:
        """Send scores as the summary, parameters as the configuration and the report as an artifact."""
        import wandb

        self._run.summary.update(dict(outcome.scores))
        self._run.config.update(dict(outcome.parameters), allow_val_change=True)
        if outcome.report is not None:
            artifact = wandb.Artifact(f"report-{self.id}", type="report")
            artifact.add_file(str(outcome.report))
            self._run.log_artifact(artifact)
        self._run.finish()

    def stop(self, *, failed: bool) -> None:
        """Mark the run as failed, or as ended by hand; both are exit codes to W&B."""
        self._run.finish(exit_code=1 if failed else 130)


def start(run: Path, resumed: str | None) -> Wandb:
    """See `headstart.tracking.tracker.Module`; the terminal is not recorded."""
    import wandb

    settings = wandb.Settings(console="off")
    begun = wandb.init(
        name=run.name, id=resumed, resume=None if resumed is None else "allow", settings=settings
    )
    return Wandb(begun)
