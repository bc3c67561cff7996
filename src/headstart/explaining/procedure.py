"""The procedure of explaining: what happens in `headstart explain`, in order."""

from __future__ import annotations

from headstart.clock import IMPORTS, Clock
from headstart.explaining.options import ExplainOptions
from headstart.explaining.result import Explanations
from headstart.fitting.reported_run import remove_half
from headstart.progress import progress, say, waiting
from headstart.units import UNITS, counted


def run_explain(options: ExplainOptions) -> Explanations:
    """Explain by checked options.

    Args:
        options: the options.

    Raises:
        InputError: there is no such run, or the items cannot be read.
    """
    clock = Clock()
    from headstart.runs.directory import check_out
    from headstart.runs.model import Model

    if options.out is not None:
        check_out(options.out)
    model = Model.open(options.run)
    from headstart.explaining.items import column_of, read_items

    column = column_of(options.class_name, model)
    with clock.phase(IMPORTS), waiting("Loading libraries …"):
        import torch  # noqa: F401
    from headstart.errors import DataError
    from headstart.explaining.assembling import assemble
    from headstart.explaining.explained import explain_item
    from headstart.explaining.saving import create, finish
    from headstart.features.device import torch_threads
    from headstart.memory import Halving
    from headstart.processes import available_cores

    with clock.phase("data"):
        items = read_items(options, model)
    units = UNITS[items.examples.modality]
    if items.n_available > options.most:
        say(
            f"{options.most:,} of {counted(items.n_available, units)} are explained, evenly spread; "
            "--most NUMBER (in Python most=) explains more"
        )
    run = create(options)
    try:
        explained, kept, halving = [], [], Halving("Explaining")
        with (
            clock.phase("explain"),
            torch_threads(options.threads or available_cores()),
            progress("Explaining", len(items), units) as advance,
        ):
            for place, (item, name) in enumerate(zip(items.examples.items, items.examples.names.tolist())):
                found = explain_item(model, item, str(name), column, halving, options.seed)
                if found is not None:
                    explained.append(found)
                    kept.append(place)
                advance(1)
        if not explained:
            raise DataError("none of the items has a part that could be removed: pass other items")
        facts = assemble(options, items, explained, items.digests[kept], model.task)
        return finish(run, options, model, items, explained, facts, clock)
    except BaseException as error:
        remove_half(run, error)
        raise
    finally:
        run.release()
