"""Tables from files and from memory, as columns of texts.

Invariant: what cannot be read is said in a sentence that names no cell.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from crmcore.errors import UnreadableFile
from crmcore.identity.batch.arrow import csv, pa, parquet, pc
from crmcore.identity.batch.fields import Fields
from crmcore.identity.batch.memory_limit import Room
from crmcore.identity.batch.memory_needs import distinguishing, reading_file
from crmcore.identity.batch.texts import texts_of
from crmcore.identity.features import ROLES
from crmcore.identity.unchanged_file import unchanged

_ROWS = 1 << 16
_BLOCKS = (1 << 20, 1 << 26, 1 << 30)
"""A cell must fit into one block; larger ones are tried where it does not."""


def fields_of(source: Any, room: Room | None = None) -> Fields:
    """The fields of a file, an Arrow table or reader, columns by name, or rows as mappings, if there is *room*.

    Raises:
        UnreadableFile: if a file cannot be read, there is no column named by a role, or one holds no texts.
    """
    room = Room() if room is None else room
    table = _table(source, room)
    names = [name for name in table.column_names if name in ROLES]
    if not names:
        found = ", ".join(sorted(role for role in ROLES))
        raise UnreadableFile(
            f"no column is named by a role, or the file has another delimiter than commas: name {found}"
        )
    for name in names:
        if names.count(name) > 1:
            raise UnreadableFile(
                f"two columns are called {name!r}: keep one of them, or name the other differently"
            )
    room.need("reading the file", distinguishing(table.nbytes, table.num_rows, len(names)))
    return Fields({name: _texts(name, table.column(name)) for name in names}, table.num_rows)


def _texts(name: str, column: Any) -> Any:
    """A column as texts; numbers and dates are written out."""
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return column
    try:
        return pc.cast(column, pa.string())
    except pa.ArrowException:
        raise UnreadableFile(f"the column {name!r} holds no texts: give it as texts") from None


def _table(source: Any, room: Room) -> Any:
    if isinstance(source, (str, Path)):
        return _file(Path(source), room)
    if isinstance(source, pa.Table):
        return source
    if isinstance(source, pa.RecordBatch):
        return pa.Table.from_batches([source])
    if isinstance(source, pa.RecordBatchReader):
        return source.read_all()
    if isinstance(source, Mapping):
        return _columns(source)
    if isinstance(source, Iterable) and not isinstance(source, (bytes, bytearray)):
        return _rows(source)
    raise UnreadableFile(
        "this is no table: give the path of a CSV or Parquet file, an Arrow table, columns by name, or rows as mappings"
    )


def _columns(source: Mapping[str, Any]) -> Any:
    columns = {name: _array(name, values) for name, values in source.items() if name in ROLES}
    if len({len(column) for column in columns.values()}) > 1:
        raise UnreadableFile("the columns are of different lengths: give each a value for every row")
    return pa.table(columns)


def _array(name: str, values: Any) -> Any:
    if isinstance(values, (pa.Array, pa.ChunkedArray)):
        return values
    if isinstance(values, (str, bytes)) or not isinstance(values, Iterable):
        raise UnreadableFile(f"the column {name!r} is no list of texts: give one text for each row")
    return texts_of(_text(name, value) for value in values)


def _text(name: str, value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    raise UnreadableFile(f"the column {name!r} holds something else than texts: give it as texts")


def _rows(rows: Iterable[Any]) -> Any:
    """Rows as mappings, taken in parts so that there are never many of them."""
    parts: list[Any] = []
    waiting = iter(rows)
    while chunk := list(islice(waiting, _ROWS)):
        if not all(isinstance(row, Mapping) for row in chunk):
            raise UnreadableFile("a row is a mapping of fields by role: give dicts, one for each row")
        parts.append(
            pa.table({role: texts_of(_text(role, row.get(role)) for row in chunk) for role in ROLES})
        )
    if not parts:
        return pa.table({role: texts_of([]) for role in ROLES})
    table = pa.concat_tables(parts)
    used = [role for role in ROLES if pc.any(pc.not_equal(table.column(role), "")).as_py()]
    return table.select(used or list(ROLES))


def _file(path: Path, room: Room) -> Any:
    try:
        with unchanged(path) as before:
            if path.suffix.lower() in (".parquet", ".pq"):
                room.need("reading the file", reading_file(_unpacked(path)))
                return parquet.read_table(path)
            room.need("reading the file", reading_file(before.size))
            return _csv(path)
    except FileNotFoundError:
        raise UnreadableFile(f"there is no file {path.name}: check the path") from None
    except (OSError, pa.ArrowException) as error:
        raise UnreadableFile(f"{path.name} cannot be read: {_advice(path, error)}") from None


def _unpacked(path: Path) -> int:
    """How large a Parquet file is once it is read."""
    told = parquet.ParquetFile(path).metadata
    return sum(told.row_group(at).total_byte_size for at in range(told.num_row_groups)) * 2


def _csv(path: Path) -> Any:
    for block in _BLOCKS:
        try:
            return _blocks(path, csv.ReadOptions(block_size=block))
        except pa.ArrowInvalid as error:
            if "straddling" not in str(error) or block == _BLOCKS[-1]:
                raise
    raise AssertionError("the last block is read or refused")


def _blocks(path: Path, options: Any) -> Any:
    parsing = csv.ParseOptions(newlines_in_values=True)
    with csv.open_csv(path, read_options=options, parse_options=parsing) as reader:
        names = [name for name in reader.schema.names if name in ROLES]
    if len(set(names)) < len(names):
        raise UnreadableFile(
            f"{path.name} has two columns of one role: keep one of them, or name the other differently"
        )
    if not names:
        return pa.table({})
    convert = csv.ConvertOptions(
        column_types=dict.fromkeys(names, pa.string()), include_columns=names, strings_can_be_null=False
    )
    return csv.read_csv(path, read_options=options, convert_options=convert, parse_options=parsing)


def _advice(path: Path, error: Exception) -> str:
    """What to do; Arrow's own words quote cells."""
    if isinstance(error, OSError) and not isinstance(error, pa.ArrowException):
        return "it is a folder, or it may not be opened: check the path and who may read it"
    if path.suffix.lower() in (".parquet", ".pq"):
        return "it is no Parquet file: check how it was written"
    if "UTF8" in str(error):
        return "it is not in UTF-8: save it in this encoding"
    if "Empty" in str(error):
        return "it is empty: give a file with a header and rows"
    return "rows lack cells of the header or have more, or a quote is not closed: `crmcore dedupe` says which rows"
