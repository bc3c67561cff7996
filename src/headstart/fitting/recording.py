"""What the record of finished runs keeps of a fit, so that later choices of a source can use it."""

from __future__ import annotations

import importlib.metadata
import math
import time
from typing import TYPE_CHECKING

import numpy as np

from headstart import past_runs
from headstart.errors import HeadstartError
from headstart.metrics import Interval

if TYPE_CHECKING:
    from headstart.data import DataSet
    from headstart.fitting.workspace import Workspace
    from headstart.runs import Record

_LOOKED_AT = 100  # items whose size is looked at


def record_finished(workspace: Workspace, record: Record) -> None:
    """Add a finished fit to the record of finished runs, if there is one; never raises.

    Args:
        workspace: data set, source and task.
        record: what the run's metrics.json holds.
    """
    if workspace.plan.weights is not None:
        return  # its score does not say what the source gives without weights
    if record.source is None or record.data is None or record.test is None or record.baselines is None:
        return
    task, plan = workspace.targets.task, workspace.plan
    value, alone = (
        Interval.of(scores.get(task.headline)) for scores in (record.test, record.baselines["probe"])
    )
    if record.chosen is not None and record.chosen.classical:
        value = alone  # it is no result of the source that classical features took its place
    run = past_runs.FinishedRun(
        finished=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        headstart=importlib.metadata.version("headstart"),
        data_digest=record.data.digest,
        modality=record.data.modality,
        task=task.name,
        n_items=sum(record.data.n_items.values()),
        n_classes=record.data.n_classes,
        item_size=median_size(plan.data),
        source=record.source.uri.encode("utf-8", "backslashreplace").decode(),
        source_digest=record.source.digest,
        preprocessing_digest=plan.source.preprocessing.digest(),
        n_parameters=record.source.n_parameters,
        policy=record.policy,
        n_train=record.extra["learned_from"]["probe"],
        n_test=record.n_test or 0,
        metric=task.headline,
        value=value.value,
        low=value.low,
        high=value.high,
        head_alone=alone.value,
        head_alone_low=alone.low,
        head_alone_high=alone.high,
    )
    past_runs.add(run)


def median_size(data: DataSet) -> float | None:
    """The median size of items: pixels of the shorter side, characters, or seconds; None if none can be measured.

    Args:
        data: of which at most 100 items are looked at, evenly spaced.
    """
    examples = data.examples
    n_looked_at = min(len(examples), _LOOKED_AT)
    positions = np.linspace(0, len(examples) - 1, n_looked_at).round().astype(int).tolist()
    if data.scan.seconds is not None:
        sizes = data.scan.seconds[positions].tolist()
    elif examples.modality == "text":
        sizes = [float(len(str(examples.items[position]))) for position in positions]
    else:
        sizes = [_shorter_side(data, position) for position in positions]
    known = [size for size in sizes if math.isfinite(size)]
    return float(np.median(known)) if known else None


def _shorter_side(data: DataSet, position: int) -> float:
    """Pixels of the shorter side of a picture; NaN if it can no longer be read."""
    from headstart.data.images import open_image

    try:
        with open_image(data.examples.items[position]) as image:
            return float(min(image.size))
    except (HeadstartError, OSError):
        return math.nan
