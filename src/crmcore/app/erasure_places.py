"""Where the things of a person lie, what hangs on them, and in which order they go.

Invariant: a thing goes after all that is found by it alone, so an erasure that was cut off finds the rest again,
however small the parts are in which it is done.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Container, Iterable, Mapping
from datetime import date
from itertools import count

import attrs

from crmcore.app.frozen import fixed_id
from crmcore.app.near_index import FEATURES
from crmcore.app.subject_data import SubjectData, satellites
from crmcore.app.unit import Unit, load_record
from crmcore.consent.disposition import Disposal, ErasurePlan
from crmcore.consent.ledger import CONTACT_POINT, party_stream, point_stream
from crmcore.identity.identity_keys import CLUSTER, JUDGEMENT
from crmcore.interaction.lay import DEDUPE, INTERACTION
from crmcore.party.party_keys import PARTY, RELATIONSHIP, key
from crmcore.storage.protocol import Entry, Key, Ref
from crmcore.values.ids import InteractionId

Place = Ref | tuple[str, int]
"""A record, or an entry by its ledger and number."""
Over = Callable[[str, str], Disposal]
"""What becomes of the thing at a place, of some kind, that nothing keeps any more."""

_FURTHER = "further"

_ENTRIES, _RECORDS, _PARTIES, _CLUSTERS = range(4)
_RANKS = {
    INTERACTION.tag: _RECORDS,
    RELATIONSHIP.tag: _RECORDS,
    JUDGEMENT.tag: _RECORDS,
    CONTACT_POINT.tag: _RECORDS,
    PARTY.tag: _PARTIES,
    CLUSTER.tag: _CLUSTERS,
}
"""By a record its ledger and its further keys are found, by parties and their history all the rest, and by the cluster
the parties."""


def place_name(place: Place) -> str:
    """The name of a place in a plan."""
    return f"{place.kind} {place.id}" if isinstance(place, Ref) else f"{place[0]} {place[1]}"


def in_order(places: Iterable[Place], members: Collection[str]) -> list[Place]:
    """*places* in the order in which they go, of a person whose records are *members*."""

    def order(place: Place) -> tuple[int, str]:
        if not isinstance(place, Ref):
            return (_PARTIES if place[0].startswith(f"{PARTY.tag}:") else _ENTRIES), place_name(place)
        if place.kind == FEATURES and place.id in members:  # it says how many further ones there are
            return _RECORDS, place_name(place)
        return _RANKS.get(place.kind, _ENTRIES), place_name(place)

    return sorted(places, key=order)


async def there(unit: Unit, places: Iterable[Place]) -> set[Place]:
    """Those of *places* at which something is."""
    wanted = set(places)
    found: set[Place] = set(await unit.get([one for one in wanted if isinstance(one, Ref)], check=False))
    for stream in {one[0] for one in wanted if not isinstance(one, Ref)}:
        found |= {(stream, entry.seq) for entry in await all_entries(unit, stream)}
    return found & wanted


def copy_key(via: str, interaction: str) -> Key:
    """By what the copy of a talk is found that an erasure, which marks what it writes as *via*, wrote for others."""
    return key(DEDUPE, f"{via}:{interaction}")


def copy_id(via: str, interaction: str, taken: Container[str]) -> InteractionId:
    """The id of that copy, which is the same in each store that the erasure is carried over into: the first that is not
    *taken* by one that was erased."""
    numbers = (fixed_id(INTERACTION.tag, via, interaction, str(number)) for number in count())
    return InteractionId(next(id for id in numbers if id not in taken))


async def made_of(
    unit: Unit, data: SubjectData, plan: ErasurePlan, places: dict[str, Place], over: Over
) -> AsyncIterator[Disposal]:
    """What the library made of the records itself: it goes with the record, or stays with it.

    What is left of a record that an earlier part of the erasure took goes, too.
    """
    by_place = {one.place: one for one in plan.disposals}
    for member in data.members:
        ref = unit.ref(PARTY.tag, member)
        owner = by_place.get(place_name(ref)) or over(place_name(ref), PARTY.tag)
        features = unit.ref(FEATURES, member)
        refs = [features, unit.ref(CLUSTER.tag, member)]
        stored = await unit.get(refs, check=False)
        body = stored[features].body if features in stored else {}
        further = [
            unit.ref(FEATURES, fixed_id(FEATURES, member, str(n))) for n in range(body.get(_FURTHER, 0))
        ]
        for one in (*stored, *further):
            places[place_name(one)] = one
            yield attrs.evolve(owner, place=place_name(one), kind=one.kind)
    # Keys that did not fit on a record lie on others.
    for disposal in plan.disposals:
        place = places[disposal.place]
        if isinstance(place, Ref) and place.kind in (PARTY.tag, INTERACTION.tag):
            for one in await satellites(unit, [place]):
                places[place_name(one)] = one
                yield attrs.evolve(disposal, place=place_name(one), kind=one.kind)


async def written_beside(
    unit: Unit, data: SubjectData, plan: ErasurePlan, places: dict[str, Place], via: str, over: Over
) -> AsyncIterator[Disposal]:
    """What an erasure wrote itself beside acts that were kept goes when nothing is kept there any more."""
    staying = {places[one.place] for one in plan.of("keep", "restrict")}
    streams = {party_stream(str(member)): unit.ref(PARTY.tag, member) for member in data.members}
    streams |= {point_stream(ref.id): ref for ref in data.points}
    for stream, head in streams.items():
        entries = await all_entries(unit, stream)
        if head in staying or any((stream, entry.seq) in staying for entry in entries):
            continue
        for entry in entries:
            if entry.body.get("via") == via and set(entry.subjects) <= set(data.members):
                place = (stream, entry.seq)
                places[place_name(place)] = place
                yield over(place_name(place), "consent.event")


async def copies_of_kept(
    unit: Unit, data: SubjectData, plan: ErasurePlan, places: dict[str, Place], via: str, over: Over
) -> AsyncIterator[Disposal]:
    """What an erasure that was cut off wrote of talks with others goes when the talks themselves are kept by now.

    A copy that somebody corrected since stays.
    """
    kept = {places[one.place] for one in plan.of("keep", "restrict")}
    talks = [one for one in data.interactions if unit.ref(INTERACTION.tag, one.id) in kept]
    hits = await unit.find([copy_key(via, str(one.id)) for one in talks])
    records = await unit.get([ref for refs in hits.values() for ref in refs], check=False)
    for ref, record in records.items():
        copy = load_record(INTERACTION, record)
        if copy.corrects or copy.retracts:
            continue
        stream = f"interaction:{ref.id}"
        found: list[tuple[Place, str]] = [(ref, ref.kind)]
        found += [
            ((stream, one.seq), one.schema.partition("/")[0]) for one in await all_entries(unit, stream)
        ]
        for place, kind in found:
            places[place_name(place)] = place
            yield over(place_name(place), kind)


async def heads_of_ledgers(
    unit: Unit, data: SubjectData, plan: ErasurePlan, places: dict[str, Place], over: Over
) -> AsyncIterator[Disposal]:
    """The record of an address whose ledger keeps nothing, of this person or of anybody else, goes too.

    Where acts of this person are kept, it stays with them: by it they are found.
    """
    going = {places[one.place] for one in plan.of("delete")}
    staying = {places[one.place]: one for one in plan.of("keep", "restrict")}
    party = next((one for one in plan.of("delete") if one.kind == PARTY.tag), None)
    gone = not any(one.kind == PARTY.tag for one in plan.disposals)
    entries = {place[0]: one for one in plan.of("delete") if not isinstance(place := places[one.place], Ref)}
    for ref in data.points:
        stream = point_stream(ref.id)
        left = [entry for entry in await all_entries(unit, stream) if (stream, entry.seq) not in going]
        line = party or entries.get(stream) or (over(place_name(ref), PARTY.tag) if gone else None)
        if not left and line is not None:
            places[place_name(ref)] = ref
            yield attrs.evolve(line, place=place_name(ref), kind=CONTACT_POINT.tag)
        own = [found for entry in left if (found := staying.get((stream, entry.seq))) is not None]
        if own:
            places[place_name(ref)] = ref
            yield attrs.evolve(_longest(own), place=place_name(ref), kind=CONTACT_POINT.tag)


async def emptied_heads(
    unit: Unit, data: SubjectData, plan: ErasurePlan, places: Mapping[str, Place]
) -> dict[Ref, Disposal]:
    """The records of addresses that were to stay with acts of the person of which none can be read any more, since they
    went with the key of the person."""
    staying = {places[one.place]: one for one in plan.of("keep", "restrict")}
    found: dict[Ref, Disposal] = {}
    for ref in (ref for ref in data.points if ref in staying):
        stream = point_stream(ref.id)
        if not any((stream, entry.seq) in staying for entry in await all_entries(unit, stream)):
            found[ref] = staying[ref]
    return found


async def without_emptied(
    unit: Unit, data: SubjectData, plan: ErasurePlan, places: dict[str, Place], via: str
) -> ErasurePlan | None:
    """*plan*, by which nothing goes but emptied records of addresses, where nothing is said by others, with what an
    erasure that marks it as *via* wrote there itself; None if there are none."""
    going: list[Disposal] = []
    for ref, head in (await emptied_heads(unit, data, plan, places)).items():
        stream = point_stream(ref.id)
        entries = await all_entries(unit, stream)
        if any(one.body.get("via") != via or not set(one.subjects) <= set(data.members) for one in entries):
            continue
        going.append(attrs.evolve(head, action="delete"))
        for entry in entries:
            place = (stream, entry.seq)
            places[place_name(place)] = place
            going.append(attrs.evolve(head, action="delete", place=place_name(place), kind="consent.event"))
    gone = {one.place for one in going}
    kept = [one for one in plan.of("keep", "restrict") if one.place not in gone]
    return ErasurePlan(disposals=(*kept, *going)) if going else None


def _longest(disposals: Iterable[Disposal]) -> Disposal:
    """What is kept longest."""
    return max(disposals, key=lambda one: (one.action == "keep", one.until or date.max))


async def all_entries(unit: Unit, stream: str) -> list[Entry]:
    """Every entry of a ledger but erased ones."""
    found: list[Entry] = []
    after: dict[str, int] | None = None
    while True:
        page = (await unit.store.ledger(unit.tenant, [stream], after=after))[stream]
        found += [entry for entry in page.items if entry.body]
        if page.next is None:
            return found
        after = {stream: page.items[-1].seq}
