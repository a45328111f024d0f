"""A row of a file into facts: a party, the organization it works for, a dated contact, and what could not be read.

Invariant: every row becomes facts, a rejection or a skip, each with its number; no cell is lost. What has no
normal form is kept as it was written, and a column without a field is kept under its name. The same row under
the same map gives the same facts, and the same record id in every file that holds it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any, Literal

import attrs

from crmcore.errors import CrmError, InvalidIdentifier, InvalidLanguage
from crmcore.exchange.cells import (
    email_points,
    employer_of,
    is_future,
    labels,
    moment,
    online_point,
    organization_name,
    partial_date,
    person_name,
    phone_points,
    postal_point,
)
from crmcore.exchange.headers import use_of
from crmcore.exchange.mapping import ColumnMap
from crmcore.exchange.reading import Row
from crmcore.interaction.interaction import Direction, Kind
from crmcore.party.contact_point import ContactPoint, EmailPoint, PhonePoint, Use
from crmcore.party.party import Organization, Person
from crmcore.values.frozen_map import FrozenMap
from crmcore.values.identifier import Identifier
from crmcore.values.language import Language
from crmcore.values.moment import Moment, moment_text
from crmcore.values.personal import personal
from crmcore.values.source import Source
from crmcore.values.text import clean

MAX_ROW = 100_000
"""Bytes of a row; any store takes a party of that size with its history."""

_NAME_LIMIT = 256
_NAME_FIELDS = ("full_name", "given_name", "middle_name", "family_name", "honorific")
_FAX = frozenset[Use]({"fax"})
_UNIT, _RECORD = "\x1f", "\x1e"

MESSAGES: FrozenMap[str, str] = FrozenMap(
    {
        "too_few_cells": "the row has fewer cells than the header: look for a missing delimiter or a line end too many",
        "too_many_cells": "the row has more cells than the header: put quotes around cells that hold the delimiter",
        "nul": "the row holds NUL bytes: remove them",
        "cell_too_large": "a cell is too large: shorten it, or look for a missing quote",
        "row_too_large": f"the row is larger than {MAX_ROW:,} bytes: shorten it",
        "stray_quote": "text follows a closing quote: double the quotes inside a cell",
        "unclosed_quote": "a quote is opened and never closed: close it",
        "no_designation": "nothing in the row designates anybody: give a name, an e-mail address or a telephone number",
        "invalid_source": "the source's name is too long: use at most 256 characters",
        "invalid_id": "the record id is too long: use at most 256 characters",
        "invalid_party": "the row's values do not go together in one party: correct them",
    }
)
"""What each code of a rejected row means and what to do."""


@attrs.frozen
class Problem:
    """A value that was kept as it was written. *code* says why, *field* what it was to be, *column* where it stands."""

    code: str
    field: str
    column: str


@attrs.frozen(kw_only=True)
class Contact:
    """A dated contact of the row's party. *dedupe_key* is the same in every import of the same contact."""

    kind: Kind
    direction: Direction
    occurred_at: Moment
    subject: str | None = personal(default=None)
    source: Source
    dedupe_key: str


@attrs.frozen(kw_only=True)
class RowFacts:
    """What a row says. *digest* covers all its cells and the map; *observed_at* is when the source saw it.

    *size* is the number of characters that the row has in the file.
    """

    number: int
    line: int
    size: int = 0
    source: Source
    party: Person | Organization
    employer: Organization | None = None
    contact: Contact | None = None
    observed_at: Moment | None = None
    digest: str
    problems: tuple[Problem, ...] = ()


@attrs.frozen(kw_only=True)
class Rejection:
    """A row that could not be taken over. *code* is for programs, *message* for people; neither holds a cell."""

    number: int
    line: int
    code: str

    @property
    def message(self) -> str:
        """What is wrong and what to do."""
        return MESSAGES.get(self.code, self.code)


@attrs.frozen(kw_only=True)
class Skip:
    """A row with nothing in it."""

    number: int
    line: int
    reason: Literal["blank"] = "blank"


Read = RowFacts | Rejection | Skip


def read_rows(rows: Iterable[Row], column_map: ColumnMap, *, as_of: date) -> Iterator[Read]:
    """What each row says; *as_of* is today, after which no contact can have taken place.

    Rows without an id are numbered among equal ones, so the whole file must be read from its beginning.
    """
    reader = RowReader(column_map, as_of=as_of)
    for row in rows:
        yield reader.read(row)


class RowReader:
    """Reads the rows of one file in their order.

    >>> from crmcore.exchange.mapping import ColumnMap
    >>> columns = ("name", "mail", "shoe size")
    >>> fields = FrozenMap({"full_name": ("name",), "email": ("mail",)})
    >>> reader = RowReader(ColumnMap(columns=columns, fields=fields, source="shop"), as_of=date(2026, 11, 22))
    >>> facts = reader.read(Row(number=2, line=2, cells=("Ann Lee", "ann@x.org", "42"), raw=""))
    >>> facts.party.name.full, facts.party.emails[0].key, facts.party.extras["shoe size"]
    ('Ann Lee', 'ann@x.org', '42')
    """

    def __init__(self, column_map: ColumnMap, *, as_of: date) -> None:
        self._map = column_map
        self._as_of = as_of
        at = {name: place for place, name in enumerate(column_map.columns)}
        self._at = {field: tuple(at[name] for name in names) for field, names in column_map.fields.items()}
        self._kept = tuple((at[name], name) for name in column_map.kept)
        self._source_at = at.get(column_map.source_column or "")
        self._id_at = at.get(column_map.id_column or "")
        # In the order of their names, so that moving columns about does not make other records of the rows.
        self._content = tuple(
            (at[name], name) for name in sorted(column_map.columns) if name not in column_map.ignored
        )
        self._uses: dict[int, frozenset[Use]] = {
            place: use_of(column_map.columns[place])
            for field in ("email", "phone")
            for place in self._at.get(field, ())
        }
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
        return self._facts(row)

    # --- the row as a whole ---

    def _facts(self, row: Row) -> RowFacts | Rejection:
        cells = row.cells
        notes = _Notes(self._map.columns)
        content = _UNIT.join(
            f"{name}{_RECORD}{cells[at].strip()}" for at, name in self._content if cells[at].strip()
        )
        hashed = hashlib.sha256(content.encode("utf-8", "replace"))
        source = self._source(cells, hashed, notes)
        if isinstance(source, str):
            return Rejection(number=row.number, line=row.line, code=source)
        observed = self._moment("observed_on", cells, notes)
        happened = self._moment("contact_date", cells, notes)
        if happened is not None and is_future(happened, self._as_of):
            notes.keep("future", "contact_date", self._at["contact_date"][0], cells)
            happened = None
        observed = observed or happened
        hashed.update(self._map_digest)
        party = self._party(cells, source, observed, notes)
        if not isinstance(party, (Person, Organization)):
            return Rejection(number=row.number, line=row.line, code=party)
        employer = self._employer(cells, source.system, notes) if isinstance(party, Person) else None
        contact = None if happened is None else self._contact(happened, cells, source, notes)
        if happened is None:
            self._keep_all("contact_subject", cells, notes)
        extras = {name: cells[at] for at, name in self._kept if cells[at].strip()}
        extras.update(notes.kept)
        return RowFacts(
            number=row.number,
            line=row.line,
            size=len(row.raw),
            source=source,
            party=attrs.evolve(party, extras=FrozenMap(extras)) if extras else party,
            employer=employer,
            contact=contact,
            observed_at=observed,
            digest=hashed.hexdigest(),
            problems=tuple(notes.problems),
        )

    def _source(self, cells: tuple[str, ...], content: Any, notes: _Notes) -> Source | str:
        """The record that the row stands for, or the code of what is wrong with its name."""
        system = self._map.source
        if self._source_at is not None:
            named = clean(cells[self._source_at])
            system = named or system
            if not named:
                notes.add("blank_source", "source", self._source_at)
        if len(system) > _NAME_LIMIT:
            return "invalid_source"
        record = "" if self._id_at is None else clean(cells[self._id_at])
        if len(record) > _NAME_LIMIT:
            return "invalid_id"
        if not record:
            if self._id_at is not None:
                notes.add("blank_id", "id", self._id_at)
            digest = content.digest()[:16]
            times = self._times[digest] = self._times.get(digest, 0) + 1
            record = f"row:{digest.hex()}" + (f":{times}" if times > 1 else "")
        return Source(system, record)

    # --- the party ---

    def _party(
        self, cells: tuple[str, ...], source: Source, observed: Moment | None, notes: _Notes
    ) -> Person | Organization | str:
        shared: dict[str, Any] = {
            "sources": (source,),
            "contact_points": self._points(cells, notes),
            "identifiers": self._identifiers(cells, notes),
            "language": self._language(cells, notes),
            "tags": frozenset(tag for cell in self._texts("tag", cells) for tag in labels(cell)),
            "observed_at": observed,
        }
        self._keep_all("note", cells, notes)
        kind = self._kind_of(cells)
        try:
            build = self._organization if kind == "organization" else self._person
            party = build(cells, shared, notes)
        except CrmError:
            return "invalid_party"
        designated = (
            party.names or party.identifiers or any(_reaches(point) for point in party.contact_points)
        )
        return party if designated else "no_designation"

    def _kind_of(self, cells: tuple[str, ...]) -> str:
        if self._map.kind is not None:
            return self._map.kind
        person = any(self._text(field, cells) for field in ("full_name", "given_name", "family_name"))
        return "organization" if not person and self._text("org_name", cells) else "person"

    def _person(self, cells: tuple[str, ...], shared: dict[str, Any], notes: _Notes) -> Person:
        name = person_name(*(self._text(field, cells) for field in _NAME_FIELDS))
        if name is None or isinstance(name, str):
            for field in _NAME_FIELDS:
                self._keep_all(field, cells, notes, code=name)
        born = None
        text = self._text("birth_date", cells)
        if text:
            at = self._at["birth_date"][0]
            found = partial_date(text, self._map.orders.get(self._map.columns[at]))
            if isinstance(found, str):
                notes.keep(found, "birth_date", at, cells)
            else:
                born = found
        return Person(
            names=() if name is None or isinstance(name, str) else (name,),
            birth_date=born,
            occupation=clean(self._text("occupation", cells)) or None,
            **shared,
        )

    def _organization(self, cells: tuple[str, ...], shared: dict[str, Any], notes: _Notes) -> Organization:
        text = self._text("org_name", cells)
        used = "org_name" if text else "full_name"
        text = text or self._text("full_name", cells)
        name = organization_name(text) if text else None
        if isinstance(name, str):
            self._keep_all(used, cells, notes, code=name)
        for field in (*_NAME_FIELDS, "birth_date", "occupation", "employer"):
            if field != used:
                self._keep_all(field, cells, notes)
        return Organization(names=() if name is None or isinstance(name, str) else (name,), **shared)

    def _points(self, cells: tuple[str, ...], notes: _Notes) -> tuple[ContactPoint, ...]:
        found: list[tuple[int, ContactPoint]] = []
        for field in ("email", "phone", "fax"):
            for at in self._at.get(field, ()):
                if text := cells[at].strip():
                    uses = self._uses.get(at, _FAX)
                    made: tuple[EmailPoint | PhonePoint, ...]
                    made = (
                        email_points(text, uses)
                        if field == "email"
                        else phone_points(text, self._map.region, uses)
                    )
                    notes.told(made, field, at)
                    found += [(at, point) for point in made]
        address = self._address(cells, notes)
        if address is not None:
            found.append((-1, address))
        for at in self._at.get("website", ()):
            if text := cells[at].strip():
                found.append((at, online_point(text)))
        if len(found) < 2:
            return tuple(point for _, point in found)
        distinct: dict[tuple[str, str], ContactPoint] = {}
        for at, point in found:
            if distinct.setdefault((point.kind, point.key), point) is not point:
                # The same number in two columns is one contact point; the second cell stays as it was written.
                notes.kept[self._map.columns[at]] = cells[at]
        return tuple(distinct.values())

    def _address(self, cells: tuple[str, ...], notes: _Notes) -> ContactPoint | None:
        street = " ".join(filter(None, (self._text("street_no", cells), self._text("street", cells))))
        lines = "\n".join(self._texts("address", cells))
        city, postcode, region, country = (
            self._text(f, cells) for f in ("city", "postcode", "region", "country")
        )
        point, problems = postal_point(lines, street, city, postcode, region, country)
        for problem in problems:
            whole = ("street_no", "street", "address", "city", "postcode", "region")
            for field in (problem,) if problem == "country" else whole:
                self._keep_all(
                    field, cells, notes, code="unknown_country" if problem == "country" else "too_long"
                )
        return point

    def _identifiers(self, cells: tuple[str, ...], notes: _Notes) -> tuple[Identifier, ...]:
        text = self._text("national_id", cells)
        if not text:
            return ()
        try:
            return (Identifier("national_id", text),)
        except InvalidIdentifier as error:
            notes.keep(error.reason, "national_id", self._at["national_id"][0], cells)
            return ()

    def _language(self, cells: tuple[str, ...], notes: _Notes) -> Language | None:
        text = self._text("language", cells)
        if not text:
            return None
        try:
            return Language.parse(text)
        except InvalidLanguage as error:
            notes.keep(error.reason, "language", self._at["language"][0], cells)
            return None

    # --- beside the party ---

    def _employer(self, cells: tuple[str, ...], system: str, notes: _Notes) -> Organization | None:
        field = "employer" if self._text("employer", cells) else "org_name"
        text = self._text(field, cells)
        if not text:
            return None
        found = employer_of(text, system)
        if isinstance(found, str):
            self._keep_all(field, cells, notes, code=found)
            return None
        if field == "employer":
            self._keep_all("org_name", cells, notes)
        return found

    def _contact(self, when: Moment, cells: tuple[str, ...], source: Source, notes: _Notes) -> Contact:
        named = f"{source.system}{_UNIT}{source.record}{_UNIT}{moment_text(when)}"
        return Contact(
            kind=self._map.contact_kind,
            direction=self._map.contact_direction,
            occurred_at=when,
            subject=self._text("contact_subject", cells) or None,
            source=source,
            dedupe_key="import:" + hashlib.sha256(named.encode("utf-8", "replace")).hexdigest(),
        )

    # --- cells ---

    def _text(self, field: str, cells: tuple[str, ...]) -> str:
        places = self._at.get(field)
        return cells[places[0]].strip() if places else ""

    def _texts(self, field: str, cells: tuple[str, ...]) -> list[str]:
        return [text for at in self._at.get(field, ()) if (text := cells[at].strip())]

    def _keep_all(
        self, field: str, cells: tuple[str, ...], notes: _Notes, *, code: str | None = None
    ) -> None:
        """Keep the cells of a field as extras: they have no place in this party, or could not be read."""
        for at in self._at.get(field, ()):
            if cells[at].strip():
                if code is None:
                    notes.kept[self._map.columns[at]] = cells[at]
                else:
                    notes.keep(code, field, at, cells)

    def _moment(self, field: str, cells: tuple[str, ...], notes: _Notes) -> Moment | None:
        text = self._text(field, cells)
        if not text:
            return None
        at = self._at[field][0]
        found, problem = moment(text, self._map.orders.get(self._map.columns[at]))
        if problem is not None:
            notes.keep(problem, field, at, cells)
        return found


def _reaches(point: ContactPoint) -> bool:
    """Whether a contact point says who somebody is: an address alone does not, nor a text that is no address."""
    if point.kind == "phone":
        return bool(point.value is not None or point.digits)
    return point.kind == "online" or (point.kind == "email" and point.value is not None)


class _Notes:
    """What a row's values had wrong with them, and the cells that are kept as extras for it."""

    def __init__(self, columns: tuple[str, ...]) -> None:
        self._columns = columns
        self.problems: list[Problem] = []
        self.kept: dict[str, str] = {}

    def add(self, code: str, field: str, at: int) -> None:
        self.problems.append(Problem(code, field, self._columns[at]))

    def keep(self, code: str, field: str, at: int, cells: tuple[str, ...]) -> None:
        self.add(code, field, at)
        self.kept[self._columns[at]] = cells[at]

    def told(self, points: tuple[EmailPoint | PhonePoint, ...], field: str, at: int) -> None:
        """Note the points that have no normal form."""
        for point in points:
            if point.problem is not None:
                self.add(point.problem, field, at)
