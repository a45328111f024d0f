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
        self._pace = Pace()

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
        """Show how far a long work is, and about how long this stage of it still takes, at most ten times a second and
        only on a terminal."""
        if sys.stderr is None or not sys.stderr.isatty():
            return
        now = time.monotonic()
        if now - self._shown < 0.1 and done != total:
            return
        self._shown = now
        left = self._pace.left(stage, done, total, now)
        line = f"{stage}: {done:,}" + (f" of {total:,}" if total else "") + left if done else stage
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


class Pace:
    """How fast a stage goes, from its first progress on: what a checkpoint had done before is no measure."""

    def __init__(self) -> None:
        self._stage = ""
        self._done = 0
        self._began = 0.0

    def left(self, stage: str, done: int, total: int, now: float) -> str:
        """How long the *stage* still takes, in words; nothing as long as that cannot be told, nor of later stages.

        >>> pace = Pace()
        >>> pace.left("comparing", 100, 1_000, 0.0), pace.left("comparing", 400, 1_000, 60.0)
        ('', ', about 2 min to go')
        """
        if stage != self._stage or done < self._done:
            self._stage, self._done, self._began = stage, done, now
        gone, seconds = done - self._done, now - self._began
        if not gone or seconds < _SOON or not done < total:
            return ""
        return f", about {_rounded(seconds * (total - done) / gone)} to go"


_SOON = 2.0
"""A pace that was kept for fewer seconds says little."""


def _rounded(seconds: float) -> str:
    """A time as roughly as it is known.

    >>> _rounded(3.2), _rounded(42), _rounded(200), _rounded(9_000)
    ('5 s', '40 s', '3 min', '2.5 h')
    """
    if seconds < 10:
        return "5 s"
    if seconds < 95:
        return f"{round(seconds / 10) * 10} s"
    if seconds < 5_400:
        return f"{round(seconds / 60)} min"
    return f"{seconds / 3_600:.1f} h"


def counted(count: int, one: str, many: str) -> str:
    """A number with its noun.

    >>> counted(1, "row", "rows"), counted(1200, "row", "rows")
    ('1 row', '1,200 rows')
    """
    return f"{count:,} {one if count == 1 else many}"
