"""Calls of the public functions that `make check` runs mypy on: right ones are accepted, wrong ones are found.

Each wrong line says which error is expected there; mypy refuses the comment if the error does not come.
"""

from __future__ import annotations

from pathlib import Path

import headstart


def right() -> None:
    """Options of every kind."""
    run = headstart.fit(
        Path("photos"), "bundled:letters", freeze="none", epochs=3, lr="auto", out="runs/x", report=False
    )
    print(run.metrics, headstart.fit(data="photos", batch_size=8).path)
    headstart.TransferClassifier("bundled:letters", "none", seed=1, store=Path("store"))


def wrong() -> None:
    """Options that do not exist, or have a wrong type."""
    headstart.fit("photos", batch_sise=8)  # type: ignore[call-arg]
    headstart.fit("photos", epochs="three")  # type: ignore[arg-type]
    headstart.fit("photos", task="clasification")  # type: ignore[arg-type]
    headstart.TransferClassifier(folds=3)  # type: ignore[call-arg]
    headstart.TransferRegressor(seed="one")  # type: ignore[arg-type]
