"""What bulk loading promises of a chunk that is sent again."""

from __future__ import annotations

import attrs

from crmcore.errors import (
    Fenced,
    IdempotencyMismatch,
    StoreClosed,
)
from crmcore.storage import (
    bulk_of,
)
from crmcore.storage.capability import BULK
from crmcore.testing.checks.loading import loading
from crmcore.testing.kit import (
    TENANT,
    Broken,
    Subject,
    Writer,
    guarantee,
    picture,
    put,
    ref,
    refused,
    same,
    source,
)
from crmcore.testing.rows import chunk, row


@guarantee("G4", part=BULK)
async def a_chunk_sent_again_writes_nothing(subject: Subject) -> None:
    """The same chunk, also with other ids, is answered as the first time; another under its key is refused."""
    store, bulk = await loading(subject)
    first = await bulk.load(chunk(row(1, source("s")), row(2, source("s"))))
    before = await picture(store, [source("s")], ["party:1"])
    again = attrs.evolve(first, replayed=True)
    same(await bulk.load(chunk(row(7, source("s")), row(8))), again, "the receipt of the second time")
    same(await bulk.loaded(TENANT, "load:1", "rows"), again, "the receipt that was asked for")
    await refused(IdempotencyMismatch, bulk.load(chunk(row(3), digest="other rows")))
    await refused(IdempotencyMismatch, bulk.loaded(TENANT, "load:1", "other rows"))
    await refused(IdempotencyMismatch, store.apply(Writer(store).batch(put(ref(3)), idem="load:1")))
    same(await picture(store, [source("s")], ["party:1"]), before, "what the store has")


@guarantee("G12", part=BULK)
async def asking_for_a_chunk_does_not_fence_it(subject: Subject) -> None:
    """loaded answers None as often as it is asked, and the chunk may still come; after outcome it may not."""
    store, bulk = await loading(subject)
    try:
        for _ in range(2):
            same(await bulk.loaded(TENANT, "load:1", "rows"), None, "a chunk that never came")
        same((await bulk.load(chunk(row(1)))).replayed, False, "whether it had come before")
    except Fenced:
        raise Broken("the chunk was fenced") from None
    same(await store.outcome(TENANT, "load:2"), None, "the outcome of a chunk that never came")
    await refused(Fenced, bulk.load(chunk(row(2), idem="load:2")))
    await refused(Fenced, bulk.loaded(TENANT, "load:2", "rows"))
    same(await bulk.loaded("other", "load:1", "rows"), None, "the chunk of another tenant")


@guarantee("G11", durable=True, part=BULK)
async def a_reopened_store_knows_its_chunks(subject: Subject) -> None:
    """After closing and opening again, a chunk is answered as before."""
    store, bulk = await loading(subject)
    first = await bulk.load(chunk(row(1, source("s")), row(2, source("s"))))
    store = await subject.reopen(store)
    same(await bulk_of(store).load(chunk(row(5))), attrs.evolve(first, replayed=True), "the receipt")
    await store.close()
    await refused(StoreClosed, bulk_of(store).load(chunk(row(6), idem="load:2")))
