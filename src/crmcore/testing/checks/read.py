"""G5, G7 to G10: what can be found, by whom, and in which order."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from crmcore.errors import InvalidRecord, StreamConflict, TenantMismatch, VersionConflict
from crmcore.storage import AsyncStore, Check, CheckKey, Key, Ref, Sort
from crmcore.testing.kit import (
    TENANT,
    Subject,
    Writer,
    append,
    carriers,
    delete,
    email,
    feed,
    guarantee,
    holds,
    ledger,
    name_sort,
    patience,
    put,
    record,
    ref,
    refused,
    rekey,
    same,
    scanned,
    source,
    uid,
)
from crmcore.values.source import Actor

A, B, C = ref(1), ref(2), ref(3)
ANN, BOB = email("ann@x.org"), email("bob@x.org")
SIZES = (1, 2, 3, 7, 500)


# --- G5: the indexes say what the records say ---------------------------------------------------------


@guarantee("G5")
async def find_gives_exactly_the_records_that_carry_a_key(subject: Subject) -> None:
    """A key finds the records that carry it now: after a change, a Rekey and a Delete no others."""
    store = await subject.fresh()
    write = Writer(store)
    await write(put(A, 0, {}, [ANN, BOB]), put(B, 0, {}, [ANN]), put(ref(1, kind="note"), 0, {}, [ANN]))
    same(await carriers(store, ANN), (ref(1, kind="note"), A, B), "who carries the key, by kind and id")
    await write(put(A, 1, {}, [BOB]))
    same(await carriers(store, ANN), (ref(1, kind="note"), B), "who carries it after one lost it")
    await write(rekey(B, 1, [BOB]), rekey(A, 2, [ANN]))
    same(
        (await carriers(store, ANN), await carriers(store, BOB)),
        ((ref(1, kind="note"), A), (B,)),
        "after Rekey",
    )
    await write(delete(A, 2))
    same(await carriers(store, ANN), (ref(1, kind="note"),), "who carries it after one was deleted")
    await write(put(A))
    same(
        await carriers(store, ANN),
        (ref(1, kind="note"),),
        "who carries it after that one came back without it",
    )


@guarantee("G5")
async def keys_are_compared_byte_by_byte(subject: Subject) -> None:
    """Nothing is folded: case, accents, width and blanks are part of a key, and so is its namespace."""
    store = await subject.fresh()
    write = Writer(store)
    values = [
        "a", "A", " a", "a ", "ä", "a\u0308", "\u00c5", "\u212b", "ß", "ss", "ẞ", "İ", "i̇", "ﬁ", "fi", "\uff41", "%",
        "_", "", "a\x1fb", "😀", "a\u202eb",
    ]  # fmt: skip
    await write(*(put(ref(number), 0, {}, [email(value)]) for number, value in enumerate(values)))
    for number, value in enumerate(values):
        same(await carriers(store, email(value)), (ref(number),), f"who carries the key number {number}")
        same(await carriers(store, Key("phone", value)), (), "who carries it in another namespace")


@guarantee("G5")
async def find_never_ends_early_in_silence(subject: Subject) -> None:
    """A key that more records carry than asked for gives a cursor, and the pages together give each once."""
    store = await subject.fresh()
    write = Writer(store)
    everybody = [ref(number) for number in range(10)]
    await write(*(put(one, 0, {}, [ANN]) for one in everybody), put(ref(99), 0, {}, [BOB]))
    for size in SIZES:
        found: list[Ref] = []
        after: dict[Key, str] = {}
        for _ in patience():
            hits = await store.find(TENANT, [ANN, BOB], limit_per_key=size, after=after)
            same(set(hits), {ANN, BOB}, "the keys of the answer")
            same(hits[BOB].refs, (ref(99),), "the hits of a key without a cursor")
            holds(len(hits[ANN].refs) <= size, "more hits than asked for")
            found += hits[ANN].refs
            cursor = hits[ANN].next
            if cursor is None:
                break
            after = {ANN: cursor}
        same(found, everybody, f"all hits in pages of {size}")
    same(
        (await store.find(TENANT, [email("x")]))[email("x")].refs, (), "the hits of a key that nobody carries"
    )


@guarantee("G5")
async def fanout_counts_to_its_cap(subject: Subject) -> None:
    """Fanout is the number of carriers, or the cap if there are more."""
    store = await subject.fresh()
    write = Writer(store)
    await write(*(put(ref(number), 0, {}, [ANN]) for number in range(5)))
    for cap, expected in ((1, 1), (4, 4), (5, 5), (6, 5), (1000, 5)):
        counts = await store.fanout(TENANT, [ANN, BOB], cap=cap)
        same(dict(counts), {ANN: expected, BOB: 0}, f"the fan-out with a cap of {cap}")


@guarantee("G5")
async def range_gives_exactly_what_the_records_carry(subject: Subject) -> None:
    """A sort is in the order as long as its record carries it: after a change, a Rekey and a Delete no longer."""
    store = await subject.fresh()
    write = Writer(store)
    await write(
        put(A, 0, {}, (), [name_sort(b"a"), name_sort(b"c"), Sort("due", "", b"x")]),
        put(B, 0, {}, (), [name_sort(b"b")]),
    )

    async def order() -> list[tuple[bytes, Ref]]:
        return [(sort.value, at) for sort, at in (await store.range(TENANT, "name", [""])).items]

    same(await order(), [(b"a", A), (b"b", B), (b"c", A)], "the order")
    await write(put(A, 1, {}, (), [name_sort(b"c")]))
    same(await order(), [(b"b", B), (b"c", A)], "the order after a change")
    await write(rekey(A, 2, (), [name_sort(b"a")]), delete(B, 1))
    same(await order(), [(b"a", A)], "the order after Rekey and Delete")


@guarantee("G5")
async def range_is_half_open_and_ordered_by_bytes(subject: Subject) -> None:
    """Values compare as bytes, then the id decides; ``lo`` is within, ``hi`` is not; reversed is the reverse."""
    store = await subject.fresh()
    write = Writer(store)
    values = [
        b"",
        b"\x00",
        b"\x00\x00",
        b"A",
        b"a",
        b"a\x00",
        b"aa",
        b"b",
        b"\x7f",
        b"\x80",
        b"\xff",
        b"\xff" * 64,
    ]
    await write(
        *(put(ref(99 - number), 0, {}, (), [name_sort(value)]) for number, value in enumerate(values))
    )
    await write(put(ref(3), 0, {}, (), [name_sort(b"a")]), put(ref(200), 0, {}, (), [name_sort(b"a")]))
    items = [(value, ref(99 - number)) for number, value in enumerate(values)]
    items += [(b"a", ref(3)), (b"a", ref(200))]
    items.sort()
    for lo, hi in (
        (None, None),
        (b"a", None),
        (None, b"a"),
        (b"a", b"b"),
        (b"", b""),
        (b"b", b"a"),
        (b"a", b"a\x00"),
    ):
        expected = [item for item in items if (lo is None or item[0] >= lo) and (hi is None or item[0] < hi)]
        for reverse in (False, True):
            page = await store.range(TENANT, "name", [""], lo=lo, hi=hi, reverse=reverse)
            got = [(sort.value, at) for sort, at in page.items]
            same(got, expected[::-1] if reverse else expected, f"the range from {lo!r} to {hi!r}")


@guarantee("G5")
async def range_merges_several_parts_into_one_order(subject: Subject) -> None:
    """Several parts are read as if they were one, each item once, also a record that is in two of them."""
    store = await subject.fresh()
    write = Writer(store)
    for number in range(12):
        parts = ["a", "b", "c"] if number % 5 == 0 else ["abc"[number % 3]]
        await write(put(ref(number), 0, {}, (), [name_sort(bytes([number // 2]), part) for part in parts]))
    whole = (await store.range(TENANT, "name", ["b", "a", "x", "a"], limit=1000)).items
    same(len(whole), len(set(whole)), "the number of different items")
    same(
        [(sort.value, at.id) for sort, at in whole],
        sorted((sort.value, at.id) for sort, at in whole),
        "the order",
    )
    expected = {
        (name_sort(bytes([number // 2]), part), ref(number))
        for number in range(12)
        for part in "ab"
        if number % 5 == 0 or "abc"[number % 3] == part
    }
    same(set(whole), expected, "the items")
    for size in SIZES:
        for reverse in (False, True):
            got: list[tuple[Sort, Ref]] = []
            cursor = None
            for _ in patience():
                page = await store.range(
                    TENANT, "name", ["a", "b", "x"], after=cursor, limit=size, reverse=reverse
                )
                got += page.items
                cursor = page.next
                if cursor is None:
                    break
            same(got, list(whole[::-1] if reverse else whole), f"the items in pages of {size}")


# --- G7: the wall between tenants ---------------------------------------------------------------------


@guarantee("G7")
async def no_call_sees_another_tenant(subject: Subject) -> None:
    """Two tenants with the same ids, keys and streams read what is theirs, and change what is theirs."""
    store = await subject.fresh()
    for tenant in ("acme", "other"):
        write = Writer(store, tenant)
        one = ref(1, tenant=tenant)
        await write(
            put(one, 0, {"of": tenant}, [ANN, source("1")], [name_sort(b"a")]),
            append("log:1", {"of": tenant}),
        )
    await Writer(store, "other")(
        put(ref(2, tenant="other"), 0, {}, [ANN], [name_sort(b"b")]), append("log:1"), idem="x"
    )
    await Writer(store, "other")(put(ref(1, tenant="other"), 1, {"of": "changed"}), idem="y")
    found = await record(store, A)
    same(found and (found.version, found.body), (1, {"of": "acme"}), "the record")
    same(await record(store, B), None, "a record that only the other tenant has")
    same(await carriers(store, ANN), (A,), "who carries the key")
    same(dict(await store.fanout(TENANT, [ANN], cap=9)), {ANN: 1}, "the fan-out")
    same([at for _, at in (await store.range(TENANT, "name", [""])).items], [A], "the range")
    same([one.ref for one in await scanned(store)], [A], "the scan")
    same([entry.body for entry in await ledger(store, "log:1")], [{"of": "acme"}], "the ledger")
    same([change.ref or change.stream for change in await feed(store)], [A, "log:1"], "the feed")
    same(await store.outcome("acme", "y"), None, "the outcome of a batch of the other tenant")
    for nobody in ("nobody", "ACME", "acme "):
        same(await carriers(store, ANN, nobody), (), "who carries the key for a tenant that has nothing")
        same(await feed(store, nobody), [], "the feed of a tenant that has nothing")


@guarantee("G7")
async def an_operation_on_another_tenant_is_refused(subject: Subject) -> None:
    """A batch writes and checks within its tenant only."""
    store = await subject.fresh()
    write = Writer(store)
    there = ref(1, tenant="other")
    await Writer(store, "other")(put(there, 0, {}, [source("1")]))
    await write(put(A, 0, {}, [source("1")]))
    for op in (
        put(there, 1),
        put(ref(5, tenant="other")),
        delete(there, 1),
        rekey(there, 1),
        Check(ref=there, expect=1),
        CheckKey(key=source("1"), holder=there),
    ):
        await refused(TenantMismatch, store.apply(write.batch(put(C), op)))
    same(await record(store, C), None, "what came with the refused operation")
    found = await record(store, there)
    same(found and found.version, 1, "the version of the other tenant's record")


@guarantee("G7")
async def a_cursor_is_good_for_one_tenant_and_one_question(subject: Subject) -> None:
    """A cursor that was forged, altered, or given by another tenant, call or question is refused."""
    store = await subject.fresh()
    for tenant in ("acme", "other"):
        await Writer(store, tenant)(
            *(put(ref(n, tenant=tenant), 0, {}, [ANN], [name_sort(b"a")]) for n in range(3))
        )
    ask = _questions(store)
    cursors = {name: await _first_cursor(call) for name, call in ask.items()}
    for name, call in ask.items():
        await call(cursors[name])
        wrong = [cursor for other, cursor in cursors.items() if other != name]
        good = cursors[name]
        flipped = good[:-1] + ("A" if good[-1] != "A" else "B")
        wrong += [
            "x",
            "0",
            good[:-1],
            good + "A",
            good[1:],
            flipped,
            "é",
            good + "=",
            "\x00",
            good.swapcase(),
        ]
        for cursor in wrong:
            await refused(InvalidRecord, call(cursor))


Question = Callable[[str | None], Awaitable[str | None]]


def _questions(store: AsyncStore) -> dict[str, Question]:
    """Calls that take a cursor and give the next one, each to be kept apart from all others."""

    def find(tenant: str, key: Key) -> Question:
        async def ask(cursor: str | None) -> str | None:
            after = {} if cursor is None else {key: cursor}
            return (await store.find(tenant, [key], limit_per_key=1, after=after))[key].next

        return ask

    def range_(tenant: str, parts: list[str], lo: bytes | None = None, *, reverse: bool = False) -> Question:
        async def ask(cursor: str | None) -> str | None:
            page = await store.range(tenant, "name", parts, lo=lo, after=cursor, limit=1, reverse=reverse)
            return page.next

        return ask

    def scan(tenant: str, shards: tuple[int, int] | None = None) -> Question:
        async def ask(cursor: str | None) -> str | None:
            return (await store.scan(tenant, "party", shards=shards, after=cursor, limit=1)).next

        return ask

    def changes(tenant: str) -> Question:
        async def ask(cursor: str | None) -> str | None:
            return (await store.changes(tenant, cursor or "", 1)).next

        return ask

    return {
        "find": find("acme", ANN),
        "find, other tenant": find("other", ANN),
        "range": range_("acme", [""]),
        "range, other tenant": range_("other", [""]),
        "range, more parts": range_("acme", ["", "x"]),
        "range, other bounds": range_("acme", [""], b""),
        "range, reversed": range_("acme", [""], reverse=True),
        "scan": scan("acme"),
        "scan, other tenant": scan("other"),
        "scan, some shards": scan("acme", (0, 7)),
        "changes": changes("acme"),
        "changes, other tenant": changes("other"),
    }


async def _first_cursor(ask: Question) -> str:
    cursor = await ask(None)
    holds(cursor, "a first page of one gives no cursor, though there are three")
    return str(cursor)


# --- G8: ledgers --------------------------------------------------------------------------------------


@guarantee("G8")
async def entries_are_numbered_without_gaps(subject: Subject) -> None:
    """The entries of a ledger are 1 to n in the order in which they were appended, also after a refused batch."""
    store = await subject.fresh()
    write = Writer(store)
    await write(append("log:1", {"n": 1}), append("log:2", {"n": 1}), append("log:1", {"n": 2}, day=-5))
    await refused(StreamConflict, store.apply(write.batch(append("log:1"), append("log:1", expect_seq=9))))
    await refused(VersionConflict, store.apply(write.batch(append("log:1"), Check(ref=A, expect=1))))
    await write(append("log:1", {"n": 2}), append("log:1", {"n": 3}))
    entries = await ledger(store, "log:1")
    same([(entry.seq, entry.body["n"]) for entry in entries], [(1, 1), (2, 2), (3, 2), (4, 3)], "the entries")
    same({entry.stream for entry in entries}, {"log:1"}, "their stream")
    same([entry.seq for entry in await ledger(store, "log:2")], [1], "the entries of the other ledger")


@guarantee("G8")
async def ledgers_are_read_in_pages_from_either_end(subject: Subject) -> None:
    """Several ledgers in one call, each from its own place, forwards and backwards, to the last entry."""
    store = await subject.fresh()
    write = Writer(store)
    await write(*(append("log:1", {"n": n}) for n in range(1, 8)), append("log:2", {"n": 1}))
    for size in SIZES:
        for reverse in (False, True):
            seen: list[int] = []
            after: dict[str, int] = {}
            for _ in patience():
                pages = await store.ledger(
                    TENANT, ["log:2", "log:1", "log:3"], after=after, limit=size, reverse=reverse
                )
                same(set(pages), {"log:1", "log:2", "log:3"}, "the ledgers of the answer")
                same([entry.seq for entry in pages["log:2"].items], [1], "the ledger without a place")
                same((pages["log:3"].items, pages["log:3"].next), ((), None), "a ledger that has no entries")
                seen += [entry.seq for entry in pages["log:1"].items]
                if pages["log:1"].next is None:
                    break
                after = {"log:1": int(pages["log:1"].next)}
                same(after["log:1"], seen[-1], "the place to go on from")
            same(seen, list(range(7, 0, -1) if reverse else range(1, 8)), f"the entries in pages of {size}")
    page = (await store.ledger(TENANT, ["log:1"], after={"log:1": 99}))["log:1"]
    same(page.items, (), "the entries after the end")


# --- G9: the feed -------------------------------------------------------------------------------------


@guarantee("G9")
async def the_feed_has_every_change_once_in_order(subject: Subject) -> None:
    """Changes come in the order of commits, those of a batch together in its order, and a Rekey is none."""
    store = await subject.fresh()
    write = Writer(store)
    boss = Actor(kind="person", id="u-7", on_behalf_of="team")
    await write(put(A), append("log:1"), put(B), idem="b1", actor=boss, reason="first")
    await refused(VersionConflict, store.apply(write.batch(put(C), put(A, 9))))
    await write(append("log:1"), put(A, 1), rekey(B, 1, [ANN]), idem="b2")
    await write(Check(ref=A, expect=2), idem="b3")
    await write(delete(A, 2), append("log:2"), idem="b4")
    expected = [
        ("b1", "put", A, 1, None, None),
        ("b1", "append", None, None, "log:1", 1),
        ("b1", "put", B, 1, None, None),
        ("b2", "append", None, None, "log:1", 2),
        ("b2", "put", A, 2, None, None),
        ("b4", "delete", A, 3, None, None),
        ("b4", "append", None, None, "log:2", 1),
    ]
    for size in SIZES:
        changes = await feed(store, size=size)
        got = [(one.idem, one.op, one.ref, one.version, one.stream, one.seq) for one in changes]
        same(got, expected, f"the feed in pages of {size}")
        same(len({one.position for one in changes}), len(changes), "the number of different positions")
        same((changes[0].actor, changes[0].reason, changes[3].reason), (boss, "first", None), "who and why")


@guarantee("G9")
async def the_feed_goes_on_from_any_position(subject: Subject) -> None:
    """From the position of any change, of a receipt or of a watermark, what comes after is what was not yet seen."""
    store = await subject.fresh()
    write = Writer(store)
    same((await store.changes(TENANT)).watermark, "", "the watermark of an empty feed")
    receipt = await store.apply(write.batch(put(A), put(B)))
    page = await store.changes(TENANT, limit=1)
    same(page.next, page.items[0].position, "the next position")
    same(
        [one.ref for one in (await store.changes(TENANT, page.next)).items], [B], "what comes after the first"
    )
    same(page.watermark, receipt.position, "the watermark and the last position")
    same((await store.changes(TENANT, receipt.position)).items, (), "what comes after the last")
    idle = await store.apply(write.batch(Check(ref=A, expect=1)))
    same(idle.position, receipt.position, "the position of a batch that changes nothing")
    await write(put(C))
    for place in (receipt.position, page.watermark, idle.position):
        same([one.ref for one in (await store.changes(TENANT, place)).items], [C], "what comes after")
    await refused(InvalidRecord, store.changes(TENANT, "1"))


# --- G10: pages under change --------------------------------------------------------------------------


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
            stays = {ref(number): name_sort(bytes([10 + number // 4])) for number in range(0, 30, 2)}
            goes = {ref(number): name_sort(bytes([10 + number // 4])) for number in range(1, 31, 2)}
            await write(*(put(one, 0, {}, (), [sort]) for one, sort in (stays | goes).items()))
            seen: list[tuple[Sort, Ref]] = []
            cursor = None
            for step in patience():
                page = await store.range(TENANT, "name", [""], after=cursor, limit=size, reverse=reverse)
                seen += page.items
                cursor = page.next
                if cursor is None:
                    break
                at = page.items[-1][1]
                if at in goes:
                    await write(delete(at, 1), idem=f"less-{step}")
                if step < 5:
                    ends = [name_sort(bytes([9])), name_sort(bytes([200]))]
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
    await Writer(store)(put(A, 0, {}, [ANN], [name_sort(b"a")]), append("log:1"))
    for wrong in (0, -1, 2**64):
        await refused(InvalidRecord, store.find(TENANT, [ANN], limit_per_key=wrong))
        await refused(InvalidRecord, store.fanout(TENANT, [ANN], cap=wrong))
        await refused(InvalidRecord, store.range(TENANT, "name", [""], limit=wrong))
        await refused(InvalidRecord, store.scan(TENANT, "party", limit=wrong))
        await refused(InvalidRecord, store.ledger(TENANT, ["log:1"], limit=wrong))
        await refused(InvalidRecord, store.changes(TENANT, limit=wrong))
    await refused(InvalidRecord, store.ledger(TENANT, ["log:1"], after={"log:1": 2**64}))
    await refused(InvalidRecord, store.ledger(TENANT, "log:1"))
    await refused(InvalidRecord, store.range(TENANT, "name", "abc"))
    for call in (
        store.find(TENANT, []),
        store.fanout(TENANT, [], cap=1),
        store.get([]),
        store.ledger(TENANT, []),
    ):
        same(dict(await call), {}, "the answer to no question")
    same((await store.range(TENANT, "name", [])).items, (), "the range of no part")
    holds(uid(1) < uid(2), "ids sort as their numbers do")
