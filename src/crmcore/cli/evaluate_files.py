"""The ids and the clusters of the records of a CSV file.

Invariant: rows are read one at a time, and an id has one cluster. Rows without an id or a cluster, or that cannot be
read, are counted by what they lack and told by their numbers; what is in them is never told.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Set
from pathlib import Path

import attrs

from crmcore.cli.terminal import counted
from crmcore.errors import InvalidMapping, UnreadableFile
from crmcore.exchange.facts import MESSAGES
from crmcore.exchange.mapping import ImportOptions, reserved_columns
from crmcore.exchange.reading import Row, Table

RECORD, CLUSTER = "rec_id", "cluster"
"""The columns that ``crmcore dedupe FILE --out`` writes."""

_SHOWN = 3
_STEP = 4096
_NO_ID, _NO_CLUSTER = "no_id", "no_cluster"
_LACKS = {_NO_ID: "without an id", _NO_CLUSTER: "without a cluster"}

Progress = Callable[[str, int, int], None]


@attrs.define(kw_only=True)
class Labelled:
    """The records of a file: a number for the cluster of each, by its id, and the numbers of their rows beside.

    *unusable* has the row numbers of rows that are no record here, by the code of the reason; *left_out* counts them
    and the records that were taken out.
    """

    table: Table
    id_column: str | None
    cluster_column: str
    labels: dict[str, int] = attrs.field(repr=False)
    rows: array[int] = attrs.field(repr=False)
    unusable: dict[str, array[int]] = attrs.field(repr=False)
    left_out: int = 0

    @property
    def name(self) -> str:
        return self.table.path.name

    @property
    def numbered(self) -> bool:
        """Whether records are known by the numbers of their rows."""
        return self.id_column is None

    @property
    def unread(self) -> int:
        """How many rows could not be read."""
        return sum(len(rows) for code, rows in self.unusable.items() if code not in _LACKS)

    def unusable_said(self, *, advice: bool) -> Iterator[str]:
        """What is wrong with such rows, for each reason; with *advice* also what to do."""
        for code, rows in self.unusable.items():
            more = f": {MESSAGES[code]}" if advice and code in MESSAGES else ""
            why = _LACKS.get(code) or f"that cannot be read ({code})"
            yield f"{counted(len(rows), 'row', 'rows')} of {self.name} {why}{_numbers(rows)}{more}"

    def only_said(self, other: Labelled) -> Iterator[str]:
        """That there are records here which *other* does not have, if so."""
        only = array(
            "Q", (row for id, row in zip(self.labels, self.rows, strict=True) if id not in other.labels)
        )
        if only:
            are = "is" if len(only) == 1 else "are"
            yield f"{counted(len(only), 'record', 'records')} of {self.name} {are} not in {other.name}{_numbers(only)}"

    def keep(self, ids: Set[str]) -> None:
        """Leave out the records that are not in *ids*."""
        if len(ids) == len(self.labels):
            return
        kept = [(id, row) for id, row in zip(self.labels, self.rows, strict=True) if id in ids]
        self.left_out += len(self.labels) - len(kept)
        self.labels = {id: self.labels[id] for id, _ in kept}
        self.rows = array("Q", (row for _, row in kept))

    def is_same_column(self, other: Labelled) -> bool:
        """Whether both are the clusters of one column of one file."""
        if self.cluster_column != other.cluster_column:
            return False
        return self.table.path.samefile(other.table.path)

    def notes(self) -> Iterator[str]:
        """What there is to tell of the columns that were used."""
        used = {f"{name} (2)" for name in (self.id_column, self.cluster_column)}
        for notice in self.table.notices:
            if used & set(notice.columns):
                yield f"{self.name}: {notice.text}; the first one was read"


def read_labelled(
    path: Path,
    *,
    id_column: str | None = None,
    cluster_column: str | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
    is_truth: bool = False,
    progress: Progress | None = None,
) -> Labelled:
    """The records of a file; the truth may have columns of other names, and none with ids.

    Raises:
        UnreadableFile: if the file cannot be read, has no such columns or no rows, or holds an id twice.
    """
    table = Table.open(path, encoding=encoding, delimiter=delimiter)
    if id_column is None and is_truth and RECORD not in table.columns:
        found = None
    else:
        found = _column(table, id_column or RECORD, "--id-column" if is_truth else None)
    cluster = _column(table, cluster_column or CLUSTER, "--cluster-column" if is_truth else None)
    if found == cluster:
        raise UnreadableFile(f"{path.name} cannot have its ids and its clusters in one column: name two")
    labelled = Labelled(
        table=table, id_column=found, cluster_column=cluster, labels={}, rows=array("Q"), unusable={}
    )
    _read(labelled, progress)
    if not labelled.labels and not labelled.unusable:
        raise UnreadableFile(f"{path.name} has a header and no rows: there is nothing to compare")
    return labelled


def _column(table: Table, name: str, option: str | None) -> str:
    """The column called *name*, or nearly so."""
    try:
        (column,) = reserved_columns(table.columns, ImportOptions(id_column=name))
    except InvalidMapping as error:
        more = f"; name it with {option}" if option else "; crmcore dedupe FILE --out writes such files"
        raise UnreadableFile(f"{table.path.name}: {error}{more}") from None
    return column


def _read(labelled: Labelled, progress: Progress | None) -> None:
    places = {name: at for at, name in enumerate(labelled.table.columns)}
    id_at = None if labelled.id_column is None else places[labelled.id_column]
    cluster_at = places[labelled.cluster_column]
    known: dict[str, int] = {}
    repeated = array("Q")
    for row in labelled.table.rows():
        if progress is not None and row.number % _STEP == 0:
            progress(f"reading {labelled.name}", row.number, 0)
        lacks = _lack(row, id_at, cluster_at)
        if lacks is not None:
            labelled.unusable.setdefault(lacks, array("Q")).append(row.number)
            labelled.left_out += 1
            continue
        id = str(row.number) if id_at is None else row.cells[id_at]
        if id in labelled.labels:
            repeated.append(row.number)
            continue
        labelled.labels[id] = known.setdefault(row.cells[cluster_at], len(known))
        labelled.rows.append(row.number)
    if repeated:
        raise UnreadableFile(
            f"{counted(len(repeated), 'row', 'rows')} of {labelled.name} with an id that stands further up"
            f"{_numbers(repeated)}: a record has one row and one cluster, so another column must be its id"
        )


def _lack(row: Row, id_at: int | None, cluster_at: int) -> str | None:
    if row.problem is not None:
        return row.problem
    if id_at is not None and not row.cells[id_at].strip():
        return _NO_ID
    return None if row.cells[cluster_at].strip() else _NO_CLUSTER


def _numbers(rows: array[int]) -> str:
    shown = ", ".join(str(row) for row in rows[:_SHOWN])
    return f" (row{'s' if len(rows) > 1 else ''} {shown}{', ...' if len(rows) > _SHOWN else ''})"
