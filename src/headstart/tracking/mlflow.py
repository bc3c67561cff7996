"""MLflow: one run in the store that MLFLOW_TRACKING_URI names, in the experiment of MLFLOW_EXPERIMENT_NAME."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from headstart.tracking.tracker import Outcome

_MOST_CHARACTERS = 500  # of a parameter's value; older servers take no more
_PATIENCE = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2", "MLFLOW_HTTP_REQUEST_TIMEOUT": "20"}  # its own: minutes
_AT_ONCE = 100  # numbers or parameters in one request


class MLflow:
    """One run in MLflow.

    Args:
        client: of the store.
        run_id: of the run.
    """

    def __init__(self, client: Any, run_id: str) -> None:
        self._client, self.id = client, run_id

    def log(self, training: str, epoch: int, values: Mapping[str, float]) -> None:
        """Send the numbers of an epoch, with the epoch as the step."""
        self._log({f"{training}/{name}": value for name, value in values.items()}, epoch)

    def finish(self, outcome: Outcome) -> None:
        """Send scores, parameters and the report, and end the run."""
        from mlflow.entities import Param

        self._log(outcome.scores, 0)
        parameters = [Param(name, text[:_MOST_CHARACTERS]) for name, text in outcome.parameters.items()]
        for start_at in range(0, len(parameters), _AT_ONCE):
            self._client.log_batch(self.id, params=parameters[start_at : start_at + _AT_ONCE])
        if outcome.report is not None:
            self._client.log_artifact(self.id, str(outcome.report))
        self._client.set_terminated(self.id)

    def _log(self, values: Mapping[str, float], step: int) -> None:
        """Send numbers in as few requests as the server allows."""
        from mlflow.entities import Metric

        now = int(1_000 * time.time())
        metrics = [Metric(name, value, now, step) for name, value in values.items()]
        for start_at in range(0, len(metrics), _AT_ONCE):
            self._client.log_batch(self.id, metrics=metrics[start_at : start_at + _AT_ONCE])

    def stop(self, *, failed: bool) -> None:
        """Mark the run as failed, or as ended by hand."""
        self._client.set_terminated(self.id, status="FAILED" if failed else "KILLED")


def start(run: Path, resumed: str | None) -> MLflow:
    """See `headstart.tracking.tracker.Module`."""
    for name, value in _PATIENCE.items():
        os.environ.setdefault(name, value)
    import mlflow

    client = mlflow.MlflowClient()
    if resumed is not None:
        client.update_run(resumed, status="RUNNING")
        return MLflow(client, resumed)
    with mlflow.start_run(run_name=run.name, nested=mlflow.active_run() is not None) as begun:
        run_id = str(begun.info.run_id)
    # It is written to by its id, so that no run stays active here.
    client.update_run(run_id, status="RUNNING")
    return MLflow(client, run_id)
