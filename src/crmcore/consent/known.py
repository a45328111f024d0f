"""What a party's own record tells for a decision: its points, its kind and age, where it may live.

Invariant: nothing is guessed. A number's country and an address's country are candidates, all of which are asked; a
person is taken for a consumer, whom laws protect most, until an app says more.
"""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from crmcore.consent.event import ConsentEvent
from crmcore.consent.facts import Facts, SubjectKind
from crmcore.party.contact_point import PhonePoint, PostalPoint
from crmcore.party.party import Organization, Party, Person


def points_of(party: Party) -> Iterator[tuple[str, str]]:
    """The kind and the normal form of every contact point."""
    for point in party.contact_points:
        yield point.kind, point.key


def jurisdictions_of(party: Party) -> Iterator[str]:
    """Countries, and states of the United States, that addresses and numbers point at."""
    for point in party.contact_points:
        if isinstance(point, PostalPoint) and point.value is not None and point.value.country is not None:
            country = point.value.country
            state = point.value.administrative_area
            yield f"US-{state}" if country == "US" and state and len(state) == 2 else country
        elif isinstance(point, PhonePoint) and point.value is not None and point.value.country is not None:
            yield point.value.country


def facts_of_party(party: Party, told: Facts, events: tuple[ConsentEvent, ...]) -> Facts:
    """*told*, filled in with what the record and its ledgers say."""
    subject = told.subject
    if subject.kind is None:
        kinds: dict[type, SubjectKind] = {Person: "consumer", Organization: "corporate"}
        subject = attrs.evolve(subject, kind=kinds.get(type(party)))
    if isinstance(party, Person) and party.birth_date is not None and not subject.birth_dates:
        subject = attrs.evolve(subject, birth_dates=(party.birth_date,))
    return attrs.evolve(told, subject=subject, events=(*told.events, *events))
