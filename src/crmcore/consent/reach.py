"""What of a party's record a decision needs: how it is reached, where it may live, whether it is of age.

Invariant: read from the stored form of a record, it is what it is read from the party. Nothing is guessed: the country
of a number and that of an address are candidates, all of which are asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, NamedTuple, get_args

from crmcore.consent.facts import SubjectKind
from crmcore.consent.words import CHANNELS_OF, Channel
from crmcore.errors import CrmError
from crmcore.party.contact_point import (
    UNUSABLE,
    ContactPoint,
    OnlinePoint,
    PhonePoint,
    PostalPoint,
    Status,
)
from crmcore.party.party import Party, Person, Standing
from crmcore.party.party_keys import PARTY
from crmcore.serde import load
from crmcore.values.email import EmailAddress
from crmcore.values.partial_date import PartialDate
from crmcore.values.period import Period
from crmcore.values.text import fold

_KINDS: Mapping[str, SubjectKind] = {"person": "consumer", "organization": "corporate"}


_KINDS_OF: Mapping[str, frozenset[str]] = {
    channel: frozenset(kind for kind, reached in CHANNELS_OF.items() if channel in reached)
    for channel in get_args(Channel)
}


def kinds_reached(channel: str) -> frozenset[str]:
    """The kinds of contact points that a channel reaches; none where it needs no contact point."""
    return _KINDS_OF.get(channel, frozenset())


class ReachedPoint(NamedTuple):
    """A contact point: its kind, its normal form, and the rank that its owner gave it.

    *hindrance* is why it may not be used, whenever that is asked, *valid* when it may; what was said there counts
    whatever they are.
    """

    kind: str
    normal: str
    rank: int | None
    hindrance: str | None = None
    valid: Period[date] | None = None

    def __repr__(self) -> str:
        return f"ReachedPoint(kind={self.kind!r}, normal=<hidden>)"


class Reach(NamedTuple):
    """What of a record a decision needs. *kind* is what it is taken for until an app says more, *stands* that it was
    not taken back."""

    kind: SubjectKind | None
    points: tuple[ReachedPoint, ...]
    jurisdictions: tuple[str, ...]
    birth_date: PartialDate | None
    stands: bool = True

    def __repr__(self) -> str:
        return f"Reach(kind={self.kind!r}, <hidden>)"


def reach_of(party: Party) -> Reach:
    """How a party is reached."""
    return Reach(
        kind=_KINDS.get(party.kind),
        points=tuple(_reached(point) for point in party.contact_points),
        jurisdictions=tuple(
            name for point in party.contact_points if (name := _jurisdiction(point)) is not None
        ),
        birth_date=party.birth_date if isinstance(party, Person) else None,
        stands=party.standing == "active",
    )


def _reached(point: ContactPoint) -> ReachedPoint:
    """A contact point, read from the party."""
    hindrance = _MARKS[point.status]
    if hindrance is None and not isinstance(point, OnlinePoint) and point.value is None:
        hindrance = _UNREAD.get(point.kind)
    return ReachedPoint(point.kind, point.key, point.rank, hindrance, point.valid)


_MARKS: Mapping[str, str | None] = {
    status: status if status in UNUSABLE else None for status in get_args(Status)
}
"""By the status of a contact point why it may not be used."""

_UNREAD: Mapping[str, str] = {"email": "no_address", "phone": "no_number"}
"""Why a text may not be used in which no address, or no number, was read.

A letter goes to whatever is written on it. A number of which nobody knows the country is not the same number wherever
it is dialled, and no register can be asked about it.
"""


def reach_of_stored(body: Mapping[str, Any], schema: int) -> Reach:
    """How the party is reached whose record holds *body*: several times faster than by reading all of the party.

    Raises:
        InvalidDocument: if it is no party.
        SchemaMismatch: if it was written by a newer crmcore.
    """
    if schema == PARTY.schema:
        try:
            return _reach(body)
        except (CrmError, KeyError, TypeError, ValueError, AttributeError):
            pass  # whoever reads all of it says what is wrong
    return reach_of(PARTY.load({**body, "id": _ANY, "version": 1}, schema))


_ANY = "00000000-0000-7000-8000-000000000000"
_STANDINGS = frozenset(get_args(Standing))
_NONE: list[Any] = []
_PERIOD: Any = Period[date]


def _reach(body: Mapping[str, Any]) -> Reach:
    points: list[ReachedPoint] = []
    places: list[str] = []
    stored_points, standing = body.get("contact_points", _NONE), body.get("standing", "active")
    if type(stored_points) is not list or standing not in _STANDINGS:
        raise ValueError
    for stored in stored_points:
        kind, value, rank = stored["kind"], stored.get("value"), stored.get("rank")
        hindrance, valid = _MARKS[stored.get("status", "unverified")], stored.get("valid")
        if type(stored["raw"]) is not str or not (rank is None or (type(rank) is int and rank > 0)):
            raise ValueError
        if kind == "email":
            normal = EmailAddress.from_json(value).key if value is not None else _text(stored["raw"])
        elif kind == "postal":
            normal = _text(stored["raw"])
            if value is not None and (country := value.get("country")) is not None:
                places.append(_place(country, value.get("administrative_area")))
        else:
            point: ContactPoint = load(PhonePoint if kind == "phone" else OnlinePoint, stored)
            normal = point.key
            if (place := _jurisdiction(point)) is not None:
                places.append(place)
        if value is None and hindrance is None:
            hindrance = _UNREAD.get(kind)
        if valid is not None:
            valid = load(_PERIOD, valid)
        points.append(ReachedPoint(kind, normal, rank, hindrance, valid))
    born = body.get("birth_date") if body["kind"] == "person" else None
    return Reach(
        _KINDS.get(body["kind"]),
        tuple(points),
        tuple(places),
        None if born is None else PartialDate.from_json(born),
        standing == "active",
    )


def _text(raw: str) -> str:
    return fold(raw) or raw


def _jurisdiction(point: ContactPoint) -> str | None:
    """The country, or the state of the United States, that a contact point is at."""
    if isinstance(point, PostalPoint) and point.value is not None and point.value.country is not None:
        return _place(point.value.country, point.value.administrative_area)
    if isinstance(point, PhonePoint) and point.value is not None:
        return point.value.country
    return None


def _place(country: str, state: str | None) -> str:
    return f"US-{state}" if country == "US" and state and len(state) == 2 else country
