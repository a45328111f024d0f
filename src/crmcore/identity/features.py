"""What a matcher sees of one record: normal forms of the fields that tell customers apart, and nothing else.

Invariant: features are a pure function of the record, hashable and small; ids, sources, tags and extras are never in
them. Two spellings of the same values give equal features, in whatever order a source lists them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from typing import Literal, TypeVar

import attrs

from crmcore.errors import InvalidAddress
from crmcore.identity.addresses import AddressForm, address_form, address_of_lines
from crmcore.identity.names import (
    OrganizationForm,
    PersonForm,
    full_name_form,
    organization_form,
    person_form,
)
from crmcore.identity.normal_forms import (
    LONGEST,
    date_form,
    email_form,
    identifier_form,
    phone_form,
    postcode_form,
)
from crmcore.party.contact_point import EmailPoint, OnlinePoint, PhonePoint, PostalPoint
from crmcore.party.party import Anonymous, Household, Organization, Party, Person
from crmcore.values.country import country_code
from crmcore.values.identifier import Identifier
from crmcore.values.person_name import PersonName
from crmcore.values.personal import personal
from crmcore.values.text import fold

Kind = Literal["person", "organization", "household", "anonymous"]

Form = TypeVar("Form", str, PersonForm, OrganizationForm, AddressForm)

ROLES = (
    "given_name", "family_name", "full_name", "org_name", "birth_date", "email", "phone", "street_no", "street", "city",
    "postcode", "region", "country", "national_id", "occupation", "employer",
)  # fmt: skip
"""The columns of a row that are evidence."""

_MOST_VALUES = 8
"""Further values of a field are left out: a record with more telephone numbers than that is a directory."""


@attrs.frozen(kw_only=True)
class Features:
    """The comparable values of one record, each field in its normal form, sorted and without repetition.

    *names* are of people, *organizations* are names of the organization or household itself. *people* are ids of
    customers known to work for it. *shared* holds the e-mails and phones that somebody declared to be used by several.

    >>> features_of_row({"full_name": "Ann Lee", "email": "ANN@x.org"}).emails == ("ann@x.org",)
    True
    """

    kind: Kind = "person"
    names: tuple[PersonForm, ...] = personal(default=())
    organizations: tuple[OrganizationForm, ...] = personal(default=())
    birth_dates: tuple[str, ...] = personal(default=())
    emails: tuple[str, ...] = personal(default=())
    phones: tuple[str, ...] = personal(default=())
    addresses: tuple[AddressForm, ...] = personal(default=())
    identifiers: tuple[str, ...] = personal(default=())
    employers: tuple[OrganizationForm, ...] = personal(default=())
    people: tuple[str, ...] = ()
    occupation: str = personal(default="")
    shared: frozenset[str] = personal(default=frozenset())

    @property
    def empty(self) -> bool:
        """Whether there is nothing to compare."""
        return not any(self.order[1:])

    @property
    def order(self) -> tuple[object, ...]:
        """The content as a tuple that sorts, whatever order or source the record came in."""
        return (
            self.kind,
            self.names,
            self.organizations,
            self.birth_dates,
            self.emails,
            self.phones,
            self.addresses,
            self.identifiers,
            self.employers,
            self.people,
            self.occupation,
            tuple(sorted(self.shared)),
        )


def features_of(party: Party, employers: Iterable[str] = (), people: Iterable[str] = ()) -> Features:
    """The features of a party; *employers* are names of organizations that it is known to work for, *people* the ids of
    customers who are known to work for it.

    >>> from crmcore.party.party import Person
    >>> features_of(Person.of("Ann Lee", phone="020 7946 0018", region="GB")).phones == ("+442079460018",)
    True
    """
    names: list[PersonForm | None] = []
    organizations: list[OrganizationForm] = []
    birth_dates: list[str] = []
    occupation = ""
    if isinstance(party, Person):
        names = [_person_name(name) for name in party.names]
        birth_dates = [party.birth_date.text] if party.birth_date is not None else []
        occupation = fold((party.occupation or "")[:LONGEST])
    elif isinstance(party, Organization):
        organizations = [organization_form(name.text) for name in party.names]
    elif isinstance(party, Household):
        organizations = [organization_form(party.label or "")]
    identifiers = [_identifier(identifier) for identifier in party.identifiers]
    if isinstance(party, Anonymous):
        identifiers.append(identifier_form("anonymous", party.key))
    points = [point for point in party.contact_points if point.status != "wrong_person"]
    emails = {_email(point): point for point in points if isinstance(point, EmailPoint)}
    phones = {_phone(point): point for point in points if isinstance(point, PhonePoint)}
    # A handle is somebody's own; a web site is shared by all branches and people of an organization.
    handles = [point for point in points if isinstance(point, OnlinePoint) and point.service != "web"]
    identifiers.extend(identifier_form(f"online:{point.service}", point.key) for point in handles)
    return Features(
        kind=party.kind,
        names=_distinct(names),
        organizations=_distinct(organizations),
        birth_dates=_distinct(birth_dates),
        emails=_distinct(emails),
        phones=_distinct(phones),
        addresses=_distinct([_address(point) for point in points if isinstance(point, PostalPoint)]),
        identifiers=_distinct(identifiers),
        employers=_distinct([organization_form(name) for name in employers]),
        people=tuple(sorted(set(people))),
        occupation=occupation,
        shared=frozenset(form for form, point in (*emails.items(), *phones.items()) if form and point.shared),
    )


def features_of_row(values: Mapping[str, str], kind: Kind | None = None) -> Features:
    """The features of a row whose columns are named by role; columns with other names are no evidence.

    The roles are `ROLES`. Without a *kind* a row that names an organization and no person is one of an organization,
    and one that names nobody is anonymous; for organizations *full_name* is another name of the column *org_name*.

    >>> features_of_row({"org_name": "Foster Ctr", "street": "1112 W Foster", "cluster": "7"}).kind
    'organization'
    """
    texts = {role: (values.get(role) or "")[:LONGEST] for role in ROLES}
    name = _row_name(texts["given_name"], texts["family_name"], texts["full_name"])
    organization = organization_form(texts["org_name"])
    if kind is None:
        kind = _kind(texts, name, organization)
    if kind in ("organization", "household"):
        organization, name = organization or organization_form(texts["full_name"]), None
    address = address_form(
        number=texts["street_no"],
        street=texts["street"],
        city=texts["city"],
        region=texts["region"],
        postcode=texts["postcode"],
        country=country_form(texts["country"]),
    )
    of_person = kind in ("person", "anonymous")
    return Features(
        kind=kind,
        names=_distinct([name]),
        organizations=() if of_person else _distinct([organization]),
        birth_dates=_distinct([date_form(texts["birth_date"])]),
        emails=_distinct([email_form(texts["email"])]),
        phones=_distinct([phone_form(texts["phone"])]),
        addresses=_distinct([address]),
        identifiers=_distinct([identifier_form("national_id", texts["national_id"])]),
        employers=_distinct([organization_form(texts["employer"]), organization if of_person else ()]),
        occupation=fold(texts["occupation"]),
    )


def _kind(texts: Mapping[str, str], name: PersonForm | None, organization: OrganizationForm) -> Kind:
    """What a row seems to be about; one that names nobody can be about either."""
    if name is not None or texts["birth_date"].strip() or texts["occupation"].strip():
        return "person"
    return "organization" if organization else "anonymous"


def _row_name(given: str, family: str, full: str) -> PersonForm | None:
    if given.strip() or family.strip():
        return person_form(given, family)
    return full_name_form(full) if full.strip() else None


def _person_name(name: PersonName) -> PersonForm | None:
    given = " ".join(part.text for part in name.parts if part.kind in _GIVEN_PARTS)
    family = " ".join(part.text for part in name.parts if part.kind in _FAMILY_PARTS)
    if not given and not family:
        return full_name_form(name.full[:LONGEST])
    generation = " ".join(part.text for part in name.parts if part.kind == "generation")
    return person_form(given[:LONGEST], f"{family} {generation}"[:LONGEST])


_GIVEN_PARTS = frozenset({"given", "given2", "middle", "patronymic", "matronymic"})
_FAMILY_PARTS = frozenset({"particle", "family", "family2", "clan", "mononym"})


def _identifier(identifier: Identifier) -> str:
    issuer = f"@{fold(identifier.issuer)}" if identifier.issuer else ""
    return identifier_form(identifier.scheme + issuer, identifier.value)


def _email(point: EmailPoint) -> str:
    return email_form(point.value.key if point.value is not None else point.raw)


def _phone(point: PhonePoint) -> str:
    return point.value.e164 if point.value is not None else phone_form(point.raw)


def _address(point: PostalPoint) -> AddressForm | None:
    address = point.value
    if address is None:
        return address_of_lines(tuple(point.raw.splitlines()))
    country = (address.country or "").lower()
    if not address.street_address and address.lines:
        read = address_of_lines(address.lines, country) or AddressForm()
    else:
        read = address_form(street=" ".join((address.street_address or "").splitlines())) or AddressForm()
    return read._replace(
        city=fold((address.locality or "")[:LONGEST]) or read.city,
        region=fold((address.administrative_area or "")[:LONGEST]) or read.region,
        postcode=postcode_form(address.postal_code or "") or read.postcode,
        country=country,
    )


@lru_cache(maxsize=1024)
def country_form(text: str) -> str:
    """The code of a country in small letters; a text that names none as it is.

    >>> country_form("Germany"), country_form("Atlantis")
    ('de', 'Atlantis')
    """
    try:
        return country_code(text).lower() if text.strip() else ""
    except InvalidAddress:
        return text


def _distinct(values: Collection[Form | None]) -> tuple[Form, ...]:
    if not values:
        return ()
    kept = {value for value in values if value}
    return tuple(kept) if len(kept) < 2 else tuple(sorted(kept))[:_MOST_VALUES]
