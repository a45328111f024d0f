"""Composing the view from what each room knows.

Invariant: no order of members, relationships or interactions that is given changes the result.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs

from crmcore.identity.survivorship import Profile, Survivor
from crmcore.interaction.interaction import Interaction
from crmcore.party.contact_point import EmailPoint, OnlinePoint, PhonePoint, PostalPoint
from crmcore.party.party import Party
from crmcore.party.relationship import TYPES, Relationship
from crmcore.serde import dump
from crmcore.values.identifier import Identifier
from crmcore.values.ids import CustomerId, PartyId
from crmcore.values.instant import micros
from crmcore.values.language import Language
from crmcore.values.moment import Moment, moment_instant
from crmcore.values.organization_name import OrganizationName
from crmcore.values.partial_date import PartialDate
from crmcore.values.person_name import PersonName
from crmcore.view.customer_view import (
    CustomerView,
    OtherValue,
    ViewField,
    ViewInteraction,
    ViewRelationship,
    ViewTimeline,
)

EXPECTED = {
    "person": ("name", "birth_date", "email", "phone", "address"),
    "organization": ("name", "email", "phone", "address"),
    "household": ("name", "address"),
    "anonymous": ("name", "email", "phone"),
}
"""What one would like to know of each kind of customer; what is missing is listed."""


@attrs.frozen(kw_only=True)
class Other:
    """The customer at the other end of a relationship."""

    id: CustomerId
    name: str


@attrs.frozen(kw_only=True)
class TimelineFacts:
    """What the store knows of a customer's interactions: how many were counted, the outermost, the latest in full."""

    count: int
    more: bool
    first: Interaction | None
    recent: Sequence[Interaction]


def compose(
    *,
    id: CustomerId,
    members: Sequence[Party],
    profile: Profile,
    relationships: Iterable[Relationship],
    others: Mapping[PartyId, Other],
    timeline: TimelineFacts,
    consent: Sequence[str] = (),
    conflicts: Iterable[str] = (),
    policy: str,
) -> CustomerView:
    """The view of the customer *id* whose records are *members*. *others* names who stands at the far ends.

    *consent* is what was said about being contacted, a line for each thing, latest first, then what is wished.
    """
    ids = tuple(sorted(party.id for party in members))
    standing = sorted((p for p in members if p.standing == "active"), key=lambda p: p.id) or list(members)
    fields = tuple(_field(survivor) for survivor in profile.survivors)
    name = next((field.text for field in fields if field.field == "name"), None)
    kind = _kind(standing)
    known = {field.field for field in fields}
    unknown = [field for field in EXPECTED[kind] if field not in known]
    if not consent:
        unknown.append("consent")
    return CustomerView(
        id=id,
        kind=kind,
        name=name or min(standing, key=lambda party: party.id).display_name,
        members=ids,
        sources=tuple(sorted({source.system for party in standing for source in party.sources})),
        fields=fields,
        relationships=_relationships(relationships, set(ids), others),
        timeline=_timeline(timeline),
        consent=tuple(consent),
        unknown_fields=tuple(unknown),
        conflicts=tuple(sorted(conflicts)),
        policy=policy,
    )


def value_text(value: Any) -> str:
    """A surviving value as people write it."""
    if isinstance(value, PersonName):
        return value.full
    if isinstance(value, (OrganizationName, PartialDate)):
        return value.text
    if isinstance(value, PostalPoint):
        # The country of an address is left out on envelopes sent within it, but not in a view.
        lines = value.raw if value.value is None else "\n".join(value.value.format())
        country = value.value.country if value.value is not None else None
        return lines if country is None or country in lines.split() else f"{lines}\n{country}"
    if isinstance(value, (EmailPoint, PhonePoint, OnlinePoint)):
        return value.raw
    if isinstance(value, Identifier):
        return f"{value.scheme} {value.value}"
    if isinstance(value, Language):
        return value.tag
    # What an application keeps in extras may be any JSON.
    return value if isinstance(value, str) else json.dumps(dump(value), ensure_ascii=False, sort_keys=True)


def _kind(members: Sequence[Party]) -> str:
    """A merged customer is what its records say it is; somebody anonymous is whoever they turn out to be."""
    kinds = {party.kind for party in members}
    return next(kind for kind in ("person", "organization", "household", "anonymous") if kind in kinds)


def _field(survivor: Survivor) -> ViewField:
    return ViewField(
        field=survivor.field,
        text=value_text(survivor.value),
        rule=survivor.rule.replace("_", " "),
        party=survivor.party,
        source=survivor.source,
        observed_at=survivor.observed_at,
        agree=survivor.agree,
        of=survivor.of,
        others=tuple(
            OtherValue(text=value_text(other.value), party=other.party, source=other.source)
            for other in survivor.others
        ),
    )


def _relationships(
    relationships: Iterable[Relationship], own: set[PartyId], others: Mapping[PartyId, Other]
) -> tuple[ViewRelationship, ...]:
    grouped: dict[tuple[str, str, CustomerId], list[Relationship]] = {}
    for relationship in relationships:
        outward = relationship.from_ in own
        if outward and relationship.to in own:
            continue
        far = others[relationship.to if outward else relationship.from_]
        type_ = TYPES.get(relationship.type)
        label = relationship.type if type_ is None else (type_.label if outward else type_.inverse)
        grouped.setdefault((relationship.type, label, far.id), []).append(relationship)
    names = {other.id: other.name for other in others.values()}
    lines = [
        _relationship(type_, label, other, names[other], found)
        for (type_, label, other), found in grouped.items()
    ]
    return tuple(sorted(lines, key=_latest_first))


def _latest_first(line: ViewRelationship) -> tuple[bool, int, str, str, str, str]:
    latest = line.until or line.seen_last or line.since
    when = 0 if latest is None else -micros(moment_instant(latest))
    return (latest is None, when, line.other_name, line.other, line.type, line.label)


def _relationship(
    type_: str, label: str, other: CustomerId, name: str, found: Sequence[Relationship]
) -> ViewRelationship:
    starts = [r.valid.start for r in found]
    ends = [r.valid.end for r in found]
    seen = sorted((r.observed_at for r in found if r.observed_at is not None), key=moment_instant)
    known = [start for start in starts if start is not None]
    ended = [end for end in ends if end is not None]
    return ViewRelationship(
        type=type_,
        label=label,
        other=other,
        other_name=name,
        since=min(known) if known else None,
        until=max(ended) if len(ended) == len(ends) else None,
        seen_first=seen[0] if seen else None,
        seen_last=seen[-1] if seen else None,
        records=len(found),
    )


def _timeline(facts: TimelineFacts) -> ViewTimeline:
    recent = sorted(facts.recent, key=lambda i: (moment_instant(i.occurred_at), i.id), reverse=True)
    first: Moment | None = facts.first.occurred_at if facts.first is not None else None
    return ViewTimeline(
        count=facts.count,
        more=facts.more,
        first=first,
        last=recent[0].occurred_at if recent else None,
        recent=tuple(
            ViewInteraction(
                id=i.id,
                kind=i.kind,
                direction=i.direction,
                occurred_at=i.occurred_at,
                subject=None if i.confidential else i.subject,
                confidential=i.confidential,
            )
            for i in recent
        ),
    )
