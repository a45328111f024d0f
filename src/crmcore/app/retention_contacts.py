"""When a customer was last in touch, and what they asked for that keeps them from being erased meanwhile.

Invariant: whatever a person did counts, wherever it stands: what came in by their records or by an address of theirs,
what they said of their consent and wished, what they asked of their data. What we did, and what was imported, counts
not.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, date, datetime

import attrs

from crmcore.app.flow import Flow
from crmcore.app.interactions import AsyncInteractions
from crmcore.app.rights_store import members_of
from crmcore.app.subject_addresses import Addresses
from crmcore.app.subject_data import points_known, requests_of
from crmcore.app.subject_talks import Talks
from crmcore.app.unit import Unit
from crmcore.consent.event import ConsentEvent
from crmcore.consent.ledger import party_stream, point_key, point_stream, wish_stream
from crmcore.consent.lifting import may_end
from crmcore.consent.rights_request import RightsRequest
from crmcore.consent.speaking import lifts_all
from crmcore.consent.wishes import WISH
from crmcore.party.party import Party
from crmcore.values.ids import PartyId
from crmcore.values.moment import moment_instant

_OURS = ("erasure:", "retention:")
"""How acts are marked that an erasure or retention wrote itself."""
_NOT_SAID = frozenset({"assert_import", "invalidate", "lift"})
"""Acts that are ours, or what another system asserts."""
_NO_ACT = frozenset({"import_without_proof", "silence"})
"""Evidence that the person did nothing that we know of."""


@attrs.frozen(kw_only=True)
class InTouch:
    """The day of the *last_contact*, and whether a request is open or a restriction stands that they asked for."""

    last_contact: date
    open_request: bool
    restricted: bool


async def in_touch(flow: Flow, unit: Unit, parties: Sequence[Party], talks: Talks | None = None) -> InTouch:
    """How the customer with these records was in touch.

    What names only an address of theirs is in *talks*, and counts where these are given.
    """
    members = [party.id for party in parties]
    contacts, own = await points_known(unit, parties)
    heads = await unit.find([point_key(point.kind, point.key) for point in contacts])
    streams = [party_stream(member) for member in members]
    streams += [point_stream(ref.id) for refs in heads.values() for ref in refs]
    wished = [wish_stream(member) for member in members]
    told = await unit.ledgers([*streams, *wished])
    acts = _by_them(
        (unit.codecs["consent.event"].load(body) for name in streams for _, body in told[name]), members
    )
    wishes = [WISH.load(body) for name in wished for _, body in told[name]]
    requests = await requests_by(unit, members)
    days = [act.occurred_at for act in acts if _said(act)]
    days += [wish.said_at for wish in wishes if wish.basis == "stated"]
    days += [request.received_at for request in requests]
    if talks is not None:
        named = await talks.naming(unit, members, Addresses.of(own))
        days += [moment_instant(one.occurred_at) for one in named if one.direction == "inbound"]
    spoken = await _last_spoken(flow, members)
    return InTouch(
        last_contact=max([spoken, *(day.astimezone(UTC).date() for day in days)]),
        open_request=any(request.is_open for request in requests),
        restricted=any(_stands(act, acts) for act in acts),
    )


async def requests_by(unit: Unit, members: Iterable[PartyId]) -> tuple[RightsRequest, ...]:
    """The requests of the customer with the records *members*: none of somebody who was told from them."""
    own = list(members)
    return tuple(
        [
            one
            for one in await requests_of(unit, own)
            if one.anchor in own or not set(own).isdisjoint(await members_of(unit, one))
        ]
    )


def recorded_on(id: PartyId) -> date:
    """The day on which a record was made, which its id tells."""
    return datetime.fromtimestamp(id.milliseconds / 1000, UTC).date()


async def _last_spoken(flow: Flow, members: Iterable[PartyId]) -> date:
    """The last day on which a record of the customer spoke to us, or was recorded if it never did."""
    silent = {member: recorded_on(member) for member in members}
    some, last = next(iter(silent)), date.min
    timeline = AsyncInteractions(flow)
    after: str | None = None
    while True:
        page = await timeline.timeline(some, after=after)
        for one in page.items:
            if one.direction == "inbound":
                last = max(last, moment_instant(one.occurred_at).date())
                spoken = set(one.parties)
                silent = {who: day for who, day in silent.items() if who not in spoken and day > last}
                if not silent:
                    return last
        after = page.next
        if after is None:
            return max(last, *silent.values())


def _by_them(acts: Iterable[ConsentEvent], members: Collection[str]) -> list[ConsentEvent]:
    """Those of *acts* that are of the records *members*: an address may have acts of others."""
    return [act for act in acts if act.record in members or not set(act.members).isdisjoint(members)]


def _said(act: ConsentEvent) -> bool:
    """Whether it is what the person did."""
    shown = act.evidence.kind if act.evidence is not None else None
    return shown not in _NO_ACT and act.kind not in _NOT_SAID and not _ours(act)


def _ours(act: ConsentEvent) -> bool:
    return act.via is not None and act.via.startswith(_OURS)


def _stands(act: ConsentEvent, acts: Iterable[ConsentEvent]) -> bool:
    """Whether it is a restriction that the person asked for, of which something holds."""
    return (
        act.kind == "restrict"
        and not _ours(act)
        and not any(
            lift.kind == "lift"
            and lift.occurred_at > act.occurred_at
            and may_end(lift, act)
            and lifts_all(lift.scope, act.scope)
            for lift in acts
        )
    )
