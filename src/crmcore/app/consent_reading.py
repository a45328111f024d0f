"""What decisions about a page of customers need, read together.

Invariant: of each record as much is kept as decisions need, and acts as they are stored: they are read when it is the
turn of their customer, and of a ledger that is long nothing before.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, cast

import attrs

from crmcore.app.consent_asking import Entries
from crmcore.app.consent_ledgers import wishes_of, with_kinds
from crmcore.app.consent_members import Told, judgements_in
from crmcore.app.consent_whose import points_elsewhere
from crmcore.app.resolve import Membership
from crmcore.app.suppressions import entries_by_point
from crmcore.app.unit import OWNER, Held, Unit
from crmcore.app.wishes_heard import Hearing
from crmcore.consent.act_reading import ActReader, Sketch
from crmcore.consent.decision import Question
from crmcore.consent.event import ConsentEvent
from crmcore.consent.facts import Facts
from crmcore.consent.known import each_once, lacks_kind
from crmcore.consent.ledger import party_stream, point_key, point_stream, wish_stream
from crmcore.consent.reach import Reach, reach_of_stored
from crmcore.consent.secret_ring import SecretRing
from crmcore.consent.whose import Having, counting, in_doubt
from crmcore.consent.wishes import Wish
from crmcore.consent.words import NOES
from crmcore.identity.judgement import Judgement
from crmcore.party.contact_point import ContactPoint
from crmcore.party.party_keys import PARTY
from crmcore.serde import load
from crmcore.storage.protocol import Key
from crmcore.values.ids import PartyId

SHORT = 50
"""Of a longer ledger the acts are read when their customer is decided about."""

_KEPT = 10_000
"""So many acts are kept, as they were read, until a page of customers is decided about."""

NOTHING = Facts()
"""What an app knows of whom it says nothing of."""


@attrs.frozen
class Asking:
    """What is asked of everybody, and what an app knows of them beside the store.

    *at* is the instant that is asked about; None: that at which each page is read. *kinds* are those of contact points
    that the channel reaches; none where it needs none. *hearing* is how wishes are heard; None: they are not.
    """

    question: Question
    at: datetime | None
    told: Told
    jurisdictions: tuple[str, ...]
    secrets: SecretRing | None
    reader: ActReader
    kinds: frozenset[str]
    hearing: Hearing | None = None

    def now(self, now: datetime) -> Asking:
        """The same, as it is asked *now*."""
        return self if self.at is not None else attrs.evolve(self, question=self.question.at(now))

    def facts(self, id: PartyId) -> Facts:
        """What the app knows of a record."""
        return self.told if isinstance(self.told, Facts) else self.told.get(str(id), NOTHING)


class HeldRecord(NamedTuple):
    """What is kept of a record until its customer was decided about.

    *points* are its contact points as stored, where the list of suppressed addresses is to be asked about them.
    """

    reach: Reach
    points: Sequence[Mapping[str, Any]]

    def __repr__(self) -> str:
        return "HeldRecord(<hidden>)"


@attrs.frozen(repr=False)
class Page:
    """What was read for a page of customers: their records, how those are reached, and what is in their ledgers.

    *streams* are the ledgers of contact points of which anything was said. The *acts* are as the store holds them, so
    that those of one customer at a time are read; None is a longer ledger, of which nothing was read yet. *points* are
    those of each record that is here, or that the acts which were read name. *suppressed* is what the list says of the
    points that may be asked about, *read* what was read of ledgers so far.
    """

    unit: Unit
    asking: Asking
    records: Mapping[PartyId, HeldRecord]
    streams: Mapping[tuple[str, str], Sequence[str]]
    acts: Mapping[str, Sequence[Held] | None]
    points: dict[str, Having]
    judged: Mapping[str, Sequence[Judgement]]
    suppressed: Entries
    read: dict[str, Sequence[ConsentEvent]] = attrs.field(factory=dict)


async def read_page(
    unit: Unit, asking: Asking, customers: Sequence[Membership], records: Mapping[PartyId, HeldRecord]
) -> Page:
    """Read all of *customers*, of whom some *records* are held already."""
    ids = [id for customer in customers for id in customer.members]
    missing = [unit.ref(PARTY.tag, id) for id in ids if id not in records]
    more = await unit.get(missing, check=False) if missing else {}
    held = {PartyId(ref.id): held_record(asking, one.body, one.schema) for ref, one in more.items()}
    held.update((id, records[id]) for id in ids if id in records)
    streams = await _streams(unit, [one.reach for one in held.values()])
    wanted = [*(stream for some in streams.values() for stream in some), *map(party_stream, held)]
    if asking.hearing is not None:
        wanted += map(wish_stream, ids)
    acts = await unit.skim_ledgers(wanted, SHORT)
    points: dict[str, Having] = {
        str(id): Having({point.normal for point in one.reach.points}, one.reach.stands)
        for id, one in held.items()
    }
    await _points_of(unit, _records_in(acts), points)
    return Page(
        unit=unit,
        asking=asking,
        records=held,
        streams=streams,
        acts=acts,
        points=points,
        judged=await judgements_in(unit, customers),
        suppressed=await _suppressed(unit, asking, held.values()),
    )


async def _suppressed(unit: Unit, asking: Asking, held: Iterable[HeldRecord]) -> Entries:
    """What the list says of each of the points that the channel reaches, or of all where it needs none."""
    if asking.secrets is None:
        return {}
    points = [
        load(cast("Any", ContactPoint), stored)
        for one in held
        for stored in one.points
        if not asking.kinds or stored["kind"] in asking.kinds
    ]
    return await entries_by_point(unit, asking.secrets, points, asking.question.request.controller)


def held_record(asking: Asking, body: Mapping[str, Any], schema: int) -> HeldRecord:
    """What is kept of a record with this *body*."""
    if OWNER in body:
        body = {name: one for name, one in body.items() if name != OWNER}
    points = () if asking.secrets is None else body.get("contact_points", ())
    return HeldRecord(reach_of_stored(body, schema), points)


async def _streams(unit: Unit, reaches: Iterable[Reach]) -> dict[tuple[str, str], list[str]]:
    """The ledgers of each point about which something was said."""
    points = dict.fromkeys((point.kind, point.normal) for reach in reaches for point in reach.points)
    keys: dict[tuple[str, str], Key] = {point: point_key(*point) for point in points}
    hits = await unit.find(list(dict.fromkeys(keys.values()))) if keys else {}
    return {
        point: list(dict.fromkeys(point_stream(ref.id) for ref in hits[key]))
        for point, key in keys.items()
        if hits[key]
    }


_RECORD = re.compile(r'"record": ?"([^"]+)"')


def _records_in(acts: Mapping[str, Sequence[Held] | None]) -> Iterator[str]:
    """The records that acts name, as far as their stored forms show it at a glance."""
    for some in acts.values():
        for held in some or ():
            if isinstance(held, str):
                yield from _RECORD.findall(held)
            elif isinstance(record := held.get("record"), str):
                yield record


async def _points_of(unit: Unit, records: Iterable[str | None], points: dict[str, Having]) -> None:
    """Have in *points* those of each of *records*, too; none of one that is not there."""
    missing = {one for one in records if one is not None and one not in points}
    if missing:
        points.update(dict.fromkeys(missing, Having(frozenset())))
        points.update(await points_elsewhere(unit, missing))


def entries_about(page: Page, id: PartyId) -> Entries:
    """What the list of suppressed addresses says of a record's points."""
    if not page.suppressed:
        return {}
    points = [one.normal for one in page.records[id].reach.points]
    return {normal: page.suppressed[normal] for normal in points if normal in page.suppressed}


async def wishes_on(page: Page, customer: Membership) -> tuple[Wish, ...]:
    """The wishes of all records of a customer, in the order in which they were said."""
    if any(page.acts[wish_stream(id)] != [] for id in customer.members):
        return await wishes_of(page.unit, customer.members)
    return ()


def _ledgers(page: Page, id: PartyId) -> list[str]:
    """The ledgers of a record's points, and of its person."""
    points = page.records[id].reach.points
    streams = [stream for one in points for stream in page.streams.get((one.kind, one.normal), ())]
    return [*streams, party_stream(str(id))]


def sketches_of(page: Page, id: PartyId) -> Sequence[Sketch] | None:
    """The acts about a record's points, and about its person, each once.

    None if there are too many, or one of them that takes a look at other records to see whether it counts, or of what.
    """
    found: dict[str, Sketch] = {}
    ledgers = _ledgers(page, id)
    for stream in ledgers:
        held = page.acts[stream]
        if held is None:
            return None
        of_person = stream is ledgers[-1]
        for one in map(page.asking.reader.sketch, held):
            if in_doubt(one, id) or (of_person and lacks_kind(one.model, one.point)):
                return None
            if one.id not in found or one.model.scope.given_up is not None:
                found[one.id] = one
    return list(found.values())


async def counted_acts(page: Page, id: PartyId, joined: Mapping[str, datetime]) -> tuple[ConsentEvent, ...]:
    """Those of them that count, where there are no sketches. *joined* tells since when records are of the customer."""
    acts, noes = await _acts(page, id), list[ConsentEvent]()
    if any(act.takes_back for act in acts):
        others = [PartyId(one) for one in joined if one != str(id) and one in page.records]
        noes = [act for one in others for act in await _acts(page, one) if act.kind in NOES]
    await _points_of(page.unit, {act.record for act in (*acts, *noes)}, page.points)
    return counting(acts, str(id), joined, page.points, noes)


async def _acts(page: Page, id: PartyId) -> tuple[ConsentEvent, ...]:
    """All acts about a record's points, and about its person, each once."""
    found: list[ConsentEvent] = []
    ledgers = _ledgers(page, id)
    for stream in ledgers:
        some = await _acts_in(page, stream)
        found += await with_kinds(page.unit, some) if stream is ledgers[-1] else some
    return each_once(found)


async def _acts_in(page: Page, stream: str) -> Sequence[ConsentEvent]:
    """All acts in a ledger. Many customers may share one, so that it is kept as long as the page, if there is room."""
    found = page.read.get(stream)
    if found is None:
        held = page.acts[stream]
        if held is None:
            held = [body for _, body in await page.unit.entries(stream)]
        found = tuple(map(page.asking.reader.read, held))
        if sum(map(len, page.read.values())) + len(found) <= _KEPT:
            page.read[stream] = found
    return found
