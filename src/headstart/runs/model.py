"""A finished run that is open: its program, model.pt2, is read once and answers any number of times."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from headstart.errors import DataError, HeadstartError, InputError, OptionError, one_line, parsing, shortened
from headstart.files import named_path
from headstart.memory import Halving
from headstart.progress import progress, say
from headstart.run_files import check_files, check_has_model, read_checked
from headstart.runs.unknown_classes import report_unknown_classes
from headstart.tasks import task_named
from headstart.units import UNITS, agreeing, counted

if TYPE_CHECKING:
    from torch import Tensor, nn

    from headstart.data import Examples, Preprocessing
    from headstart.runs import Predictions

BATCH_SIZE = 32

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Model:
    """What predicts in a finished run.

    Attributes:
        path: the run's folder.
        preprocessing: what turns items into the program's inputs.
        classes: in the order of the program's columns.
        task: its name.
    """

    path: Path
    preprocessing: Preprocessing
    classes: tuple[str, ...]
    task: str

    @classmethod
    def open(cls, run: str | Path) -> Model:
        """Open a run; its program is read when it is first used.

        Args:
            run: its folder.

        Raises:
            InputError: there is no finished run, it holds no model, or a file of it was changed.
        """
        from headstart.runs import RunDirectory

        directory = RunDirectory.open(run)
        check_has_model(directory.path)
        check_files(directory.path, ("model.pt2",))
        preprocessing = _preprocessing(directory.file("source.json"))
        return cls(directory.path, preprocessing, *_classes_and_task(directory.file("head.json")))

    @cached_property
    def _program(self) -> nn.Module:
        from headstart.runs.program import run_program

        return run_program(self.path / "model.pt2")

    def predict(
        self,
        data: str | Path | Sequence[Any],
        *,
        follow_outside: bool = False,
        adapt: bool = False,
        threads: int | None = None,
    ) -> Predictions:
        """Predict items; see `headstart.predict`.

        Args:
            data: as `headstart.predict` takes it.
            follow_outside: the same.
            adapt: the same.
            threads: the same.

        Raises:
            InputError: the data cannot be read, the run cannot be adapted, or `threads` is below 1.
        """
        from headstart.runs import Predictions

        if threads is not None and threads < 1:
            raise OptionError(f"threads must be 1 or more, got {threads}")
        if isinstance(data, str | Path):
            named_path(data, "the data")
        examples, labels_known = _read(data, self.preprocessing.modality, self.path, follow_outside)
        examples, digests = _readable(examples, self.preprocessing, threads)
        predictions = Predictions(
            items=examples.names.tolist(),
            classes=self.classes,
            probabilities=self._probabilities(examples.items, digests, adapt, threads),
            labels=examples.labels.tolist() if labels_known and examples.labels is not None else None,
            task=self.task,
        )
        report_unknown_classes(predictions)
        return predictions

    def _probabilities(
        self, items: Sequence[Any], digests: np.ndarray, adapt: bool, threads: int | None
    ) -> np.ndarray:
        if adapt:
            from headstart.runs.adapted_prediction import adapted_probabilities

            return adapted_probabilities(self.path, items, self.preprocessing, threads, digests)
        program, dtype = self.path / "model.pt2", task_named(self.task).dtype
        how = (self.preprocessing, len(self.classes), threads, digests, dtype)
        return run_items(self._program, program, items, *how)


def _preprocessing(path: Path) -> Any:
    """The preprocessing in a run's source.json.

    Raises:
        InputError: the file has none that can be used.
    """
    from headstart.data import preprocessing_from_json

    return _part(path, "preprocessing", lambda content: preprocessing_from_json(content["preprocessing"]))


def _classes_and_task(path: Path) -> tuple[tuple[str, ...], str]:
    """The classes in a run's head.json, and the name of its task.

    Raises:
        InputError: the file does not name them.
    """

    def read(content: Any) -> tuple[tuple[str, ...], str]:
        classes = content["classes"]
        are_texts = isinstance(classes, list) and all(isinstance(name, str) for name in classes)
        if not are_texts or len(set(classes)) != len(classes):
            raise DataError(f"classes must be different texts, got {shortened(repr(classes))}")
        return tuple(classes), task_named(content.get("task")).name

    return _part(path, "task and classes", read)


def _part(path: Path, what: str, read: Callable[[Any], T]) -> T:
    """What a function finds in a JSON file of a run; any error of it names the file."""
    content = read_checked(path.parent, path.name)
    try:
        with parsing(path, what, "make the run again"):
            return read(content)
    except (DataError, OptionError) as error:
        raise InputError(f"{path} cannot be read as {what} ({error}): make the run again") from None


def _read(
    data: str | Path | Sequence[Any], modality: Any, run: str | Path, follow_outside: bool
) -> tuple[Examples, bool]:
    """The items to predict, and whether every one has a label: scores need all of them.

    Raises:
        DataError: they are of another modality than the run's.
    """
    from headstart.data import Examples, read_examples
    from headstart.data.given import items_of

    if isinstance(data, str | Path):
        examples = read_examples(data, labels="as written", modality=modality, follow_outside=follow_outside)
    else:
        examples = Examples.from_lists(items_of(data), modality=modality)
    if examples.modality != modality:
        raise DataError(
            f"the run {run} takes {modality}, and the data holds {examples.modality}: "
            "pass a run that was fitted on such data"
        )
    return examples, bool(examples.labelled.all())


def run_items(
    module: nn.Module,
    program: Path,
    items: Sequence[Any],
    preprocessing: Any,
    n_classes: int,
    threads: int | None = None,
    digests: np.ndarray | None = None,
    dtype: type[np.floating] = np.float32,
) -> np.ndarray:
    """Run a program over items.

    Args:
        module: the program, opened.
        program: its file, for messages.
        items: files, texts or arrays.
        preprocessing: what turns them into the program's inputs.
        n_classes: width of the result.
        threads: cores to use.
        digests: (n_items,) of the items' content as the scan saw it; None: contents are not compared.
        dtype: of the result.

    Returns:
        Probabilities (or values) of shape (n_items, n_classes), in the order of the items.

    Raises:
        InputError: the program fails, or gives another number of values.
        HeadstartError: there is not enough memory for one item.
    """
    from headstart.data import load_batches, plan_batches
    from headstart.features.device import torch_threads
    from headstart.processes import available_cores

    n_threads, halving = threads or available_cores(), Halving("Predicting")
    probabilities = np.zeros((len(items), n_classes), dtype)
    batches = plan_batches(items, preprocessing, batch_size=BATCH_SIZE)
    with (
        progress("Predicting", len(items), UNITS[preprocessing.modality]) as advance,
        torch_threads(n_threads),
    ):
        loaded = load_batches(items, preprocessing, batches, threads=n_threads, digests=digests, exact=True)
        for positions, inputs in loaded:
            values = _outputs(
                program, partial(_run_rows, module, tuple(inputs.values())), halving, len(positions)
            )
            if values.shape[1:] != (n_classes,):
                raise InputError(
                    f"{program} gives {counted(values.shape[-1], 'values')} per item, and the run names "
                    f"{counted(n_classes, 'classes')}; "
                    "make the run again"
                )
            probabilities[positions] = values
            advance(len(positions))
    return probabilities


def _run_rows(module: nn.Module, inputs: Sequence[Tensor], rows: slice) -> np.ndarray:
    import torch

    with torch.inference_mode():
        found: np.ndarray = module(*(tensor[rows] for tensor in inputs)).numpy()
    return found


def _outputs(
    program: Path, compute: Callable[[slice], np.ndarray], halving: Halving, n_items: int
) -> np.ndarray:
    """What a program gives for a batch, computed in parts if the memory is too small for all of it."""
    try:
        return np.concatenate(halving(compute, n_items))
    except HeadstartError:
        raise
    except Exception as error:  # kernels and guards of a program raise many kinds of errors
        raise InputError(
            f"the program in {program} cannot compute these items ({one_line(error)}): if others fail too, copy the "
            "run again, or make it again"
        ) from error


def _readable(examples: Examples, preprocessing: Any, threads: int | None) -> tuple[Examples, np.ndarray]:
    """The items that can be read, with their digests; the others are reported and left out, cut ones reported too."""
    from headstart.data import scan
    from headstart.processes import available_cores

    found = scan(examples.items, examples.modality, threads=threads or available_cores())
    for index, problem in found.problems.items():
        say(f"left out: {examples.names[index]}: {problem}")
    if len(found.problems) == len(examples):
        raise DataError(f"no item can be read. The first is {examples.names[0]}: {found.problems[0]}")
    if found.seconds is not None:
        window = preprocessing.window_samples / preprocessing.rate_hz
        n_longer = int((found.seconds > window + 1e-3).sum())
        if n_longer:
            are = agreeing(n_longer, "is", "are")
            say(
                f"{n_longer:,} of {counted(len(examples), 'recordings')} {are} longer than the window of the run, "
                f"{window:g} s: only their first {window:g} s are used"
            )
    kept = np.setdiff1d(np.arange(len(examples)), np.fromiter(found.problems, dtype=np.int64))
    return examples.take(kept), found.digests[kept]
