"""The entry point: words to a command, a command to an exit code.

Invariant: whatever goes wrong in the data, a file or a store ends in one sentence and a non-zero exit code, never in a
stack trace.
"""

from __future__ import annotations

import contextlib
import gc
import os
import sqlite3
import sys
from collections.abc import Iterator, Sequence

from crmcore.cli.parser import parser
from crmcore.cli.terminal import INTERRUPTED, REFUSED, Terminal
from crmcore.errors import AmbiguousReference, CrmError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    options = parser().parse_args(arguments)
    # A command lives briefly and keeps most of what it reads: looking for garbage all the time costs a quarter of it.
    gc.set_threshold(100_000, 50, 50)
    terminal = Terminal(as_json=options.json)
    try:
        with _utf8():
            return int(options.run(options, terminal))
    except AmbiguousReference as error:
        terminal.error(f"{error}\n  " + "\n  ".join(error.candidates[:20]))
    except CrmError as error:
        terminal.error(str(error))
    except KeyboardInterrupt:
        terminal.error("interrupted: what was written is whole; run the same command again to go on")
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has seen enough; do not complain about it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return REFUSED
    except OSError as error:
        terminal.error(
            f"{error.strerror or 'the file could not be used'}: check the path and its permissions"
        )
    except (MemoryError, sqlite3.Error, RecursionError) as error:
        terminal.error(
            f"{type(error).__name__}: the machine or the store could not do this; nothing is half done"
        )
    return REFUSED


@contextlib.contextmanager
def _utf8() -> Iterator[None]:
    """Names of the world are printed as they are, also where the terminal claims ASCII."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace", encoding="utf-8")
    yield
