"""The entry point: words to a command, a command to an exit code.

Invariant: whatever goes wrong in the words, the data, a file or a store ends in one sentence and a non-zero exit code,
never in a stack trace, which would show values.
"""

from __future__ import annotations

import contextlib
import gc
import os
import sqlite3
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

from crmcore.cli.terminal import BROKEN, INTERRUPTED, REFUSED, Terminal
from crmcore.errors import Contention, CrmError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    terminal = Terminal()
    try:
        return _run(arguments, terminal)
    except SystemExit as ended:  # help was printed, or what is wrong with the words
        return ended.code if isinstance(ended.code, int) else REFUSED
    except BrokenPipeError:
        return REFUSED  # whoever read our output has seen enough
    except BaseException as error:
        code, sentence = _ended(error)
        terminal.error(sentence)
        return code
    finally:
        _let_go()


def _run(arguments: Sequence[str] | None, terminal: Terminal) -> int:
    _print_utf8()
    # Here, not above: an interrupt while the commands are loaded ends in a sentence as well.
    from crmcore.cli.parser import parser

    options = parser().words(arguments)
    terminal.as_json = options.json
    # A command lives briefly and keeps most of what it reads: looking for garbage all the time costs a quarter of it.
    usual = gc.get_threshold()
    gc.set_threshold(100_000, 50, 50)
    try:
        return int(options.run(options, terminal))
    finally:
        gc.set_threshold(*usual)


def _ended(error: BaseException) -> tuple[int, str]:
    """The exit code and the sentence for what ended a command."""
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED, "interrupted: what was written is whole; run the same command again to go on"
    if isinstance(error, Contention):
        return (
            REFUSED,
            "another program keeps the store locked: wait for it to end, then run the command again",
        )
    if isinstance(error, CrmError):
        return REFUSED, str(error)
    if isinstance(error, OSError):
        return (
            REFUSED,
            f"{error.strerror or 'a file could not be used'}: check the files named and their disk",
        )
    if isinstance(error, (MemoryError, RecursionError, sqlite3.Error)):
        return REFUSED, f"{type(error).__name__}: the machine could not do this; what was written is whole"
    # Its message may hold values, so only the place is told.
    last = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{Path(last.filename).name}:{last.lineno}"
    return BROKEN, f"an error in crmcore itself ({type(error).__name__}, {place}): please report these words"


def _print_utf8() -> None:
    """Names of the world are printed as they are, also where the terminal claims ASCII."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace", encoding="utf-8")


def _let_go() -> None:
    """Give up what cannot be printed any more, so that nobody complains about it at exit."""
    for stream in (sys.stdout, sys.stderr):
        if stream is None:
            continue
        try:
            stream.flush()
        except (OSError, ValueError):
            with contextlib.suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
