"""The records of a CSV file as a matcher sees them.

Invariant: every row is a record, in its place; one that cannot be read holds nothing to compare. What is not to be used
is not even read: no rule, model or explanation comes to see it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import attrs

from crmcore.cli.terminal import DAMAGED, Terminal, counted
from crmcore.errors import UnreadableFile
from crmcore.exchange.facts import MESSAGES
from crmcore.exchange.mapping import ImportOptions, reserved_columns
from crmcore.exchange.prepare import Prepared, prepare
from crmcore.exchange.reading import Row
from crmcore.identity.features import Features, features_of_row
from crmcore.identity.unchanged_file import FileState, unchanged

_NO = frozenset({"", "0", "-", "n", "no", "f", "false", "off", "none", "null"})
"""What says no in the column of ``--exclude``. Whatever else stands there says yes: nobody is linked by a slip."""

EXCLUDED = "the file says so"
"""Why a row is linked with nobody."""


@attrs.define(kw_only=True)
class Records:
    """The id and the features of each row; how many rows could not be read, by the code of the reason; and those that
    must not be linked."""

    prepared: Prepared
    ids: list[str] = attrs.field(factory=list[str], repr=False)
    features: Sequence[Features] = attrs.field(factory=list[Features], repr=False)
    unreadable: Counter[str] = attrs.field(factory=Counter[str])
    excluded: dict[int, str] = attrs.field(factory=dict[int, str])
    numbered: bool = False
    """Whether the ids are the numbers of the rows, which mean something else when the file changes."""
    state: FileState | None = None

    @property
    def name(self) -> str:
        return self.prepared.table.path.name

    @property
    def columns(self) -> dict[str, list[str]]:
        """For each field the columns that are mapped to it."""
        return {field: list(names) for field, names in self.prepared.column_map.fields.items()}

    @property
    def digest(self) -> str:
        """A fingerprint of the file as it was read."""
        return self.prepared.table.digest[:32]

    @cached_property
    def known(self) -> dict[str, int]:
        """The positions of the ids that one row has, and no other."""
        counts = Counter(self.ids)
        return {id: at for at, id in enumerate(self.ids) if id and counts[id] == 1}

    def cells(self, positions: Collection[int], without: Collection[str]) -> dict[int, dict[str, str]]:
        """What stands in the fields that are compared of the rows at *positions*, read from the file anew.

        Raises:
            UnreadableFile: if the file is not what it was.
        """
        path = self.prepared.table.path
        columns = {name: position for position, name in enumerate(self.prepared.table.columns)}
        fields = {f: names for f, names in self.prepared.column_map.fields.items() if f not in without}
        with unchanged(path, self.state):
            return {
                at: _values(row.cells, columns, fields)
                for at, row in enumerate(self.prepared.table.rows())
                if at in positions and row.problem is None
            }

    def tell(self, terminal: Terminal, *, named: bool = False) -> None:
        """Say what is compared and what is wrong with the file; begin with its name if it is *named*."""
        before = f"{self.name}: " if named else ""
        compared = ", ".join(_said(field, names) for field, names in self.columns.items())
        terminal.text(f"{before}compared by {compared}")
        for notice in self.prepared.notices:
            terminal.text(notice.line)
        for code, count in self.unreadable.most_common():
            rows = counted(count, "row", "rows") + (f" of {self.name}" if named else "")
            terminal.text(f"! {rows} not read ({code}): {MESSAGES.get(code, code)}")

    def doubts(self) -> Iterator[str]:
        """Why somebody has to look at the file, if so."""
        unread = self.unreadable.total()
        if unread:
            yield f"{counted(unread, 'row', 'rows')} could not be read"
        if any(notice.code in DAMAGED for notice in self.prepared.notices):
            yield "the file is damaged in places"


def _said(field: str, names: Sequence[str]) -> str:
    columns = ", ".join(f'"{name}"' for name in names)
    return field if columns == f'"{field}"' else f"{columns} as {field}"


@attrs.frozen(kw_only=True)
class Reading:
    """How the rows of a file become records: the place of each column, the columns of each field that is used, the
    place of the id, and of what says that a row must not be linked."""

    prepared: Prepared
    columns: Mapping[str, int]
    fields: Mapping[str, Sequence[str]]
    id: int | None
    flag: int | None

    @classmethod
    def of(
        cls, path: Path, options: ImportOptions, *, without: Collection[str], exclude: str | None
    ) -> Reading:
        """Look at a file.

        Raises:
            UnreadableFile: if the file cannot be read, or nothing of it is left.
            InvalidMapping: if its columns cannot be mapped as *options* say, or there is no such column.
        """
        prepared = prepare(path, options)
        mapped = prepared.column_map.fields
        if not mapped.keys() - set(without):
            raise UnreadableFile(
                f"nothing of {path.name} is left to compare by: leave out fewer fields (--without)"
            )
        columns = {name: position for position, name in enumerate(prepared.table.columns)}
        flag = None
        if exclude is not None:
            (flagged,) = reserved_columns(prepared.table.columns, ImportOptions(id_column=exclude))
            flag = columns[flagged]
        id_column = prepared.column_map.id_column
        if id_column is None and "rec_id" in columns:
            id_column = "rec_id"
        fields = {field: names for field, names in mapped.items() if field not in without}
        id = None if id_column is None else columns[id_column]
        return cls(prepared=prepared, columns=columns, fields=fields, id=id, flag=flag)

    def excludes(self, cell: str) -> bool:
        """Whether what stands in the column of ``--exclude`` says that a row must not be linked."""
        return cell.strip().casefold() not in _NO

    def rows(self, records: Records) -> Iterator[dict[str, str]]:
        """What each row says by field; what is known of it otherwise is added to *records*."""
        for row in self.prepared.table.rows():
            readable = row.problem is None
            if row.problem is not None:
                records.unreadable[row.problem] += 1
            elif self.flag is not None and self.excludes(row.cells[self.flag]):
                records.excluded[len(records.ids)] = EXCLUDED
            records.ids.append(str(row.number) if self.id is None else _id(row, self.id))
            excluded = len(records.ids) - 1 in records.excluded
            yield _values(row.cells, self.columns, self.fields) if readable and not excluded else {}
        if not records.ids:
            name = self.prepared.table.path.name
            raise UnreadableFile(f"{name} has a header and no rows: there is nothing to compare")


def read_records(
    path: Path, options: ImportOptions, *, without: Collection[str] = (), exclude: str | None = None
) -> Records:
    """Read a file; fields in *without* are left out, rows with something but a no in the column *exclude* are excluded.

    Raises:
        UnreadableFile: if the file cannot be read, changes meanwhile, or has no rows.
        InvalidMapping: if its columns cannot be mapped as *options* say, or there is no such column.
    """
    with watched(path) as state:
        reading = Reading.of(path, options, without=without, exclude=exclude)
        records = Records(prepared=reading.prepared, numbered=reading.id is None, state=state)
        kind: Any = options.kind
        records.features = [features_of_row(values, kind) for values in reading.rows(records)]
    return records


@contextmanager
def watched(path: Path) -> Iterator[FileState | None]:
    """Refuse a file that changes while it is read; what is no file is refused by whoever opens it."""
    if not path.is_file():
        yield None
        return
    with unchanged(path) as state:
        yield state


def _id(row: Row, position: int) -> str:
    """The id of a row as it stands there; a row with a broken quote has no cells to find it in."""
    broken = row.problem in ("stray_quote", "unclosed_quote")
    return "" if broken or position >= len(row.cells) else row.cells[position]


def _values(
    cells: Sequence[str], columns: Mapping[str, int], fields: Mapping[str, Sequence[str]]
) -> dict[str, str]:
    """For each field the first of its columns that holds something."""
    values: dict[str, str] = {}
    for field, names in fields.items():
        text = next((cells[columns[name]] for name in names if cells[columns[name]].strip()), "")
        if text:
            values[field] = text
    return values
