"""A finished run that is open: its program, model.pt2, is read once and answers any number of times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np

from headstart.errors import DataError, OptionError
from headstart.files import named_path
from headstart.progress import waiting
from headstart.run_files import PROGRAM, check_files, check_has_program
from headstart.runs.decision import answers_by
from headstart.runs.model_files import answers_in, preprocessing_in, text_columns
from headstart.runs.readable import readable, report_cut
from headstart.runs.unknown_classes import report_unknown_classes
from headstart.tasks import Targets, task_named

if TYPE_CHECKING:
    from torch import nn

    from headstart.data import AudioPreprocessing, Examples, Preprocessing
    from headstart.runs import Predictions
    from headstart.tasks.threshold import Threshold

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Model:
    """What predicts in a finished run.

    Attributes:
        path: the run's folder.
        preprocessing: what turns items into the program's inputs.
        classes: in the order of the program's columns.
        task: its name.
        text: columns of the run's own table that its texts came from; (): not known.
        threshold: by which the run answers; None: the usual way.
    """

    path: Path
    preprocessing: Preprocessing
    classes: tuple[str, ...]
    task: str
    text: tuple[str, ...] = ()
    threshold: Threshold | None = None

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
        check_has_program(directory.path)
        check_files(directory.path, (PROGRAM,))
        preprocessing = preprocessing_in(directory.file("source.json"))
        classes, task, threshold = answers_in(directory.file("head.json"))
        return cls(directory.path, preprocessing, classes, task, text_columns(directory.path), threshold)

    @cached_property
    def program(self) -> nn.Module:
        """The network and head, read when they are first used: inputs to probabilities or values."""
        from headstart.runs.program import run_program

        with waiting("Reading model.pt2 …"):
            return run_program(self.path / PROGRAM)

    def predict(
        self,
        data: str | Path | Sequence[Any],
        *,
        follow_outside: bool = False,
        text: str | None = None,
        adapt: bool = False,
        windows: bool = False,
        threads: int | None = None,
    ) -> Predictions:
        """Predict items; see `headstart.predict`.

        Args:
            data: as `headstart.predict` takes it.
            follow_outside, text, adapt, windows, threads: the same.

        Raises:
            InputError: the data cannot be read, the run cannot be adapted, or `threads` is below 1.
        """
        from headstart.runs import Predictions

        if threads is not None and threads < 1:
            raise OptionError(f"threads must be 1 or more, got {threads}")
        if isinstance(data, str | Path):
            named_path(data, "the data")
        self.check_windows(windows, adapt=adapt)
        examples, labels_known = self.read(data, text, follow_outside)
        kept, digests, seconds = readable(examples, threads)
        how: dict[str, Any] = {"adapt": adapt, "windows": windows, "threads": threads}
        outputs, pieces = self.outputs(examples.take(kept), digests, seconds, **how)
        probabilities = np.full((len(examples), outputs.shape[1]), np.nan, outputs.dtype)
        probabilities[kept] = outputs
        predictions = Predictions(
            items=examples.names.tolist(),
            classes=self.classes,
            probabilities=probabilities,
            labels=examples.labels.tolist() if labels_known and examples.labels is not None else None,
            task=self.task,
            windows=pieces,
            answers=self.answers(probabilities),
            given={name: values.tolist() for name, values in examples.other_columns.items()},
        )
        report_unknown_classes(predictions)
        return predictions

    def answers(self, outputs: np.ndarray) -> list[Any] | None:
        """What the run answers by its threshold (`decision.answers_by`); None if it has none.

        Args:
            outputs: of shape (N, n_classes).
        """
        targets = Targets(task_named(self.task), self.classes)
        return None if self.threshold is None else answers_by(self.threshold, outputs, targets)

    def check_windows(self, windows: bool, *, adapt: bool = False) -> None:
        """Refuse --windows where items have no windows.

        Args:
            windows: whether they were asked for.
            adapt: whether --adapt was too.

        Raises:
            OptionError: items are no recordings, or the features are adapted on the way.
        """
        modality = self.preprocessing.modality
        if not windows or (modality == "audio" and not adapt):
            return
        no_length = f"with a run on {modality}, whose items have no length in seconds"
        raise OptionError(f"--windows cannot be used {'with --adapt' if adapt else no_length}: leave it out")

    def outputs(
        self,
        examples: Examples,
        digests: np.ndarray,
        seconds: np.ndarray | None = None,
        *,
        adapt: bool = False,
        windows: bool = False,
        threads: int | None = None,
    ) -> tuple[np.ndarray, Predictions | None]:
        """Probabilities or values of items that can be read.

        Recordings that are cut are reported, unless every window of them is predicted.

        Args:
            examples: N items.
            digests: (N,) of their content, as a scan saw it.
            seconds: (N,) of recordings; None for other items.
            adapt, windows, threads: see `headstart.predict`.

        Returns:
            Of shape (N, n_classes), and the same of every window if they were asked for.
        """
        from headstart.runs import Predictions

        if not windows or seconds is None:
            if seconds is not None:
                report_cut(seconds, cast("AudioPreprocessing", self.preprocessing))
            return self._probabilities(examples.items, digests, adapt, threads), None
        from headstart.runs.by_windows import by_windows

        predict = partial(self._probabilities, threads=threads)
        length = cast("AudioPreprocessing", self.preprocessing).window_seconds
        names, outputs, probabilities = by_windows(examples, seconds, length, predict)
        answers = self.answers(outputs)
        return probabilities, Predictions(names, self.classes, outputs, task=self.task, answers=answers)

    def read(
        self, data: str | Path | Sequence[Any], text: str | None, follow_outside: bool
    ) -> tuple[Examples, bool]:
        """The items to predict, and whether every one has a label: scores need all of them.

        Args:
            data: as `headstart.predict` takes it.
            text: the same.
            follow_outside: the same.

        Raises:
            DataError: they are of another modality than the run's.
        """
        from headstart.data import Examples
        from headstart.data.given import is_one_column, items_of
        from headstart.data.in_memory_data import in_memory
        from headstart.data.read import read_like
        from headstart.units import UNITS

        modality: Any = self.preprocessing.modality
        place = data if isinstance(data, str | Path) else None if is_one_column(data) else in_memory(data)
        if place is not None:
            settings = {"labels": "as written", "modality": modality, "follow_outside": follow_outside}
            examples = read_like(place, {"text": text}, {"text": self.text or None}, **settings)
        else:
            examples = Examples.from_lists(items_of(data), modality=modality)
        if examples.modality != modality:
            raise DataError(
                f"the run {self.path} takes {UNITS[modality]}, and the data holds {UNITS[examples.modality]}: "
                "pass a run that was fitted on such data"
            )
        return examples, bool(examples.labelled.all())

    def _probabilities(
        self,
        items: Sequence[Any],
        digests: np.ndarray | None = None,
        adapt: bool = False,
        threads: int | None = None,
    ) -> np.ndarray:
        """Probabilities or values of items that can be read, of shape (n_items, n_classes)."""
        if adapt:
            from headstart.runs.adapted_prediction import adapted_probabilities

            return adapted_probabilities(self.path, items, self.preprocessing, threads, digests)
        from headstart.runs.running import run_items

        program, dtype = self.path / PROGRAM, task_named(self.task).dtype
        how = (self.preprocessing, len(self.classes), threads, digests, dtype)
        return run_items(self.program, program, items, *how)
