"""The records of a CSV file as columns, for the batch engine: no object for a row, but for its id.

Invariant: ids, unreadable and excluded rows, and what a matcher sees of each row are those of `read_records`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, overload

import attrs
import numpy as np

from crmcore.cli.records import EXCLUDED, Reading, Records, watched
from crmcore.errors import UnreadableFile
from crmcore.exchange.mapping import ImportOptions
from crmcore.exchange.reading import MAX_CELL
from crmcore.identity.batch.arrow import pa, pc
from crmcore.identity.batch.csv_cells import cells_of
from crmcore.identity.batch.fields import Fields
from crmcore.identity.batch.memory_limit import Room
from crmcore.identity.batch.memory_needs import distinguishing, naming, reading_file
from crmcore.identity.batch.texts import Flags, distinct, texts_of
from crmcore.identity.features import ROLES, Features, Kind, features_of_row

_ROWS = 1 << 16

Progress = Callable[[int, int], None]


@attrs.frozen(eq=False, repr=False)
class RowFeatures(Sequence[Features]):
    """The features of the rows of *fields*, each made when it is asked for."""

    fields: Fields
    kind: Kind | None

    def __len__(self) -> int:
        return self.fields.rows

    @overload
    def __getitem__(self, at: int) -> Features: ...
    @overload
    def __getitem__(self, at: slice) -> list[Features]: ...
    def __getitem__(self, at: int | slice) -> Features | list[Features]:
        if isinstance(at, slice):
            return [self[one] for one in range(*at.indices(len(self)))]
        if not -len(self) <= at < len(self):
            raise IndexError
        return features_of_row(self.fields.row(at % len(self)), self.kind)


def read_columns(
    path: Path,
    options: ImportOptions,
    *,
    without: Collection[str] = (),
    exclude: str | None = None,
    room: Room,
    on_progress: Progress,
) -> Records:
    """Read a file as `read_records` does; its features are `RowFeatures`.

    Raises:
        UnreadableFile: if the file cannot be read, changes meanwhile, or has no rows.
        InvalidMapping: if its columns cannot be mapped as *options* say, or there is no such column.
        MemoryLimitReached: if there is no *room* for it.
    """
    with watched(path) as state:
        read = Reading.of(path, options, without=without, exclude=exclude)
        records = Records(prepared=read.prepared, numbered=read.id is None, state=state)
        room.need("reading the file", reading_file(read.prepared.table.size))
        arrays = _regular(read, records)
        if arrays is None:
            arrays = _row_by_row(read, records, on_progress)
    rows = len(records.ids)
    size = sum(int(array.nbytes) for array in arrays.values())
    room.need("reading the file", distinguishing(size, rows, len(arrays)) + naming(rows))
    kind: Any = options.kind
    records.features = RowFeatures(Fields(arrays, rows), kind)
    return records


def _regular(read: Reading, records: Records) -> dict[str, Any] | None:
    """The fields of a file in which nothing is wrong with any row, by arrays; None for others."""
    table = read.prepared.table
    if not table.plain:
        return None
    wanted = {read.columns[name] for names in read.fields.values() for name in names}
    wanted |= {at for at in (read.id, read.flag) if at is not None}
    places = sorted(wanted)
    cells = cells_of(table.path, table.delimiter, len(table.columns), places, MAX_CELL)
    if cells is None:
        return None
    column = {at: cells.column(place) for place, at in enumerate(places)}
    rows = cells.num_rows
    if not rows:
        raise UnreadableFile(f"{table.path.name} has a header and no rows: there is nothing to compare")
    excluded = np.zeros(rows, dtype=np.bool_)
    if read.flag is not None:
        excluded = _such(column[read.flag], read.excludes)
        records.excluded = dict.fromkeys(np.nonzero(excluded)[0].tolist(), EXCLUDED)
    # The header is row 1.
    records.ids = list(map(str, range(2, rows + 2))) if read.id is None else column[read.id].to_pylist()
    return {
        field: _first_filled([column[read.columns[name]] for name in names], excluded)
        for field, names in read.fields.items()
        if field in ROLES
    }


def _such(column: Any, says: Callable[[str], bool]) -> Flags:
    """In which rows a column says something; asked once for each different text."""
    known, which = distinct(column)
    return np.array([says(text) for text in known.to_pylist()], dtype=np.bool_)[which]


def _first_filled(columns: Sequence[Any], excluded: Flags) -> Any:
    """For each row the first of some columns that holds something, and nothing for those that are excluded."""
    found: Any = pa.scalar("", pa.string())
    for column in reversed(columns):
        found = pc.if_else(pa.array(_such(column, _filled) & ~excluded), column, found)
    return found


def _filled(text: str) -> bool:
    return bool(text.strip())


def _row_by_row(read: Reading, records: Records, on_progress: Progress) -> dict[str, Any]:
    fields = [field for field in read.fields if field in ROLES]
    parts: list[dict[str, Any]] = []
    rows: Iterator[Mapping[str, str]] = read.rows(records)
    while chunk := list(islice(rows, _ROWS)):
        parts.append({field: texts_of(_column(chunk, field)) for field in fields})
        on_progress(len(records.ids), 0)
    return {field: pa.chunked_array([part[field] for part in parts]) for field in fields}


def _column(rows: Iterable[Mapping[str, str]], field: str) -> Iterator[str]:
    return (row.get(field, "") for row in rows)
