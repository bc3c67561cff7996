"""What every head must satisfy: numpy, torch and the files of a run say the same, and its scores are honest.

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
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from headstart.backbone import Backbone
from headstart.choose.candidate import Candidate, Trial
from headstart.choose.kinds import HeadKind
from headstart.errors import ArchitectureError
from headstart.files import read_json
from headstart.heads.head import Head
from headstart.heads.predictor import Predictor
from headstart.heads.reduce import Reduced, combine, reduce, standardiser
from headstart.runs.directory import RunDirectory
from headstart.runs.export import run_program, save_model
from headstart.tasks import TASKS, Targets, Task
from headstart.testing.close import require, require_close, require_same_bits

TOLERANCE = 1e-5  # between numpy and torch, relative to the largest value
LEARNED = 0.2  # by which the quality must be above that of the best constant answer
STREAMED = 0.05  # between a head fitted on items in memory and one on the same items read in slices
N_ITEMS, N_FOLDS, N_OUTPUTS = 90, 5, 3


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
    for name, values in (("logits", logits), ("outputs", outputs)):
        require(
            values.shape == (len(features), n_outputs) and values.dtype == np.float32,
            f"{name}: {values.dtype} of shape {values.shape}, expected float32 of shape "
            f"{(len(features), n_outputs)}",
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
        data = _Data.of(task)
        for stages in ((1,), (0, 1)):
            where = f"{task}, stages {stages}"
            candidate = _check_score(kind, data, stages, where)
            if candidate is None:
                break
            head = _check_fit(kind, data, candidate, where)
            heads[task.name] = head
        if task.name in heads:
            _check_run(heads[task.name], data, str(task))
    require(bool(heads), "`score` returned None for every task")
    return heads


def _check_outputs(head: Head, logits: NDArray[np.float32], outputs: NDArray[np.float32]) -> None:
    """The task makes the outputs from logits and temperature."""
    task = head.task
    require(head.temperature > 0, f"the temperature is {head.temperature}, not above 0")
    if task.one_per_item:
        require_close(outputs.sum(axis=1), np.ones(len(outputs)), TOLERANCE, "the sum of the probabilities")
    if task.has_classes:
        require(0 <= outputs.min() and outputs.max() <= 1, "a probability is outside of 0 and 1")
    else:
        require(head.temperature == 1, f"a quantity has no temperature, got {head.temperature}")
    expected = task.activated(logits, head.temperature)
    require_close(outputs, expected, TOLERANCE, "outputs, against the logits divided by the temperature")


def _check_items(head: Head, features: NDArray[np.floating], outputs: NDArray[np.float32]) -> None:
    """An item's outputs do not depend on the items beside it."""
    require_close(head.outputs(features[::-1])[::-1], outputs, TOLERANCE, "outputs of items in reverse")
    require_close(head.outputs(features[:1]), outputs[:1], TOLERANCE, "outputs of an item alone")
    require(head.outputs(features[:0]).shape == (0, outputs.shape[1]), "no items must give no outputs")


def _check_torch(head: Head, features: NDArray[np.floating], outputs: NDArray[np.float32]) -> None:
    """The module, the tensors that a run keeps, and the head as one layer say the same as numpy."""
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


def _check_score(kind: HeadKind, data: _Data, stages: tuple[int, ...], where: str) -> Candidate | None:
    """The scores are out of fold: they see what there is to learn, and nothing where there is nothing."""
    task, reduced = data.task, data.reduced(stages)
    found = kind.score(reduced, data.trial(data.encoded), stages)
    if found is None:
        return None
    require(found.kind == kind.name, f"{where}: the candidate is of kind {found.kind!r}, not {kind.name!r}")
    require(found.stages == stages, f"{where}: the candidate reads the stages {found.stages}")
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


def _check_fit(kind: HeadKind, data: _Data, candidate: Candidate, where: str) -> Head:
    """The head on raw features keeps what was chosen, and does not depend on how the items are read."""
    reduced, features = data.reduced(candidate.stages), data.features(candidate.stages)
    fit = (candidate, reduced, data.encoded, data.targets)
    head = kind.fit(*fit)
    require(head.stages == candidate.stages, f"{where}: the head reads the stages {head.stages}")
    require(head.classes == data.targets.classes, f"{where}: the classes are {head.classes}")
    require(head.task is data.task, f"{where}: the task is {head.task}")
    require(
        head.temperature == candidate.temperature,
        f"{where}: the temperature is {head.temperature}, the candidate's is {candidate.temperature}",
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
    streamed = kind.fit_streamed(candidate, reduced, rows, data.encoded, data.targets)
    tolerance = STREAMED * (1.0 if data.task.has_classes else float(data.encoded.std()))
    got = streamed.outputs(features)
    require_close(got, outputs, tolerance, f"{where}: fit_streamed on the items of fit")
    require(streamed.stages == candidate.stages, f"{where}: fit_streamed reads the stages {streamed.stages}")
    return head


def _check_run(head: Head, data: _Data, where: str) -> None:
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


class _Network(nn.Module):
    """Two stages, of 7 and 5 features."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 7, 1), nn.Conv2d(7, 5, 1)

    def forward(self, pixels: Tensor) -> Tensor:
        embedding: Tensor = self.second(self.first(pixels).tanh()).mean(dim=(2, 3))
        return embedding


@dataclass(frozen=True, eq=False)
class _Data:
    """Pictures whose pooled features at each stage tell what is to be learned.

    Attributes:
        task: what is learned.
        backbone: of two stages.
        pixels: of shape (N, 3, 8, 8).
        targets: the task with its names.
        encoded: targets of the items.
    """

    task: Task
    backbone: Backbone
    pixels: Tensor
    targets: Targets
    encoded: NDArray[Any]

    @classmethod
    def of(cls, task: Task) -> _Data:
        """Make them for a task."""
        generator = torch.Generator().manual_seed(0)
        with torch.random.fork_rng():
            torch.manual_seed(0)
            network = _Network().eval()
        colour = torch.randn(N_ITEMS, 3, 1, 1, generator=generator)
        pixels = colour + 0.3 * torch.randn(N_ITEMS, 3, 8, 8, generator=generator)
        colour_N3 = colour[:, :, 0, 0].numpy()
        if task.one_per_item:
            labels = [f"c{index}" for index in colour_N3.argmax(axis=1)]
        elif task.many_per_item:
            labels = ["|".join(f"c{c}" for c in np.flatnonzero(row > 0)) or "-" for row in colour_N3]
        else:
            labels = [str(20 + 3 * row[0] - row[1]) for row in colour_N3]
        targets = Targets(task, task.output_names(labels, "value"))
        return cls(task, Backbone(network, ["first", "second"]), pixels, targets, targets.encode(labels))

    @cached_property
    def pooled(self) -> list[NDArray[np.float32]]:
        """The features of each stage."""
        with torch.no_grad():
            return [vectors.numpy() for vectors in self.backbone.pooled(self.pixels)]

    @property
    def shuffled(self) -> NDArray[Any]:
        """The targets of other items."""
        return np.asarray(self.encoded[np.random.default_rng(1).permutation(N_ITEMS)])

    @property
    def constant_quality(self) -> float:
        """The quality of the best constant answer."""
        constant = self.task.constant(self.encoded, self.targets.n_outputs)
        return self.quality(np.tile(constant, (N_ITEMS, 1)))

    def quality(self, outputs: NDArray[np.floating]) -> float:
        """The mean quality of outputs."""
        return float(self.task.item_quality(outputs, self.encoded).mean())

    def features(self, stages: tuple[int, ...]) -> NDArray[np.float32]:
        """Features of some stages side by side."""
        return np.concatenate([self.pooled[index] for index in stages], axis=1)

    def reduced(self, stages: tuple[int, ...]) -> Reduced:
        """The rotated features of some stages."""
        parts = [reduce(self.pooled[index], standardiser(self.pooled[index])) for index in stages]
        return parts[0] if len(parts) == 1 else combine(parts, n_columns=1024)

    def trial(self, encoded: NDArray[Any]) -> Trial:
        """What a candidate is scored on."""
        folds = np.random.default_rng(0).permutation(np.arange(N_ITEMS) % N_FOLDS)
        return Trial(self.task, encoded, self.targets.n_outputs, folds, None)


class _Slices:
    """A matrix that can be read by slices of rows and in no other way, as one that does not fit in memory."""

    def __init__(self, x_ND: NDArray[np.float32]) -> None:
        self._x_ND = x_ND
        self.shape = x_ND.shape

    def __getitem__(self, rows: slice, /) -> NDArray[np.float32]:
        require(isinstance(rows, slice), "fit_streamed must read its features by slices of rows")
        return self._x_ND[rows]
