"""G14 for stores that erase (``eraser``): what no call shows any more, and what stays as it was."""

from __future__ import annotations

import attrs

from crmcore.errors import Fenced, IdempotencyMismatch, InvalidRecord, TenantMismatch
from crmcore.storage import ERASED, AsyncStore, Erasure, eraser_of
from crmcore.storage.capability import ERASER
from crmcore.testing.kit import (
    NOW,
    TENANT,
    A,
    B,
    Subject,
    Writer,
    carriers,
    email,
    feed,
    guarantee,
    has_feed,
    holds,
    ledger,
    patience,
    picture,
    put,
    record,
    ref,
    refused,
    same,
    source,
    uid,
)
from crmcore.testing.subject_of_erasure import (
    HELD,
    HIM,
    IDEM,
    KEY,
    MARKS,
    NOTE,
    entry,
    erasure,
    settle,
)


async def _erased(subject: Subject) -> AsyncStore:
    store = await subject.fresh()
    await settle(store)
    await eraser_of(store).erase(erasure())
    return store


@guarantee("G14", part=ERASER)
async def no_call_shows_what_was_erased(subject: Subject) -> None:
    """Records are gone from every read and their keys are free; no answer holds a text, a reason or an idempotency key
    of what was erased."""
    store = await _erased(subject)
    same(dict(await store.get([A, NOTE])), {}, "the records")
    same((await carriers(store, email(KEY)), await carriers(store, source(HELD))), ((), ()), "their keys")
    same(dict(await store.fanout(TENANT, [email(KEY)], cap=9)), {email(KEY): 0}, "the fan-out of a key")
    same([at for _, at in (await store.range(TENANT, "due", [""])).items], [B], "the order")
    whole = await picture(store, [email(KEY), source(HELD)], ["party:1", "log:1"])
    texts: list[object] = [
        *(one.body for one in whole.records.values()),
        *(one.body for one in whole.ledgers["log:1"]),
    ]
    texts += [(one.idem, one.reason, one.actor) for one in whole.changes]
    held = [mark for mark in MARKS for text in texts if mark in str(text)]
    same(held, [], "what can still be read")
    await Writer(store)(put(ref(7), 0, {}, [source(HELD)]), idem="takes the key")


@guarantee("G14", part=ERASER)
async def an_erased_entry_leaves_a_tombstone(subject: Subject) -> None:
    """A ledger stays dense: an erased entry keeps its number, is of the schema for that, empty, of the instant of the
    erasure, and of those of its subjects who were not erased."""
    store = await _erased(subject)
    log = await ledger(store, "log:1")
    same([one.seq for one in log], [1, 2, 3], "the numbers")
    same([one.schema for one in log], [ERASED, "note/1", ERASED], "the schemas")
    same([one.subjects for one in log], [(HIM,), (HIM,), ()], "the subjects")
    same([dict(log[0].body), dict(log[2].body)], [{}, {}], "the bodies of the tombstones")
    same({log[0].occurred_at, log[0].recorded_at, log[2].recorded_at}, {NOW}, "their instants")
    same([one.schema for one in await ledger(store, "party:1")], [ERASED], "the ledger that was erased whole")
    given = await store.apply(Writer(store).batch(entry("log:1", "next", HIM), idem="next"))
    same(dict(given.seqs), {"log:1": 4}, "the next number")


@guarantee("G14", part=ERASER)
async def an_erasure_is_in_the_feed_and_in_its_list(subject: Subject) -> None:
    """Each erased record and entry is a change of its own under the key and reason of the erasure; erasures lists
    what was asked for, in order."""
    store = await _erased(subject)
    if has_feed(store):
        changes = [one for one in await feed(store) if one.op == "erase"]
        about = {(one.ref or one.stream, one.seq) for one in changes}
        wanted = {(A, None), (NOTE, None), ("party:1", 1), ("log:1", 1), ("log:1", 3)}
        same(about, wanted, "the changes of the erasure")
        same(len(changes), len(wanted), "how many there are")
        headings = {(one.idem, one.reason) for one in changes}
        same(headings, {("erase-1", "asked to be forgotten")}, "their heading")
    done = [erasure()]
    for number in range(2, 7):
        refs = frozenset({B if number == 2 else ref(number)})
        done.append(
            attrs.evolve(erasure(f"erase-{number}"), refs=refs, streams=frozenset(), subjects=frozenset())
        )
        await eraser_of(store).erase(done[-1])
    for size in (1, 2, 3, 4, 6, 500):
        same(await _listed(store, size), done, f"the erasures in pages of {size}")
    same((await eraser_of(store).erasures("other")).items, (), "the erasures of another tenant")


async def _listed(store: AsyncStore, size: int) -> list[Erasure]:
    listed: list[Erasure] = []
    cursor = None
    for _ in patience():
        page = await eraser_of(store).erasures(TENANT, after=cursor, limit=size)
        holds(len(page.items) <= size, "more erasures than asked for")
        listed += page.items
        cursor = page.next
        if cursor is None:
            break
    return listed


@guarantee("G14", part=ERASER)
async def what_was_erased_never_comes_back(subject: Subject) -> None:
    """A batch that wrote or rekeyed what was erased is Fenced when it arrives again; a version that was erased is never
    used again."""
    store = await subject.fresh()
    hers = await settle(store)
    before = await record(store, A)
    await eraser_of(store).erase(erasure())
    await refused(Fenced, store.apply(hers))
    for idem in (hers.idem, f"{IDEM}-4", f"{IDEM}-6"):  # two of them only rekeyed her record
        await refused(Fenced, store.apply(attrs.evolve(hers, idem=idem, ops=(put(ref(8)),))))
    same(dict(await store.get([A, ref(8)])), {}, "what came back")
    versions = await Writer(store)(put(A), idem="back")
    holds(before and versions[A] > before.version, "a version of the erased record was used again")


@guarantee("G14", part=ERASER)
async def an_erasure_sent_again_is_answered_as_before(subject: Subject) -> None:
    """The report counts what there was, and the same erasure is answered with it; another under its key is refused;
    what is not there is no error."""
    store = await subject.fresh()
    await settle(store)
    first = await eraser_of(store).erase(erasure())
    same((first.records, first.entries, first.replayed), (2, 3, False), "what the report counts")
    same(first.batches, 6, "how many batches that wrote or rekeyed what is hers were stripped")
    again = await eraser_of(store).erase(attrs.evolve(erasure(), at=NOW.replace(hour=20)))
    same(
        (again.records, again.entries, again.batches, again.replayed),
        (2, 3, first.batches, True),
        "the second time",
    )
    other = attrs.evolve(erasure(), subjects=frozenset({HIM}))
    await refused(IdempotencyMismatch, eraser_of(store).erase(other))
    nobody = attrs.evolve(erasure("erase-3"), refs=frozenset({ref(99)}), streams=frozenset({"no:1"}))
    done = await eraser_of(store).erase(attrs.evolve(nobody, subjects=frozenset({uid(99)})))
    same((done.records, done.entries), (0, 0), "what an erasure of nobody counts")


@guarantee("G14", part=ERASER)
async def an_erasure_touches_nobody_else(subject: Subject) -> None:
    """The records, keys, orders, entries and receipts of others are as before, also those of another tenant."""
    store = await subject.fresh()
    await settle(store)
    keys, streams = [email("him"), source("his")], ["party:2"]
    his, log = await picture(store, keys, streams), (await ledger(store, "log:1"))[1]
    elsewhere = await picture(store, [email("x")], tenant="other")
    await eraser_of(store).erase(erasure())
    now = await picture(store, keys, streams)
    same((now.records, now.found, now.ledgers), ({B: his.records[B]}, his.found, his.ledgers), "what is his")
    same((await ledger(store, "log:1"))[1], log, "his entry in a shared ledger")
    same(await picture(store, [email("x")], tenant="other"), elsewhere, "what another tenant has")
    holds(await store.outcome(TENANT, "his"), "the receipt of his batch is gone")
    changed = [one.idem for one in now.changes if one.ref == B]
    same(changed, ["his"] if has_feed(store) else [], "his change in the feed")


@guarantee("G14", part=ERASER)
async def a_single_entry_is_erased(subject: Subject) -> None:
    """An entry that is named by stream and number becomes a tombstone, and no other does."""
    store = await subject.fresh()
    await settle(store)
    before = await ledger(store, "log:1")
    nothing = attrs.evolve(erasure(), refs=frozenset(), streams=frozenset(), subjects=frozenset())
    done = await eraser_of(store).erase(
        attrs.evolve(nothing, entries=frozenset({("log:1", 2), ("log:1", 9)}))
    )
    same((done.records, done.entries), (0, 1), "what was erased")
    now = await ledger(store, "log:1")
    same([one.schema for one in now], ["note/1", ERASED, "note/1"], "the schemas")
    same((now[0], now[2]), (before[0], before[2]), "the other entries")
    same(now[1].subjects, (HIM,), "the subjects of the tombstone")


@guarantee("G14", part=ERASER)
async def an_erasure_that_cannot_be_is_refused(subject: Subject) -> None:
    """What no store can hold, or is of another tenant, is refused, and nothing is erased."""
    store = await subject.fresh()
    await settle(store)
    before = await picture(store, [email(KEY)], ["log:1", "party:1"])
    there = frozenset({attrs.evolve(A, tenant="other")})
    await refused(TenantMismatch, eraser_of(store).erase(attrs.evolve(erasure(), refs=there)))
    for bad in (
        attrs.evolve(erasure(), subjects=frozenset({"nonsense"})),
        attrs.evolve(erasure(), streams=frozenset({"a\x00"})),
        attrs.evolve(erasure(), idem=""),
        attrs.evolve(erasure(), at=NOW.replace(tzinfo=None)),
    ):
        await refused(InvalidRecord, eraser_of(store).erase(bad))
    same(await picture(store, [email(KEY)], ["log:1", "party:1"]), before, "what can be seen afterwards")
    same((await eraser_of(store).erasures(TENANT)).items, (), "the erasures")
