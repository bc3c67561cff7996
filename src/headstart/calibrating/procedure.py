"""The calibration procedure: what happens in `headstart calibrate`, in order."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from headstart.calibrating.options import CalibrateOptions
from headstart.calibrating.result import Calibration
from headstart.clock import IMPORTS, Clock
from headstart.progress import waiting

if TYPE_CHECKING:
    from headstart.data import Modality


def run_calibrate(options: CalibrateOptions) -> Calibration:
    """Calibrate by checked options.

    Args:
        options: the options.

    Raises:
        InputError: there is no such run, it cannot be calibrated, or the data does not fit it.
    """
    clock = Clock()
    from headstart.runs.directory import check_out

    if options.out is not None:
        check_out(options.out)
    with clock.phase(IMPORTS), waiting("Loading libraries …"):
        from headstart.calibrating.opened import OpenedRun  # with PyTorch
    opened = OpenedRun.open(options.run)
    from headstart.calibrating.assembling import assemble
    from headstart.calibrating.choosing import choose
    from headstart.calibrating.items import KnownItems
    from headstart.calibrating.saving import save, without_run
    from headstart.fitting.labelled_items import print_items, read_labelled, require_known, unlearned_items

    model = opened.model
    with clock.phase("data"):
        examples = read_labelled(options, opened.record, cast("Modality", model.preprocessing.modality))
        require_known(examples, model, str(options.data))
    items = unlearned_items(examples, options, model, clock)
    print_items(items)
    known = KnownItems.of(items, model, str(options.data))
    with clock.phase("source"), waiting("Reading the network …"):
        source = opened.network(options.arch)
    with clock.phase("predict"):
        data = known.data
        outputs, _ = model.outputs(
            data.examples, data.scan.digests, data.scan.seconds, threads=options.threads
        )
    with clock.phase("calibrate"), waiting("Fitting corrections …"):
        choice = choose(known.targets.task, outputs, known.codes, known.units)
        facts = assemble(options, opened, items, known, outputs, choice)
    if choice.chosen is None:
        return without_run(facts)
    return save(options, opened, source, known, outputs, choice.chosen, facts, clock)
