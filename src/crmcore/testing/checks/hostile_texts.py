"""G6, G7 and G17 with texts that break programs: each is kept as it is or refused, in every place for a text."""

from __future__ import annotations

from itertools import islice
from typing import Any

from crmcore.errors import InvalidRecord, StoreError
from crmcore.storage import AsyncStore, Ref, claims
from crmcore.storage.capability import CHANGES
from crmcore.testing.hostile import hostile, keepable, nameable
from crmcore.testing.kit import (
    ANN,
    TENANT,
    A,
    Subject,
    Writer,
    append,
    carriers,
    due,
    email,
    guarantee,
    ledger,
    put,
    record,
    ref,
    refused,
    same,
    scanned,
    uid,
)

AT_ONCE = 40
"""Texts in one batch: each is a record and a key, and 100 of both are what every store must take."""


@guarantee("G6", least={"texts kept": 300})
async def hostile_texts_are_kept_as_bodies_and_keys(subject: Subject) -> None:
    """Whatever a text looks like, it comes back from bodies and entries as it was, and as a key it finds its record
    and no other."""
    store = await subject.fresh()
    write = Writer(store)
    size = store.describe().limits.max_key_bytes
    texts = [text for text in hostile() if keepable(text) and len(text.encode()) <= size]
    numbered = iter(enumerate(texts))
    at_once = min(AT_ONCE, store.describe().limits.max_items // 3)
    while part := list(islice(numbered, at_once)):
        await write(*(put(ref(number), 0, {"t": text, text: [text]}, [email(text)]) for number, text in part))
        await write(*(append("log:1", {"t": text}) for _, text in part))
    everybody = {found.ref: found for found in await scanned(store)}
    for number, text in enumerate(texts):
        same(everybody[ref(number)].body, {"t": text, text: [text]}, f"the body number {number}")
        same(everybody[ref(number)].keys, {email(text)}, f"the key number {number}")
        subject.saw("texts kept")
    keys = [email(text) for text in texts]
    for start in range(0, len(keys), 500):
        hits = await store.find(TENANT, keys[start : start + 500])
        for number, key in enumerate(keys[start : start + 500], start):
            same(hits[key].refs, (ref(number),), f"who carries the text number {number}")
    entries = await ledger(store, "log:1")
    same([one.body["t"] for one in entries], texts[:500], "the entries")


@guarantee("G6", least={"names kept": 200, "names refused": 20})
async def hostile_texts_are_kept_as_names_or_refused(subject: Subject) -> None:
    """As stream, idempotency key, part and reason a text is kept as it is if the protocol allows it, and refused if
    not."""
    names = [text for text in hostile() if nameable(text)]
    for start in range(
        0, len(names), 160
    ):  # some at a time: a store may write all that it has with each batch
        store = await subject.fresh()
        await _named(subject, store, names[start : start + 160])
        await store.close()
    store = await subject.fresh()
    write = Writer(store)
    for text in hostile():
        if not nameable(text):
            for op in (append(text), put(ref(9999), 0, {}, (), [due(0, text)] if text else [due(0, "\n")])):
                await refused(InvalidRecord, store.apply(write.batch(op)))
            if text:
                await refused(InvalidRecord, store.apply(write.batch(put(ref(9999)), idem=text)))
            subject.saw("names refused")
    same(await record(store, ref(9999)), None, "what a refused name wrote")


async def _named(subject: Subject, store: AsyncStore, names: list[str]) -> None:
    write = Writer(store)
    for number, text in enumerate(names):
        sorts = [due(number, text)]
        batch = write.batch(put(ref(number), 0, {}, (), sorts), append(text), idem=text, reason=text)
        given = await store.apply(batch)
        same(dict(given.seqs), {text: 1}, f"the ledger number {number}")
        subject.saw("names kept")
    await _names_are_there(store, names)


async def _names_are_there(store: AsyncStore, names: list[str]) -> None:
    for start in range(0, len(names), 200):
        some = names[start : start + 200]
        pages = await store.ledger(TENANT, some)
        same({name: len(pages[name].items) for name in some}, dict.fromkeys(some, 1), "the ledgers")
        page = await store.range(TENANT, "due", some, limit=1000)
        same([sort.part for sort, _ in page.items], some, "the parts in their order")
    for number, name in enumerate(names):
        found = await store.outcome(TENANT, name)
        same(found and dict(found.versions), {ref(number): 1}, f"the outcome number {number}")


@guarantee("G7", least={"tenants kept apart": 100})
async def hostile_texts_are_tenants_apart(subject: Subject) -> None:
    """Every text that may be a tenant is one of its own, and sees nothing of those that look like it."""
    store = await subject.fresh()
    names = [text for text in hostile() if nameable(text)][::2]
    for number, tenant in enumerate(names):
        one = ref(1, tenant=tenant)
        await Writer(store, tenant)(put(one, 0, {"n": number}, [ANN]), append("log:1"), idem="one")
    for number, tenant in enumerate(names):
        one = ref(1, tenant=tenant)
        found = await record(store, one)
        same(found and found.body, {"n": number}, f"the record of the tenant number {number}")
        same(
            await carriers(store, ANN, tenant), (one,), f"who carries the key for the tenant number {number}"
        )
        same(len(await ledger(store, "log:1", tenant)), 1, f"the ledger of the tenant number {number}")
        subject.saw("tenants kept apart")


@guarantee("G17", least={"addresses refused": 300})
async def hostile_texts_are_no_ids_kinds_and_cursors(subject: Subject) -> None:
    """As id, kind, namespace, cursor or position a hostile text is refused, and nothing is written."""
    store = await subject.fresh()
    write = Writer(store)
    await write(put(A, 0, {}, [ANN], [due(1)]))
    for text in hostile():
        await refused(InvalidRecord, store.apply(write.batch(put(Ref(TENANT, "party", text)))))
        await refused(InvalidRecord, store.get([Ref(TENANT, "party", text)]))
        for kind in () if _is_word(text) else (text,):
            await refused(InvalidRecord, store.apply(write.batch(put(Ref(TENANT, kind, uid(1))))))
            await refused(InvalidRecord, store.scan(TENANT, kind))
        await refused(InvalidRecord, store.scan(TENANT, "party", after=text))
        await refused(InvalidRecord, store.range(TENANT, "due", [""], after=text))
        await refused(InvalidRecord, store.find(TENANT, [ANN], after={ANN: text}))
        if text and claims(store.describe(), CHANGES):
            await refused(StoreError, store.changes(TENANT, text))
        subject.saw("addresses refused")
    same([found.ref for found in await scanned(store)], [A], "the records")


def _is_word(text: Any) -> bool:
    letters = set("abcdefghijklmnopqrstuvwxyz")
    return (
        bool(text) and text[0] in letters and set(text) <= letters | set("0123456789_.:-") and len(text) <= 64
    )
