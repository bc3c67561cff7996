"""The commands and the one boundary where errors become messages and exit codes."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from headstart import processes
from headstart.cli.recipes import recipes
from headstart.errors import HeadstartError, OptionError
from headstart.progress import say, set_quiet
from headstart.tune.policies.catalogue import usages


class _Stopped(Exception):
    """Ctrl-C, taken before typer ends the process on it without a word."""


class _Commands(TyperGroup):
    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as stop:
            raise _Stopped(_remedy(stop) or "\nRun the same command again.") from stop


app = typer.Typer(
    name="headstart",
    cls=_Commands,
    help="Transfer learning with evidence: hand over a small data set and a pretrained model, "
    "get back the best model they make, and the proof.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["--help", "-h"]},
)

Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing on standard error.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON on standard output.")]
StoreOption = Annotated[
    str | None, typer.Option(help="Feature store; else $HEADSTART_CACHE, else the user's cache folder.")
]
Device = Annotated[
    str | None, typer.Option(help="auto (CUDA, then MPS, then CPU), cuda, mps or cpu. [default: auto]")
]
Threads = Annotated[int | None, typer.Option(help="Threads [else the cores this process may use].")]


def main() -> None:
    """Run the command line; a known error prints its message alone and gives its exit code."""
    debug = "--debug" in sys.argv
    if processes.count() > 1:  # else every process warns of what it does on purpose
        os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")
    if debug:
        sys.argv.remove("--debug")
    try:
        app(prog_name="headstart")
    except HeadstartError as error:
        if debug:
            raise
        print(f"headstart{_which_process()}: {error}{_remedy(error)}", file=sys.stderr)
        sys.exit(error.exit_code)
    except (_Stopped, KeyboardInterrupt) as stop:
        print(f"\nheadstart: stopped.{stop}", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(1)
    except Exception as error:
        if debug:
            raise
        print(
            f"headstart{_which_process()}: an error of ours, {type(error).__name__}: {error}\n"
            f"Run the command again with --debug for the traceback, and please report it.{_remedy(error)}",
            file=sys.stderr,
        )
        sys.exit(1)


def _which_process() -> str:
    return "" if processes.is_first() else f" (process {processes.number()} of {processes.count()})"


def _remedy(error: BaseException) -> str:
    """How to go on, where the verb said so in a note on the error."""
    return "".join(f"\n{note}" for note in getattr(error, "__notes__", ()))


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
) -> None:
    if version:
        from importlib.metadata import version as version_of

        print(version_of("headstart"))
        raise typer.Exit
    if context.invoked_subcommand is None and not version:
        print(context.get_help())
    elif processes.count() > 1 and context.invoked_subcommand != "fit":
        raise OptionError(f"'{context.invoked_subcommand}' runs in one process: start it without a launcher")


@app.command()
def fit(
    data: Annotated[str | None, typer.Argument(help="A folder, a table, an npz or a hub id.")] = None,
    source: Annotated[
        str | None,
        typer.Option(
            help="timm:NAME, hf:NAME[@REVISION], a folder, a file, run:RUN or bundled:letters. "
            "[else a well-known one for the data, from the hub]"
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The run's folder: numbered, never overwritten.")] = None,
    arch: Annotated[
        str | None, typer.Option(help="FILE:Class, module:Class or a timm name, for bare weights.")
    ] = None,
    target: Annotated[
        str | None, typer.Option(help="Column to predict [else label, target or class].")
    ] = None,
    task: Annotated[
        str | None,
        typer.Option(
            help="classification, multilabel (labels joined by | or ;) or regression. [default: auto, and said]"
        ),
    ] = None,
    group: Annotated[
        str | None,
        typer.Option(help="Column kept together in splits [else patient, speaker, group or subject]."),
    ] = None,
    modality: Annotated[str | None, typer.Option(help="image, text or audio, where it is not plain.")] = None,
    freeze: Annotated[
        str | None,
        typer.Option(
            help=f"What trains beside the head: {usages()}; a cut and what trains after it are joined by a comma, "
            "as in first:2,lora:8. [default: all]"
        ),
    ] = None,
    head: Annotated[
        str | None,
        typer.Option(help="auto, or standard: the library class's own pooling and head. [default: auto]"),
    ] = None,
    folds: Annotated[int | None, typer.Option(help="Evaluate by K-fold cross-validation.")] = None,
    budget: Annotated[str | None, typer.Option(help="Time for --freeze auto: 90s, 10m, 1h.")] = None,
    recipe: Annotated[
        str | None, typer.Option(help="Training settings: a name of `headstart recipes`, or a YAML file.")
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="Most epochs of training.")] = None,
    lr: Annotated[
        str | None, typer.Option(help="Peak learning rate of the trained stages, or auto: the rate finder's.")
    ] = None,
    batch_size: Annotated[int | None, typer.Option(help="Items a training step.")] = None,
    views: Annotated[int | None, typer.Option(help="Stored augmented views of each item.")] = None,
    refit_all: Annotated[
        bool | None, typer.Option("--refit-all", help="After the evaluation, learn from every label.")
    ] = None,
    baseline: Annotated[
        bool | None, typer.Option("--baseline/--no-baseline", help="The classical baseline. [default: yes]")
    ] = None,
    report: Annotated[
        bool | None, typer.Option("--report/--no-report", help="Write report.html. [default: yes]")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="The one seed. [default: 0]")] = None,
    precision: Annotated[
        str | None,
        typer.Option(help="auto (bf16 where the device is faster in it), fp32, bf16. [default: auto]"),
    ] = None,
    compile: Annotated[
        bool | None,
        typer.Option(
            "--compile", help="Compile the trained blocks; on processors it was slower (docs/training.md)."
        ),
    ] = None,
    device: Device = None,
    threads: Threads = None,
    store: StoreOption = None,
    config: Annotated[Path | None, typer.Option(help="A run's headstart.yaml: the same again.")] = None,
    resume: Annotated[Path | None, typer.Option(help="Go on with this unfinished run.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show checks, split, stages, time and disk, then stop.")
    ] = False,
    trust_remote_code: Annotated[
        bool | None, typer.Option("--trust-remote-code", help="Let the hub's model code run here.")
    ] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Fit a model to DATA from a pretrained source, and explain it."""
    given = {name: value for name, value in locals().items() if value is not None}
    for name in ("out", "config", "resume", "dry_run", "as_json", "quiet"):
        given.pop(name, None)
    set_quiet(quiet)
    from headstart.verbs.fit import fit_config_to_run, options_of_command

    options = options_of_command(given, config, resume)
    if dry_run:
        if not processes.is_first():
            return
        from headstart.fitting.dry_run import plan

        print(plan(options))
        return
    run = fit_config_to_run(options, out, resume)
    if not processes.is_first():
        return
    if as_json:
        print(json.dumps(run.metrics, indent=2))
    elif not quiet:
        print(run.summary)


@app.command()
def predict(
    run: Annotated[Path, typer.Argument(help="A finished run.")],
    data: Annotated[str, typer.Argument(help="A folder, a table, one file, or a .txt of a text a line.")],
    out: Annotated[Path | None, typer.Option(help="A .csv or .parquet file; else standard output.")] = None,
    threads: Threads = None,
    quiet: Quiet = False,
) -> None:
    """Predict DATA with a finished run."""
    set_quiet(quiet)
    from headstart.verbs.predict import predict as predict_verb

    predictions = predict_verb(run, data, out=out, threads=threads)
    if out is None:
        print(predictions.to_csv(), end="")
    else:
        say(f"{len(predictions.items)} predictions are in {out}")


@app.command()
def report(
    run: Annotated[Path, typer.Argument(help="A finished run.")],
    show: Annotated[bool, typer.Option("--open/--no-open", help="Open it in the browser.")] = True,
) -> None:
    """Open the report of a finished run."""
    from headstart.verbs.report import report as report_verb

    print(report_verb(run, show=show))


@app.command()
def demo(
    out: Annotated[Path | None, typer.Option(help="The run's folder; else runs/demo.")] = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Learn handwritten digits from letters, offline, in under a minute, and see what transfer gives."""
    set_quiet(quiet)
    from headstart.verbs.demo import demo as demo_verb

    result = demo_verb(out=out)
    print(json.dumps(result.to_json(), indent=2) if as_json else result.text)


@app.command()
def cache(
    prune: Annotated[bool, typer.Option("--prune", help="Remove what was not used lately.")] = False,
    keep: Annotated[str, typer.Option(help="With --prune: how much to keep, such as 5GB or 0.")] = "0",
    store: StoreOption = None,
    as_json: AsJson = False,
) -> None:
    """List the stored features, or prune them."""
    from headstart.verbs.cache import cache as cache_verb

    listing = cache_verb(store, prune_to=keep if prune else None)
    print(json.dumps(listing.to_json(), indent=2) if as_json else listing.text)


app.add_typer(recipes, name="recipes", invoke_without_command=True)
