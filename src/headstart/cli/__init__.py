"""The command line: thin commands over the verbs; a verb is imported when it runs, so help stays quick."""

from headstart.cli.app import main

__all__ = ["main"]
