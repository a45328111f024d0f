"""Which acts speak of a request.

Invariant: a Yes speaks only of what it names; a No that leaves something open speaks of everything, and one that told
nobody in particular speaks to everybody.
"""

from __future__ import annotations

from collections.abc import Set
from typing import get_args

import attrs

from crmcore.consent.case import Case
from crmcore.consent.contact import Contact
from crmcore.consent.controllers import hears
from crmcore.consent.event import ConsentEvent, Scope
from crmcore.consent.words import CHANNELS_OF, ActPurpose, Channel, PointKind
from crmcore.values.instant import micros_of

MARKETING = frozenset({"marketing", "fundraising", "political"})
MESSAGES = MARKETING | {"service", "transactional", "research"}
SERVES_MARKETING = frozenset({"direct_marketing", "targeted_advertising", "targeted_advertising_at_child"})
"""What profiles are made for, where making them is part of direct marketing."""
_ASKED = frozenset({"request"})
_USES = frozenset({"profiling", "third_party_sharing"})
"""What is no message: the channel says only where data are used."""

_POINTLESS = frozenset[str](get_args(Channel)).difference(*CHANNELS_OF.values())
_WAYS = {kind: CHANNELS_OF.get(kind, frozenset[str]()) | _POINTLESS for kind in get_args(PointKind)}
"""By which ways a No about a contact point of a kind speaks that names no channel."""


def named(event: ConsentEvent) -> str:
    """An act, in words that a reader can look for."""
    return f"{event.kind} of {event.occurred_at:%Y-%m-%d}"


def aim_open(contact: Contact, purpose: str) -> bool:
    """Whether it is not told what data are used for, so that it may be direct marketing."""
    return purpose == "profiling" and contact.use.aim is None


def covers_no(
    scope: Scope, contact: Contact, purpose: str, channels: Set[str], *, perhaps: bool = False
) -> bool:
    """Whether a No of this *scope* speaks of the request, taken as one for *purpose* through one of *channels*.

    What it leaves open it leaves open for everything. *perhaps*: an aim that is not told counts as direct marketing.
    """
    return (
        (
            scope.controller is None
            or scope.controller == contact.controller
            or hears(contact.controller, scope.controller)
        )
        and (not scope.channels or not channels.isdisjoint(scope.channels))
        and (
            scope.point is None
            or contact.point is None
            or scope.point == contact.point
            or (scope.given_up is not None and _goes_along(scope, scope.given_up, purpose, channels))
        )
        and (scope.brand is None or contact.brand is None or scope.brand == contact.brand)
        and (not scope.topics or contact.topic is None or contact.topic in scope.topics)
        and (not scope.purposes or _names(scope, contact, purpose, perhaps=perhaps))
    )


def _goes_along(scope: Scope, kind: PointKind, purpose: str, channels: Set[str]) -> bool:
    """Whether a No about a contact point of that *kind*, which was given up, speaks of those that are left.

    Of a letter or a call it says nothing that was said of an address for e-mail, unless it named that way itself.
    """
    return bool(scope.channels) or purpose in _USES or not channels.isdisjoint(_WAYS[kind])


def covers_lift(scope: Scope, contact: Contact, purpose: str, channels: Set[str]) -> bool:
    """Whether a lift of this *scope* speaks of the request: it is as wide as a No, but for whom it was said to."""
    return scope.controller in (None, contact.controller) and covers_no(scope, contact, purpose, channels)


def lifts_all(lift: Scope, no: Scope) -> bool:
    """Whether a lift leaves nothing of a restriction."""
    return lift.controller in (None, no.controller) and ends_all(lift, no)


def ends_all(no: Scope, yes: Scope) -> bool:
    """Whether a No leaves nothing of a Yes."""
    return (
        hears(yes.controller, no.controller)
        and no.brand in (None, yes.brand)
        and no.point in (None, yes.point)
        and (not no.topics or (bool(yes.topics) and yes.topics <= no.topics))
        and (not no.channels or (bool(yes.channels) and yes.channels <= no.channels))
        and (not no.purposes or (bool(yes.purposes) and yes.purposes <= _widened(no.purposes)))
    )


def _widened(purposes: frozenset[ActPurpose]) -> frozenset[str]:
    return purposes | MARKETING if "direct_marketing" in purposes else purposes


def covers_yes(scope: Scope, contact: Contact, purpose: str) -> bool:
    """Whether a Yes of this *scope* speaks of the request: it names the controller, the channel and the purpose."""
    return scope.controller == contact.controller and _covers(scope, contact, purpose)


def handed_on(scope: Scope, contact: Contact, purpose: str) -> bool:
    """Whether a Yes to somebody else speaks of the request: it names its controller among those it is passed on to.

    Such a Yes says nothing of whom that controller may pass data on to.
    """
    return (
        scope.controller != contact.controller
        and contact.controller in scope.recipients
        and purpose != "third_party_sharing"
        and _covers(scope, contact, purpose)
    )


def _covers(scope: Scope, contact: Contact, purpose: str) -> bool:
    return (
        contact.channel in scope.channels
        and (scope.point is None or scope.point == contact.point)
        and (scope.points is None or contact.point is None or contact.point in scope.points)
        and (scope.brand is None or scope.brand == contact.brand)
        and (not scope.topics or contact.topic in scope.topics)
        and _names(scope, contact, purpose)
    )


def _names(scope: Scope, contact: Contact, purpose: str, *, perhaps: bool = False) -> bool:
    if purpose in scope.purposes:
        return True
    serves = purpose == "profiling" and contact.use.aim in SERVES_MARKETING
    serves = serves or (perhaps and aim_open(contact, purpose))
    if "direct_marketing" in scope.purposes and (purpose in MARKETING or serves):
        return True
    return "profiling_for_direct_marketing" in scope.purposes and serves


def received(scope: Scope, contact: Contact, purpose: str) -> bool | None:
    """Whether whoever gets the data is among those that an act of this *scope* names, or it names none.

    None is "not known": data are passed on, the act names some, and the request nobody.
    """
    recipient = contact.use.recipient
    if not scope.recipients or recipient in scope.recipients:
        return True
    if recipient is not None:
        return False
    return None if purpose == "third_party_sharing" else True


def agreed(case: Case, event: ConsentEvent) -> Scope:
    """What a Yes is about. A *confirm* that says nothing of it is about the latest request before it."""
    scope = event.scope
    if event.kind != "confirm" or scope.channels or scope.purposes:
        return scope
    when = micros_of(event.occurred_at)
    for at, asked in reversed(case.acts(_ASKED)):
        if (
            at <= when
            and asked.record == event.record
            and asked.alone <= event.alone
            and _answers(scope, asked.scope)
        ):
            return attrs.evolve(asked.scope, point=asked.scope.point if scope.point is None else scope.point)
    return scope


def _answers(confirmed: Scope, asked: Scope) -> bool:
    """Whether nothing that is confirmed contradicts what was asked for."""
    return confirmed.controller in (None, asked.controller) and (
        confirmed.point is None or asked.point is None or confirmed.point == asked.point
    )


def elsewhere(scope: Scope, contact: Contact, purpose: str) -> str:
    """Of what a Yes that does not speak of the request speaks, in words."""
    found = []
    if scope.controller != contact.controller:
        found.append("another controller")
    if contact.channel not in scope.channels:
        found.append("another channel" if scope.channels else "it names no channel")
    if not _names(scope, contact, purpose):
        found.append("another purpose" if scope.purposes else "it names no purpose")
    if (scope.point is not None and scope.point != contact.point) or (
        scope.points is not None and contact.point is not None and contact.point not in scope.points
    ):
        found.append("another contact point")
    return ", ".join(found) or "another brand or topic"
