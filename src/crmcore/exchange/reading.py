"""A CSV file as a table: its columns, and its rows one by one.

Invariant: opening a table decides everything about its form (encoding, delimiter, columns) or refuses the file
with one sentence; reading its rows never fails. A row that cannot be read is a row with a *problem*. At most
one row is held in memory, and each keeps the text that it was read from.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO, TextIOWrapper
from itertools import islice
from pathlib import Path

import attrs

from crmcore.errors import UnreadableFile
from crmcore.exchange.csv_lines import Record, records
from crmcore.exchange.encoding import scan
from crmcore.exchange.formula import restored
from crmcore.exchange.notice import Notice
from crmcore.exchange.sniffing import DELIMITERS, SAMPLE, declared_delimiter, sniffed_delimiter

MAX_CELL = 1_000_000
"""Characters of a cell; one that is longer is a mistake (a missing quote, a picture), so its row is rejected."""

MAX_COLUMNS = 1_000
MAX_LINE = 256 << 20
_MAX_NAME = 1_000

BOOKKEEPING = ("_row", "_code", "_field", "_message")
"""The columns that a file of rejected rows has beside the original ones."""


@attrs.frozen(kw_only=True)
class Row:
    """One row. *number* is what a spreadsheet shows (the header is 1), *line* the line of the file that it begins on.

    *cells* stand in the order of the table's columns, unless *problem* says that there are too few or too many.
    """

    number: int
    line: int
    cells: tuple[str, ...] = attrs.field(repr=lambda cells: f"<{len(cells)} hidden>")
    raw: str = attrs.field(repr=lambda _: "<hidden>")
    problem: str | None = None

    @property
    def blank(self) -> bool:
        """Whether there is nothing in any cell."""
        return not any(cell and not cell.isspace() for cell in self.cells)


@attrs.frozen(kw_only=True)
class Table:
    """What a file turned out to be. *returned* says that it is a file of rejected rows that was corrected.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "people.csv")
    ...     _ = path.write_text("name;phone\\nAnn;1\\nBob\\n", encoding="utf-8")
    ...     table = Table.open(path)
    ...     [(row.number, len(row.cells), row.problem) for row in table.rows()], table.columns, table.delimiter
    ([(2, 2, None), (3, 1, 'too_few_cells')], ('name', 'phone'), ';')
    """

    path: Path
    encoding: str
    delimiter: str
    columns: tuple[str, ...]
    digest: str
    size: int
    notices: tuple[Notice, ...] = ()
    returned: bool = False
    _codec: str = attrs.field(alias="codec", repr=False)
    _kept: tuple[int, ...] = attrs.field(alias="kept", repr=False)
    _width: int = attrs.field(alias="width", repr=False)
    _skip: int = attrs.field(alias="skip", repr=False)
    _max_cell: int = attrs.field(alias="max_cell", repr=False)

    @classmethod
    def open(
        cls,
        path: str | Path,
        *,
        encoding: str | None = None,
        delimiter: str | None = None,
        max_cell: int = MAX_CELL,
        max_columns: int = MAX_COLUMNS,
    ) -> Table:
        """Read the whole file once as bytes and its header as text.

        Raises:
            UnreadableFile: if the path, the encoding or the header is not usable.
        """
        path = Path(path)
        if delimiter is not None and (len(delimiter) != 1 or delimiter in '"\r\n\0'):
            raise UnreadableFile("a delimiter is one character and no quote or line end: use , ; | or a tab")
        facts = scan(path, encoding)
        with path.open(encoding=facts.codec, newline="") as file:
            sample = file.read(SAMPLE)
        if not sample or sample.isspace():
            raise UnreadableFile(f"{path.name} is empty: it needs a line of column names and rows below it")
        first = StringIO(sample, newline="").readline()
        declared = declared_delimiter(first)
        if declared is not None:
            sample = sample[len(first) :]
        chosen = delimiter or declared or sniffed_delimiter(sample)
        skip = 1 if declared is not None else 0
        header = _header(path, facts.codec, chosen, skip, max_cell, max_columns)
        own = set(BOOKKEEPING) <= {name.strip() for name in header}
        kept = tuple(at for at, name in enumerate(header) if not (own and name.strip() in BOOKKEEPING))
        columns, notices = _named([restored(header[at]) if own else header[at] for at in kept])
        return cls(
            path=path,
            encoding=facts.name,
            delimiter=chosen,
            columns=columns,
            digest=facts.digest,
            size=facts.size,
            notices=notices,
            returned=own,
            codec=facts.codec,
            kept=kept,
            width=len(header),
            skip=skip,
            max_cell=max_cell,
        )

    @property
    def form(self) -> str:
        """Encoding and delimiter in words, such as ``"utf-8, comma"``."""
        return f"{self.encoding}, {DELIMITERS.get(self.delimiter, repr(self.delimiter))}"

    @property
    def plain(self) -> bool:
        """Whether the cells stand in the file as they are, in UTF-8, with their names on the first line."""
        return self._codec in ("utf-8", "utf-8-sig") and not self._skip and not self.returned

    def rows(self) -> Iterator[Row]:
        """The rows below the header, read from the file anew each time."""
        plain = not self.returned
        for record in islice(
            _records(self.path, self._codec, self.delimiter, self._skip, self._max_cell), 1, None
        ):
            cells, problem = record.cells, record.problem
            if len(cells) != self._width and problem is None:
                cells, problem = self._evened(cells)
            if not plain:
                cells = tuple(restored(cells[at]) for at in self._places(len(cells)))
            yield Row(number=record.number, line=record.line, cells=cells, raw=record.raw, problem=problem)

    def _evened(self, cells: tuple[str, ...]) -> tuple[tuple[str, ...], str | None]:
        """Empty cells beyond the last column are dropped, as nothing is lost with them."""
        if len(cells) < self._width:
            return cells, "too_few_cells"
        if any(cells[self._width :]):
            return cells, "too_many_cells"
        return cells[: self._width], None

    def _places(self, count: int) -> list[int]:
        """The cells of a corrected row that are not ours, surplus ones included."""
        return [at for at in self._kept if at < count] + list(range(self._width, count))


def _records(path: Path, codec: str, delimiter: str, skip: int, max_cell: int) -> Iterator[Record]:
    with path.open(encoding=codec, newline="") as file:
        for _ in range(skip):
            file.readline()
        yield from records(_lines(file, path.name), delimiter=delimiter, max_cell=max_cell)


def _lines(file: TextIOWrapper, name: str) -> Iterator[str]:
    number = 0
    while line := file.readline(MAX_LINE):
        number += 1
        if len(line) == MAX_LINE and line[-1] not in "\r\n":
            raise UnreadableFile(f"{name} has a line of over {MAX_LINE:,} characters: it is no CSV file")
        yield line


def _header(
    path: Path, codec: str, delimiter: str, skip: int, max_cell: int, max_columns: int
) -> tuple[str, ...]:
    record = next(_records(path, codec, delimiter, skip, max_cell), None)
    if record is None:
        raise UnreadableFile(f"{path.name} is empty: it needs a line of column names and rows below it")
    if len(record.cells) > max_columns:
        raise UnreadableFile(
            f"{path.name} has {len(record.cells):,} columns, more than {max_columns:,}: "
            "check the delimiter, or keep only the columns that describe a customer"
        )
    if record.problem is not None or any(len(name) > _MAX_NAME for name in record.cells):
        raise UnreadableFile(
            f"the first line of {path.name} is no line of column names ({record.problem or 'a name is too long'}): "
            "correct it"
        )
    if any("@" in name and "." in name.rpartition("@")[2] for name in record.cells):
        raise UnreadableFile(
            f"the first line of {path.name} holds data (an e-mail address): put a line of column names above it"
        )
    return record.cells


def _named(header: list[str]) -> tuple[tuple[str, ...], tuple[Notice, ...]]:
    """Distinct column names: ``Phone``, ``Phone (2)``; ``Column 7`` for one without a name."""
    taken: set[str] = {name for cell in header if (name := " ".join(cell.split()))}
    names: list[str] = []
    repeated: list[str] = []
    seen: set[str] = set()
    for place, cell in enumerate(header, 1):
        name = " ".join(cell.split())
        if not name:
            name = _free(f"Column {place}", taken)
        elif name in seen:
            name = _free(name, taken, from_=2)
            repeated.append(name)
        seen.add(name)
        names.append(name)
    if not repeated:
        return tuple(names), ()
    told = ", ".join(f'"{name}"' for name in repeated)
    text = f"column names that occur twice were told apart: {told}"
    notice = Notice(
        mark="!", code="duplicate_header", text=text, columns=tuple(repeated), count=len(repeated)
    )
    return tuple(names), (notice,)


def _free(name: str, taken: set[str], from_: int = 1) -> str:
    """*name*, numbered so that no other column has it."""
    number, candidate = from_, name if from_ == 1 else f"{name} ({from_})"
    while candidate in taken:
        number += 1
        candidate = f"{name} ({number})"
    taken.add(candidate)
    return candidate
