"""Deduplicating what changed: read the feed from where the last run ended, and resolve anew only what that touches.

Invariant: under a frozen model the customers are in the end those that comparing everything would give, in whatever
order and portions the records came; but a run over what changed does not look for neighbours, values one typing error
apart, as one over at most 20,000 different people does: what that joined is compared again, and no more. How far the
feed was read is written when all that it led to is written, by compare-and-swap: a run that is killed, or another one
at the same time, repeats work and neither loses nor doubles any.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import attrs

from crmcore.app.asked import Asked
from crmcore.app.customers import load_parties
from crmcore.app.deduplication import DedupeReport, Progress, employers_of
from crmcore.app.feed import Touched, read_feed
from crmcore.app.flow import Flow
from crmcore.app.frozen import Matching, load_state, put_state
from crmcore.app.near_index import FEATURES, former_of, projection_of, put_satellite
from crmcore.app.parts import ITEMS_PER_PARTY, in_parts, room_for
from crmcore.app.resolving import Resolved, Settings, resolve_place
from crmcore.app.surroundings import Surroundings, reach_of
from crmcore.app.unit import ROOM, Unit
from crmcore.errors import PositionExpired, VersionConflict
from crmcore.identity.features import features_of
from crmcore.identity.near_keys import MOST, single_keys
from crmcore.identity.projection import PROJECTED, Projection, project
from crmcore.identity.quick_scoring import QuickScorer
from crmcore.identity.vicinity import Vicinity
from crmcore.values.frozen_map import FrozenMap
from crmcore.values.ids import Id, PartyId

_ROUNDS = 8
_CHUNK = 500
"""So many satellites are written together, or as many as a batch of the store takes."""


class NotSeen(Exception):
    """What changed is so much, or so unclear, that everything has to be compared; the text says why."""


@attrs.define
class _Done:
    """What a run has done by now."""

    changed: set[PartyId] = attrs.field(factory=set[PartyId])
    places: dict[PartyId, Resolved] = attrs.field(factory=dict[PartyId, Resolved])
    same: int = 0
    doubts: int = 0
    taken_back: int = 0
    unknown: int = 0
    organizations: bool = False

    def note(self, found: Resolved) -> None:
        self.places.update(dict.fromkeys(found.parties, found))
        self.same += found.same
        self.doubts += found.doubts
        self.taken_back += found.taken_back
        self.unknown += found.unknown


async def dedupe_changes(flow: Flow, state: Matching, scorer: QuickScorer, tell: Progress) -> DedupeReport:
    """Resolve what changed since the position of *state*.

    Raises:
        NotSeen: if that cannot be done; nothing is lost by what was written until then.
    """
    if not state.whole:
        raise NotSeen("the last run left some out, or judged by another model")
    done = _Done()
    settings = Settings(scorer=scorer, cap=state.cap, near=state.near)
    again: set[PartyId] = set()
    for _ in range(_ROUNDS):
        try:
            touched = await read_feed(flow, state.position)
        except PositionExpired:
            raise NotSeen("the store's feed no longer reaches back to the last run") from None
        done.organizations = done.organizations or touched.organizations
        renewed = await _renew(flow, touched.parties | touched.workers)
        # An organization that keeps its name changes nothing for those who work there, of whom there may be thousands.
        changed = touched.parties | (touched.workers & renewed.moved)
        settings.seen.forget()
        done.changed |= changed
        places = await _reopened(flow, settings, changed, renewed.former)
        await _resolve(flow, settings, sorted({*places, *touched.judged, *again}), done, tell)
        if not touched.worth_saving or await _saved(flow, state, touched):
            await forget(flow, renewed.past)
            break
        # Somebody else ended a run meanwhile and may have decided by what this one has changed: look at it all again.
        again |= done.places.keys()
        state = await load_state(flow.new_unit())
        if state.model != scorer.matcher.name:
            raise NotSeen("another model was learned meanwhile")
        if not state.whole:
            raise NotSeen("another run left some out meanwhile")
    return await _report(flow, done, scorer)


async def _saved(flow: Flow, state: Matching, touched: Touched) -> bool:
    """Whether the position could be written over *state*."""
    unit = flow.new_unit()
    await put_state(unit, attrs.evolve(state, position=touched.position))
    try:
        await flow.write(unit, str(flow.ids.new(Id)))
    except VersionConflict:
        return False
    return True


@attrs.define
class Renewed:
    """What was found when satellites were brought up to date: all states that were replaced, and in *moved* whose; in
    *past* the versions of the satellites that still tell of them."""

    former: list[Projection] = attrs.field(factory=list[Projection], repr=False)
    moved: set[PartyId] = attrs.field(factory=set[PartyId])
    past: dict[PartyId, int] = attrs.field(factory=dict[PartyId, int])

    def add(self, other: Renewed) -> None:
        """Note what was found of other parties."""
        self.former += other.former
        self.moved |= other.moved
        self.past |= other.past


async def _renew(flow: Flow, changed: Iterable[PartyId]) -> Renewed:
    """Bring the satellites of these parties up to date, and say what was different before."""
    renewed = Renewed()

    async def write(chunk: Sequence[PartyId]) -> Renewed:
        async def plan(unit: Unit) -> Renewed:
            return await renew(unit, chunk)

        asked = Asked("identity.dedupe.index", (list(chunk),))
        return await flow.commit(plan, asked=asked, reason="deduplication")

    for chunk in _chunks(sorted(changed), room_of(flow)):
        await in_parts(write, chunk, renewed.add)
    return renewed


async def renew(unit: Unit, ids: Iterable[PartyId], *, know_former: bool = True) -> Renewed:
    """Write the satellites of parties that are missing or not up to date; what was different before.

    Raises:
        NotSeen: with *know_former*, if it is not known what was different.
    """
    parties = await load_parties(unit, sorted(ids))
    refs = {party.id: unit.ref(FEATURES, party.id) for party in parties}
    records = await unit.get(list(refs.values()))
    employers = await employers_of(unit, [party for party in parties if party.standing == "active"])
    renewed = Renewed()
    for party in parties:
        record = records.get(refs[party.id])
        active = party.standing == "active"
        new = project(features_of(party, employers.get(party.id, ()))) if active else None
        old = None if record is None else projection_of(record.body)
        before = () if record is None else former_of(record.body)
        if before is None:
            if know_former:
                raise NotSeen("a party was changed too often to know what it was like before")
            before = ()
        if record is not None and old is not None and old != new:
            before = (*before, old)
        renewed.former += before
        stale = new is not None
        if record is not None:
            stale = old != new or record.body.get("v") != PROJECTED
        if stale or before:
            renewed.moved.add(party.id)
        version = record.version if record else 0
        if stale:
            past = [one.to_body() for one in dict.fromkeys(before)]
            await put_satellite(unit, party.id, new, past, expect=version)
        if before or (record is not None and not stale and record.body.get("lost")):
            renewed.past[party.id] = version + stale
    return renewed


async def forget(flow: Flow, past: Mapping[PartyId, int]) -> None:
    """Drop what satellites of these versions say of the past. One that was written since has a past that was not
    looked at: it is dropped when that was."""
    for chunk in _chunks(sorted(past), room_of(flow)):
        unit = flow.new_unit()
        records = await unit.get([unit.ref(FEATURES, id) for id in chunk], check=False)
        for ref, record in records.items():
            if record.version == past[PartyId(ref.id)]:
                await put_satellite(unit, ref.id, projection_of(record.body), expect=record.version)
        if not unit.empty:
            try:
                await flow.write(unit, str(flow.ids.new(Id)))
            except VersionConflict:
                continue


async def _reopened(
    flow: Flow, settings: Settings, changed: set[PartyId], former: list[Projection]
) -> set[PartyId]:
    """The changed parties, and those of which it is another question now whom they are compared with."""
    unit = flow.new_unit()
    sight = Surroundings(unit, settings.scorer.places, settings.cap, settings.seen)
    await sight.load(sorted(changed))
    now = [projection for id in sorted(changed) if (projection := sight.known[id]) is not None]
    states = list(dict.fromkeys(former))
    bits: dict[str, int] = {}
    for number, state in enumerate(states):
        for key in single_keys(state, settings.scorer.places):
            bits[key] = bits.get(key, 0) | 1 << number
    counts = Counter(key for one in (*now, *states) for key in single_keys(one, settings.scorer.places))
    found: set[str] = set(changed)
    for one in dict.fromkeys((*now, *states)):
        vicinity = await sight.of(one)
        _check_in_sight(vicinity, counts, settings)
        found |= vicinity.reopened(changed, bits)
    return {PartyId(id) for id in found}


def _check_in_sight(vicinity: Vicinity, counts: Counter[str], settings: Settings) -> None:
    """Refuse where so many changed records share a value that one cannot see who shared it before."""
    room = reach_of(settings.cap) - settings.cap
    if any(counts[key] >= room for key in vicinity.beyond):
        raise NotSeen("so many records that share a value changed at once")


async def _resolve(
    flow: Flow, settings: Settings, places: list[PartyId], done: _Done, tell: Progress
) -> None:
    """Resolve every place that one of these parties is in, each once."""
    resolved: set[PartyId] = set()
    for number, start in enumerate(places, 1):
        if start not in resolved:

            async def plan(unit: Unit, start: PartyId = start) -> Resolved:
                return await resolve_place(flow, unit, start, settings)

            found = await flow.commit(plan, asked=Asked("identity.dedupe", (start,)), reason="deduplication")
            resolved |= found.parties
            done.note(found)
        tell("looking again", number, len(places))


async def _report(flow: Flow, done: _Done, scorer: QuickScorer) -> DedupeReport:
    unit = flow.new_unit()
    firsts = {PartyId(customer) for place in done.places.values() for customer in place.customers}
    kinds = Counter(party.kind for party in await load_parties(unit, sorted(firsts)))
    notes: list[str] = []
    if done.unknown:
        notes.append(
            f"{done.unknown:,} pairs of values that many share were not followed: "
            "dedupe(relearn=True) compares everything"
        )
    return DedupeReport(
        records=len(done.changed),
        customers=FrozenMap(kinds),
        merged=done.same,
        review=done.doubts,
        written=done.same + done.doubts + done.taken_back,
        notes=tuple(notes),
        matchers=(scorer.matcher.name,),
        looked_at=len(done.places),
        taken_back=done.taken_back,
        organizations_changed=done.organizations,
    )


def room_of(flow: Flow) -> int:
    """Of how many parties satellites are written in one batch, with all further ones and a few checks."""
    return min(_CHUNK, room_for(flow.store.describe().limits, ops=MOST // ROOM + 3, items=ITEMS_PER_PARTY))


def _chunks(items: list[PartyId], size: int) -> Iterable[list[PartyId]]:
    return (items[start : start + size] for start in range(0, len(items), size))
