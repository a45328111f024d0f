"""What the parsers of all commands are made of.

Invariant: every command takes ``--json``, and says what is wrong with its words by its own name.
"""

from __future__ import annotations

import argparse

from crmcore.cli.terminal import EXIT_CODES
from crmcore.cli.words import Parser, path

Commands = argparse._SubParsersAction  # argparse has no public name for it


def new_command(commands: Commands[Parser], name: str, says: str) -> Parser:
    """A command, with what it *says* of itself."""
    command = commands.add_parser(name, help=says, description=says, epilog=EXIT_CODES)
    command.add_argument("--json", action="store_true", help="print one JSON document instead of text")
    command.set_defaults(usage_error=command.error)
    return command


def store_option(command: Parser, *, required: bool = True) -> None:
    """Let the command name a store."""
    command.add_argument(
        "--store", metavar="FILE", type=path, required=required, help="the SQLite file, e.g. crm.db"
    )
