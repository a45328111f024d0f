"""A row of a file into facts: a party, the organization it works for, a dated contact, and what could not be read.

Invariant: every row becomes facts, a rejection or a skip, each with its number; no cell is lost. What has no
normal form is kept as it was written, and a column without a field is kept under its name. The same row under
the same map gives the same facts, and the same record id in every file that holds it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

from crmcore.exchange.cells import is_future
from crmcore.exchange.facts import MAX_ROW, Contact, Read, Rejection, RowFacts, Skip
from crmcore.exchange.mapping import ColumnMap
from crmcore.exchange.mark import marked
from crmcore.exchange.reading import Row
from crmcore.exchange.row_cells import Layout, RowCells
from crmcore.exchange.row_party import (
    employer,
    is_organization,
    organization_fields,
    person_fields,
    reaches,
    shared_fields,
)
from crmcore.party.party import Organization, Person
from crmcore.values.frozen_map import FrozenMap
from crmcore.values.moment import Moment, moment_text
from crmcore.values.source import Source
from crmcore.values.text import clean

_NAME_LIMIT = 256
_UNIT, _RECORD = "\x1f", "\x1e"


def read_rows(rows: Iterable[Row], column_map: ColumnMap, *, as_of: date) -> Iterator[Read]:
    """What each row says; *as_of* is today, after which no contact can have taken place.

    Rows without an id are numbered among equal ones, so the whole file must be read from its beginning.
    """
    reader = RowReader(column_map, as_of=as_of)
    for row in rows:
        yield reader.read(row)


class RowReader:
    """Reads the rows of one file in their order.

    >>> columns = ("name", "mail", "shoe size")
    >>> fields = FrozenMap({"full_name": ("name",), "email": ("mail",)})
    >>> reader = RowReader(ColumnMap(columns=columns, fields=fields, source="shop"), as_of=date(2026, 11, 22))
    >>> facts = reader.read(Row(number=2, line=2, cells=("Ann Lee", "ann@x.org", "42"), raw=""))
    >>> facts.party.name.full, facts.party.emails[0].key, facts.party.extras["shoe size"]
    ('Ann Lee', 'ann@x.org', '42')
    """

    def __init__(self, column_map: ColumnMap, *, as_of: date) -> None:
        self._layout = Layout(column_map)
        self._as_of = as_of
        self._map_digest = column_map.digest.encode()
        self._times: dict[bytes, int] = {}

    def read(self, row: Row) -> Read:
        """What one row says."""
        if row.problem is not None:
            return Rejection(number=row.number, line=row.line, code=row.problem)
        if row.blank:
            return Skip(number=row.number, line=row.line)
        if len(row.raw) * 4 > MAX_ROW and len(row.raw.encode("utf-8", "replace")) > MAX_ROW:
            return Rejection(number=row.number, line=row.line, code="row_too_large")
        found = self._facts(row)
        if isinstance(found, str):
            return Rejection(number=row.number, line=row.line, code=found)
        return found

    def _facts(self, row: Row) -> RowFacts | str:
        """The facts of a well-formed row, or the code of why it has none."""
        cells = RowCells(self._layout, row.cells)
        hashed = self._hashed(row.cells)
        source = self._source(cells, hashed)
        if isinstance(source, str):
            return source
        observed, happened = cells.moment("observed_on"), self._happened(cells)
        contact = self._contact(happened, cells, source)
        observed = observed or happened
        fields = shared_fields(cells)
        organization = is_organization(cells)
        fields |= organization_fields(cells) if organization else person_fields(cells)
        if not (fields["names"] or fields["identifiers"] or any(map(reaches, fields["contact_points"]))):
            return "no_designation"
        works_for = None if organization else employer(cells, source.system)
        hashed.update(self._map_digest)
        digest = hashed.hexdigest()
        fields["extras"] = FrozenMap(cells.extras())
        party = (Organization if organization else Person)(
            sources=(source,),
            observed_at=observed,
            imported=marked(source, digest, fields),
            **fields,
        )
        return RowFacts(
            number=row.number,
            line=row.line,
            size=len(row.raw),
            source=source,
            party=party,
            employer=works_for,
            contact=contact,
            observed_at=observed,
            digest=digest,
            problems=tuple(cells.problems),
        )

    def _hashed(self, cells: tuple[str, ...]) -> Any:
        """SHA-256 over what the row says in which column."""
        said = [f"{name}{_RECORD}{text}" for at, name in self._layout.content if (text := cells[at].strip())]
        return hashlib.sha256(_UNIT.join(said).encode("utf-8", "replace"))

    def _source(self, row: RowCells, hashed: Any) -> Source | str:
        """The record that the row stands for, or the code of what is wrong with its name."""
        layout = self._layout
        system = layout.map.source
        if layout.source is not None:
            named = clean(row.cells[layout.source])
            system = named or system
            if not named:
                row.note("blank_source", "source", layout.source)
        if len(system) > _NAME_LIMIT:
            return "invalid_source"
        record = "" if layout.id is None else clean(row.cells[layout.id])
        if len(record) > _NAME_LIMIT:
            return "invalid_id"
        if not record:
            if layout.id is not None:
                row.note("blank_id", "id", layout.id)
            digest = hashed.digest()[:16]
            times = self._times[digest] = self._times.get(digest, 0) + 1
            record = f"row:{digest.hex()}" + (f":{times}" if times > 1 else "")
        return Source(system, record)

    def _happened(self, row: RowCells) -> Moment | None:
        """When the contact took place, if it has."""
        found = row.moment("contact_date")
        if found is not None and is_future(found, self._as_of):
            row.keep_all("contact_date", code="future")
            return None
        return found

    def _contact(self, when: Moment | None, row: RowCells, source: Source) -> Contact | None:
        if when is None:
            row.keep_all("contact_subject")
            return None
        named = f"{source.system}{_UNIT}{source.record}{_UNIT}{moment_text(when)}"
        return Contact(
            kind=self._layout.map.contact_kind,
            direction=self._layout.map.contact_direction,
            occurred_at=when,
            subject=row.text("contact_subject") or None,
            source=source,
            dedupe_key="import:" + hashlib.sha256(named.encode("utf-8", "replace")).hexdigest(),
        )
