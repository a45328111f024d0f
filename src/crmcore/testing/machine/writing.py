"""The steps that write, each compared with what the model does with the same.

Invariant: what a store is given is a copy, and is the same afterwards.
"""

from __future__ import annotations

import copy
from datetime import timedelta
from typing import Any

import attrs

from crmcore.errors import StoreError
from crmcore.storage import Batch, Chunk, backup_of, bulk_of, tenants_of
from crmcore.storage.capability import TENANTS
from crmcore.testing.kit import holds, same
from crmcore.testing.machine import drawing
from crmcore.testing.machine.play import Play
from crmcore.testing.story import exported


def op_told(op: Any) -> str:
    """An operation in a few words, without what it writes."""
    named: Any = getattr(op, "ref", None) or getattr(op, "stream", None) or getattr(op, "key", None)
    if hasattr(named, "id"):
        named = f"{named.kind}/{int(named.id[:8], 16)}"
    numbers = [str(getattr(op, name)) for name in ("expect", "expect_seq", "seq") if hasattr(op, name)]
    counts = [f"{len(getattr(op, name))} {name}" for name in ("keys", "sorts") if hasattr(op, name)]
    return " ".join([type(op).__name__, str(named), *numbers, *counts])


async def send(play: Play, tenant: str) -> None:
    await _apply(play, drawing.batch(play, tenant, drawing.operations(play, tenant)))


async def send_what_was_decided_too_early(play: Play, tenant: str) -> None:
    if ops := drawing.stale(play, tenant):
        play.counts["stale checks"] += 1
        await _apply(play, drawing.batch(play, tenant, ops))


async def send_again(play: Play, tenant: str) -> None:
    """A batch once more, later; or another one under its key."""
    before = [one for one in play.sent if one.tenant == tenant]
    if not before:
        return
    sent = play.chance.choice(before)
    changes: dict[str, Any] = {"at": sent.at + timedelta(hours=play.chance.randint(0, 3))}
    if play.likely(0.3):
        changes |= play.chance.choice([{"ops": sent.ops[:-1]}, {"reason": "another"}])
    play.counts["batches sent again"] += 1
    await _apply(play, attrs.evolve(sent, **changes), fresh=False)


async def _apply(play: Play, batch: Batch, *, fresh: bool = True) -> None:
    if fresh:
        play.sent.append(batch)
    play.tell(f"apply {batch.idem} of {batch.tenant}: {'; '.join(map(op_told, batch.ops))}")
    expected = play.model.apply(batch)
    given = copy.deepcopy(batch)
    got = await _answer(play, given)
    same(given, batch, "the batch that was passed in, afterwards")
    if isinstance(expected, str):
        holds(got in expected.split(" or "), f"the answer to a batch: {got}, not {expected}")
    else:
        same(got, expected, "the answer to a batch")


async def _answer(play: Play, batch: Batch) -> Any:
    try:
        receipt = await play.store.apply(batch)
    except StoreError as error:
        play.counts["batches refused"] += 1
        return type(error).__name__ if error.outcome == "not_applied" else error.outcome
    play.counts["batches applied"] += not receipt.replayed
    if (receipt.versions or receipt.seqs) and not receipt.replayed:
        places = play.places.setdefault(batch.tenant, [])
        places.append((receipt.position, len(play.model.feeds.get(batch.tenant, []))))
    play.given.append(receipt)
    return dict(receipt.versions), dict(receipt.seqs), receipt.at, receipt.replayed


async def load(play: Play, tenant: str) -> None:
    chunk = drawing.chunk(play, tenant)
    play.chunks.append(chunk)
    # Keeps the numbers of keys in step; sent again, it is a batch under the key of a chunk.
    play.sent.append(Batch(tenant=tenant, ops=(), idem=chunk.idem, actor=chunk.actor, at=chunk.at))
    await _load(play, chunk)


async def load_again(play: Play, tenant: str) -> None:
    before = [one for one in play.chunks if one.tenant == tenant]
    if before:
        await _load(play, play.chance.choice(before))


async def _load(play: Play, chunk: Chunk) -> None:
    play.tell(f"load {chunk.idem} of {chunk.tenant}: {len(chunk.rows)} rows")
    expected = play.model.load(chunk)
    try:
        receipt = await bulk_of(play.store).load(chunk)
    except StoreError as error:
        same(type(error).__name__, expected, "the answer to a chunk")
        return
    holds(not isinstance(expected, str), f"a chunk was written and not refused for {expected}")
    wrong, replayed = expected
    same(receipt.replayed, replayed, "whether the chunk was known")
    same([one.row for one in receipt.refused], sorted(wrong), "the rows that were refused")
    holds(receipt.written == receipt.rows - len(wrong), "the number of rows written")
    for one in receipt.refused:
        named = "".join(word.capitalize() for word in one.code.split("_"))
        holds(named in wrong[one.row].split(" or "), f"a row was refused for {named}, not {wrong[one.row]}")
    found = await bulk_of(play.store).loaded(chunk.tenant, chunk.idem, chunk.digest)
    same(found, attrs.evolve(receipt, replayed=True), "the receipt of the chunk")
    play.counts["chunks loaded"] += not replayed


async def drop(play: Play, tenant: str) -> None:
    """Everything of a tenant goes; what is written later begins anew."""
    if play.claims(TENANTS):
        play.tell(f"drop {tenant}")
        await tenants_of(play.store).drop_tenant(tenant)
        play.model.drop(tenant)
        play.forget(tenant)


async def reopen(play: Play, tenant: str) -> None:
    play.tell("close and open again")
    play.stores[0] = await play.subject.reopen(play.stores[0])


async def move(play: Play, tenant: str) -> None:
    """Go on with another store, into which a snapshot of this one was restored."""
    play.tell("export and restore into another store")
    rows = await exported(play.store, play.tenants)
    store = await play.subject.fresh()
    await backup_of(store).restore(iter(rows))
    await play.close()
    play.stores = [store]
    for one in play.tenants:
        play.forget(one)
