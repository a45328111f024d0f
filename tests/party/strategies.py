"""Hypothesis strategies for parties and relationships, with everything that one of them can hold."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, get_args
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from crmcore.party import (
    Anonymous,
    ContactPoint,
    EmailPoint,
    Household,
    ImportMark,
    OnlinePoint,
    Organization,
    Party,
    Person,
    PhonePoint,
    PostalPoint,
    Relationship,
)
from crmcore.party.contact_point import Status, Use
from crmcore.values.frozen_map import FrozenMap
from crmcore.values.identifier import Identifier
from crmcore.values.ids import Ids, PartyId, RelationshipId
from crmcore.values.source import Actor, Source
from tests.values.strategies import (
    email_texts,
    languages,
    organization_names,
    person_names,
    phone_texts,
    postal_addresses,
    wordings,
)
from tests.values.strategies import visible_texts as any_visible_texts
from tests.values.strategies_time import ZONES, date_periods, partial_dates

_ids = Ids(lambda: 1_750_000_000_000, lambda bits: 0)
PARTIES = tuple(_ids.new(PartyId) for _ in range(4))
RELATIONSHIPS = tuple(_ids.new(RelationshipId) for _ in range(2))

_printable = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20).filter(
    str.strip
)


def visible_texts(max_size: int) -> st.SearchStrategy[str]:
    """Texts that every store can hold."""
    return any_visible_texts(max_size).map(lambda text: text.replace("\x00", ""))


def moments() -> st.SearchStrategy[date | datetime]:
    """An instant of a time in which people lived, or a day."""
    zones = st.sampled_from(ZONES).map(ZoneInfo)
    instants = st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1), timezones=zones)
    return st.dates(date(1900, 1, 1), date(2100, 1, 1)) | instants


def sources() -> st.SearchStrategy[Source]:
    return st.builds(Source, st.sampled_from(["hubspot:eu1", "shop", "erp#2"]), _printable)


def actors() -> st.SearchStrategy[Actor]:
    kinds: st.SearchStrategy[Any] = st.sampled_from(["person", "system", "customer", "import"])
    return st.builds(Actor, kind=kinds, id=_printable, on_behalf_of=st.none() | _printable)


def json_values() -> st.SearchStrategy[Any]:
    """What a stored document can hold, frozen."""
    leaves = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | visible_texts(10)
    return st.recursive(
        leaves,
        lambda inner: (
            st.lists(inner, max_size=3).map(tuple)
            | st.dictionaries(visible_texts(6), inner, max_size=3).map(FrozenMap)
        ),
        max_leaves=6,
    )


def extras() -> st.SearchStrategy[FrozenMap[str, Any]]:
    return st.dictionaries(visible_texts(8), json_values(), max_size=3).map(FrozenMap)


def identifiers() -> st.SearchStrategy[Identifier]:
    schemes = st.sampled_from(["lei", "vat", "national_id"])
    return st.builds(Identifier, schemes, _printable, issuer=st.none() | _printable)


@st.composite
def points(draw: st.DrawFn) -> ContactPoint:
    """A contact point of any kind, also one whose text is no address at all."""
    facts: dict[str, Any] = {
        "uses": draw(st.frozensets(st.sampled_from(get_args(Use)), max_size=2)),
        "label": draw(st.none() | visible_texts(8)),
        "rank": draw(st.none() | st.integers(2, 9)),
        "valid": draw(st.none() | date_periods()),
        "shared": draw(st.none() | st.booleans()),
        "status": draw(st.sampled_from(get_args(Status))),
        "verified_at": draw(st.none() | moments()),
        "observed_at": draw(st.none() | moments()),
        "source": draw(st.none() | sources()),
    }
    kind = draw(st.sampled_from(["email", "phone", "postal", "online"]))
    if kind == "email":
        return EmailPoint.of(draw(email_texts() | visible_texts(12)), **facts)
    if kind == "phone":
        text, region = draw(phone_texts() | st.tuples(visible_texts(12), st.none()))
        return PhonePoint.of(text, region=region, **facts)
    if kind == "postal":
        return PostalPoint.of(draw(postal_addresses() | wordings()), **facts)
    return OnlinePoint.of(
        draw(visible_texts(12)), service=draw(st.sampled_from(["web", "linkedin"])), **facts
    )


def contact_points(min_size: int = 0) -> st.SearchStrategy[tuple[ContactPoint, ...]]:
    return st.lists(
        points(), min_size=min_size, max_size=3, unique_by=lambda point: (point.kind, point.key)
    ).map(tuple)


def _common(stored: bool) -> dict[str, st.SearchStrategy[Any]]:
    fields: dict[str, st.SearchStrategy[Any]] = {
        "contact_points": contact_points(),
        "identifiers": st.lists(identifiers(), max_size=2).map(tuple),
        "language": st.none() | languages(),
        "zone": st.none() | st.just("Europe/Berlin"),
        "tags": st.frozensets(visible_texts(6), max_size=2),
        "extras": extras(),
        "observed_at": st.none() | moments(),
        "observed": st.dictionaries(st.sampled_from(["names", "email"]), moments(), max_size=2).map(
            FrozenMap
        ),
        "sources": st.lists(sources(), max_size=2, unique_by=lambda s: (s.system, s.record)).map(tuple),
    }
    if stored:
        fields |= {
            "id": st.sampled_from(PARTIES),
            "version": st.integers(1, 5),
            "imported": st.none()
            | st.builds(ImportMark, rows=st.just({"0f": "d1"}), fields=st.just({"0f name": "a1"}))
            | st.builds(ImportMark, corrected=st.just(frozenset({"name a1", "email 0f"}))),
            "standing": st.sampled_from(["active", "retracted"]),
        }
    return fields


def people(*, stored: bool = True) -> st.SearchStrategy[Person]:
    return st.builds(
        Person,
        names=st.lists(person_names(), min_size=1, max_size=3).map(tuple),
        birth_date=st.none() | partial_dates(),
        occupation=st.none() | visible_texts(10),
        **_common(stored),
    )


def organizations(*, stored: bool = True) -> st.SearchStrategy[Organization]:
    return st.builds(
        Organization,
        names=st.lists(organization_names(), min_size=1, max_size=3).map(tuple),
        **_common(stored),
    )


def households(*, stored: bool = True) -> st.SearchStrategy[Household]:
    return st.builds(Household, label=visible_texts(12), **_common(stored))


def anonymous(*, stored: bool = True) -> st.SearchStrategy[Anonymous]:
    return st.builds(Anonymous, key=visible_texts(12), **_common(stored))


def parties(*, stored: bool = True) -> st.SearchStrategy[Party]:
    """Any party; with *stored* false one that was not recorded yet."""
    return st.one_of(
        people(stored=stored),
        organizations(stored=stored),
        households(stored=stored),
        anonymous(stored=stored),
    )


def relationships() -> st.SearchStrategy[Relationship]:
    return st.builds(
        Relationship,
        id=st.sampled_from(RELATIONSHIPS),
        version=st.integers(1, 5),
        type=st.sampled_from(["employment", "reports_to", "of a later version"]),
        from_=st.just(PARTIES[0]),
        to=st.sampled_from(PARTIES[1:]),
        title=st.none() | visible_texts(8),
        department=st.none() | visible_texts(8),
        primary=st.booleans(),
        valid=date_periods(),
        observed_at=st.none() | moments(),
        source=st.none() | sources(),
        note=st.none() | visible_texts(8),
        retracted=st.booleans(),
    )
