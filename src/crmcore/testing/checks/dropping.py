"""G7 and G14 for stores that list and drop tenants (``tenants``)."""

from __future__ import annotations

from crmcore.errors import InvalidRecord, PositionExpired
from crmcore.storage import tenants_of
from crmcore.storage.capability import TENANTS
from crmcore.testing.kit import (
    KEYS,
    STREAMS,
    TENANT,
    NotAsked,
    Subject,
    Writer,
    feed,
    guarantee,
    has_feed,
    holds,
    patience,
    picture,
    put,
    ref,
    refused,
    same,
)
from crmcore.testing.story import tell


async def _names(store: object, size: int) -> list[str]:
    names: list[str] = []
    cursor = None
    for _ in patience():
        page = await tenants_of(store).tenants(after=cursor, limit=size)  # type: ignore[arg-type]  # a store
        names += page.items
        cursor = page.next
        if cursor is None:
            break
    return names


@guarantee("G7", part=TENANTS)
async def tenants_are_listed_in_the_order_of_their_names(subject: Subject) -> None:
    """Who has something is listed once, in pages of any size; who has nothing is not."""
    store = await subject.fresh()
    same(await _names(store, 10), [], "the tenants of an empty store")
    names = ["b", "a", "A", "Z", "ä", "z", "10", "9", "a b"]
    for tenant in names:
        await Writer(store, tenant)(put(ref(1, tenant=tenant)))
    await feed(store, "nobody")
    for size in (1, 3, 100):
        same(await _names(store, size), sorted(names), f"the tenants in pages of {size}")
    for wrong in ("x", "é", "0"):
        await refused(InvalidRecord, tenants_of(store).tenants(after=wrong))
    await refused(InvalidRecord, tenants_of(store).tenants(limit=0))


@guarantee("G14", part=TENANTS)
async def a_dropped_tenant_has_nothing_and_others_all(subject: Subject) -> None:
    """Dropping a tenant takes its records, ledgers, feed, receipts and name, and nothing of anybody else; dropping it
    again, or one that has nothing, is no error."""
    store = await subject.fresh()
    first = await tell(store)
    await tell(store, "other")
    before = await picture(store, KEYS, STREAMS, tenant="other")
    report = await tenants_of(store).drop_tenant(TENANT)
    holds(report.records >= 3 and report.entries >= 4, "the report counts less than there was")
    nothing = await picture(store, KEYS, STREAMS)
    same((nothing.records, nothing.ordered, nothing.changes), ({}, (), ()), "what can be seen of it")
    same(set(nothing.ledgers.values()) | set(nothing.found.values()), {()}, "its ledgers and keys")
    same(await picture(store, KEYS, STREAMS, tenant="other"), before, "what can be seen of the other tenant")
    same(await _names(store, 10), ["other"], "the tenants")
    again = await tenants_of(store).drop_tenant(TENANT)
    same((again.records, again.entries), (0, 0), "what was dropped the second time")
    holds(not (await store.apply(first)).replayed, "a receipt of the dropped tenant is still known")


@guarantee("G9", part=TENANTS)
async def who_follows_a_dropped_tenant_is_told_so(subject: Subject) -> None:
    """Positions from before a tenant was dropped are refused with PositionExpired, also when it has more changes than
    before; the beginning is always the beginning."""
    store = await subject.fresh()
    if not has_feed(store):
        raise NotAsked("the store has no feed")
    await tell(store)
    await tell(store, "other")
    page = await store.changes(TENANT, limit=3)
    places = [*(one.position for one in page.items), page.watermark]
    elsewhere = (await store.changes("other")).watermark
    await tenants_of(store).drop_tenant(TENANT)
    for number in range(3):
        for place in places:
            await refused(PositionExpired, store.changes(TENANT, place))
        same((await store.changes("other", elsewhere)).items, (), "what is new of the other tenant")
        same(len((await store.changes(TENANT)).items), 20 * number, "the changes from the beginning")
        new = [put(ref(100 + 20 * number + more)) for more in range(20)]
        await Writer(store)(*new, idem=f"after-{number}")
