"""G7: the wall between tenants."""

from __future__ import annotations

from crmcore.errors import (
    TenantMismatch,
)
from crmcore.storage import (
    Check,
    CheckKey,
    claims,
)
from crmcore.storage.capability import CHANGES
from crmcore.testing.kit import (
    ANN,
    TENANT,
    A,
    B,
    C,
    Subject,
    Writer,
    append,
    carriers,
    delete,
    due,
    feed,
    guarantee,
    ledger,
    put,
    record,
    ref,
    refused,
    rekey,
    same,
    scanned,
    source,
)


@guarantee("G7")
async def no_call_sees_another_tenant(subject: Subject) -> None:
    """Two tenants with the same ids, keys and streams read what is theirs, and change what is theirs."""
    store = await subject.fresh()
    for tenant in ("acme", "other"):
        write = Writer(store, tenant)
        one = ref(1, tenant=tenant)
        await write(
            put(one, 0, {"of": tenant}, [ANN, source("1")], [due(1)]),
            append("log:1", {"of": tenant}),
        )
    await Writer(store, "other")(
        put(ref(2, tenant="other"), 0, {}, [ANN], [due(2)]), append("log:1"), idem="x"
    )
    await Writer(store, "other")(put(ref(1, tenant="other"), 1, {"of": "changed"}), idem="y")
    found = await record(store, A)
    same(found and (found.version, found.body), (1, {"of": "acme"}), "the record")
    same(await record(store, B), None, "a record that only the other tenant has")
    same(await carriers(store, ANN), (A,), "who carries the key")
    same(dict(await store.fanout(TENANT, [ANN], cap=9)), {ANN: 1}, "the fan-out")
    same([at for _, at in (await store.range(TENANT, "due", [""])).items], [A], "the range")
    same([one.ref for one in await scanned(store)], [A], "the scan")
    same([entry.body for entry in await ledger(store, "log:1")], [{"of": "acme"}], "the ledger")
    if claims(store.describe(), CHANGES):
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
