"""G5 and G7 for names that look alike: joined without anything between them, one the beginning of another, in another
case."""

from __future__ import annotations

from crmcore.errors import KeyConflict
from crmcore.storage import AsyncStore, CheckKey, Erasure, Key, Ref, Sort, eraser_of, tenants_of
from crmcore.storage.capability import ERASER, ORDERED_TEXT, TENANTS
from crmcore.testing.kit import (
    ANN,
    EXCLUSIVE,
    INSTANTS,
    NOW,
    Picture,
    Subject,
    Writer,
    append,
    due,
    guarantee,
    ledger,
    picture,
    put,
    ref,
    refused,
    same,
    scanned,
    source,
    uid,
)
from crmcore.testing.subject_of_erasure import entry
from crmcore.values.source import SYSTEM

JOINTS = ("", ".", ":", "-", "_", "..")
WORD = "w" * 63
"""All but the last letter of a word that is as long as one may be."""

ALIKE = (
    "acme",
    "acme2",
    "acm",
    "ACME",
    "Acme",
    "acme:log",
    "acme ",
    "ac_e",
    "ac%",
    "*",
    "a" * 255,
    "a" * 256,
)
"""Tenants that a pattern, a beginning or a joined text takes for one another."""


def _pairs(start: str = "a") -> list[tuple[str, str]]:
    """First and second halves that are the same text when they are joined."""
    pairs = {(start, f"b{joint}c") for joint in JOINTS} | {(f"{start}{joint}b", "c") for joint in JOINTS}
    pairs |= {
        (start + "b", ""),
        (start, "b"),
        (WORD + "w", "v"),
        (WORD + "v", "v"),
        (WORD, "wv"),
        (WORD, "v"),
    }
    return sorted(pairs)


@guarantee("G5")
async def keys_that_join_alike_are_apart(subject: Subject) -> None:
    """Where a namespace ends and its value begins is part of a key, and so is every letter of either."""
    store = await subject.fresh()
    keys = [Key(*pair) for pair in _pairs()]
    await Writer(store)(*(put(ref(n), 0, {}, [key]) for n, key in enumerate(keys[:20])))
    await Writer(store)(*(put(ref(n + 20), 0, {}, [key]) for n, key in enumerate(keys[20:])), idem="rest")
    hits = await store.find("acme", keys)
    same([hits[key].refs for key in keys], [(ref(n),) for n in range(len(keys))], "who carries which key")
    same(dict(await store.fanout("acme", keys, cap=9)), dict.fromkeys(keys, 1), "how many carry each")


@guarantee("G3")
async def every_exclusive_namespace_is_one_of_its_own(subject: Subject) -> None:
    """A value that is held in one exclusive namespace is free in the others, and its holder is known by kind and id."""
    store = await subject.fresh()
    write = Writer(store)
    names = sorted(EXCLUSIVE)
    holders = {Key(name, "1"): ref(n, kind="note") for n, name in enumerate(names)}
    await write(*(put(at, 0, {}, [key]) for key, at in holders.items()))
    for n, (key, at) in enumerate(holders.items()):
        await write(CheckKey(key=key, holder=at), idem=f"held-{n}")
        for wrong in (Ref("acme", "party", at.id), ref(n + 1, kind="note"), None):
            checked = write.batch(put(ref(90)), CheckKey(key=key, holder=wrong))
            await refused(KeyConflict, store.apply(checked))
        same_id = write.batch(put(Ref("acme", "party", at.id), 0, {}, [key]))
        await refused(KeyConflict, store.apply(same_id))
    same(await scanned(store), [], "what the refused batches wrote")
    await write(*(put(ref(n), 0, {}, [Key(name, "11"), Key(name, "")]) for n, name in enumerate(names)))


@guarantee("G10")
async def kinds_ids_and_streams_that_join_alike_are_apart(subject: Subject) -> None:
    """Kinds of which one begins as another does hold records of their own, and so do ledgers and parts of an order."""
    store = await subject.fresh()
    write = Writer(store)
    kinds = [
        "case",
        "case.event",
        "case:event",
        "case_event",
        "cas",
        "case-",
        "casexevent",
        WORD + "w",
        WORD + "v",
        WORD,
    ]
    streams = [
        "log",
        "log:1",
        "log:11",
        "log:1:1",
        "LOG",
        "Log:1",
        "log%",
        "log_1",
        "l" * 255,
        "l" * 256,
        " log",
        "log ",
    ]
    for n, kind in enumerate(kinds):
        await write(put(ref(1, kind=kind), 0, {"of": kind}, [ANN], [due(1, kind), due(n, f"{n}")]))
    await write(*(append(name, {"of": name}) for name in streams))
    found = await store.get([ref(1, kind=kind) for kind in kinds])
    same(
        {at.kind: one.body for at, one in found.items()},
        {kind: {"of": kind} for kind in kinds},
        "the records",
    )
    same([at.kind for at in (await store.find("acme", [ANN]))[ANN].refs], sorted(kinds), "who carries a key")
    for n, kind in enumerate(kinds):
        same([one.body for one in await scanned(store, kind)], [{"of": kind}], "the scan of a kind")
        page = await store.range("acme", INSTANTS, [kind, f"{n}"])
        same({at.kind for _, at in page.items}, {kind}, "the order of a part")
    for name in streams:
        same([one.body for one in await ledger(store, name)], [{"of": name}], "a ledger")


@guarantee("G5", part=ORDERED_TEXT)
async def orders_that_join_alike_are_apart(subject: Subject) -> None:
    """Where a namespace ends and its part begins is part of a place in an order."""
    store = await subject.fresh()
    write = Writer(store)
    pairs = [*_pairs(), ("due", ""), ("due.x", ""), ("du", "e")]
    for n, (namespace, part) in enumerate(pairs):
        await write(put(ref(n), 0, {}, (), [Sort(namespace, part, b"v")]))
    for n, (namespace, part) in enumerate(pairs):
        page = await store.range("acme", namespace, [part])
        same([at for _, at in page.items], [ref(n)], "the order of a namespace and a part")


async def _tell(store: AsyncStore, tenant: str) -> None:
    write = Writer(store, tenant)
    one = ref(1, tenant=tenant)
    held = [ANN, source("1"), Key("email", tenant[:100])]
    await write(
        put(one, 0, {"of": tenant}, held, [due(1)]),
        append("log:1", {"of": tenant}),
        append("1", {"1": tenant}),
        idem="same",
        reason=tenant,
    )
    await write(put(one, 1, {"of": tenant}, held, [due(2)]), append("party:1", {"of": tenant}), idem="other")


async def _seen(store: AsyncStore, tenant: str) -> Picture:
    return await picture(store, [ANN, source("1")], ["log:1", "1", "party:1", "log:log:1"], tenant=tenant)


@guarantee("G7")
async def tenants_whose_names_are_alike_are_apart(subject: Subject) -> None:
    """Nobody sees or is hindered by a tenant whose name begins alike, is the same in another case, or fits a pattern;
    one call gets the records of all of them."""
    store = await subject.fresh()
    for tenant in ALIKE:
        same(
            await store.outcome(tenant, f"asked by {tenant[:9]}"),
            None,
            "the outcome for a tenant that has nothing",
        )
        await _tell(store, tenant)
    for tenant in ALIKE:
        seen = await _seen(store, tenant)
        same([one.body for one in seen.records.values()], [{"of": tenant}], "the records")
        same(set(seen.found.values()), {(ref(1, tenant=tenant),)}, "who carries the keys")
        same([at for _, at in seen.ordered], [ref(1, tenant=tenant)], "the order")
        got = {name: [one.body for one in entries] for name, entries in seen.ledgers.items()}
        mine = {"log:1": [{"of": tenant}], "1": [{"1": tenant}], "party:1": [{"of": tenant}], "log:log:1": []}
        same(got, mine, "the ledgers")
        same({one.reason for one in seen.changes} - {tenant, None}, set(), "the feed")
        same(dict(await store.fanout(tenant, [ANN], cap=9)), {ANN: 1}, "how many carry a key")
    everybody = [ref(n, tenant=tenant) for n in (1, 2) for tenant in ALIKE]
    found = await store.get(everybody)
    same(
        {at: one.body["of"] for at, one in found.items()},
        {ref(1, tenant=one): one for one in ALIKE},
        "all records",
    )


@guarantee("G14", part=TENANTS)
async def dropping_a_tenant_leaves_those_whose_names_are_alike(subject: Subject) -> None:
    """Whose name begins alike, is the same in another case, or fits a pattern keeps everything."""
    store = await subject.fresh()
    for tenant in ALIKE:
        await _tell(store, tenant)
    left = list(ALIKE)
    for gone in ("acme", "ac%", "*", "a" * 255):
        left.remove(gone)
        before = {tenant: await _seen(store, tenant) for tenant in left}
        await tenants_of(store).drop_tenant(gone)
        same(
            {tenant: await _seen(store, tenant) for tenant in left}, before, "what can be seen of the others"
        )
        same(list((await tenants_of(store).tenants()).items), sorted(left), "the tenants")
        for tenant in left:
            same((await store.outcome(tenant, "same")) is None, False, "whether a receipt of another is gone")


@guarantee("G14", part=ERASER)
async def erasing_leaves_what_has_names_that_are_alike(subject: Subject) -> None:
    """An erasure takes the records, ledgers and entries that it names, of its tenant, and nothing else."""
    store = await subject.fresh()
    for tenant in ALIKE:
        await _tell(store, tenant)
    write = Writer(store)
    kinds, streams = (
        ["party.x", "part", "partyx"],
        ["party:11", "party:", "party", "party:1:x", "PARTY:1", "party_1", "%"],
    )
    await write(*(put(ref(3, kind=kind)) for kind in kinds), *(entry(name, name, uid(5)) for name in streams))
    await write(put(ref(2)), *(entry("log:9", f"{n}", uid(5)) for n in range(12)))
    before = {tenant: await _seen(store, tenant) for tenant in ALIKE[1:]}
    kept = [await ledger(store, name) for name in streams]
    await eraser_of(store).erase(
        Erasure(
            tenant="acme",
            refs=frozenset({ref(1)}),
            streams=frozenset({"party:1", "log:1"}),
            entries=frozenset({("log:9", 1)}),
            idem="erase",
            actor=SYSTEM,
            at=NOW,
        )
    )
    same(
        {tenant: await _seen(store, tenant) for tenant in ALIKE[1:]},
        before,
        "what can be seen of other tenants",
    )
    same([await ledger(store, name) for name in streams], kept, "the other ledgers")
    same(set(await store.get([ref(n, kind=kind) for n in (1, 2, 3) for kind in ("party", *kinds)])),
         {ref(2), *(ref(3, kind=kind) for kind in kinds)}, "the records that are left")  # fmt: skip
    gone = [one.seq for one in await ledger(store, "log:9") if dict(one.body) != {"text": f"{one.seq - 1}"}]
    same(gone, [1], "the entries that are gone")
    same(uid(1) in {one.ref.id for one in await scanned(store)}, False, "whether the erased is still scanned")
