"""The cells of CSV files that keep to the grammar strictly, read with arrays.

Invariant: a file is read here only if `crmcore.exchange.csv_lines` finds the same cells in it and nothing wrong with
any row; every other file is left to that grammar, row by row.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from crmcore.identity.batch.arrow import csv, pa

_CHUNK = 1 << 24
_BLOCKS = (1 << 20, 1 << 26)
_QUOTE, _LINE, _RETURN, _NUL = b'"\n\r\0'
_MARK = b"\xef\xbb\xbf"


def cells_of(path: Path, delimiter: str, width: int, chosen: Sequence[int], longest: int) -> Any | None:
    """The cells of some columns of a file in UTF-8, an array each; None where the file takes another look.

    All rows have *width* cells, and no row more than *longest* bytes.
    """
    if width < 2 or len(delimiter.encode()) != 1 or delimiter.isspace():
        return None
    rows = _Grammar(ord(delimiter), width, longest).rows(path)
    if rows is None:
        return None
    for block in _BLOCKS:
        try:
            table = _read(path, delimiter, chosen, block)
        except pa.ArrowInvalid:
            continue
        return table if table.num_rows == rows - 1 else None
    return None


def _read(path: Path, delimiter: str, chosen: Sequence[int], block: int) -> Any:
    names = [f"f{at}" for at in chosen]
    table = csv.read_csv(
        path,
        read_options=csv.ReadOptions(autogenerate_column_names=True, block_size=block),
        parse_options=csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
        convert_options=csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), include_columns=names, strings_can_be_null=False
        ),
    )
    # The first row is the header, which was read already.
    return table.slice(1)


class _Grammar:
    """Looks at all bytes of a file, some at a time, and counts its rows."""

    def __init__(self, delimiter: int, width: int, longest: int) -> None:
        self.delimiter, self.width, self.longest = delimiter, width, longest
        self.count = 0
        self.inside = False
        # What of the last row stood in bytes before.
        self.begun, self.delimiters = 0, 0

    def rows(self, path: Path) -> int | None:
        """How many rows the file has, the header among them; None if one of them is irregular."""
        with path.open("rb") as file:
            if file.read(len(_MARK)) != _MARK:
                file.seek(0)
            for chunk in _chunks(file, self.longest):
                if len(chunk) > _CHUNK + self.longest or not self._fits(np.frombuffer(chunk, dtype=np.uint8)):
                    return None
        if self.begun:
            # The last line has no end.
            if self.delimiters != self.width - 1:
                return None
            self.count += 1
        return None if self.inside else self.count

    def _fits(self, data: NDArray[np.uint8]) -> bool:
        quotes = np.nonzero(data == _QUOTE)[0]
        before, after = _at(data, quotes - 1), _at(data, quotes + 1)
        opening = (np.arange(len(quotes)) + self.inside) % 2 == 0
        # A quote opens where a cell begins, and closes where it ends; two in a row are one within the cell.
        begins = (before == self.delimiter) | (before == _LINE) | (before == _QUOTE)
        ends = (after == self.delimiter) | (after == _LINE) | (after == _RETURN) | (after == _QUOTE)
        if (data == _NUL).any() or not np.where(opening, begins, ends).all():
            return False
        free: Any = True
        if len(quotes) or self.inside:
            free = (np.cumsum(data == _QUOTE) + self.inside) % 2 == 0
        returns = np.nonzero((data == _RETURN) & free)[0]
        if (_at(data, returns + 1) != _LINE).any():
            return False
        lines = np.nonzero((data == _LINE) & free)[0]
        delimiters = np.nonzero((data == self.delimiter) & free)[0]
        self.inside = bool((len(quotes) + self.inside) % 2)
        return self._even(lines, delimiters, len(data))

    def _even(self, lines: NDArray[np.int64], delimiters: NDArray[np.int64], size: int) -> bool:
        """Whether all rows that end here have as many cells as there are columns, and none is too long."""
        before = np.searchsorted(delimiters, lines)
        cells = np.diff(before, prepend=-self.delimiters)
        lengths = np.diff(lines, prepend=-1 - self.begun)
        self.count += len(lines)
        if len(lines):
            self.begun, self.delimiters = size - 1 - int(lines[-1]), len(delimiters) - int(before[-1])
        else:
            self.begun, self.delimiters = self.begun + size, self.delimiters + len(delimiters)
        fits = (cells == self.width - 1).all() and (lengths <= self.longest).all()
        return bool(fits) and self.begun <= self.longest


def _chunks(file: BinaryIO, longest: int) -> Iterator[bytes]:
    """The bytes of a file, cut behind line ends."""
    while chunk := file.read(_CHUNK):
        yield chunk if chunk.endswith(b"\n") else chunk + file.readline(longest + 1)


def _at(data: NDArray[np.uint8], places: NDArray[np.int64]) -> NDArray[np.uint8]:
    """The bytes at these places; beyond both ends there are line ends."""
    there = (places >= 0) & (places < len(data))
    found = np.full(len(places), _LINE, dtype=np.uint8)
    found[there] = data[places[there]]
    return found
