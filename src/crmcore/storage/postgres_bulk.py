"""Bulk loading into PostgreSQL: one lock on the tenant, then each table is copied into in the order of its key.

Invariant: as in `crmcore.storage.bulk`. Rows go straight into the tables by COPY in its binary form, with all indexes
in place, so that a chunk is there whole when its transaction ends, and nothing has to be built afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial

from crmcore.storage.bulk import ChunkReceipt
from crmcore.storage.bulk_plan import CheckedChunk, chunk_receipt, refusals_text, sift
from crmcore.storage.erasing import erased_idem
from crmcore.storage.plan import Written, replayable
from crmcore.storage.postgres_copy import Copying, RecordRow
from crmcore.storage.postgres_driver import Asked, Link
from crmcore.storage.postgres_locks import whole_tenant
from crmcore.storage.postgres_lookup import (
    Applied,
    Search,
    applied,
    applied_of,
    head,
    known,
    tenant_for_writing,
    who,
)
from crmcore.storage.postgres_rows import Place
from crmcore.storage.postgres_transaction import Transaction
from crmcore.storage.postgres_write import Note, carry_out
from crmcore.storage.validate import Address

Given = Callable[[str], ChunkReceipt]
"""A receipt that lacks its position."""

_TENANT = "(SELECT no FROM {tenant} WHERE name = $1)"
_ANY_RECORD = (
    f"SELECT EXISTS (SELECT FROM {{record}} WHERE tenant = {_TENANT} AND kind = $2 AND id BETWEEN $3 AND $4)"
)
_ANY_ENTRY = f"SELECT EXISTS (SELECT FROM {{ledger}} WHERE tenant = {_TENANT} AND stream BETWEEN $2 AND $3)"


async def load(
    writing: Transaction, secret: bytes, exclusive: frozenset[str], checked: CheckedChunk
) -> tuple[Place, Given]:
    """Write what can be written of a chunk, or find that it is there; commits."""
    tenant, idem = checked.tenant, checked.idem
    kinds, asked = _doubts(tenant, checked.addresses, checked.streams)
    found_who, found_applied, *doubts = await writing.begin(
        whole_tenant(secret, tenant), who(tenant), applied(tenant, idem), *asked
    )
    before = await known(writing, tenant, idem, found_who, found_applied)
    if before is not None:
        return _again(tenant, before[1], checked.digest)
    doubtful = {kind for kind, ((there,),) in zip(kinds, doubts, strict=False) if there}
    streams = checked.streams if checked.streams and doubts[-1][0][0] else ()
    addresses = [address for address in checked.addresses if address[0] in doubtful]
    search = Search(secret, tenant, addresses, streams, checked.claims)
    answers = await writing.link.together(*search.asked) if search.asked else []
    plan, refused = sift(checked, *search.found(answers))
    owner = await tenant_for_writing(writing, tenant, found_who)
    idle = None if plan.events else await head(writing, tenant)
    copying = Copying(owner, secret, exclusive)
    new = [written for written in plan.written if not written.before.version]
    back = [written for written in plan.written if written.before.version]
    new.sort(key=_address)
    await copying.records(writing.link, map(_row, new))
    await copying.entries(writing.link, sorted([(add.stream, seq, *add[2:]) for add, seq in plan.entered]))
    if back:
        await copying.bring_back(writing.link, [_row(written) for written in back])
    await copying.rest(writing.link)
    text = refusals_text(refused)
    note = Note(idem, checked.digest, checked.at, checked.actor, checked.reason, checked.size, text)
    ((tx,),) = (await writing.commit(carry_out(owner, note, None, plan.events, idle)))[0]
    place = idle if idle is not None else (owner.era, int(tx), len(plan.events))
    return place, partial(_receipt, tenant, checked.size, text, checked.at, False)


async def loaded(link: Link, tenant: str, idem: str, digest: bytes) -> tuple[Place, Given] | None:
    """The receipt of a chunk that is there, or None."""
    rows, ((_, pepper, _),) = await link.together(applied(tenant, idem), who(tenant))
    found = applied_of(rows)
    if found is None and pepper:  # it may be known by another text, if what it wrote was erased
        (rows,) = await link.together(applied(tenant, erased_idem(idem, pepper)))
        found = applied_of(rows)
    return None if found is None else _again(tenant, found, digest)


def _again(tenant: str, found: Applied, digest: bytes) -> tuple[Place, Given]:
    replayable(found.digest, digest)
    return found.place, partial(_receipt, tenant, found.rows or 0, found.refused or "[]", found.at, True)


def _receipt(tenant: str, rows: int, refused: str, at: int, replayed: bool, position: str) -> ChunkReceipt:
    return chunk_receipt(tenant, position, rows, refused, at, replayed=replayed)


def _doubts(
    tenant: str, addresses: Collection[Address], streams: Collection[str]
) -> tuple[list[str], list[Asked]]:
    """One look for each kind, and one for all ledgers: what is new mostly lies beyond all that is there."""
    ids: dict[str, list[str]] = {}
    for kind, id_ in addresses:
        ids.setdefault(kind, []).append(id_)
    asked: list[Asked] = [(_ANY_RECORD, [tenant, kind, min(own), max(own)]) for kind, own in ids.items()]
    if streams:
        asked.append((_ANY_ENTRY, [tenant, min(streams, key=str.encode), max(streams, key=str.encode)]))
    return list(ids), asked


def _address(written: Written) -> Address:
    return written.after.address


def _row(written: Written) -> RecordRow:
    _, (kind, id_), _, schema, body, keys, sorts, carries, _ = written.after
    return kind, id_, written.version, schema, carries, body, keys, sorts
