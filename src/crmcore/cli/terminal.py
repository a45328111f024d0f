"""What the command line says, and how it ends.

Invariant: results go to standard output, everything else to standard error; progress is shown on a terminal only. With
``--json`` standard output holds one JSON document and nothing else.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

DONE = 0
REFUSED = 1
USAGE = 2
INCOMPLETE = 3
INTERRUPTED = 130

EXIT_CODES = """exit codes:
  0  done
  1  refused or failed, nothing half done; one sentence on standard error says why
  2  the command's own words are wrong
  3  done, but some rows were rejected or are in conflict (they are in the file of --rejected)
  130  interrupted; what was written is whole, the same command goes on from there
"""


class Terminal:
    """Standard output and error of one command."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._shown = 0.0
        self._width = 0

    def text(self, text: str) -> None:
        """Print for people; nothing with ``--json``."""
        if not self._as_json:
            self._clear()
            print(text, flush=True)

    def result(self, document: Any) -> None:
        """Print for programs; nothing without ``--json``."""
        if self._as_json:
            print(json.dumps(document, ensure_ascii=False, indent=2, sort_keys=True))

    def error(self, sentence: str) -> None:
        """Print one sentence on standard error."""
        self._clear()
        print(f"crmcore: {sentence}", file=sys.stderr)

    def progress(self, stage: str, done: int, total: int) -> None:
        """Show how far a long work is, at most ten times a second and only on a terminal."""
        if not sys.stderr.isatty():
            return
        now = time.monotonic()
        if now - self._shown < 0.1 and done != total:
            return
        self._shown = now
        line = f"{stage}: {done:,}" + (f" of {total:,}" if total else "")
        print("\r" + line.ljust(self._width), end="", file=sys.stderr, flush=True)
        self._width = len(line)

    def _clear(self) -> None:
        if self._width:
            print("\r" + " " * self._width + "\r", end="", file=sys.stderr, flush=True)
            self._width = 0
