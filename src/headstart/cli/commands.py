"""The commands `predict`, `export`, `push`, `report`, `demo` and `cache`: thin, each over the verb of its name."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from headstart.cli.options import AsJson, Finished, FollowOutside, Quiet, Store, Text, Threads
from headstart.errors import OptionError, shortened
from headstart.progress import printable, say, set_quiet
from headstart.units import agreeing, counted


def predict(
    run: Finished,
    data: Annotated[
        list[str],
        typer.Argument(
            help="A folder, a table, one file, or a .txt file with one text per line.", metavar="DATA"
        ),
    ],
    out: Annotated[
        Path | None, typer.Option(help="A .csv or .parquet file. [default: standard output]", metavar="FILE")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file of --out if it exists.")] = False,
    follow_outside: FollowOutside = False,
    text: Text = None,
    adapt: Annotated[
        bool,
        typer.Option(
            "--adapt",
            help="Adapt to DATA of another domain on the way. Harmful if its class shares differ from training, if it "
            "is sorted by class, or with few items.",
        ),
    ] = False,
    windows: Annotated[
        bool,
        typer.Option(
            "--windows",
            help="Predict every window of recordings that are longer than the run's, and take the mean; with --out "
            "each window too, in FILE.windows.csv.",
        ),
    ] = False,
    threads: Threads = None,
    quiet: Quiet = False,
) -> None:
    """Predict DATA with a finished run."""
    set_quiet(quiet)
    from headstart.verbs.predict import predict as predict_verb

    if len(data) > 1:
        raise OptionError(
            f"predict takes one folder, table or file, got {len(data):,} (the first is {shortened(data[0])}): name the "
            "folder that holds them, or a csv with a column `file`"
        )
    predictions = predict_verb(
        run,
        data[0],
        out=out,
        force=force,
        follow_outside=follow_outside,
        text=text,
        adapt=adapt,
        windows=windows,
        threads=threads,
    )
    if out is None:
        content = predictions.to_csv()
        print(printable(content) if sys.stdout.isatty() else content, end="")
    else:
        n_items = len(predictions.items)
        n_empty = n_items - int(predictions.is_readable.sum())
        empty = (
            f"; {counted(n_empty, 'rows')} {agreeing(n_empty, 'is', 'are')} without one" if n_empty else ""
        )
        say(
            f"{counted(n_items - n_empty, 'predictions')} {agreeing(n_items - n_empty, 'is', 'are')} in {out}{empty}"
        )


def export(
    run: Finished,
    format: Annotated[
        str, typer.Option(help="onnx: the Open Neural Network Exchange format.", metavar="FORMAT")
    ] = "onnx",
    out: Annotated[
        Path | None, typer.Option(help="A .onnx file. [default: model.onnx in the run]", metavar="FILE")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace the file of --out and those beside it.")
    ] = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Write the model of a finished run as an ONNX file, checked against the run."""
    set_quiet(quiet)
    from headstart.verbs.export import export as export_verb

    made = export_verb(run, format=format, out=out, force=force)
    print(json.dumps(made.to_json(), indent=2) if as_json else printable(made.text))


def push(
    run: Finished,
    repository: Annotated[str, typer.Argument(help="USER/NAME on the hub.", metavar="REPOSITORY")],
    public: Annotated[
        bool, typer.Option("--public", help="Let everybody read it. [default: only you]")
    ] = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Upload the model of a finished run to a Hugging Face hub, without items, labels of items or paths."""
    set_quiet(quiet)
    from headstart.verbs.push import push as push_verb

    pushed = push_verb(run, repository, public=public)
    print(json.dumps(pushed.to_json(), indent=2) if as_json else printable(pushed.text))


def report(
    run: Finished,
    show: Annotated[bool, typer.Option("--open/--no-open", help="Open it in the browser.")] = True,
) -> None:
    """Open the report of a finished run."""
    from headstart.verbs.report import report as report_verb

    print(printable(str(report_verb(run, show=show))))


def demo(
    out: Annotated[
        Path | None, typer.Option(help="Folder of the run. [default: runs/demo]", metavar="FOLDER")
    ] = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Learn handwritten digits from letters, offline, in about a minute, and see how much transfer helps."""
    set_quiet(quiet)
    from headstart.verbs.demo import demo as demo_verb

    result = demo_verb(out=out)
    print(json.dumps(result.to_json(), indent=2) if as_json else printable(result.text))


def cache(
    prune: Annotated[
        bool, typer.Option("--prune", help="Remove the features that were unused longest.")
    ] = False,
    keep: Annotated[
        str, typer.Option(help="With --prune: how much to keep, such as 5GB or 0.", metavar="SIZE")
    ] = "0",
    store: Store = None,
    as_json: AsJson = False,
) -> None:
    """List the stored features, or prune them."""
    from headstart.verbs.cache import cache as cache_verb

    listing = cache_verb(store, prune_to=keep if prune else None)
    print(json.dumps(listing.to_json(), indent=2) if as_json else printable(listing.text))


COMMANDS = (predict, export, push, report, demo, cache)
"""In the order of the help, after `fit`."""
