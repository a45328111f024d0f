"""G11 and G15 for stores that check themselves (``durable``) and that migrate (``schema``)."""

from __future__ import annotations

from collections.abc import Mapping

from crmcore.errors import SchemaMismatch
from crmcore.storage import claims, durable_of, schema_of
from crmcore.storage.capability import DURABLE, SCHEMA
from crmcore.testing.kit import (
    TENANT,
    Broken,
    Inconclusive,
    NotAsked,
    Subject,
    Writer,
    delete,
    guarantee,
    holds,
    ledger,
    put,
    record,
    ref,
    same,
    scanned,
)
from crmcore.testing.story import TENANTS, changes_of, everything, tell


@guarantee("G11", part=DURABLE)
async def a_sound_store_has_no_problems(subject: Subject) -> None:
    """After anything that the protocol allows, verify finds no problem, counts what is there, and changes nothing."""
    store = await subject.fresh()
    same((await durable_of(store).verify()).problems, (), "the problems of an empty store")
    for tenant in TENANTS:
        await tell(store, tenant)
    before = await everything(store)
    found = await durable_of(store).verify()
    same(found.problems, (), "the problems of a sound store")
    records = [
        one for tenant in TENANTS for kind in ("party", "note") for one in await scanned(store, kind, tenant)
    ]
    holds(found.records >= len(records), "verify has seen fewer records than there are")
    there = sum([await changes_of(store, tenant) for tenant in TENANTS])
    holds(found.changes >= there, "verify has seen fewer changes than there are")
    names = ["party:1", "log:1", "log:2", "party:40", "party:41"]
    entries = [len(await ledger(store, name, tenant)) for name in names for tenant in TENANTS]
    holds(found.entries >= sum(entries), "verify has seen fewer entries than there are")
    same(await everything(store), before, "what can be seen after verify")


@guarantee("G11", part=DURABLE)
async def damage_is_found(subject: Subject) -> None:
    """Verify names what is wrong with a store that was damaged behind its back (the hook ``damaged``)."""
    store = await subject.planted("damaged")
    found = await durable_of(store).verify()
    holds(found.problems, "verify finds no problem in a store that was damaged")
    for one in found.problems:
        holds(one.code and one.message and one.count >= 1, "a problem has a code, a message and a count")


@guarantee("G15", part=SCHEMA)
async def a_new_store_has_nothing_to_migrate(subject: Subject) -> None:
    """A store that was just made is of the newest schema; migrating it, once or twice, takes no step."""
    store = await subject.fresh()
    await tell(store)
    before = await everything(store)
    for _ in range(2):
        state = await schema_of(store).schema()
        same((state.version, state.pending), (state.newest, ()), "the schema")
        same(await schema_of(store).migrate(), (), "the steps that were taken")
    same(await everything(store), before, "what can be seen afterwards")


@guarantee("G15", part=SCHEMA, durable=True)
async def an_older_store_is_brought_up_to_date(subject: Subject) -> None:
    """A store of an older schema (the hook ``older``) is migrated by its steps, keeps the records that the hook says it
    has, and takes all that a new one takes."""
    state = await schema_of(await subject.fresh()).schema()
    if state.newest <= 1:
        raise NotAsked("there is no older schema than the first")
    store = await subject.planted("older")
    before = subject.told
    if not isinstance(before, Mapping) or not before:
        raise Inconclusive(
            "the hook older is to return the records that it put there: a mapping of refs to bodies"
        )
    pending = (await schema_of(store).schema()).pending
    same(await schema_of(store).migrate(), pending, "the steps that were taken")
    now = await schema_of(store).schema()
    same((now.version, now.pending), (now.newest, ()), "the schema afterwards")
    there = {ref: one.body for ref, one in (await store.get(list(before))).items()}
    same(there, dict(before), "the bodies of the records that were there before")
    write = Writer(store)
    versions = await write(put(ref(900), 0, {"new": 1}), idem="after-migration")
    await write(delete(ref(900), versions[ref(900)]), idem="after-migration-2")
    if claims(store.describe(), DURABLE):
        same((await durable_of(store).verify()).problems, (), "the problems of the migrated store")
    store = await subject.reopen(store)
    same(await record(store, ref(900)), None, "a record that was deleted after the migration")
    same((await schema_of(store).schema()).pending, (), "what is pending when it is opened again")
    holds(await store.outcome(TENANT, "after-migration"), "a receipt from after the migration is gone")


@guarantee("G15", part=SCHEMA, durable=True)
async def a_newer_store_is_not_opened(subject: Subject) -> None:
    """A store that a newer crmcore wrote (the hook ``newer``) is refused with SchemaMismatch."""
    try:
        store = await subject.planted("newer")
    except SchemaMismatch:
        return
    await store.close()
    raise Broken("a store of a newer schema was opened")
