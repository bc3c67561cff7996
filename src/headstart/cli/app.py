"""The command line and the one boundary where errors become messages and exit codes."""

from __future__ import annotations

import atexit
import gc
import os
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from headstart import processes
from headstart.cli.adapt import adapt
from headstart.cli.audit import audit
from headstart.cli.calibrate import calibrate
from headstart.cli.commands import COMMANDS
from headstart.cli.evaluate import evaluate
from headstart.cli.explain import explain
from headstart.cli.fit import fit
from headstart.cli.rank import rank
from headstart.cli.recipes import recipes
from headstart.errors import HeadstartError, OptionError
from headstart.files import is_disk_full
from headstart.progress import printable, secure_standard_error


class _Stopped(Exception):
    """Ctrl-C, caught before typer ends the process without a message."""


class _Commands(TyperGroup):
    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as stop:
            raise _Stopped(_remedy(stop) or "\nRun the same command again.") from stop


app = typer.Typer(
    name="headstart",
    cls=_Commands,
    help="Transfer learning with evidence: give a small data set and a pretrained model, get the best model "
    "they make together, and the evidence for it.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["--help", "-h"]},
)


def main() -> None:
    """Run the command line; a known error prints its message alone and gives its exit code."""
    secure_standard_error()
    atexit.register(gc.freeze)  # else a last collection of all that the libraries hold takes a second
    debug = "--debug" in sys.argv
    if processes.count() > 1:  # else every process prints warnings about what it does on purpose
        os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")
    if debug:
        sys.argv.remove("--debug")
    try:
        app(prog_name="headstart")
    except HeadstartError as error:
        if debug:
            raise
        print(printable(f"headstart{_which_process()}: {error}{_remedy(error)}"), file=sys.stderr)
        sys.exit(error.exit_code)
    except (_Stopped, KeyboardInterrupt) as stop:
        print(printable(f"\nheadstart: stopped.{stop}"), file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(1)
    except Exception as error:
        if debug:
            raise
        message = f"headstart{_which_process()}: {_unexpected(error)}{_remedy(error)}"
        print(printable(message), file=sys.stderr)
        sys.exit(1)


def _unexpected(error: Exception) -> str:
    if isinstance(error, OSError) and is_disk_full(error):  # any file can be the one that no longer fits
        where = f", {error.filename} cannot be written" if error.filename else ""
        return f"the disk is full{where}: free some space, then give the command again"
    return (
        f"internal error, {type(error).__name__}: {error}\n"
        "Run the command again with --debug for the traceback, and please report it."
    )


def _which_process() -> str:
    return "" if processes.is_first() else f" (process {processes.number()} of {processes.count()})"


def _remedy(error: BaseException) -> str:
    """What to do next, from the notes on the error."""
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


for command in (fit, rank, audit, adapt, evaluate, calibrate, explain, *COMMANDS):
    app.command()(command)
app.add_typer(recipes, name="recipes", invoke_without_command=True)
