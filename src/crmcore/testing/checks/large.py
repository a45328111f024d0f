"""G10 and G1 where much is asked for or written at once: the last of many counts as the first does."""

from __future__ import annotations

from crmcore.errors import KeyConflict, StoreError, StreamConflict, VersionConflict
from crmcore.storage import AsyncStore, Check, CheckKey, CheckStream, Key, Operation, Ref
from crmcore.storage.capability import CHANGES
from crmcore.testing.filling import fill
from crmcore.testing.kit import (
    ANN,
    INSTANTS,
    TENANT,
    Subject,
    Writer,
    append,
    due,
    email,
    feed,
    guarantee,
    holds,
    ledger,
    patience,
    put,
    ref,
    refused,
    same,
    source,
    uid,
)

LONG = 1100
"""More than any call gives in one page without being asked to."""

PAGES = (400, 1000, 5000)
"""How many are asked for at once: fewer than there are, and more."""

LENGTHS = (33, 64, 65, 127, 128, 201, 255, 256, 257, 451, 512, 767, 1024, 2000, 4000, 4097, 8191, 8193, 16_384, 32_768,
           65_535, 65_537, 100_000, 200_000, 262_136, 1 << 20)  # fmt: skip
"""Lengths of a text at which columns and buffers end."""


@guarantee("G5")
async def one_call_answers_for_as_many_as_it_may_be_asked(subject: Subject) -> None:
    """A call that asks for as many records, keys, parts or streams as the limit allows is answered for each of them."""
    store = await subject.fresh()
    numbers = range(min(store.describe().limits.max_refs, 1000))
    refs, names = [ref(number) for number in numbers], [f"n{number}" for number in numbers]
    keys = [email(name) for name in names]
    await fill(
        Writer(store),
        [put(ref(n), 0, {"n": n}, [email(f"n{n}")], [due(n, f"n{n}")]) for n in numbers]
        + [append(f"n{n}", {"n": n}) for n in numbers],
    )
    found = await store.get(refs)
    same({at: one.body for at, one in found.items()}, {ref(n): {"n": n} for n in numbers}, "the records")
    hits = await store.find(TENANT, keys)
    same(
        {key: one.refs for key, one in hits.items()}, {email(f"n{n}"): (ref(n),) for n in numbers}, "the hits"
    )
    same(dict(await store.fanout(TENANT, keys, cap=2)), dict.fromkeys(keys, 1), "how many carry each key")
    page = await store.range(TENANT, INSTANTS, names, limit=len(names))
    same(list(page.items), [(due(n, f"n{n}"), ref(n)) for n in numbers], "the order of many parts")
    ledgers = await store.ledger(TENANT, names)
    bodies = {name: [one.body for one in part.items] for name, part in ledgers.items()}
    same(bodies, {f"n{n}": [{"n": n}] for n in numbers}, "the ledgers")


@guarantee("G10")
async def long_answers_are_given_to_their_end(subject: Subject) -> None:
    """What is longer than a page is given to its end, each item once, however much is asked for at once."""
    store = await subject.fresh()
    refs = [ref(number) for number in range(LONG)]
    ops: list[Operation] = [put(one, 0, {"n": n}, [ANN], [due(n)]) for n, one in enumerate(refs)]
    await fill(Writer(store), [*ops, *(append("log:1", {"n": n}) for n in range(1, LONG + 1))])
    for size in PAGES:
        same(await _found(store, size), refs, f"the hits in pages of {size}")
        same(await _scanned(store, size), refs, f"the records in pages of {size}")
        for reverse in (False, True):
            ordered = await _ordered(store, size, reverse)
            same(ordered, refs[:: -1 if reverse else 1], f"the order in pages of {size}")
            numbers = list(range(1, LONG + 1))[:: -1 if reverse else 1]
            same(await _entries(store, size, reverse), numbers, f"the ledger in pages of {size}")
    for cap in (LONG - 1, LONG, LONG + 1, 5000):
        counted = (await store.fanout(TENANT, [ANN], cap=cap))[ANN]
        same(counted, min(cap, LONG), f"how many carry the key, counted to {cap}")


@guarantee("G9", part=CHANGES)
async def a_long_feed_is_given_to_its_end(subject: Subject) -> None:
    """A feed that is longer than a page is given to its end, each change once, in pages of any size."""
    store = await subject.fresh()
    await fill(Writer(store), [append("log:1", {"n": n}) for n in range(1, LONG + 1)])
    for size in PAGES:
        changes = await feed(store, size=size)
        same([one.seq for one in changes], list(range(1, LONG + 1)), f"the feed in pages of {size}")


async def _found(store: AsyncStore, size: int) -> list[Ref]:
    seen: list[Ref] = []
    after: dict[Key, str] = {}
    for _ in patience():
        hits = (await store.find(TENANT, [ANN], limit_per_key=size, after=after))[ANN]
        holds(len(hits.refs) <= size, "more hits than asked for")
        seen += hits.refs
        if hits.next is None:
            break
        after = {ANN: hits.next}
    return seen


async def _scanned(store: AsyncStore, size: int) -> list[Ref]:
    seen: list[Ref] = []
    after = None
    for _ in patience():
        page = await store.scan(TENANT, "party", after=after, limit=size)
        holds(len(page.items) <= size, "more records than asked for")
        seen += [one.ref for one in page.items]
        after = page.next
        if after is None:
            break
    return sorted(seen)


async def _ordered(store: AsyncStore, size: int, reverse: bool) -> list[Ref]:
    seen: list[Ref] = []
    after = None
    for _ in patience():
        page = await store.range(TENANT, INSTANTS, [""], after=after, limit=size, reverse=reverse)
        holds(len(page.items) <= size, "more places than asked for")
        seen += [at for _, at in page.items]
        after = page.next
        if after is None:
            break
    return seen


async def _entries(store: AsyncStore, size: int, reverse: bool) -> list[int]:
    seen: list[int] = []
    after: dict[str, int] = {}
    for _ in patience():
        page = (await store.ledger(TENANT, ["log:1"], after=after, limit=size, reverse=reverse))["log:1"]
        holds(len(page.items) <= size, "more entries than asked for")
        holds(all(one.body == {"n": one.seq} for one in page.items), "an entry under another number")
        seen += [one.seq for one in page.items]
        if page.next is None:
            break
        after = {"log:1": int(page.next)}
    return seen


@guarantee("G1")
async def a_batch_of_many_operations_is_written_whole(subject: Subject) -> None:
    """Of a batch of as many operations as the limit allows, the last is written as the first is, with its content."""
    limits = (await subject.fresh()).describe().limits
    for most in sorted({70, min(limits.max_ops, limits.max_items), 1000}):
        count = min(most, limits.max_ops, limits.max_items, 1000)
        store = await subject.fresh()
        ops: list[Operation] = [
            put(ref(n), 0, {"n": n}, schema=n) if n % 2 else append(f"log:{n % 6}", {"n": n})
            for n in range(count)
        ]
        receipt = await store.apply(Writer(store).batch(*ops))
        puts = {ref(n): (n, {"n": n}) for n in range(1, count, 2)}
        same(dict(receipt.versions), dict.fromkeys(puts, 1), "the versions in the receipt")
        there = await store.get(list(puts))
        same({at: (one.schema, one.body) for at, one in there.items()}, puts, "the records")
        for start in (0, 2, 4):
            got = [one.body for one in await ledger(store, f"log:{start}")]
            same(got, [{"n": n} for n in range(start, count, 6)], "the entries")
            same(receipt.seqs[f"log:{start}"], len(got), "the length in the receipt")
        await store.close()


@guarantee("G3")
async def the_last_of_many_preconditions_counts(subject: Subject) -> None:
    """One precondition that does not hold stops a batch, wherever it stands among however many that do."""
    store = await subject.fresh()
    write = Writer(store)
    await write(put(ref(9000), 0, {}, [source("1")]), append("log:1"))
    stale: list[tuple[type[StoreError], list[Operation], Operation]] = []
    for count in (3, min(store.describe().limits.max_ops - 1, 300)):
        many = range(count - 1)
        last = Check(ref=ref(9000), expect=2)
        stale.append((VersionConflict, [Check(ref=ref(n), expect=0) for n in many], last))
        grown = CheckStream(stream="log:1", seq=0)
        stale.append((StreamConflict, [CheckStream(stream=f"s{n}", seq=0) for n in many], grown))
        held = CheckKey(key=source("1"), holder=None)
        stale.append((KeyConflict, [CheckKey(key=source(f"s{n}"), holder=None) for n in many], held))
        few = range(min(count - 1, store.describe().limits.max_items // 3 - 1))
        stale.append((VersionConflict, [put(ref(n)) for n in few], put(ref(9000), 2)))
        stale.append((StreamConflict, [append(f"s{n}", {}, 0) for n in few], append("log:1", {}, 0)))
        claims: list[Operation] = [put(ref(n), 0, {}, [source(f"s{n}")]) for n in few[: len(few) // 2]]
        stale.append((KeyConflict, claims, put(ref(9001), 0, {}, [source("1")])))
    for error, fine, wrong in stale:
        half = len(fine) // 2
        for ops in ([*fine, wrong], [*fine[:half], wrong, *fine[half:]], [wrong, *fine]):
            await refused(error, store.apply(write.batch(put(ref(9002)), *ops)))
            subject.saw("batches stopped")
    same(await store.get([ref(n) for n in (*range(300), 9001, 9002)]), {}, "what the refused batches wrote")
    same(len(await ledger(store, "log:1")), 1, "the entries")
    holds(uid(9000) in {one.ref.id for one in (await store.get([ref(9000)])).values()}, "the record is gone")


@guarantee("G6")
async def texts_of_every_length_are_kept(subject: Subject) -> None:
    """A body, an entry, a key, a name and a reason are kept to their last character, whatever their length."""
    store = await subject.fresh()
    limits = store.describe().limits
    lengths = [one for one in LENGTHS if one <= limits.max_body_bytes - len('{"t":""}')]
    for n, length in enumerate(lengths):
        body = {"t": "x" * (length - 1) + "y"}
        name = "n" * min(length - 1, 255) + "y"
        key = email("k" * min(length - 1, limits.max_key_bytes - 1) + "y")
        batch = Writer(store).batch(
            put(ref(n), 0, body, [key], [due(n, name)]),
            append(name, body),
            idem=f"{n:03}{name[3:]}",
            reason="r" * min(length - 1, 4095) + "y",
        )
        await store.apply(batch)
        there = (await store.get([ref(n)]))[ref(n)]
        holds(there.body == body, f"a text of {length} characters is not what it was in a record")
        same(
            (there.keys, there.sorts), (frozenset({key}), frozenset({due(n, name)})), "what a record carries"
        )
        holds(ref(n) in (await store.find(TENANT, [key]))[key].refs, "a long key finds nothing")
        holds((await ledger(store, name))[-1].body == body, f"a text of {length} characters in an entry")
        same(
            [at for _, at in (await store.range(TENANT, INSTANTS, [name])).items][-1],
            ref(n),
            "the order of a part",
        )
        found = await store.outcome(TENANT, batch.idem)
        same(found and dict(found.versions), {ref(n): 1}, "the outcome of a batch with a long key")
        reasons = [one.reason for one in await feed(store)][-1:]
        holds(reasons in ([], [batch.reason]), "a reason is not what it was")
