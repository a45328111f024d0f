"""G9 and G10: reading on, page by page, while others write."""

from __future__ import annotations

from crmcore.storage import Key, Ref
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
    feed,
    guarantee,
    holds,
    patience,
    put,
    ref,
    same,
    scanned,
)


@guarantee("G10", least={"steps over a deletion": 20})
async def find_gives_what_stays_exactly_once(subject: Subject) -> None:
    """Who carries a key all the time is found once, whatever else takes or loses the key between two pages."""
    for size in SIZES[:4]:
        store = await subject.fresh()
        write = Writer(store)
        stays = [ref(number) for number in range(10, 70, 4)]
        goes = [ref(number) for number in range(11, 71, 4)]
        await write(*(put(one, 0, {}, [ANN]) for one in (*stays, *goes)))
        seen: list[Ref] = []
        after: dict[Key, str] = {}
        for step in patience():
            hits = (await store.find(TENANT, [ANN], limit_per_key=size, after=after))[ANN]
            seen += hits.refs
            if hits.next is None:
                break
            after = {ANN: hits.next}
            for one in (seen[-1], ref(int(seen[-1].id[:8], 16) + 1)):
                if one in goes:
                    await write(delete(one, 1), idem=f"less-{one.id}")
                    goes.remove(one)
                    subject.saw("steps over a deletion")
            if step < 10:
                more = [put(ref(number), 0, {}, [ANN]) for number in (step, 500 + step)]
                await write(*more, idem=f"more-{step}")
        same(len(seen), len(set(seen)), f"the number of different records in pages of {size}")
        same([one for one in seen if one in stays], stays, f"the records that stayed, in pages of {size}")
        await store.close()


@guarantee("G9", part=CHANGES, least={"pages with a write between": 20})
async def nothing_appears_behind_a_reader_of_the_feed(subject: Subject) -> None:
    """Who reads the feed page by page while others write sees at last what the whole feed has, in the same order."""
    for size in SIZES[:4]:
        store = await subject.fresh()
        write = Writer(store)
        seen: list[str] = []
        position = ""
        for step in range(12):
            number = (await write(put(ref(step)), append("log:1")))[ref(step)]
            if step % 3 == 2:
                await write(put(ref(step - 1), number), idem=f"again-{step}")
            page = await store.changes(TENANT, position, size)
            seen += [one.position for one in page.items]
            position = page.next
            behind = await store.changes(TENANT, page.watermark)
            same(behind.items, (), "what comes after the watermark when nobody writes")
            subject.saw("pages with a write between")
        for _ in patience():
            page = await store.changes(TENANT, position, size)
            seen += [one.position for one in page.items]
            if not page.items:
                break
            position = page.next
        same(seen, [one.position for one in await feed(store)], f"the feed read in pages of {size}")
        await store.close()


@guarantee("G9", part=CHANGES)
async def the_feed_ascends_for_every_record_and_ledger(subject: Subject) -> None:
    """In the feed the versions of a record and the numbers of a ledger ascend, and the changes of a batch are
    together."""
    store = await subject.fresh()
    write = Writer(store)
    version = 0
    for step in range(15):
        ops = [append("log:1"), append(f"log:{step % 3}")]
        if step % 4 == 3:
            version = (await write(delete(A, version), *ops))[A]
        else:
            version = (await write(put(A, version if step % 4 else 0), *ops))[A]
    changes = await feed(store, size=4)
    last: dict[object, int] = {}
    batches: list[str] = []
    for one in changes:
        name, number = one.ref or one.stream, one.version or one.seq or 0
        holds(number > last.get(name, 0), "a version or number comes again, or too late")
        last[name] = number
        if not batches or batches[-1] != one.idem:
            batches.append(one.idem)
    same(len(batches), len(set(batches)), "the number of batches, each in one piece")
    same(len(changes), 45, "the number of changes")


@guarantee("G8", least={"pages with a write between": 20})
async def a_ledger_that_grows_is_read_to_its_end(subject: Subject) -> None:
    """Entries that are added while a ledger is read come after those that were there, each once."""
    for size in (1, 2, 3):
        store = await subject.fresh()
        write = Writer(store)
        await write(*(append("log:1", {"n": n}) for n in range(1, 11)))
        seen: list[int] = []
        after, length = {"log:1": 0}, 10
        for step in patience():
            page = (await store.ledger(TENANT, ["log:1"], after=after, limit=size))["log:1"]
            seen += [one.seq for one in page.items]
            if page.next is None:
                break
            after = {"log:1": int(page.next)}
            if step < 8:
                await write(append("log:1"), append("log:2"))
                length += 1
                subject.saw("pages with a write between")
        same(seen, list(range(1, length + 1)), f"the entries in pages of {size}")
        await store.close()


@guarantee("G10")
async def what_comes_and_goes_is_scanned_as_it_is(subject: Subject) -> None:
    """After any sequence of puts and deletions a scan has exactly the records that get has."""
    store = await subject.fresh()
    write = Writer(store)
    versions: dict[Ref, int] = {}
    live: set[Ref] = set()
    for step in range(60):
        one = ref(step * 7 % 11)
        if one in live:
            op = delete(one, versions[one])
            live.discard(one)
        else:
            op = put(one)  # type: ignore[assignment]  # one or the other
            live.add(one)
        versions[one] = (await write(op))[one]
        if step % 10 == 9:
            there = await store.get([ref(number) for number in range(11)])
            same({found.ref for found in await scanned(store, size=3)}, live, "the records of the scan")
            same(set(there), live, "the records that are got")
