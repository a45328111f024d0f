"""Something of everything: what the checks of the optional parts write, read out, and search for.

Invariant: two stores to which the same story was told hold the same, but for places in the feed and cursors.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import attrs

from crmcore.storage import (
    AsyncStore,
    Batch,
    Multiset,
    Receipt,
    Stored,
    bulk_of,
    claims,
    stream_of,
)
from crmcore.storage.capability import BULK
from crmcore.testing.kit import (
    ANN,
    BOB,
    TENANT,
    A,
    B,
    C,
    Inconclusive,
    Picture,
    Writer,
    append,
    delete,
    due,
    feed,
    patience,
    picture,
    put,
    ref,
    rekey,
    source,
)
from crmcore.testing.rows import chunk, row

LEDGERS = ["party:1", "log:1", "log:2"]
SOUGHT = [ANN, BOB, source("1"), source("2")]
TENANTS = (TENANT, "other")


async def tell(store: AsyncStore, tenant: str = TENANT) -> Batch:
    """Write the story: records that live, that changed and that went, ledgers, receipts and a fence. The first batch of
    it is the answer, to be sent again."""
    write = Writer(store, tenant)
    one, two, three, note = (attrs.evolve(at, tenant=tenant) for at in (A, B, C, ref(1, kind="note")))
    first = write.batch(
        put(one, 0, {"n": 1, "name": "Ann"}, [ANN, source("1")], [due(1)]),
        append("party:1", {"n": 1}),
        put(two, 0, {"n": 2}, [BOB], [due(2, "a")], schema=3),
        idem=f"{tenant}-first",
        reason="the first",
    )
    await store.apply(first)
    await write(put(three), append("log:1", {"n": 1}), put(note, 0, {"note": ["é", None, True, {}]}, [ANN]))
    await write(put(one, 1, {"n": 10}, [ANN, source("1")], [due(5)]), append("log:1", {"n": 2}))
    await write(delete(three, 1), append("log:2", {"n": 1}, day=-3))
    await write(rekey(two, 1, [BOB, source("2")], [due(3)]))
    if claims(store.describe(), BULK):
        await bulk_of(store).load(chunk(row(40), row(41, source("1")), tenant=tenant, idem=f"{tenant}-load"))
    await store.outcome(tenant, f"{tenant}-never")
    return first


async def exported(store: AsyncStore, tenants: Iterable[str] | None = None, size: int = 1000) -> list[Stored]:
    """All rows of a snapshot, read *size* at a time.

    Raises:
        Inconclusive: if the store gives no snapshots.
    """
    if not claims(store.describe(), "stream"):
        raise Inconclusive("what is restored is compared by snapshots: claim `stream` too")
    snapshot = await stream_of(store).export(None if tenants is None else list(tenants))
    rows: list[Stored] = []
    try:
        for _ in patience():
            some = await snapshot.read(size)
            rows += some
            if not some:
                return rows
    finally:
        await snapshot.close()
    return rows


def digest(rows: Iterable[Stored]) -> str:
    """What two equal stores have the same, in whichever order they keep it."""
    return Multiset(rows).hexdigest()


async def seen(store: AsyncStore, tenant: str = TENANT) -> Picture:
    """All that can be seen of a tenant, without the places in the feed."""
    whole = await picture(store, SOUGHT, LEDGERS, tenant=tenant)
    changes = tuple(attrs.evolve(one, position="") for one in whole.changes)
    return attrs.evolve(whole, changes=changes)


def told(receipt: Receipt | None) -> Any:
    """A receipt without its place in the feed."""
    return receipt and (dict(receipt.versions), dict(receipt.seqs), receipt.at)


async def everything(store: AsyncStore) -> dict[str, Picture]:
    """What can be seen of both tenants."""
    return {tenant: await seen(store, tenant) for tenant in TENANTS}


async def changes_of(store: AsyncStore, tenant: str = TENANT) -> int:
    """How many changes the feed of a tenant has."""
    return len(await feed(store, tenant))
