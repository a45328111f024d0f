"""G5: who carries a key is found, nobody else, and byte by byte."""

from __future__ import annotations

from crmcore.storage import (
    Key,
    Ref,
)
from crmcore.testing.kit import (
    ANN,
    BOB,
    SIZES,
    TENANT,
    A,
    B,
    Subject,
    Writer,
    carriers,
    delete,
    email,
    guarantee,
    holds,
    patience,
    put,
    ref,
    rekey,
    same,
)


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
