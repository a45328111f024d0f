"""Everything that a store holds about one customer, read for an answer or for an erasure.

Invariant: nothing is left out because it stands in no timeline: corrected and retracted interactions, earlier states,
acts about an address that the person had before, and relationships that were taken back are found too, and interactions
that name only an address, however it is written. All interactions of the tenant are read for that, once, and once for
many people where these are read in one run.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import attrs

from crmcore.app.customers import load_parties
from crmcore.app.judging import judgements_on
from crmcore.app.relationships import related
from crmcore.app.subject_addresses import Addresses
from crmcore.app.subject_talks import Talks
from crmcore.app.suppressions import entries_of
from crmcore.app.unit import MORE, OWNER, Unit, load_record
from crmcore.consent.ledger import CONTACT_POINT, POINT, party_stream, point_key, point_stream, wish_stream
from crmcore.consent.plain import forms_of_text
from crmcore.consent.redaction import Words
from crmcore.consent.rights_request import REQUESTED, RIGHTS_REQUEST, RightsRequest
from crmcore.consent.secret_ring import SecretRing
from crmcore.consent.suppression import Suppression
from crmcore.identity.judgement import Judgement
from crmcore.interaction.interaction import Interaction
from crmcore.party.contact_point import ContactPoint
from crmcore.party.history import PartyAdded
from crmcore.party.party import Party
from crmcore.party.party_keys import EMAIL, NAME, NAME_BYTES, PARTY, PHONE, names_of, turned_names
from crmcore.party.party_keys import key as text_key
from crmcore.party.relationship import Relationship
from crmcore.serde import load
from crmcore.storage.capability import ORDERED_TEXT, claims
from crmcore.storage.erasure import ERASED
from crmcore.storage.protocol import Entry, Key, Record, Ref
from crmcore.values.frozen_map import thaw
from crmcore.values.ids import Id, PartyId
from crmcore.values.text import fold

_NAMESPACES = {"email": EMAIL, "phone": PHONE}
_PAGE = 500
_SAME_NAME = 1000
"""So many parties of one name are looked at; their name is the same, so more would tell nothing."""


@attrs.frozen(kw_only=True)
class SubjectData:
    """What is held about the records *members* of a customer. *points* are the ids of the ledgers of addresses.

    *contacts* are the contact points that they have, and had if nobody has them by now; *shared* names the ledgers of
    those that others have, too, with who these are. *requests* and *suppressions* are what the person asked for, and
    which of their addresses are not to be used.
    """

    members: tuple[PartyId, ...]
    parties: tuple[Party, ...]
    interactions: tuple[Interaction, ...]
    relationships: tuple[Relationship, ...]
    judgements: tuple[Judgement, ...]
    points: tuple[Ref, ...]
    contacts: tuple[ContactPoint, ...]
    shared: Mapping[str, tuple[str, ...]]
    entries: tuple[Entry, ...]
    requests: tuple[RightsRequest, ...] = ()
    suppressions: tuple[Suppression, ...] = ()

    @property
    def others(self) -> frozenset[str]:
        """The ids of the other parties that are named anywhere in it."""
        found: set[str] = {party for one in self.interactions for party in one.parties}
        found |= {end for one in self.relationships for end in (one.from_, one.to)}
        found |= {end for one in self.judgements for end in (one.a, one.b)}
        found |= {subject for entry in self.entries for subject in entry.subjects}
        return frozenset(found - set(self.members))


_STREAMS = ("party", "relationships", "customer", "suppression")
"""The ledgers that a record has by its id, beside that of its consent."""


async def subject_data(
    unit: Unit,
    members: Sequence[PartyId],
    *,
    secrets: SecretRing | None = None,
    controller: str | None = None,
    points: Iterable[str] = (),
    talks: Talks | None = None,
) -> SubjectData:
    """Read everything about the records *members*; those that are erased already may be among them.

    *points* are the ids of ledgers of addresses that they had, where no record tells it any more. With *secrets* the
    entries about suppressed addresses too, for this *controller* and for all. *talks* are given where many people are
    read one after the other.
    """
    parties = tuple(await load_parties(unit, members))
    contacts, own = await points_known(unit, parties)
    relationships = await related(unit, list(members), retracted=True)
    judgements = await judgements_on(unit, members)
    interactions = await (talks or await Talks.read(unit)).of(unit, frozenset(members), Addresses.of(own))
    hits = await unit.find([point_key(point.kind, point.key) for point in contacts])
    told = await unit.get([unit.ref(CONTACT_POINT.tag, Id(point)) for point in points], check=False)
    heads = tuple(sorted({ref for refs in hits.values() for ref in refs}.union(told)))
    unique = {one.id: one for found in relationships.values() for one in found}
    streams = [f"{kind}:{member}" for member in members for kind in _STREAMS]
    streams += [stream(member) for member in members for stream in (party_stream, wish_stream)]
    streams += [point_stream(ref.id) for ref in heads]
    streams += [f"relationships:{one.from_}" for one in unique.values()]
    streams += [f"customer:{end}" for one in judgements for end in (one.a, one.b)]
    streams += [f"interaction:{one.root or one.id}" for one in interactions]
    about = {*map(str, members)}
    alone = _alone(interactions, about)
    suppressions = [] if secrets is None else await entries_of(unit, secrets, contacts, controller)
    return SubjectData(
        members=tuple(members),
        parties=parties,
        interactions=interactions,
        relationships=tuple(unique.values()),
        judgements=judgements,
        points=heads,
        contacts=own,
        shared=await _shared(
            unit, {(point.kind, point.key) for point in contacts} | _told(told.values()), frozenset(members)
        ),
        entries=tuple(
            entry
            for entry in await _entries(unit, dict.fromkeys(streams))
            if about.intersection(entry.subjects) or entry.stream in alone
        ),
        requests=await requests_of(unit, members),
        suppressions=tuple(entry for entry, _ in suppressions),
    )


async def requests_of(unit: Unit, members: Iterable[str]) -> tuple[RightsRequest, ...]:
    """The requests of the records *members*, in the order in which they came."""
    hits = await unit.find([Key(REQUESTED, member) for member in members])
    refs = sorted({ref for refs in hits.values() for ref in refs})
    records = await unit.get(refs)
    return tuple(load_record(RIGHTS_REQUEST, records[ref]) for ref in refs)


async def asked_of(unit: Unit, members: Iterable[str]) -> frozenset[str]:
    """Those of the records *members* that have requests."""
    hits = await unit.find([Key(REQUESTED, member) for member in members])
    return frozenset(key.value for key, refs in hits.items() if refs)


async def points_known(
    unit: Unit, parties: Sequence[Party]
) -> tuple[tuple[ContactPoint, ...], tuple[ContactPoint, ...]]:
    """The contact points that parties have and had once; and of these those that are theirs, since nobody else has them
    by now."""
    former = await _former(unit, parties)
    now = tuple(_points(parties))
    return (*now, *former), (*now, *await _free(unit, former))


async def _former(unit: Unit, parties: Iterable[Party]) -> list[ContactPoint]:
    """The contact points that parties had once and have no more."""
    found: dict[tuple[PartyId, str, str], ContactPoint] = {}
    for party in parties:
        now = {(point.kind, point.key) for point in party.contact_points}
        for schema, body in await unit.entries(f"party:{party.id}"):
            event = unit.codecs[schema.partition("/")[0]].load(body)
            said = (
                [event.fields.get("contact_points")]
                if isinstance(event, PartyAdded)
                else [one.before for one in event.changes if one.field == "contact_points"]
            )
            for point in (
                point for points in said for point in load(tuple[ContactPoint, ...], thaw(points or ()))
            ):
                if (point.kind, point.key) not in now:
                    found[party.id, point.kind, point.key] = point
    return list(found.values())


def _points(parties: Iterable[Party]) -> Iterable[ContactPoint]:
    return (point for one in parties for point in one.contact_points)


async def _free(unit: Unit, former: Iterable[ContactPoint]) -> list[ContactPoint]:
    """Those of *former* contact points that nobody has by now."""
    wanted = {
        text_key(_NAMESPACES[point.kind], point.key): point for point in former if point.kind in _NAMESPACES
    }
    return [wanted[key] for key, holders in (await unit.find(wanted)).items() if not holders]


def _told(ledgers: Iterable[Record]) -> set[tuple[str, str]]:
    """The addresses of ledgers, each by its kind and normal form."""
    keys = [key for record in ledgers for key in record.keys if key.namespace == POINT]
    return {(kind, normal) for key in keys for kind, _, normal in [key.value.partition(":")]}


async def _shared(
    unit: Unit, points: Iterable[tuple[str, str]], members: Collection[str]
) -> dict[str, tuple[str, ...]]:
    """The ledgers of the addresses that others have, too, and the ids of their records."""
    keys = {
        text_key(_NAMESPACES[kind], normal): point_key(kind, normal)
        for kind, normal in points
        if kind in _NAMESPACES
    }
    holders = await unit.find(keys)
    others = {
        keys[key]: tuple(ref.id for ref in refs if ref.kind == PARTY.tag and ref.id not in members)
        for key, refs in holders.items()
    }
    ledgers = await unit.find([key for key, found in others.items() if found])
    return {point_stream(ref.id): others[key] for key, refs in ledgers.items() for ref in refs}


def _alone(interactions: Iterable[Interaction], members: Collection[str]) -> frozenset[str]:
    """The ledgers of the interactions in which nobody else took part; some of them name nobody at all."""
    shared = {one.root or one.id for one in interactions if set(one.parties) - set(members)}
    return frozenset(
        f"interaction:{root}" for one in interactions if (root := one.root or one.id) not in shared
    )


async def _entries(unit: Unit, streams: Iterable[str]) -> list[Entry]:
    """Every entry of some ledgers but erased ones."""
    found: list[Entry] = []
    for stream in streams:
        after: dict[str, int] | None = None
        while True:
            page = (await unit.store.ledger(unit.tenant, [stream], after=after))[stream]
            found += [entry for entry in page.items if entry.schema != ERASED]
            if page.next is None:
                break
            after = {stream: page.items[-1].seq}
    return found


async def satellites(unit: Unit, refs: Iterable[Ref]) -> list[Ref]:
    """The records on which further keys of *refs* lie."""
    keys = [Key(OWNER, f"{ref.kind}:{ref.id}") for ref in refs]
    found: list[Ref] = []
    limit = unit.store.describe().limits.max_refs
    for start in range(0, len(keys), limit):
        part = await unit.store.find(unit.tenant, keys[start : start + limit])
        found += [ref for one in part.values() for ref in one.refs if ref.kind.endswith(MORE)]
    return found


# --- who else is named --------------------------------------------------------------------------------


def words_of(parties: Iterable[Party]) -> Words:
    """What designates these parties."""
    found = list(parties)
    return Words(
        ids=frozenset(str(party.id) for party in found),
        names=frozenset(name for party in found for name in names_of(party)),
        points=frozenset(
            text
            for party in found
            for texts in (
                *((point.raw, point.key) for point in party.contact_points),
                *((one.value, one.key) for one in party.identifiers),
                *((source.record,) for source in party.sources),
            )
            for text in texts
            if text and len(text) > 1
        ),
    )


async def others_named(unit: Unit, data: SubjectData, documents: Iterable[Any]) -> list[Party]:
    """The other parties that are linked to the person, and those whose whole name stands somewhere in *documents*."""
    ids: dict[PartyId, None] = {PartyId(other): None for other in sorted(data.others)}
    turns = _turns(documents)
    ordered = claims(unit.store.describe(), ORDERED_TEXT)
    ids.update(dict.fromkeys(await (_by_order(unit, turns) if ordered else _by_reading(unit, turns))))
    own = set(data.members)
    return await load_parties(unit, [id for id in ids if id not in own])


async def _by_order(unit: Unit, turns: Iterable[tuple[str, str]]) -> list[PartyId]:
    """The parties of whose names one begins with one of these words, from the order of names."""
    found: list[PartyId] = []
    for first, second in sorted(turns):
        start = f"{first} {second}" if second else first
        low = start.encode("utf-8", "replace")[: NAME_BYTES - 1]
        high = low + (b"\xff" if second else b"\x00")
        page = await unit.range(NAME, [start[:1]], lo=low, hi=high, limit=_SAME_NAME)
        refs = await unit.owners(ref for _, ref in page.items)
        found += [PartyId(ref.id) for ref in refs if ref.kind == PARTY.tag]
    return found


async def _by_reading(unit: Unit, turns: Collection[tuple[str, str]]) -> list[PartyId]:
    """The same where the store keeps no order of texts, as an encrypted one: all parties are read."""
    found: list[PartyId] = []
    after: str | None = None
    while True:
        page = await unit.scan(PARTY.tag, after=after, limit=_PAGE)
        for record in page.items:
            party: Party = load_record(PARTY, record)
            names = [name.split() for name in turned_names(party)] if party.standing == "active" else []
            if any((words[0], words[1] if len(words) > 1 else "") in turns for words in names):
                found.append(party.id)
        after = page.next
        if after is None:
            return found


def _turns(documents: Iterable[Any]) -> set[tuple[str, str]]:
    """Every word of the texts, and every two that follow each other."""
    found: set[tuple[str, str]] = set()
    for text in {form for one in _texts(list(documents)) for form in (one, *forms_of_text(one))}:
        words = fold(text).split()
        found.update((word, "") for word in words)
        found.update(pairwise(words))
    return found


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, one in value.items():
            yield str(name)
            yield from _texts(one)
    elif isinstance(value, (list, tuple)):
        for one in value:
            yield from _texts(one)
