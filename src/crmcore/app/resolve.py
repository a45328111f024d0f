"""From any reference that an app has to the customer that it means.

Invariant: the id of a party, the id or a former id of a customer, a source record, an e-mail address, a phone number or
a name leads to the one customer whose member it belongs to; a reference that fits several is refused with their ids.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress

import attrs

from crmcore.app.unit import Unit, load_record
from crmcore.errors import AmbiguousReference, InvalidSource, NotFound
from crmcore.identity.customer import Cluster
from crmcore.identity.identity_keys import CLUSTER
from crmcore.party.contact_point import EmailPoint, PhonePoint
from crmcore.party.party_keys import (
    MEMBER,
    NAME,
    NAME_BYTES,
    PARTY,
    address_key,
    retracted_key,
    source_key,
    turned_names,
)
from crmcore.storage.protocol import Key, Ref
from crmcore.values.ids import CustomerId, Id, PartyId, has_id_form
from crmcore.values.source import Source
from crmcore.values.text import fold

Reference = str | Source
"""A party or customer id, ``Source``, ``"system#record"``, e-mail address, phone number or (part of) a name."""

_PHONE = re.compile(r"\+?[\d\s().\-/]{5,30}(?:\s*(?:x|ext\.?)\s*\d{1,7})?\Z", re.IGNORECASE)
_LONGEST = 512
_SPLITS = 8

MOST = 1000
"""A name that fits more parties is not looked up further: whoever gave it has to say more."""


@attrs.frozen(kw_only=True)
class Membership:
    """A customer: its id, its parties in order of id, and the stored cluster where it has several."""

    id: CustomerId
    members: tuple[PartyId, ...]
    cluster: Cluster | None = None
    version: int = 0


async def resolve(unit: Unit, ref: Reference, *, region: str | None = None) -> Membership:
    """The customer that *ref* means; *region* is where a national phone number is dialled from.

    Raises:
        NotFound: if nothing in the store answers to it.
        AmbiguousReference: if it fits several customers.
    """
    customers = await search(unit, ref, region=region)
    if not customers:
        raise NotFound(
            "nothing in this store answers to the reference: try an id, an e-mail address or another name"
        )
    first, *others = customers
    if others:
        raise AmbiguousReference(
            f"the reference fits {len(customers)} customers: name one of them by its id",
            candidates=tuple(customer.id for customer in customers),
        )
    return first


async def search(unit: Unit, ref: Reference, *, region: str | None = None) -> tuple[Membership, ...]:
    """All customers that *ref* fits, in order of id."""
    found = await memberships(unit, await _parties(unit, ref, region))
    return tuple(sorted(dict.fromkeys(found.values()), key=lambda customer: customer.id))


async def search_retracted(unit: Unit, ref: Reference) -> tuple[Membership, ...]:
    """All customers of whom a record that was taken back has the address that *ref* is, in order of id."""
    if address_in(ref) is None:
        return ()
    there = await _by_key(unit, retracted_key(address_key(str(ref).strip())))
    found = await memberships(unit, there)
    return tuple(sorted(dict.fromkeys(found.values()), key=lambda customer: customer.id))


async def parties_named(unit: Unit, ref: Reference) -> tuple[PartyId, ...]:
    """The records that *ref* itself leads to, without the others of their customers."""
    return await _parties(unit, ref, None)


async def members_of(unit: Unit, ref: Reference) -> tuple[PartyId, ...]:
    """The parties of the customer that *ref* means."""
    return (await resolve(unit, ref)).members


async def memberships(
    unit: Unit, parties: Iterable[PartyId], *, check: bool = False
) -> dict[PartyId, Membership]:
    """The customer of each party; one in no cluster stands by itself. With *check* none may change until the commit."""
    wanted = list(dict.fromkeys(parties))
    keys = {Key(MEMBER, party): party for party in wanted}
    hits = await unit.find(list(keys), check=check)
    refs = {ref for found in hits.values() for ref in found}
    records = await unit.get(sorted(refs), check=check)
    clusters = {ref: _membership(ref, record) for ref, record in records.items()}
    result: dict[PartyId, Membership] = {}
    for found_key, party in keys.items():
        found = [clusters[ref] for ref in hits[found_key] if ref in clusters]
        result[party] = found[0] if found else Membership(id=CustomerId(party), members=(party,))
    return result


def _membership(ref: Ref, record: object) -> Membership:
    cluster: Cluster = load_record(CLUSTER, record)  # type: ignore[arg-type]  # the caller has a Record
    return Membership(
        id=CustomerId(ref.id), members=cluster.members, cluster=cluster, version=cluster.version
    )


async def firsts(unit: Unit, found: Mapping[PartyId, Membership]) -> list[PartyId]:
    """Those of some records that are the first of their customer that is there: by them each customer is told of once.

    A record that was erased stays a member of its customer, and no page ever shows it.
    """
    before = {id: customer.members[: customer.members.index(id)] for id, customer in found.items()}
    unseen = {member for members in before.values() for member in members if member not in found}
    refs = [unit.ref(PARTY.tag, member) for member in sorted(unseen)]
    there = {ref.id for ref in await unit.get(refs, check=False)} if refs else set[str]()
    return [
        id
        for id, members in before.items()
        if not any(member in found or member in there for member in members)
    ]


def address_in(ref: Reference) -> str | None:
    """The normal form of the contact point that *ref* is, if it may be one."""
    if isinstance(ref, Source) or is_id(ref) or len(ref) > _LONGEST:
        return None
    text = ref.strip()
    if "@" in text:
        return EmailPoint.of(text).key
    return PhonePoint.of(text).key if _PHONE.match(text) else None


def is_id(ref: Reference) -> bool:
    """Whether *ref* is the id of a record or of a customer."""
    return not isinstance(ref, Source) and (isinstance(ref, Id) or has_id_form(ref))


async def _parties(unit: Unit, ref: Reference, region: str | None) -> tuple[PartyId, ...]:
    if isinstance(ref, Source):
        return await _by_key(unit, source_key(ref))
    if is_id(ref):
        address = unit.ref(PARTY.tag, str(ref))
        return (PartyId(str(ref)),) if await unit.get([address], check=False) else ()
    text = ref.strip()
    if not text or len(text) > _LONGEST:
        return ()
    found = await _by_key(unit, *_sources(text))
    if found:
        return found
    if "@" in text:
        return await _by_key(unit, address_key(text))
    if _PHONE.match(text):
        found = await _by_key(unit, address_key(text, region=region))
        if found:
            return found
    return await _by_name(unit, fold(text))


def _sources(text: str) -> list[Key]:
    """The records that ``"system#record"`` can mean: either side may hold the sign itself."""
    parts = text.split("#")
    keys: list[Key] = []
    for at in range(1, min(len(parts), _SPLITS)):
        with suppress(InvalidSource):
            keys.append(source_key(Source("#".join(parts[:at]), "#".join(parts[at:]))))
    return keys


async def _by_key(unit: Unit, *wanted: Key) -> tuple[PartyId, ...]:
    hits = await unit.find(wanted)
    return tuple(PartyId(ref.id) for refs in hits.values() for ref in refs if ref.kind == PARTY.tag)


async def _by_name(unit: Unit, folded: str) -> tuple[PartyId, ...]:
    """Parties with a name that begins with these words, at any word of the name."""
    if not folded:
        return ()
    whole = folded.encode("utf-8", "replace")
    prefix = whole[: NAME_BYTES - 1]
    found: dict[Ref, None] = {}
    after: str | None = None
    while len(found) < MOST:
        page = await unit.range(NAME, [folded[:1]], lo=prefix, hi=prefix + b"\xff", after=after, limit=MOST)
        found.update((ref, None) for ref in await unit.owners(ref for _, ref in page.items))
        after = page.next
        if after is None:
            break
    ids = [PartyId(ref.id) for ref in found if ref.kind == PARTY.tag]
    if len(whole) == len(prefix):
        return tuple(ids[:MOST])
    # The order holds only the beginning of a long name.
    records = await unit.get([unit.ref(PARTY.tag, id) for id in ids], check=False)
    parties = [load_record(PARTY, record) for record in records.values()]
    return tuple(p.id for p in parties if any(name.startswith(folded) for name in turned_names(p)))
