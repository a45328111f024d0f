"""What each record of a customer says about each field, with who said it and when it was seen.

Invariant: a statement is one value of one record as a whole: an address is never taken apart, so that no part of it can
be mixed with a part of another one. Statements that mean the same value have the same *key*.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import attrs

from crmcore.party.contact_point import UNUSABLE, ContactPoint, PostalPoint
from crmcore.party.party import Household, Organization, Party, Person
from crmcore.serde import dump
from crmcore.values.ids import PartyId
from crmcore.values.moment import Moment
from crmcore.values.organization_name import OrganizationName
from crmcore.values.partial_date import PartialDate
from crmcore.values.person_name import PersonName
from crmcore.values.personal import personal
from crmcore.values.source import Source
from crmcore.values.text import fold

KINDS = ("person", "organization", "household", "anonymous")
"""A customer with records of several kinds is of the first: somebody anonymous is whoever they turn out to be."""


@attrs.frozen(kw_only=True)
class Said:
    """One value of *field* in the record *party*. *slot* keeps apart what does not compete, such as home and work.

    *place* is where the record itself puts the value among others; *text* is what its spelling is judged by.
    """

    field: str
    slot: str = ""
    key: str = personal()
    value: Any = personal()
    text: str = personal()
    party: PartyId
    sources: tuple[Source, ...] = ()
    observed_at: Moment | None = None
    place: tuple[int, ...] = ()


def kind_of(parties: Iterable[Party]) -> str:
    """The kind of a customer with these records.

    >>> from crmcore.party.party import Anonymous
    >>> kind_of([Anonymous.of("cookie 1"), Person.of("Ann Lee")])
    'person'
    """
    kinds = {party.kind for party in parties}
    return next(kind for kind in KINDS if kind in kinds)


def statements(party: Party, kind: str) -> Iterator[Said]:
    """All that *party* says about a customer of *kind*."""
    yield from _names(party, kind)
    if isinstance(party, Person):
        if party.birth_date is not None:
            yield _said(party, "birth_date", party.birth_date, party.birth_date.text)
        if party.occupation:
            yield _said(party, "occupation", party.occupation, party.occupation)
    for point in party.contact_points:
        yield _of_point(party, point)
    if party.language is not None:
        yield _said(party, "language", party.language, party.language.tag)
    if party.zone:
        yield _said(party, "zone", party.zone, party.zone)
    for tag in sorted(party.tags):
        yield _said(party, "tag", tag, tag, "tags", key=tag)
    for identifier in party.identifiers:
        key = "\x1f".join((identifier.scheme, identifier.issuer or "", identifier.key))
        yield _said(party, "identifier", identifier, identifier.value, "identifiers", key=key)
    for name in sorted(party.extras):
        value = party.extras[name]
        text = json.dumps(dump(value), ensure_ascii=False, sort_keys=True)
        yield _said(party, f"extra:{name}", value, text, "extras", key=text)


def _names(party: Party, kind: str) -> Iterator[Said]:
    """The name in use as the name, all others and those of a record of another kind as other names."""
    if isinstance(party, Household):
        if party.label:
            yield _said(
                party, "name" if kind == party.kind else "other_name", party.label, party.label, "label"
            )
    elif isinstance(party, (Person, Organization)):
        current = party.name
        for name in party.names:
            field = "name" if name is current and kind == party.kind else "other_name"
            yield _said(party, field, name, _name_text(name), "names")


def _name_text(name: PersonName | OrganizationName) -> str:
    return name.full if isinstance(name, PersonName) else name.text


def _of_point(party: Party, point: ContactPoint) -> Said:
    address = point.value if isinstance(point, PostalPoint) else None
    return Said(
        field="address" if point.kind == "postal" else point.kind,
        slot=",".join(sorted(point.uses)) if point.kind == "postal" else "",
        key=point.key if address is None else address.key,
        value=point,
        text=point.raw,
        party=party.id,
        sources=(point.source,) if point.source is not None else party.sources,
        observed_at=point.observed_at or _seen(party, point.kind, "contact_points"),
        place=(int(point.status in UNUSABLE), int(point.problem is not None), point.rank or 1000),
    )


def _said(
    party: Party, field: str, value: Any, text: str, attribute: str | None = None, *, key: str | None = None
) -> Said:
    return Said(
        field=field,
        key=key if key is not None else fold(text) or text,
        value=value,
        text=text,
        party=party.id,
        sources=party.sources,
        observed_at=_seen(party, field, attribute or field),
    )


def _seen(party: Party, *fields: str) -> Moment | None:
    return next((party.observed[field] for field in fields if field in party.observed), party.observed_at)


def broader(a: Any, b: Any) -> bool:
    """Whether *a* is a date that says less than *b* and nothing else: 1985 is broader than April 1985.

    >>> broader(PartialDate.parse("1985"), PartialDate.parse("1985-04"))
    True
    >>> broader(PartialDate.parse("1985-04"), PartialDate.parse("1985"))
    False
    >>> broader(PartialDate.parse("1985"), PartialDate.parse("1985"))
    False
    """
    if not isinstance(a, PartialDate) or not isinstance(b, PartialDate) or a == b:
        return False
    pairs = ((a.year, b.year), (a.month, b.month), (a.day, b.day))
    return all(one is None or one == other for one, other in pairs)
