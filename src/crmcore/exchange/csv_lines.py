"""Lines of text into records of cells: the grammar of CSV, strictly, one record at a time.

Invariant: every character of the input belongs to exactly one record's *raw* text or to an empty line; a record
that is not well-formed is given with the code of what is wrong, never repaired and never left out. One broken
quote costs the line that it stands on, not the rest of the file.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator

import attrs

QUOTE = '"'
MAX_RECORD = 64 << 20
"""Characters after which an open quote is taken for a mistake, so that memory stays bounded."""

# Possessive: a doubled quote is never taken apart to find a closing one.
_CLOSING = re.compile(r'[^"]*+(?:""[^"]*+)*+"')


@attrs.frozen(kw_only=True)
class Record:
    """One record. *number* counts records as a spreadsheet does, from 1; *line* is the line it begins on.

    *problem* is ``"stray_quote"`` (text after a closing quote), ``"unclosed_quote"``, ``"cell_too_large"``,
    ``"nul"`` or None. A record with a broken quote has its line as its only cell.
    """

    number: int
    line: int
    cells: tuple[str, ...] = attrs.field(repr=lambda cells: f"<{len(cells)} hidden>")
    raw: str = attrs.field(repr=lambda _: "<hidden>")
    problem: str | None = None


class _Lines:
    """Lines with their numbers, from which some can be put back."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._source = iter(lines)
        self._back: deque[str] = deque()
        self.number = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._back.popleft() if self._back else next(self._source)
        self.number += 1
        return line

    def put_back(self, lines: list[str]) -> None:
        self._back.extendleft(reversed(lines))
        self.number -= len(lines)


def records(lines: Iterable[str], *, delimiter: str, max_cell: int) -> Iterator[Record]:
    """The records of *lines*, which keep their line ends. Lines with nothing on them are counted but give none.

    >>> [record.cells for record in records(['name,note\\n', 'Ann,"two\\n', 'lines"\\n'], delimiter=",", max_cell=99)]
    [('name', 'note'), ('Ann', 'two\\nlines')]
    """
    source = _Lines(lines)
    number = 0
    for line in source:
        number += 1
        begins = source.number
        problem: str | None = None
        raw = line
        if QUOTE not in line:
            body = line.rstrip("\r\n")
            if not body or body.isspace():
                continue
            cells = tuple(body.split(delimiter))
        else:
            cells, raw, problem = _quoted(line, source, delimiter)
        if len(raw) > max_cell and problem is None and any(len(cell) > max_cell for cell in cells):
            problem = "cell_too_large"
        if "\0" in raw:
            problem = problem or "nul"
        yield Record(number=number, line=begins, cells=cells, raw=raw, problem=problem)


def _quoted(first: str, source: _Lines, delimiter: str) -> tuple[tuple[str, ...], str, str | None]:
    """The cells, the raw text and the problem of a record with quotes in it, which may go on over several lines."""
    taken = [first]
    cells: list[str] = []
    line, position = first, 0
    while True:
        if line.startswith(QUOTE, position):
            cell, line, position, problem = _quoted_cell(line, position + 1, source, taken)
            if problem is None and not _at_end(line, position) and not line.startswith(delimiter, position):
                problem = "stray_quote"
            if problem is not None:
                # Only the line with the broken quote is given up; what it swallowed is read again.
                source.put_back(taken[1:])
                return (first.rstrip("\r\n"),), first, problem
            cells.append(cell)
        else:
            end = line.find(delimiter, position)
            if end < 0:
                end = len(line.rstrip("\r\n"))
            cells.append(line[position:end])
            position = end
        if not line.startswith(delimiter, position):
            return tuple(cells), "".join(taken), None
        position += len(delimiter)


def _quoted_cell(
    line: str, position: int, source: _Lines, taken: list[str]
) -> tuple[str, str, int, str | None]:
    """The cell whose opening quote stands before *position*; the line and the place where it ends."""
    parts: list[str] = []
    size = 0
    while True:
        match = _CLOSING.match(line, position)
        if match:
            parts.append(line[position : match.end() - 1])
            return "".join(parts).replace('""', QUOTE), line, match.end(), None
        parts.append(line[position:])
        size += len(line) - position
        following = next(source, None)
        while following is not None and size <= MAX_RECORD and QUOTE not in following:
            # Most lines within a long cell; a cell can have millions of them.
            parts.append(following)
            taken.append(following)
            size += len(following)
            following = next(source, None)
        if size > MAX_RECORD and following is not None:
            taken.append(following)
            following = None
        if following is None:
            return "", line, position, "unclosed_quote"
        taken.append(following)
        line, position = following, 0


def _at_end(line: str, position: int) -> bool:
    return position >= len(line) or line[position] in "\r\n"
