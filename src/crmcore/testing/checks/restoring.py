"""G16, the second half: what a snapshot restores to (``backup``)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from crmcore.errors import (
    Fenced,
    IdempotencyMismatch,
    InvalidRecord,
    KeyConflict,
    NotEmpty,
    StoreError,
    VersionConflict,
)
from crmcore.storage import Json, Stored, StoredBatch, StoredEntry, StoredRecord, StoredTenant, backup_of
from crmcore.storage.capability import BACKUP
from crmcore.testing.kit import (
    TENANT,
    A,
    C,
    Subject,
    Writer,
    guarantee,
    has_feed,
    holds,
    put,
    ref,
    refused,
    same,
)
from crmcore.testing.story import TENANTS, changes_of, digest, everything, exported, tell, told


@guarantee("G16", part=BACKUP)
async def a_restored_store_is_equal(subject: Subject) -> None:
    """Restored into an empty store, a snapshot gives equal records, keys, orders, ledgers, feed and rows, and says how
    many of each it wrote."""
    source, target = await subject.fresh(), await subject.fresh()
    for tenant in TENANTS:
        await tell(source, tenant)
    rows = await exported(source)
    done = await backup_of(target).restore(iter(rows))
    counts = [
        sum(isinstance(row, kind) for row in rows) for kind in (StoredTenant, StoredRecord, StoredEntry)
    ]
    same([done.tenants, done.records, done.entries], counts, "the rows that were written")
    same(done.batches, sum(isinstance(row, StoredBatch) for row in rows), "the batches that were written")
    same(digest(await exported(target)), digest(rows), "the rows of the restored store")
    same(await everything(target), await everything(source), "what can be seen")


@guarantee("G16", part=BACKUP)
async def a_restored_store_goes_on(subject: Subject) -> None:
    """After a restore an old batch is a replay, an outcome is what it was, a fence holds, and versions, numbers and the
    feed go on where they were."""
    source, target = await subject.fresh(), await subject.fresh()
    first = await tell(source)
    given = await source.outcome(TENANT, first.idem)
    await backup_of(target).restore(iter(await exported(source)))
    again = await target.apply(first)
    same((again.replayed, told(again)), (True, told(given)), "the answer to an old batch")
    write = Writer(target)
    await refused(Fenced, target.apply(write.batch(put(ref(9)), idem=f"{TENANT}-never")))
    await refused(IdempotencyMismatch, target.apply(write.batch(put(ref(9)), idem=first.idem)))
    await refused(VersionConflict, target.apply(write.batch(put(A, 1), idem="late")))
    changes = await changes_of(target)
    versions = await write(put(C, 0), put(A, 2), idem="after")
    same(versions, {C: 3, A: 3}, "the next versions")
    same(await changes_of(target), changes + 2 * has_feed(target), "the changes")


@guarantee("G16", part=BACKUP)
async def a_store_that_has_something_is_not_restored_into(subject: Subject) -> None:
    """Where a tenant of the snapshot has something already, the restore is refused and changes nothing."""
    source, target = await subject.fresh(), await subject.fresh()
    for tenant in TENANTS:
        await tell(source, tenant)
    await Writer(target, "other")(put(ref(7, tenant="other")))
    before, rows = await everything(target), await exported(target)
    await refused(NotEmpty, backup_of(target).restore(iter(await exported(source))))
    same(
        (await everything(target), await exported(target)), (before, rows), "what is there after the refusal"
    )
    done = await backup_of(target).restore(iter(await exported(source, [TENANT])))
    holds(done.tenants == 1 and done.records, "another tenant could not be restored beside it")


@guarantee("G16", part=BACKUP, least={"bad rows refused": 6})
async def a_restore_writes_everything_or_nothing(subject: Subject) -> None:
    """One bad row, wherever it stands, and the restore is refused with nothing written; the good rows can be restored
    afterwards."""
    source = await subject.fresh()
    await tell(source)
    rows = await exported(source)
    for name, spoil in BAD.items():
        target = await subject.fresh()
        error = KeyConflict if name == "two holders" else InvalidRecord
        await refused(error, backup_of(target).restore(spoil(rows)))
        same(await exported(target), [], f"what a restore with {name} left")
        subject.saw("bad rows refused")
    target = await subject.fresh()
    await refused(StoreError, backup_of(target).restore(_torn(rows)))
    same(await exported(target), [], "what a restore that was cut off left")
    await backup_of(target).restore(iter(rows))
    same(digest(await exported(target)), digest(rows), "the rows restored afterwards")


def _instead(kind: type, change: Callable[[object], object]) -> Callable[[list[Stored]], Iterator[Stored]]:
    """The rows with the last one of a kind changed."""

    def spoiled(rows: list[Stored]) -> Iterator[Stored]:
        last = max(number for number, row in enumerate(rows) if isinstance(row, kind))
        for number, row in enumerate(rows):
            yield change(row) if number == last else row  # type: ignore[misc]  # a row, if a bad one

    return spoiled


def _twice(rows: list[Stored]) -> Iterator[Stored]:
    """A second record that carries an exclusive key of the first."""
    for row in rows:
        yield row
        if isinstance(row, StoredRecord) and ("source", "1") in row.keys:
            yield row._replace(id=row.id[:-1] + "1")


def _backwards(rows: list[Stored]) -> Iterator[Stored]:
    records = [row for row in rows if isinstance(row, StoredRecord)]
    yield from (row for row in rows if isinstance(row, StoredTenant))
    yield from reversed(records)
    yield from (row for row in rows if not isinstance(row, (StoredTenant, StoredRecord)))


def _torn(rows: list[Stored]) -> Iterator[Stored]:
    yield from rows[: len(rows) // 2]
    raise InvalidRecord("the rest cannot be read")


BAD: dict[str, Callable[[list[Stored]], Iterator[Stored]]] = {
    "a bad id": _instead(StoredRecord, lambda row: row._replace(id="nonsense")),  # type: ignore[attr-defined]  # a tuple
    "a body that is none": _instead(StoredRecord, lambda row: row._replace(body="{", keys=())),  # type: ignore[attr-defined]  # as above
    "a gap in a ledger": _instead(StoredEntry, lambda row: row._replace(seq=99)),  # type: ignore[attr-defined]  # as above
    "an entry of no object": _instead(StoredEntry, lambda row: row._replace(body=Json("1"))),  # type: ignore[attr-defined]  # as above
    "another order": _backwards,
    "two holders": _twice,
}
"""Rows that cannot be restored, each wrong in one place."""
