"""One cell, or the cells of one value, into values of the library; the same text is worked out once.

Invariant: nothing here fails. A text that has no normal form stays as it was written, beside a word that says why.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from functools import lru_cache

from crmcore.errors import CrmError, InvalidAddress, InvalidDate, InvalidName, InvalidValue
from crmcore.party.contact_point import EmailPoint, OnlinePoint, PhonePoint, PostalPoint, Use
from crmcore.party.party import Organization
from crmcore.values.instant import from_text
from crmcore.values.moment import Moment, moment_date
from crmcore.values.organization_name import OrganizationName
from crmcore.values.partial_date import PartialDate
from crmcore.values.partial_date_text import Order
from crmcore.values.person_name import PersonName
from crmcore.values.postal_address import PostalAddress
from crmcore.values.source import Source
from crmcore.values.text import digits, fold

_CACHE = 16_384
_TRIPLE_COLON = re.compile(r"\s+:::\s+")
_MANY = re.compile(r"\s*[;,|\n\r]+\s*")
_MANY_PHONES = re.compile(r"\s*(?:[;,|\n\r/]|\bor\b|\band\b)\s*")
_LABELS = re.compile(r"\s*[;,|\n\r]+\s*|\s+:::\s+")
_LONGEST_LABEL = 200


@lru_cache(maxsize=_CACHE)
def email_points(text: str, uses: frozenset[Use]) -> tuple[EmailPoint, ...]:
    """The e-mail addresses in a cell, in which people and exports write several.

    >>> [point.key for point in email_points("a@x.org ::: b@x.org", frozenset())]
    ['a@x.org', 'b@x.org']
    """
    parts = [part for part in _MANY.split(_TRIPLE_COLON.sub(";", text.strip())) if part]
    if len(parts) < 2 or not all("@" in part for part in parts):
        parts = [text.strip()]
    return tuple(EmailPoint.of(part, uses=uses) for part in parts)


@lru_cache(maxsize=_CACHE)
def phone_points(text: str, region: str | None, uses: frozenset[Use]) -> tuple[PhonePoint, ...]:
    """The telephone numbers in a cell, each with at least seven digits where there are several.

    >>> [point.key for point in phone_points("+1 415 555 0132 / +1 415 555 0133", None, frozenset())]
    ['+14155550132', '+14155550133']
    """
    parts = [part for part in _MANY_PHONES.split(_TRIPLE_COLON.sub(";", text.strip())) if part]
    if len(parts) < 2 or not all(len(digits(part)) >= 7 for part in parts):
        parts = [text.strip()]
    return tuple(PhonePoint.of(part, region=region, uses=uses) for part in parts)


@lru_cache(maxsize=_CACHE)
def online_point(text: str) -> OnlinePoint:
    """A web address.

    >>> online_point("www.x.org").service
    'web'
    """
    return OnlinePoint.of(text)


@lru_cache(maxsize=_CACHE)
def labels(text: str) -> frozenset[str]:
    """The labels in a cell; stars that mark a group, as some exports have them, are dropped.

    >>> sorted(labels("* Friends ::: Work"))
    ['Friends', 'Work']
    """
    found = (part.strip().strip('"').removeprefix("*").strip() for part in _LABELS.split(text))
    return frozenset(part[:_LONGEST_LABEL] for part in found if part)


@lru_cache(maxsize=_CACHE)
def person_name(full: str, given: str, middle: str, family: str, honorific: str) -> PersonName | str | None:
    """The name of a person from the cells that a row has for it; None for no name, a word for one that cannot be kept.

    >>> person_name("", "Ann", "", "Lee", "").full
    'Ann Lee'
    """
    if not (full or given or middle or family):
        return None
    try:
        if not (given or middle or family or honorific):
            return PersonName.parse(full)
        return PersonName.from_parts(
            full=full or None, given=given, middle=middle, family=family, honorific=honorific
        )
    except InvalidName as error:
        return error.reason


@lru_cache(maxsize=_CACHE)
def organization_name(text: str) -> OrganizationName | str:
    """The name of an organization, or a word for one that cannot be kept.

    >>> organization_name("Hitachi, Ltd.").text
    'Hitachi, Ltd.'
    """
    try:
        return OrganizationName.parse(text)
    except InvalidName as error:
        return error.reason


@lru_cache(maxsize=_CACHE)
def employer_of(text: str, system: str) -> Organization | str:
    """The organization that a person works for, one for each name in a source; a word for one that cannot be kept.

    >>> employer_of("Hitachi, Ltd.", "crm").sources == employer_of("HITACHI LTD", "crm").sources
    True
    """
    name = organization_name(text)
    if isinstance(name, str):
        return name
    record = f"employer:{name.key}"
    try:
        return Organization(names=(name,), sources=(Source(system, record[:256]),))
    except CrmError as error:
        return error.code


@lru_cache(maxsize=_CACHE)
def postal_point(
    lines: str, street: str, city: str, postcode: str, region: str, country: str
) -> tuple[PostalPoint | None, tuple[str, ...]]:
    """The address from the cells that a row has for it, and the fields that did not fit into it.

    >>> point, problems = postal_point("", "Unter den Linden 1", "Berlin", "10117", "", "Germany")
    >>> point.value.country, problems
    ('DE', ())
    """
    if not (lines or street or city or postcode or region or country):
        return None, ()
    problems: tuple[str, ...] = ()
    try:
        return PostalPoint.of(_address(lines, street, city, postcode, region, country)), ()
    except InvalidAddress as error:
        problems = ("country",) if error.reason == "country" else ("address",)
    if problems == ("country",) and (lines or street or city or postcode or region):
        try:
            return PostalPoint.of(_address(lines, street, city, postcode, region, "")), problems
        except InvalidAddress:
            problems = ("address", "country")
    return None, problems


def _address(lines: str, street: str, city: str, postcode: str, region: str, country: str) -> PostalAddress:
    return PostalAddress(
        lines=tuple(lines.splitlines()),
        street_address=street,
        locality=city,
        postal_code=postcode,
        administrative_area=region,
        country=country,
    )


@lru_cache(maxsize=_CACHE)
def partial_date(text: str, order: Order | None) -> PartialDate | str:
    """A date of which a part may be missing, or the word for what is wrong with it.

    >>> partial_date("1985-04", None).text, partial_date("31/02/1985", "dmy")
    ('1985-04', 'range')
    """
    try:
        return PartialDate.parse(text, order)
    except InvalidDate as error:
        return error.reason


@lru_cache(maxsize=_CACHE)
def moment(text: str, order: Order | None) -> tuple[Moment | None, str | None]:
    """When something happened: an instant where the text has a zone, else its day; and what is wrong, if anything.

    >>> moment("31.01.2013", "dmy"), moment("2024-01-15 10:00", None)
    ((datetime.date(2013, 1, 31), None), (datetime.date(2024, 1, 15), 'no_zone'))
    """
    try:
        return from_text(text.replace(" ", "T", 1)), None
    except InvalidValue:
        pass  # most texts are days
    found = partial_date(text, order)
    if found == "time":
        found = partial_date(re.split(r"[T ]", text, maxsplit=1)[0], order)
        return (found.exact, "no_zone") if isinstance(found, PartialDate) and found.exact else (None, "time")
    if isinstance(found, str):
        return None, found
    return found.exact, None if found.exact is not None else "incomplete"


def is_future(when: Moment, as_of: date) -> bool:
    """Whether *when* lies after the day *as_of*, whatever the time zone.

    >>> is_future(date(2026, 11, 24), date(2026, 11, 22))
    True
    """
    return moment_date(when) > as_of + timedelta(days=1)


def folded(text: str) -> str:
    """The form in which two names are compared."""
    return fold(text) or text.casefold()
