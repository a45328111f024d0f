"""G10: pages give what stays exactly once, whatever happens between them."""

from __future__ import annotations

from crmcore.errors import (
    InvalidRecord,
)
from crmcore.storage import (
    Ref,
    Sort,
    claims,
)
from crmcore.storage.capability import CHANGES
from crmcore.testing.kit import (
    ANN,
    SIZES,
    TENANT,
    A,
    Subject,
    Writer,
    append,
    delete,
    due,
    guarantee,
    holds,
    patience,
    put,
    record,
    ref,
    refused,
    same,
    uid,
)


@guarantee("G10")
async def a_scan_gives_what_stays_exactly_once(subject: Subject) -> None:
    """Records that are there all the time come once, whatever is put, changed and deleted around the cursor."""
    for size in SIZES:
        store = await subject.fresh()
        write = Writer(store)
        stays = [ref(number) for number in range(10, 40, 3)]
        await write(*(put(one) for one in stays), *(put(ref(number)) for number in range(11, 41, 3)))
        seen: list[Ref] = []
        cursor = None
        for step in patience():
            page = await store.scan(TENANT, "party", after=cursor, limit=size)
            holds(len(page.items) <= size, "more records than asked for")
            seen += [found.ref for found in page.items]
            cursor = page.next
            if cursor is None:
                break
            here = int(seen[-1].id[:8], 16)
            if step < 5:
                await write(put(ref(step)), put(ref(100 + step)), idem=f"more-{step}")
            for near in (ref(here), ref(here + 1)):
                if near not in stays and (found := await record(store, near)):
                    await write(delete(near, found.version), idem=f"less-{near.id}")
            await write(*(put(one, step + 1) for one in stays), idem=f"change-{step}")
        same(len(seen), len(set(seen)), f"the number of different records in pages of {size}")
        same([one for one in seen if one in stays], stays, f"the records that were there, in pages of {size}")
        await store.close()


@guarantee("G10")
async def a_range_gives_what_stays_exactly_once(subject: Subject) -> None:
    """The same of an order: equal values, insertions before and after, deletion of the item at the cursor."""
    for size in SIZES:
        for reverse in (False, True):
            store = await subject.fresh()
            write = Writer(store)
            stays = {ref(number): due(10 + number // 4) for number in range(0, 30, 2)}
            goes = {ref(number): due(10 + number // 4) for number in range(1, 31, 2)}
            await write(*(put(one, 0, {}, (), [sort]) for one, sort in (stays | goes).items()))
            seen: list[tuple[Sort, Ref]] = []
            cursor = None
            for step in patience():
                page = await store.range(TENANT, "due", [""], after=cursor, limit=size, reverse=reverse)
                seen += page.items
                cursor = page.next
                if cursor is None:
                    break
                at = page.items[-1][1]
                if at in goes:
                    await write(delete(at, 1), idem=f"less-{step}")
                if step < 5:
                    ends = [due(9), due(200)]
                    await write(put(ref(100 + step), 0, {}, (), ends), idem=f"more-{step}")
            same(len(seen), len(set(seen)), f"the number of different items in pages of {size}")
            got = [one for _, one in seen if one in stays]
            same(got, sorted(stays, reverse=reverse), f"the records that were there, in pages of {size}")
            await store.close()


@guarantee("G10")
async def shards_together_are_the_whole(subject: Subject) -> None:
    """Every record is in the scan of the shard that its id names, and in no other."""
    store = await subject.fresh()
    write = Writer(store)
    shards = [0, 1, 7, 2047, 2048, 4094, 4095]
    everybody = {ref(number, shard=shard) for number, shard in enumerate(shards * 2)}
    await write(*(put(one) for one in everybody))
    for bounds in ([(0, 4096)], [(0, 2048), (2048, 4096)], [(0, 1), (1, 8), (8, 4095), (4095, 4096), (5, 5)]):
        seen: list[Ref] = []
        for low, high in bounds:
            cursor = None
            for _ in patience():
                page = await store.scan(TENANT, "party", shards=(low, high), after=cursor, limit=3)
                for found in page.items:
                    holds(low <= int(found.ref.id[15:18], 16) < high, "a record of another shard")
                seen += [found.ref for found in page.items]
                cursor = page.next
                if cursor is None:
                    break
        same(sorted(seen), sorted(everybody), "all records of all shards")
    for wrong in ((-1, 5), (0, 4097), (5, 4)):
        await refused(InvalidRecord, store.scan(TENANT, "party", shards=wrong))


@guarantee("G10")
async def a_page_is_as_large_as_asked_for(subject: Subject) -> None:
    """A limit of nothing, or less, is refused by every call that has one."""
    store = await subject.fresh()
    await Writer(store)(put(A, 0, {}, [ANN], [due(1)]), append("log:1"))
    for wrong in (0, -1, 2**64):
        await refused(InvalidRecord, store.find(TENANT, [ANN], limit_per_key=wrong))
        await refused(InvalidRecord, store.fanout(TENANT, [ANN], cap=wrong))
        await refused(InvalidRecord, store.range(TENANT, "due", [""], limit=wrong))
        await refused(InvalidRecord, store.scan(TENANT, "party", limit=wrong))
        await refused(InvalidRecord, store.ledger(TENANT, ["log:1"], limit=wrong))
        if claims(store.describe(), CHANGES):
            await refused(InvalidRecord, store.changes(TENANT, limit=wrong))
    await refused(InvalidRecord, store.ledger(TENANT, ["log:1"], after={"log:1": 2**64}))
    await refused(InvalidRecord, store.ledger(TENANT, "log:1"))
    await refused(InvalidRecord, store.range(TENANT, "due", "abc"))
    same(dict(await store.find(TENANT, [])), {}, "the answer to no question")
    same(dict(await store.fanout(TENANT, [], cap=1)), {}, "the answer to no question")
    same(dict(await store.get([])), {}, "the answer to no question")
    same(dict(await store.ledger(TENANT, [])), {}, "the answer to no question")
    same((await store.range(TENANT, "due", [])).items, (), "the range of no part")
    holds(uid(1) < uid(2), "ids sort as their numbers do")
