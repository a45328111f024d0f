"""Which character stands between the cells of a file.

Invariant: the answer depends on the first 64 kB only, so it is quick whatever the size of the file; a ``sep=``
line, which spreadsheets write and obey, is believed.
"""

from __future__ import annotations

import re
from io import StringIO

from crmcore.exchange.csv_lines import records

SAMPLE = 1 << 16
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}
"""The characters that are tried, likeliest first, and what they are called."""

_RECORDS = 200
_DECLARED = re.compile(r'"?sep=(.)"?\s*\Z', re.IGNORECASE)


def declared_delimiter(first_line: str) -> str | None:
    r"""The delimiter that a line such as ``sep=;`` names, or None where the line is none.

    >>> declared_delimiter("sep=;\r\n"), declared_delimiter("name;phone\n")
    (';', None)
    """
    match = _DECLARED.match(first_line.rstrip("\r\n"))
    return match[1] if match else None


def sniffed_delimiter(sample: str) -> str:
    r"""The delimiter that gives the most even rows; a comma when there is one column only.

    >>> sniffed_delimiter("name;note\nAnn;a, b\nBob;c\n")
    ';'
    """
    # Not str.splitlines, which also splits at characters that end no line of a file.
    lines = list(StringIO(sample, newline=""))
    if len(sample) >= SAMPLE and len(lines) > 1:
        lines.pop()  # the sample ends in the middle of it
    best, best_score = ",", (0.0, 0)
    for delimiter in DELIMITERS:
        widths: list[int] = []
        for record in records(lines, delimiter=delimiter, max_cell=len(sample)):
            widths.append(len(record.cells))
            if len(widths) == _RECORDS:
                break
        if not widths or widths[0] < 2:
            continue
        score = (sum(width == widths[0] for width in widths) / len(widths), widths[0])
        if score > best_score:
            best, best_score = delimiter, score
    return best
