"""The evaluation procedure: what happens in `headstart evaluate`, in order."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from headstart.clock import IMPORTS, Clock
from headstart.evaluating.options import EvaluateOptions
from headstart.evaluating.result import Evaluation
from headstart.fitting.reported_run import remove_half
from headstart.progress import waiting

if TYPE_CHECKING:
    from headstart.data import Modality


def run_evaluate(options: EvaluateOptions) -> Evaluation:
    """Evaluate by checked options.

    Args:
        options: the options.

    Raises:
        InputError: there is no such run, or the data cannot be scored by it.
    """
    clock = Clock()
    from headstart.runs import RunDirectory
    from headstart.runs.directory import check_out
    from headstart.runs.model import Model

    if options.out is not None:
        check_out(options.out)
    directory = RunDirectory.open(options.run)
    model = Model.open(options.run)
    model.check_windows(options.windows)
    from headstart.evaluating.own import OwnScore
    from headstart.fitting.labelled_items import print_items, read_labelled, require_known, unlearned_items

    own = OwnScore.of(directory, model.classes)
    with clock.phase("data"):
        examples = read_labelled(options, own.record, cast("Modality", model.preprocessing.modality))
        require_known(examples, model, str(options.data))
    with clock.phase(IMPORTS), waiting("Loading libraries …"):
        import torch  # noqa: F401
    from headstart.evaluating.assembling import assemble
    from headstart.evaluating.saving import create, finish
    from headstart.evaluating.scoring import Scored

    items = unlearned_items(examples, options, model, clock)
    print_items(items)
    run = create(options)
    try:
        data = items.data
        with clock.phase("predict"):
            outputs, windows = model.outputs(
                data.examples,
                data.scan.digests,
                data.scan.seconds,
                windows=options.windows,
                threads=options.threads,
            )
        with clock.phase("evaluate"):
            scored = Scored.of(data.examples, data.units, outputs, model.classes, model.task)
            facts = assemble(options, own, items, scored)
        return finish(run, options, own, items, scored, windows, facts, clock)
    except BaseException as error:
        remove_half(run, error)
        raise
    finally:
        run.release()
