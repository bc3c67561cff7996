"""What every head must satisfy: numpy, torch and the files of a run agree, and its scores are out of fold.

`check_head` takes a fitted head. `check_head_kind` takes what a contributor adds, a row of `choose.kinds.KINDS`:
it scores and fits it for every task, and calls `check_head` on the results.

Legend: N items, D features, C outputs.

Example:
    >>> from headstart.choose.kinds import RIDGE
    >>> sorted(check_head_kind(RIDGE))
    ['classification', 'multilabel', 'regression']
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from headstart.choose.kinds import HeadKind
from headstart.choose.tried_head import TriedHead
from headstart.errors import ArchitectureError
from headstart.files import read_json
from headstart.heads.head import Head
from headstart.heads.predictor import Predictor
from headstart.runs.directory import RunDirectory
from headstart.runs.export import save_model
from headstart.runs.program import run_program
from headstart.tasks import TASKS, Targets
from headstart.testing.close import require, require_close, require_same_bits
from headstart.testing.head_items import N_ITEMS, HeadItems

TOLERANCE = 1e-5  # between numpy and torch, relative to the largest value
LEARNED = 0.2  # by which the quality must be above that of the best constant answer
STREAMED = 0.05  # between a head fitted on items in memory and one on the same items read in slices


def check_head(head: Head, features: NDArray[np.floating]) -> None:
    """Check a fitted head on some features.

    Args:
        head: fitted.
        features: of three or more items, of shape (N, D).

    Raises:
        AssertionError: a check fails; the message says which and by how much.
    """
    n_outputs, targets = len(head.classes), Targets(head.task, head.classes)
    require(features.shape[1] == head.n_features, f"n_features is {head.n_features}, not {features.shape[1]}")
    require(bool(head.kind), "`kind` is empty: name the head in a word")
    logits, outputs = head.logits(features), head.outputs(features)
    shape, dtypes = (
        (len(features), n_outputs),
        {"logits": (np.float32, head.task.dtype), "outputs": (head.task.dtype,)},
    )
    for name, values in (("logits", logits), ("outputs", outputs)):
        require(
            values.shape == shape and values.dtype in dtypes[name],
            f"{name}: {values.dtype} of shape {values.shape}, expected {np.dtype(dtypes[name][-1])} of shape {shape}",
        )
        require(bool(np.isfinite(values).all()), f"{name}: some values are not finite")
    _check_outputs(head, logits, outputs)
    predicted = head.predict(features)
    require(
        predicted.tolist() == targets.decode(outputs).tolist(), "predict is not what the outputs decode to"
    )
    _check_items(head, features, outputs)
    _check_torch(head, features, outputs)


def check_head_kind(kind: HeadKind) -> dict[str, Head]:
    """Check a kind of head: its scores, its fits, the heads it gives, and these in the files of a run.

    Args:
        kind: its `score`, `fit` and `fit_streamed`; it need not be in `KINDS` yet.

    Returns:
        The head on all stages, by the name of each task that the kind suits.

    Raises:
        AssertionError: a check fails; the message says which, for which task and stages, and by how much.
    """
    heads = {}
    for task in TASKS.values():
        data = HeadItems.of(task)
        for stages in ((1,), (0, 1)):
            where = f"{task}, stages {stages}"
            tried = _check_score(kind, data, stages, where)
            if tried is None:
                break
            head = _check_fit(kind, data, tried, where)
            heads[task.name] = head
        if task.name in heads:
            _check_run(heads[task.name], data, str(task))
    require(bool(heads), "`score` returned None for every task")
    return heads


def _check_outputs(head: Head, logits: NDArray[np.floating], outputs: NDArray[np.floating]) -> None:
    """The task makes the outputs from logits and temperature."""
    task = head.task
    require(head.temperature > 0, f"the temperature is {head.temperature}, not above 0")
    if task.one_per_item:
        require_close(outputs.sum(axis=1), np.ones(len(outputs)), TOLERANCE, "the sum of the probabilities")
    if task.has_classes:
        require(outputs.min() >= 0 and outputs.max() <= 1, "a probability is outside of 0 and 1")
    else:
        require(head.temperature == 1, f"a quantity has no temperature, got {head.temperature}")
    expected = task.activated(logits, head.temperature)
    require_close(outputs, expected, TOLERANCE, "outputs, against the logits divided by the temperature")


def _check_items(head: Head, features: NDArray[np.floating], outputs: NDArray[np.floating]) -> None:
    """An item's outputs do not depend on the items beside it."""
    require_close(
        head.outputs(features[::-1].copy())[::-1], outputs, TOLERANCE, "outputs of items in reverse"
    )
    require_close(head.outputs(features[:1]), outputs[:1], TOLERANCE, "outputs of an item alone")
    require(head.outputs(features[:0]).shape == (0, outputs.shape[1]), "no items must give no outputs")


def _check_torch(head: Head, features: NDArray[np.floating], outputs: NDArray[np.floating]) -> None:
    """The module, the tensors that a run keeps, and the head as one layer agree with numpy."""
    x_ND = torch.from_numpy(np.ascontiguousarray(features, dtype=np.float32))
    module = head.module().eval()
    with torch.no_grad():
        require_close(module(x_ND), outputs, TOLERANCE, "module(), against outputs in numpy")
    tensors = head.tensors()
    require(bool(tensors), "tensors() is empty: a run would keep nothing of the head")
    for name, tensor in tensors.items():
        require(bool(torch.isfinite(tensor).all()), f"tensors()['{name}']: some values are not finite")
    folded = head.folded()
    if folded is not None:
        scores = (x_ND @ folded.weight.T + folded.bias).numpy()
        require_close(head.task.activated(scores), outputs, 10 * TOLERANCE, "folded(), against outputs")


def _check_score(kind: HeadKind, data: HeadItems, stages: tuple[int, ...], where: str) -> TriedHead | None:
    """The scores are out of fold: good if there is something to learn, and no better than random labels if not."""
    task, reduced = data.task, data.reduced(stages)
    found = kind.score(reduced, data.trial(data.encoded), stages)
    if found is None:
        return None
    require(found.kind == kind.name, f"{where}: the tried head is of kind {found.kind!r}, not {kind.name!r}")
    require(found.stages == stages, f"{where}: the tried head reads the stages {found.stages}")
    expected = (N_ITEMS, len(data.targets.classes))
    require(found.logits.shape == expected, f"{where}: logits of shape {found.logits.shape}, not {expected}")
    gain = found.quality - data.constant_quality
    require(gain >= LEARNED, f"{where}: the cross-validated quality is {gain:.3f} above a constant answer's")
    again = kind.score(reduced, data.trial(data.encoded), stages)
    require(again is not None, f"{where}: scored again, it returned None")
    require_close(again.logits, found.logits, 0.0, f"{where}: logits scored again")  # type: ignore[union-attr]
    shuffled = kind.score(reduced, data.trial(data.shuffled), stages)
    gain = -1.0 if shuffled is None else shuffled.quality - data.constant_quality
    require(
        gain < LEARNED,
        f"{where}: with labels at random the quality is {gain:.3f} above a constant answer's: the logits of an "
        f"item of {task} must come from a head that was fitted without its fold",
    )
    return found


def _check_fit(kind: HeadKind, data: HeadItems, tried: TriedHead, where: str) -> Head:
    """The head on raw features keeps what was chosen, and does not depend on how the items are read."""
    reduced, features = data.reduced(tried.stages), data.features(tried.stages)
    fit = (tried, reduced, data.encoded, data.targets)
    head = kind.fit(*fit)
    require(head.stages == tried.stages, f"{where}: the head reads the stages {head.stages}")
    require(head.classes == data.targets.classes, f"{where}: the classes are {head.classes}")
    require(head.task is data.task, f"{where}: the task is {head.task}")
    require(
        head.temperature == tried.temperature,
        f"{where}: the temperature is {head.temperature}, that of the tried head is {tried.temperature}",
    )
    try:
        check_head(head, features)
    except AssertionError as error:
        raise AssertionError(f"{where}: {error}") from None
    outputs = head.outputs(features)
    gain = data.quality(outputs) - data.constant_quality
    require(gain >= LEARNED, f"{where}: fitted, its quality is {gain:.3f} above a constant answer's")
    require_same_bits(dict(kind.fit(*fit).tensors()), dict(head.tensors()), f"{where}: fitted again")
    rows: Any = _Slices(features)
    streamed = kind.fit_streamed(tried, reduced, rows, data.encoded, data.targets)
    tolerance = STREAMED * (1.0 if data.task.has_classes else float(data.encoded.std()))
    got = streamed.outputs(features)
    require_close(got, outputs, tolerance, f"{where}: fit_streamed on the items of fit")
    require(streamed.stages == tried.stages, f"{where}: fit_streamed reads the stages {streamed.stages}")
    return head


def _check_run(head: Head, data: HeadItems, where: str) -> None:
    """The program and the tensors in a run are the head."""
    from safetensors.torch import load_file

    stages = list(data.backbone.stages)
    with tempfile.TemporaryDirectory() as folder:
        run = RunDirectory.create(Path(folder) / "run")
        try:
            save_model(
                run,
                predictor=Predictor(data.backbone, head).eval(),
                network=data.backbone.module,
                head=head,
                source_config={"library": "own", "modality": "image", "stages": stages},
                preprocessing={"modality": "image", "size": [8, 8]},
            )
        except ArchitectureError as error:
            raise AssertionError(f"{where}: {error}") from error
        described = read_json(run.file("head.json"))
        require(described["classes"] == list(head.classes), f"{where}: head.json has other classes")
        require(described["stage_indices"] == list(head.stages), f"{where}: head.json has other stages")
        written = {name: tensor.float() for name, tensor in head.tensors().items()}
        require_same_bits(load_file(run.file("head.safetensors")), written, f"{where}: head.safetensors")
        outputs = run_program(run.file("model.pt2"))(data.pixels)
        expected = head.outputs(data.features(head.stages))
        require_close(outputs, expected, 10 * TOLERANCE, f"{where}: model.pt2, against outputs in numpy")
        run.release()


class _Slices:
    """A matrix that can be read by slices of rows and in no other way, as one that does not fit in memory."""

    def __init__(self, x_ND: NDArray[np.float32]) -> None:
        self._x_ND = x_ND
        self.shape = x_ND.shape

    def __getitem__(self, rows: slice, /) -> NDArray[np.float32]:
        require(isinstance(rows, slice), "fit_streamed must read its features by slices of rows")
        return self._x_ND[rows]
