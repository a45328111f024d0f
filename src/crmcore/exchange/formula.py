"""Cells that a spreadsheet would run as a formula: disarmed when written, and the same again when read back.

Invariant: `restored(disarmed(cell)) == cell` for every text, and no disarmed cell begins a formula.
"""

from __future__ import annotations

import re

_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_DISARMED = re.compile(r"'+[=+\-@\t\r]")


def disarmed(cell: str) -> str:
    """*cell* as it can be opened in a spreadsheet: an apostrophe before what would begin a formula.

    >>> disarmed("=cmd()"), disarmed("+46 8 123 456 78"), disarmed("'=x"), disarmed("Ann")
    ("'=cmd()", "'+46 8 123 456 78", "''=x", 'Ann')
    """
    return "'" + cell if _FORMULA.match(cell) else cell


def restored(cell: str) -> str:
    """The inverse of `disarmed`.

    >>> restored("'+46 8 123 456 78"), restored("Ann")
    ('+46 8 123 456 78', 'Ann')
    """
    return cell[1:] if _DISARMED.match(cell) else cell
