"""`Run`: what `fit` returns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headstart.runs.finished import Finished

if TYPE_CHECKING:
    from headstart.runs import Predictions
    from headstart.runs.model import Model


@dataclass(frozen=True)
class Run(Finished):
    """A finished run that predicts; its attributes are those of `Finished`."""

    @cached_property
    def _model(self) -> Model:
        from headstart.runs.model import Model

        return Model.open(self.path)

    def predict(self, data: str | Path | Sequence[Any], **options: Any) -> Predictions:
        """Predict new items; see `headstart.predict`. The model stays open, so that later calls are fast."""
        from headstart.runs.prediction import predict

        return predict(self._model, data, **options)

    def __getstate__(self) -> dict[str, Any]:
        """Without the model, which is opened again where it is used."""
        return {name: value for name, value in vars(self).items() if name != "_model"}
