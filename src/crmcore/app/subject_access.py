"""The bundle of everything about a customer, read from a store.

Invariant: nothing of another customer is in it. A record that a model joined is withheld until a person has looked,
unless it was trusted beforehand.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, Literal

from crmcore.app.subject_addresses import Addresses
from crmcore.app.subject_data import SubjectData, others_named, subject_data, words_of
from crmcore.app.unit import Unit
from crmcore.consent.bundle import RANKS, Bundle, Confidence, Found, assemble, is_unsure
from crmcore.consent.checking import listed
from crmcore.consent.redaction import Redactor
from crmcore.consent.rights_request import RIGHTS_REQUEST
from crmcore.consent.secret_ring import SecretRing
from crmcore.consent.suppression import SUPPRESSION
from crmcore.errors import InvalidRightsRequest
from crmcore.identity.judgement import Judgement, standing
from crmcore.interaction.interaction import Interaction
from crmcore.interaction.lay import INTERACTION
from crmcore.party.party_keys import PARTY, RELATIONSHIP
from crmcore.party.relationship import Relationship
from crmcore.serde import dump
from crmcore.storage.protocol import Entry
from crmcore.values.ids import PartyId

_HISTORY = ("party.added", "party.changed")


async def bundle_of(
    unit: Unit,
    members: Sequence[PartyId],
    customer: str,
    anchor: str,
    *,
    right: Literal["access", "portability"],
    about: Mapping[str, Any],
    further: Iterable[Mapping[str, Any]],
    reviewed: Confidence,
    secrets: SecretRing | None,
    controller: str,
) -> Bundle:
    """The bundle of a customer. *anchor* is the record that is surely theirs; *further* comes from elsewhere.

    Only for access: what they asked for, and that their addresses are not to be used, which *secrets* tell.

    Raises:
        InvalidRightsRequest: if *about* or something *further* is no mapping.
    """
    if not isinstance(about, Mapping):
        raise InvalidRightsRequest("what the law asks to be told beside the data is a mapping")
    kind: Any = Mapping
    further = listed(further, kind, "what other systems hold is several mappings", InvalidRightsRequest)
    data = await subject_data(unit, members, secrets=secrets, controller=controller)
    sure = merge_confidence(members, anchor, data.judgements)
    found = [*_found(data, sure), *(_wanted(data) if right == "access" else ()), *_further(further)]
    others = await others_named(unit, data, [one.data for one in found])
    mine = [party for party in data.parties if sure[str(party.id)] == "certain"]
    doubtful = [party for party in data.parties if sure[str(party.id)] != "certain"]

    @cache
    def redactor(origin: str | None) -> Redactor:
        """A record that may not be the person's is somebody else's to all others, and its own to itself."""
        self = [party for party in doubtful if party.id == origin]
        rest = [party for party in doubtful if party.id != origin]
        return Redactor(words_of([*mine, *self]), words_of([*others, *rest]))

    told = {**about, "sources": sorted({one.system for party in mine for one in party.sources})}
    return assemble(
        found,
        right=right,
        customer=customer,
        confidence=sure,
        redactor=redactor,
        about=told,
        made_at=unit.now,
        reviewed=reviewed,
    )


def merge_confidence(
    members: Iterable[str], anchor: str, judgements: Iterable[Judgement]
) -> dict[str, Confidence]:
    """How sure it is that each of *members* is the person of *anchor*: as sure as the best way to it by SAMEs.

    Of a pair that which counts is asked: where a person said DIFFERENT, no SAME leads on.
    """
    steps: list[tuple[str, str, int]] = [
        (one.a, one.b, 0 if one.human else 2 if one.weak else 1)
        for one in standing(judgements).values()
        if one.verdict == "same"
    ]
    best = dict.fromkeys(members, 2) | {anchor: 0}
    changed = True
    while changed:
        changed = False
        for a, b, cost in steps:
            for one, other in ((a, b), (b, a)):
                if one in best and other in best and max(best[one], cost) < best[other]:
                    best[other] = max(best[one], cost)
                    changed = True
    words: tuple[Confidence, ...] = ("certain", "probable", "doubtful")
    return {member: words[rank] for member, rank in best.items()}


def refuse_unsure(data: SubjectData, anchor: str, reviewed: Confidence, *, but: Collection[str] = ()) -> None:
    """Refuse to go on while a record may be somebody else's, *but* those that were looked at before.

    Raises:
        InvalidRightsRequest: if one is as unsure as *reviewed*, or less sure.
    """
    number = unsure(data, anchor, reviewed, but=but)
    if number:
        raise InvalidRightsRequest(
            f"{number} of the records may be another person's: look at them, and merge them or mark them different"
        )


def unsure(data: SubjectData, anchor: str, reviewed: Confidence, *, but: Collection[str] = ()) -> int:
    """How many records, *but* some, are as unsure as *reviewed* to be of the person of *anchor*, or less sure."""
    sure = merge_confidence(data.members, anchor, data.judgements)
    return sum(is_unsure(sure[str(party.id)], reviewed) for party in data.parties if party.id not in but)


def _found(data: SubjectData, sure: Mapping[str, Confidence]) -> Iterable[Found]:
    own = set(data.members)
    for party in data.parties:
        yield Found(
            id=str(party.id),
            category="record",
            origin=str(party.id),
            provenance="provided",
            data=PARTY.dump(party),
        )
    links = {str(link.id): link for link in data.relationships}
    for entry in data.entries:
        yield from _entry(entry, own, links)
    addresses = {str(party.id): Addresses.of(party.contact_points) for party in data.parties}
    for one in data.interactions:
        yield Found(
            id=str(one.id),
            category="interaction",
            origin=_surest(_ends(one, data, addresses), sure),
            provenance="provided" if one.direction == "inbound" else "observed",
            data=INTERACTION.dump(one),
        )
    for link in data.relationships:
        yield Found(
            id=str(link.id),
            category="relationship",
            origin=_surest(_own_ends(link, own), sure),
            provenance="provided",
            data=RELATIONSHIP.dump(link),
        )
    for judgement in data.judgements:
        yield Found(
            id=str(judgement.id),
            category="judgement",
            origin=_surest([end for end in judgement.pair if end in own], sure),
            provenance="inferred",
            data=_judged(judgement, own),
        )


def _wanted(data: SubjectData) -> Iterable[Found]:
    for one in data.requests:
        yield Found(
            id=str(one.id),
            category="request",
            origin=one.anchor if one.anchor in data.members else None,
            provenance="provided",
            data=RIGHTS_REQUEST.dump(one),
        )
    for entry in data.suppressions:
        yield Found(
            id=str(entry.id),
            category="suppression",
            origin=None,
            provenance="observed",
            data=SUPPRESSION.dump(entry),
        )


def _own_ends(link: Relationship, own: set[PartyId]) -> list[PartyId]:
    return [end for end in (link.from_, link.to) if end in own]


def _entry(entry: Entry, own: set[PartyId], links: Mapping[str, Relationship]) -> Iterable[Found]:
    tag = entry.schema.partition("/")[0]
    id = f"{entry.stream}/{entry.seq}"
    if tag in _HISTORY:
        origin = entry.body["party"]
        yield Found(id=id, category="history", origin=origin, provenance="observed", data=dict(entry.body))
    elif tag == "relationship.changed" and entry.body["relationship"] in links:
        link = links[entry.body["relationship"]]
        yield Found(
            id=id,
            category="history",
            origin=_own_ends(link, own)[0],
            provenance="observed",
            data=dict(entry.body),
        )
    elif tag in ("consent.event", "consent.wish"):
        origin = entry.body.get("record")
        # An act about an address that another customer has too is of whoever did it.
        if origin in own:
            yield Found(
                id=id, category="consent", origin=origin, provenance="provided", data=dict(entry.body)
            )


def _ends(interaction: Interaction, data: SubjectData, addresses: Mapping[str, Addresses]) -> list[str]:
    """The person's records that took part, or whose address did."""
    found: list[str] = [party for party in interaction.parties if party in data.members]
    bare = [one.address or "" for one in interaction.participants if one.party is None]
    return found or [party for party, own in addresses.items() if any(text in own for text in bare)]


def _judged(judgement: Judgement, own: set[PartyId]) -> dict[str, Any]:
    """What was judged; with the evidence only if both records are the person's, since it quotes them."""
    plain = dump(judgement)
    if not {judgement.a, judgement.b} <= own:
        plain.pop("evidence", None)
        plain["evidence_left_out"] = "it quotes the record of another person"
    return dict(plain)


def _surest(origins: Sequence[str], sure: Mapping[str, Confidence]) -> str | None:
    """The record by which a thing is most surely the person's."""
    return min(origins, key=lambda one: RANKS[sure[one]], default=None)


def _further(further: Iterable[Mapping[str, Any]]) -> Iterable[Found]:
    for number, one in enumerate(further, 1):
        yield Found(id=f"other/{number}", category="other", origin=None, provenance="observed", data=one)
