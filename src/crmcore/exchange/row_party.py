"""The party that a row describes, field by field.

Invariant: a value without a normal form costs the party nothing else; it is kept where a reader will find it.
"""

from __future__ import annotations

from typing import Any

from crmcore.errors import InvalidIdentifier, InvalidLanguage
from crmcore.exchange.cells import (
    email_points,
    employer_of,
    labels,
    online_point,
    organization_name,
    partial_date,
    person_name,
    phone_points,
    postal_point,
)
from crmcore.exchange.row_cells import RowCells
from crmcore.party.contact_point import ContactPoint, EmailPoint, PhonePoint, Use
from crmcore.party.party import Organization
from crmcore.values.identifier import Identifier
from crmcore.values.language import Language
from crmcore.values.text import clean

NAME_FIELDS = ("full_name", "given_name", "middle_name", "family_name", "honorific")

_FAX = frozenset[Use]({"fax"})
_ADDRESS = ("street_no", "street", "address", "city", "postcode", "region")


def is_organization(row: RowCells) -> bool:
    """Whether the row is about an organization: as it was said, else when only an organization's name is there."""
    kind = row.layout.map.kind
    if kind is not None:
        return kind == "organization"
    if any(row.text(field) for field in ("full_name", "given_name", "family_name")):
        return False
    return bool(row.text("org_name"))


def shared_fields(row: RowCells) -> dict[str, Any]:
    """What people and organizations have in common."""
    row.keep_all("note")
    return {
        "contact_points": contact_points(row),
        "identifiers": _identifiers(row),
        "language": _language(row),
        "tags": frozenset(tag for _, text in row.placed("tag") for tag in labels(text)),
    }


def person_fields(row: RowCells) -> dict[str, Any]:
    """The name, date of birth and occupation of a person."""
    name = person_name(*(row.text(field) for field in NAME_FIELDS))
    if name is None or isinstance(name, str):
        row.keep_all(*NAME_FIELDS, code=name)
        name = None
    born = None
    text = row.text("birth_date")
    if text:
        at = row.layout.at["birth_date"][0]
        found = partial_date(text, row.layout.map.orders.get(row.layout.columns[at]))
        if isinstance(found, str):
            row.keep(found, "birth_date", at)
        else:
            born = found
    occupation = clean(row.text("occupation")) or None
    return {"names": () if name is None else (name,), "birth_date": born, "occupation": occupation}


def organization_fields(row: RowCells) -> dict[str, Any]:
    """The name of an organization; what only people have is kept as it is."""
    used = "org_name" if row.text("org_name") else "full_name"
    text = row.text(used)
    name = organization_name(text) if text else None
    if isinstance(name, str):
        row.keep_all(used, code=name)
        name = None
    people = (*NAME_FIELDS, "birth_date", "occupation", "employer")
    row.keep_all(*(field for field in people if field != used))
    return {"names": () if name is None else (name,)}


def employer(row: RowCells, system: str) -> Organization | None:
    """The organization that the row's person works for; the name of one is enough."""
    field = "employer" if row.text("employer") else "org_name"
    text = row.text(field)
    if not text:
        return None
    found = employer_of(text, system)
    if isinstance(found, str):
        row.keep_all(field, code=found)
        return None
    if field == "employer":
        row.keep_all("org_name")
    return found


def contact_points(row: RowCells) -> tuple[ContactPoint, ...]:
    """E-mail addresses, telephone and fax numbers, the postal address and web addresses, each once."""
    found: list[tuple[int, ContactPoint]] = []
    region, uses = row.layout.map.region, row.layout.uses
    for field in ("email", "phone", "fax"):
        for at, text in row.placed(field):
            use = uses.get(at, _FAX)
            made: tuple[EmailPoint | PhonePoint, ...]
            made = email_points(text, use) if field == "email" else phone_points(text, region, use)
            for point in made:
                if point.problem is not None:
                    row.note(point.problem, field, at)
                found.append((at, point))
    address = _address(row)
    if address is not None:
        found.append((-1, address))
    found += [(at, online_point(text)) for at, text in row.placed("website")]
    if len(found) < 2:
        return tuple(point for _, point in found)
    distinct: dict[tuple[str, str], ContactPoint] = {}
    for at, candidate in found:
        if distinct.setdefault((candidate.kind, candidate.key), candidate) is not candidate:
            # The same number in two columns is one contact point; the second cell stays as it was written.
            row.kept[row.layout.columns[at]] = row.cells[at]
    return tuple(distinct.values())


def reaches(point: ContactPoint) -> bool:
    """Whether a contact point says who somebody is: an address alone does not, nor a text that is no address."""
    if isinstance(point, PhonePoint):
        return bool(point.value is not None or point.digits)
    return point.kind == "online" or (isinstance(point, EmailPoint) and point.value is not None)


def _address(row: RowCells) -> ContactPoint | None:
    street = " ".join(filter(None, (row.text("street_no"), row.text("street"))))
    lines = "\n".join(text for _, text in row.placed("address"))
    city, postcode, region, country = (row.text(f) for f in ("city", "postcode", "region", "country"))
    point, problems = postal_point(lines, street, city, postcode, region, country)
    for problem in problems:
        if problem == "country":
            row.keep_all("country", code="unknown_country")
        else:
            row.keep_all(*_ADDRESS, code="too_long")
    return point


def _identifiers(row: RowCells) -> tuple[Identifier, ...]:
    text = row.text("national_id")
    if not text:
        return ()
    try:
        return (Identifier("national_id", text),)
    except InvalidIdentifier as error:
        row.keep_all("national_id", code=error.reason)
        return ()


def _language(row: RowCells) -> Language | None:
    text = row.text("language")
    if not text:
        return None
    try:
        return Language.parse(text)
    except InvalidLanguage as error:
        row.keep_all("language", code=error.reason)
        return None
