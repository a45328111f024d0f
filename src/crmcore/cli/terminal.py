"""What the command line says, and how it ends.

Invariant: results go to standard output, everything else to standard error; progress is shown on a terminal only. With
``--json`` standard output holds one JSON document and nothing else, and none at all where a command failed.
"""

from __future__ import annotations

import contextlib
import json
import sys
import time
from typing import Any

DONE = 0
REFUSED = 1
USAGE = 2
INCOMPLETE = 3
BROKEN = 70
INTERRUPTED = 130

EXIT_CODES = """exit codes:
  0    done
  1    refused or failed: one sentence on standard error says why and what to do
  2    the words of the command are wrong: an option that is missing, unknown or makes no sense
  3    done, but look: rows were rejected, are in conflict or unreadable, a file is damaged, or no model could be saved
  70   an error in crmcore itself
  130  interrupted: what was written is whole, and the same command goes on from there
"""

DAMAGED = frozenset({"duplicate_header", "formula", "spreadsheet_float", "spreadsheet_scientific"})
"""Notices of which a person should look into the file, although its rows were taken over."""


class Terminal:
    """Standard output and error of one command; *as_json* is known once its words are."""

    def __init__(self, *, as_json: bool = False) -> None:
        self.as_json = as_json
        self._shown = 0.0
        self._width = 0

    def text(self, text: str) -> None:
        """Print for people; nothing with ``--json``."""
        if not self.as_json:
            self._clear()
            print(text, flush=True)

    def result(self, document: Any) -> None:
        """Print for programs; nothing without ``--json``."""
        if self.as_json:
            self._clear()
            print(json.dumps(document, ensure_ascii=False, indent=2, sort_keys=True), flush=True)

    def error(self, sentence: str) -> None:
        """Print one sentence on standard error."""
        self._clear()
        self._aside(f"crmcore: {sentence}\n")

    def progress(self, stage: str, done: int, total: int) -> None:
        """Show how far a long work is, at most ten times a second and only on a terminal."""
        if sys.stderr is None or not sys.stderr.isatty():
            return
        now = time.monotonic()
        if now - self._shown < 0.1 and done != total:
            return
        self._shown = now
        line = f"{stage}: {done:,}" + (f" of {total:,}" if total else "")
        self._aside("\r" + line.ljust(self._width))
        self._width = len(line)

    def _clear(self) -> None:
        if self._width:
            self._aside("\r" + " " * self._width + "\r")
            self._width = 0

    def _aside(self, text: str) -> None:
        """Write to standard error, if there is one; a command does not fail because nobody listens there."""
        if sys.stderr is not None:
            with contextlib.suppress(OSError):
                print(text, end="", file=sys.stderr, flush=True)


def counted(count: int, one: str, many: str) -> str:
    """A number with its noun.

    >>> counted(1, "row", "rows"), counted(1200, "row", "rows")
    ('1 row', '1,200 rows')
    """
    return f"{count:,} {one if count == 1 else many}"
