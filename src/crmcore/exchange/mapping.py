"""Which column becomes which field: what the suggestions are sure of, and what the caller says.

Invariant: what the caller says wins; two columns never compete silently for one field; a name that is not there
is refused with the names that are. A map is a value: the same map over the same row gives the same facts.
"""

from __future__ import annotations

import hashlib
import json
from difflib import get_close_matches
from typing import Literal

import attrs

from crmcore.errors import InvalidMapping
from crmcore.exchange.fields import FIELDS, IGNORE
from crmcore.exchange.headers import contact_kind_of, squeezed
from crmcore.exchange.notice import Notice
from crmcore.exchange.profile import ColumnProfile, Profile
from crmcore.exchange.suggestion import Suggestion
from crmcore.interaction.interaction import Direction, Kind
from crmcore.serde import dump
from crmcore.values.frozen_map import FrozenMap
from crmcore.values.partial_date_text import Order
from crmcore.values.personal import Document

RowKind = Literal["person", "organization"]

DESIGNATING = (
    "full_name",
    "given_name",
    "family_name",
    "org_name",
    "email",
    "phone",
    "fax",
    "national_id",
    "website",
)
"""Fields of which a row needs one to become a party; an employer or a town alone designates nobody."""


@attrs.frozen(kw_only=True)
class ImportOptions(Document):
    """What the caller says of a file.

    *source* names the system that it comes from, *source_column* the column that does; *id_column* holds the
    record's id there. *kind* is what the rows are; without it a row with a person's name is a person, one with
    only an organization's an organization. *region* is where local phone numbers are dialled, *date_order* how
    dates of numbers are written where the values do not show it. *columns* are pairs of column and field,
    *contact_kind* and *contact_direction* what a dated contact is.
    """

    source: str | None = None
    source_column: str | None = None
    id_column: str | None = None
    kind: RowKind | None = None
    region: str | None = None
    date_order: Order | None = None
    columns: tuple[tuple[str, str], ...] = ()
    contact_kind: Kind | None = None
    contact_direction: Direction = "inbound"
    encoding: str | None = None
    delimiter: str | None = None


@attrs.frozen(kw_only=True)
class ColumnMap(Document):
    """What each column of a file is for. *fields* names the columns of each field, in their order.

    *ignored* columns are not kept; all others without a field are. *orders* are the date orders that columns
    were found or said to have.
    """

    columns: tuple[str, ...]
    fields: FrozenMap[str, tuple[str, ...]]
    ignored: tuple[str, ...] = ()
    source: str
    source_column: str | None = None
    id_column: str | None = None
    kind: RowKind | None = None
    region: str | None = None
    orders: FrozenMap[str, Order] = attrs.field(factory=lambda: FrozenMap())
    contact_kind: Kind = "other"
    contact_direction: Direction = "inbound"

    @property
    def digest(self) -> str:
        """What tells this map from any other."""
        text = json.dumps(dump(self), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()

    @property
    def kept(self) -> tuple[str, ...]:
        """The columns without a field, which parties keep under their own names."""
        used = {name for names in self.fields.values() for name in names}
        used |= {*self.ignored, *(name for name in (self.source_column, self.id_column) if name is not None)}
        return tuple(name for name in self.columns if name not in used)


def parse_pair(text: str) -> tuple[str, str]:
    """The column and the field of ``COLUMN=FIELD``; the column may hold an equals sign itself.

    Raises:
        InvalidMapping: if *text* is no such pair.

    >>> parse_pair("Filed on=contact_date")
    ('Filed on', 'contact_date')
    """
    column, equals, field = text.rpartition("=")
    if not equals or not column.strip() or not field.strip():
        raise InvalidMapping("a mapping is written COLUMN=FIELD, such as 'Filed on=contact_date'")
    return column.strip(), field.strip()


def reserved_columns(columns: tuple[str, ...], options: ImportOptions) -> frozenset[str]:
    """The columns that hold the source and the record id.

    Raises:
        InvalidMapping: if there is no such column.
    """
    named = (options.source_column, options.id_column)
    return frozenset(_existing(name, columns) for name in named if name is not None)


def column_map(
    columns: tuple[str, ...],
    suggestions: tuple[Suggestion, ...],
    profile: Profile,
    options: ImportOptions,
    *,
    file: str,
) -> tuple[ColumnMap, tuple[Notice, ...]]:
    """The map of a file called *file*, and what has to be told about it.

    Raises:
        InvalidMapping: for an unknown column or field, two columns for a field that takes one, or a map in
            which nothing designates anybody.
    """
    said = _said(columns, options)
    found = _fields(columns, suggestions, said)
    id_column = None if options.id_column is None else _existing(options.id_column, columns)
    if id_column is None:
        sure = (
            s.column
            for s in suggestions
            if s.topic == "id" and s.certainty == "sure" and s.column not in said
        )
        id_column = next(sure, None)
    if profile.rows and not any(field in found for field in DESIGNATING):
        raise InvalidMapping(
            "no column is mapped to a name, e-mail address or phone number: "
            f"say which one is, with --map COLUMN=FIELD; the columns are {_listed(columns)}"
        )
    orders, notices = _orders(found, profile, options.date_order)
    dated = found.get("contact_date", ("",))[0]
    source_column = None if options.source_column is None else _existing(options.source_column, columns)
    made = ColumnMap(
        columns=columns,
        fields=FrozenMap(found),
        ignored=tuple(s.column for s in suggestions if s.topic == "truth" and s.column not in said),
        source=options.source or file.rpartition(".")[0] or file,
        source_column=source_column,
        id_column=id_column,
        kind=options.kind,
        region=options.region,
        orders=orders,
        contact_kind=options.contact_kind or contact_kind_of(dated),
        contact_direction=options.contact_direction,
    )
    return made, notices


def _said(columns: tuple[str, ...], options: ImportOptions) -> dict[str, str]:
    """The caller's pairs, checked, by column."""
    said: dict[str, str] = {}
    taken: dict[str, str] = {}
    reserved = reserved_columns(columns, options)
    for column, field in options.columns:
        name = _existing(column, columns)
        if field not in FIELDS and field != IGNORE:
            known = ", ".join((*FIELDS, IGNORE))
            raise InvalidMapping(f"there is no field {field!r}: use one of {known}")
        if name in reserved:
            raise InvalidMapping(
                f'"{name}" is the source or id column: it cannot be mapped to {field} as well'
            )
        if said.get(name, field) != field:
            raise InvalidMapping(f'"{name}" is mapped to {said[name]} and to {field}: choose one')
        if field != IGNORE and not FIELDS[field].many and taken.get(field, name) != name:
            raise InvalidMapping(
                f'"{taken[field]}" and "{name}" are both mapped to {field}, which takes one column: choose one'
            )
        said[name] = field
        taken[field] = name
    return said


def _fields(
    columns: tuple[str, ...], suggestions: tuple[Suggestion, ...], said: dict[str, str]
) -> dict[str, tuple[str, ...]]:
    chosen = {name: field for name, field in said.items() if field != IGNORE}
    taken = set(chosen.values())
    for suggestion in suggestions:
        field = suggestion.field
        if suggestion.certainty != "sure" or field is None or suggestion.column in said:
            continue
        if field not in taken or FIELDS[field].many:
            chosen[suggestion.column] = field
    found: dict[str, tuple[str, ...]] = {}
    for name in columns:
        if name in chosen:
            found[chosen[name]] = (*found.get(chosen[name], ()), name)
    return found


def _orders(
    found: dict[str, tuple[str, ...]], profile: Profile, said: Order | None
) -> tuple[FrozenMap[str, Order], tuple[Notice, ...]]:
    """The order of day and month in each date column: proven by its values, else as said, else asked for."""
    by_name = {column.column: column for column in profile.columns}
    orders: dict[str, Order] = {}
    notices: list[Notice] = []
    for field, names in found.items():
        if FIELDS[field].holds != "date":
            continue
        for name in names:
            order, notice = _order(by_name[name], said)
            if order is not None:
                orders[name] = order
            if notice is not None:
                notices.append(notice)
    return FrozenMap(orders), tuple(notices)


def _order(column: ColumnProfile, said: Order | None) -> tuple[Order | None, Notice | None]:
    days, months, either = (column.count(look) for look in ("day_first", "month_first", "either_first"))
    name = column.column
    if days and months:
        text = f'"{name}" has dates with the day first ({days:,}) and with the month first ({months:,})'
        rest = f"; {either:,} that could be either are kept as they are" if either and said is None else ""
        return said, Notice(mark="!", code="mixed_dates", text=text + rest, columns=(name,), count=either)
    if days or months:
        return ("dmy" if days else "mdy"), None
    if either and said is None:
        text = f'"{name}": day or month first? ({either:,} dates could be either): say it with --date-order dmy or mdy'
        return None, Notice(mark="?", code="ambiguous_dates", text=text, columns=(name,), count=either)
    return said, None


def _existing(name: str, columns: tuple[str, ...]) -> str:
    """The column called *name*, exactly or but for case, accents and spaces."""
    if name in columns:
        return name
    alike = [column for column in columns if squeezed(column) == squeezed(name)]
    if len(alike) == 1:
        return alike[0]
    folded = {squeezed(column): column for column in columns}
    near = [folded[found] for found in get_close_matches(squeezed(name), folded, n=3, cutoff=0.5)]
    hint = f"did you mean {_listed(tuple(near))}?" if near else f"the columns are {_listed(columns)}"
    raise InvalidMapping(f"there is no column {name!r}: {hint}")


def _listed(columns: tuple[str, ...]) -> str:
    shown = ", ".join(f'"{column}"' for column in columns[:30])
    return shown + (f" and {len(columns) - 30:,} more" if len(columns) > 30 else "")
