"""The words of the command line.

Invariant: every command takes ``--json``; its help says what it reads, writes and how it ends.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from crmcore.cli.dedupe_command import run_dedupe
from crmcore.cli.import_command import run_import
from crmcore.cli.merge_commands import run_merge, run_unmerge
from crmcore.cli.show_command import run_show
from crmcore.cli.terminal import EXIT_CODES


def parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    top = argparse.ArgumentParser(
        prog="crmcore",
        description="customers: take records over, find which are the same, show each as one, undo any merge",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _import(commands)
    _dedupe(commands)
    _show(commands)
    _merge(commands)
    _unmerge(commands)
    return top


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, text: str
) -> argparse.ArgumentParser:
    command = commands.add_parser(
        name,
        help=text,
        description=text,
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("--json", action="store_true", help="print one JSON document instead of text")
    return command


def _store(command: argparse.ArgumentParser, *, required: bool = True) -> None:
    command.add_argument(
        "--store", metavar="FILE", type=Path, required=required, help="the SQLite file, e.g. crm.db"
    )


def _mapping(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--map",
        metavar="COLUMN=FIELD",
        action="append",
        default=[],
        help="what a column holds; FIELD '-' leaves it out",
    )
    command.add_argument(
        "--id-column", metavar="COLUMN", help="the column with the record's id in its source"
    )
    command.add_argument(
        "--kind", choices=("person", "organization"), help="what each row is (default: by its columns)"
    )
    command.add_argument("--encoding", help="of the file, where it is not UTF-8 (e.g. cp1252)")
    command.add_argument("--delimiter", help="between cells, where it cannot be told")


def _import(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = _command(commands, "import", "take over the records of CSV files; the plan is shown first")
    command.add_argument("files", metavar="FILE", nargs="+", type=Path)
    _store(command)
    command.add_argument(
        "--source", metavar="NAME", help="the system that the file comes from (default: its name)"
    )
    command.add_argument("--source-column", metavar="COLUMN", help="the column that names each row's system")
    _mapping(command)
    command.add_argument(
        "--region", metavar="CC", help="the country that local phone numbers are dialled from, e.g. US"
    )
    command.add_argument("--date-order", choices=("ymd", "mdy", "dmy"), help="of dates such as 04/05/2026")
    command.add_argument("--dry-run", action="store_true", help="show the plan and write nothing")
    command.add_argument(
        "--rejected", metavar="FILE", type=Path, help="write rejected rows here, to correct and import"
    )
    command.set_defaults(run=run_import)


def _dedupe(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = _command(commands, "dedupe", "find which records are the same: in a store, or in one CSV file")
    command.add_argument(
        "file", metavar="FILE", nargs="?", type=Path, help="a CSV file; without it, --store is needed"
    )
    _store(command, required=False)
    command.add_argument(
        "--report", metavar="FILE", type=Path, help="with --store: write an HTML report here"
    )
    command.add_argument("--out", metavar="FILE", type=Path, help="with FILE: write rec_id,cluster here")
    command.add_argument(
        "--summary", metavar="FILE", type=Path, help="with FILE: write counts and times as JSON here"
    )
    _mapping(command)
    command.set_defaults(run=run_dedupe)


def _show(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = _command(
        commands, "show", "show a customer: by id, former id, SYSTEM#RECORD, e-mail, phone or name"
    )
    command.add_argument("ref", metavar="REF")
    _store(command)
    command.add_argument(
        "--region", metavar="CC", help="the country that a local phone number is dialled from"
    )
    command.set_defaults(run=run_show)


def _merge(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = _command(commands, "merge", "say that two records are the same customer")
    command.add_argument("a", metavar="A")
    command.add_argument("b", metavar="B")
    _author(command)
    command.set_defaults(run=run_merge)


def _unmerge(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = _command(commands, "unmerge", "take a judgement back")
    command.add_argument("judgement", metavar="JUDGEMENT")
    command.add_argument(
        "--different", action="store_true", help="and say that they are different customers, for good"
    )
    _author(command)
    command.set_defaults(run=run_unmerge)


def _author(command: argparse.ArgumentParser) -> None:
    _store(command)
    command.add_argument("--reason", help="why, for those who read the history")
    command.add_argument("--by", metavar="ID", default="cli", help="who says so (default: cli)")
