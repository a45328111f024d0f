"""Erasing in PostgreSQL, and what is left of the erased on the disks of a server.

Invariant: what is erased is taken out of the tables in one transaction under the lock of the whole tenant. PostgreSQL
never overwrites what it deletes, so the report of every erasure that found something says where its bytes stay.
"""

from __future__ import annotations

from collections.abc import Sequence

from crmcore.storage.erasing import (
    EMPTY,
    STRIPPED,
    CheckedErasure,
    entry_erased,
    erased_idem,
    kept,
    new_pepper,
    record_erased,
    remaining_subjects,
    stripped_by,
)
from crmcore.storage.erasure import ERASED, ErasureReport, Residual
from crmcore.storage.plan import Event, Plan, Written
from crmcore.storage.postgres_driver import Asked
from crmcore.storage.postgres_exchange import Row
from crmcore.storage.postgres_locks import whole_tenant
from crmcore.storage.postgres_lookup import Search, Tenant, events_of, head, who
from crmcore.storage.postgres_transaction import Transaction
from crmcore.storage.postgres_write import Note, carry_out, effects
from crmcore.storage.validate import Write, instant

RESIDUAL = (
    Residual(
        place="heap",
        what="rows of before, in the tables' files on the server, until their space is used again",
        remedy="VACUUM FULL of the tables of this schema, by their owner; it locks each while it is written anew",
    ),
    Residual(
        place="write_ahead_log",
        what="rows of before and the changes to them, in the log that the server keeps and archives",
        remedy="a CHECKPOINT, then waiting until those segments are recycled; archived ones are to be deleted",
    ),
    Residual(
        place="replicas",
        what="the same, on every standby, with its own log",
        remedy="it follows the server; its log is recycled as the server's is",
    ),
    Residual(
        place="backups",
        what="whatever was there when they were made",
        remedy="let them lapse; after restoring an older one, do its erasures again (erasures())",
    ),
)
"""What remains of everything erased. The server does not say until when."""

_TENANT = "(SELECT no FROM {tenant} WHERE name = $1)"
_NAMED = (
    "SELECT l.stream, l.seq, l.subjects, l.schema, l.body FROM {ledger} AS l WHERE l.tenant = $1 AND ("
    "l.stream = ANY ($2::text[]) "
    "OR (l.stream, l.seq) IN (SELECT * FROM unnest($3::text[], $4::bigint[])) "
    "OR (cardinality($5::text[]) > 0 AND l.subjects::jsonb ?| $5::text[])) ORDER BY l.stream, l.seq"
)
_BURY = (
    "UPDATE {ledger} AS l SET occurred = $2, recorded = $2, subjects = a3, schema = $3, body = $4 "
    "FROM unnest($5::text[], $6::bigint[], $7::text[]) AS given (a1, a2, a3) "
    "WHERE l.tenant = $1 AND l.stream = a1 AND l.seq = a2"
)
# A change names a record by kind, id and version, and an entry by stream, an empty id and its number.
_WRITERS = (
    "SELECT DISTINCT b.idem FROM {feed} AS f CROSS JOIN LATERAL jsonb_array_elements(f.changes::jsonb) AS c (change) "
    "JOIN {batch} AS b ON b.tenant = f.tenant AND b.era = f.era AND b.tx = f.tx AND b.no = f.no "
    "WHERE f.tenant = $1 AND b.digest <> '' AND change ->> 0 <> 'erase' AND ("
    "(change ->> 1, change ->> 2) IN (SELECT * FROM unnest($2::text[], $3::text[])) OR (change ->> 2 = '' AND "
    "(change ->> 1, (change ->> 3)::bigint) IN (SELECT * FROM unnest($4::text[], $5::bigint[])))) "
    "UNION SELECT b.idem FROM {batch} AS b CROSS JOIN LATERAL jsonb_array_elements(b.rekeyed::jsonb) AS c (place) "
    "WHERE b.tenant = $1 AND b.digest <> '' AND b.rekeyed IS NOT NULL "
    "AND (place ->> 0, place ->> 1) IN (SELECT * FROM unnest($2::text[], $3::text[]))"
)
_STRIP = (
    "UPDATE {batch} AS b SET idem = a2, digest = $2, reason = NULL FROM unnest($3::text[], $4::text[]) "
    "AS given (a1, a2) WHERE b.tenant = $1 AND b.idem = a1"
)
_PEPPER = "UPDATE {tenant} SET pepper = $2 WHERE no = $1"


async def erase(
    writing: Transaction, secret: bytes, exclusive: frozenset[str], owner: Tenant, checked: CheckedErasure
) -> ErasureReport:
    """Do what *checked* asks for, which was not done before; commits."""
    search = Search(secret, checked.tenant, checked.addresses, (), ())
    current = search.found(await writing.link.together(*search.asked) if search.asked else []).current
    written = tuple(
        Written(Write("delete", address, before.version), before.version + 1, before)
        for address, before in sorted(current.items())
        if before.live
    )
    named = await _named(writing, owner, checked)
    tombstones = [
        (stream, seq, stays)
        for stream, seq, subjects, schema, body in named
        if (stays := remaining_subjects(subjects, schema, body, checked.subjects)) is not None
    ]
    batches = await _writers(writing, owner, checked, named)
    if tombstones:
        columns = map(list, zip(*tombstones, strict=True))
        await writing.ask(_BURY, owner.number, checked.at, ERASED, EMPTY, *columns)
    await _strip(writing, owner, batches)
    events = [record_erased(one.after.address, one.before.version) for one in written]
    events += [entry_erased(stream, seq) for stream, seq, _ in tombstones]
    idle = None if events else await head(writing, checked.tenant)
    note = Note(
        checked.idem,
        checked.digest,
        checked.at,
        checked.actor,
        checked.reason,
        erasure=kept(checked, len(batches)),
    )
    done = effects(secret, exclusive, Plan(written, (), ()))
    await writing.commit(carry_out(owner, note, done, events, idle))
    return _report(events, len(batches), checked.at, replayed=False)


async def erased_before(writing: Transaction, tenant: str, kept_as: str, text: str, at: int) -> ErasureReport:
    """The report of an erasure that was done, made from what is kept of it."""
    events = await events_of(writing, tenant, kept_as)
    return _report(events, stripped_by(text), at, replayed=True)


def _report(events: Sequence[Event], batches: int, at: int, *, replayed: bool) -> ErasureReport:
    records = sum(1 for event in events if event.id)
    return ErasureReport(
        records=records,
        entries=len(events) - records,
        batches=batches,
        residual=RESIDUAL if events or batches else (),
        at=instant(at),
        replayed=replayed,
    )


async def _named(writing: Transaction, owner: Tenant, checked: CheckedErasure) -> list[Row]:
    if not (checked.streams or checked.entries or checked.subjects):
        return []
    places = [list(column) for column in zip(*checked.entries, strict=True)] or [[], []]
    return await writing.ask(_NAMED, owner.number, list(checked.streams), *places, sorted(checked.subjects))


async def _writers(
    writing: Transaction, owner: Tenant, checked: CheckedErasure, named: Sequence[Row]
) -> list[str]:
    """The batches that wrote or rekeyed something of what is erased, but for those that are stripped already."""
    if not checked.addresses and not named:
        return []
    kinds = [kind for kind, _ in checked.addresses]
    ids = [id_ for _, id_ in checked.addresses]
    streams, seqs = [row[0] for row in named], [row[1] for row in named]
    rows = await writing.ask(_WRITERS, owner.number, kinds, ids, streams, seqs)
    return [idem for (idem,) in rows]


async def _strip(writing: Transaction, owner: Tenant, batches: Sequence[str]) -> None:
    """Keep of batches what they changed and by whom, and no more."""
    pepper = owner.pepper
    if not pepper:
        pepper = new_pepper()
        await writing.ask(_PEPPER, owner.number, pepper)
    if batches:
        forms = [erased_idem(idem, pepper) for idem in batches]
        await writing.ask(_STRIP, owner.number, STRIPPED, list(batches), forms)


_ERASURES = (
    "SELECT era, tx::text, no, erasure, idem, at, actor, reason FROM {batch} "
    f"WHERE tenant = {_TENANT} AND erasure IS NOT NULL AND (era, tx, no) > ($2::integer, $3::xid8, $4::integer) "
    "ORDER BY era, tx, no LIMIT $5"
)


def erasures(tenant: str, after: tuple[int, ...], limit: int) -> Asked:
    """The erasures after a place, one more than *limit* if there are more."""
    return _ERASURES, [tenant, after[0], str(after[1]), after[2], limit + 1]


def since(rows: Sequence[Row]) -> list[tuple[tuple[int, int, int], Row]]:
    """The answer to `erasures`: the place of each, and the rest."""
    return [((era, int(tx), no), tuple(rest)) for era, tx, no, *rest in rows]


_COUNTS = (
    "SELECT (SELECT count(*) FROM {record} WHERE tenant = $1 AND body IS NOT NULL), "
    "(SELECT count(*) FROM {ledger} WHERE tenant = $1), "
    "(SELECT count(*) FROM {batch} WHERE tenant = $1 AND digest IS NOT NULL)"
)
_DROPS = tuple(
    f"DELETE FROM {{{table}}} WHERE tenant = $1"
    for table in "feed batch ledger key claim sort record".split()
)


async def drop(writing: Transaction, secret: bytes, tenant: str) -> ErasureReport:
    """Take away all of a tenant; commits."""
    (found,) = await writing.begin(whole_tenant(secret, tenant), who(tenant))
    number = found[0][0]
    if number is None:
        return ErasureReport(records=0, entries=0, batches=0, residual=())
    ((records, entries, batches),) = await writing.ask(_COUNTS, number)
    drops = [(statement, [number]) for statement in _DROPS]
    await writing.commit(*drops, ("DELETE FROM {tenant} WHERE no = $1", [number]))
    return ErasureReport(records=records, entries=entries, batches=batches, residual=RESIDUAL)
