"""Out of the file of a backup into a store of any kind, and a look whether it is all there.

Invariant: nothing of a damaged file stays in the store; what the store gives back afterwards was compared with the
manifest of the file, row by row; and what was erased since the backup is erased again at once. Once the rows are in the
store, no error says that nothing was written.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from pathlib import Path

import attrs

from crmcore.errors import CommitUnknown, Corrupt, SchemaMismatch, StoreError
from crmcore.storage.backup_manifest import Manifest, Progress, Tally
from crmcore.storage.backup_read import BackupReader, verify_backup
from crmcore.storage.capability import STREAM, claims
from crmcore.storage.carried_over import erase_again
from crmcore.storage.erasure import Erasure, Residual, eraser_of
from crmcore.storage.lift import lift, run
from crmcore.storage.protocol import AsyncStore, Store
from crmcore.storage.stored import line
from crmcore.storage.stream import Restored, backup_of, stream_of

_CHUNK = 1000


@attrs.frozen(kw_only=True)
class RestoreReport:
    """What `restore_backup` did: the *manifest* of the file, what was written, how many erasures were done again.

    *compared* is how many rows the store gave back, when all was written and nothing erased yet: their hash is that of
    the manifest. It is None where nothing was compared, since the store gives no snapshots. *residual* is what the
    erasures left behind.
    """

    manifest: Manifest
    restored: Restored
    compared: int | None
    erasures: int
    residual: tuple[Residual, ...]


async def restore_backup(
    store: AsyncStore,
    path: str | os.PathLike[str],
    *,
    erasures: Iterable[Erasure] = (),
    key: bytes | None = None,
    verified: Manifest | None = None,
    on_progress: Progress | None = None,
    on_comparing: Progress | None = None,
) -> RestoreReport:
    """Write a backup into *store*, in which its tenants have nothing, and do again what was erased since.

    The file is read twice: first to its end to check it, then to restore it. *verified* is what `verify_backup` told of
    it just now, and spares the first; whatever the file holds, nothing of a damaged one stays. Then all that was
    written is read back from the store and compared, so nobody else may write to its tenants meanwhile. Both ways a
    chunk of rows is held at a time, and *on_progress* and *on_comparing* are told how many there were.

    *erasures* are those of the store that the backup was taken from, all of them or since then: one that is in the
    backup already changes nothing, and those of tenants that are not in it are left out. They are done when the rows
    were compared, whether or not these are as they should be. Should that be cut off, who was erased is there again,
    and the same backup is refused with `NotEmpty`: go on with `erase_again`.

    Raises:
        Corrupt: if the file is not what was written: nothing was restored. Or, with the outcome ``unknown``, if the
            store does not give back what was written: it is not to be used.
        CommitUnknown: if all is restored, but could not be read back, or not all erasures could be done again; the
            message says what to do. Or as `Backup.restore`.
        SchemaMismatch: if the store was made without an exclusive namespace of the one that was backed up.
        WrongKey: as `verify_backup`.
        NotEmpty, KeyConflict, InvalidRecord: as `Backup.restore`.
        CapabilityMissing: if nothing can be restored into the store, or it cannot erase and is asked to.
    """
    source = Path(path)
    part = backup_of(store)
    wanted = tuple(erasures)
    if wanted:
        eraser_of(store)
    manifest = verified or verify_backup(source, key=key)
    lacking = manifest.exclusive - store.describe().exclusive
    if lacking:
        raise SchemaMismatch(
            f"this store was made without exclusive namespaces of the backup: {', '.join(sorted(lacking))}; "
            "restore into a store that is made with them"
        )
    reader = BackupReader(source, key, on_progress)
    restored = await part.restore(reader.rows())
    problem: StoreError | None = None
    compared: int | None = None
    try:
        compared = await _compare(store, manifest, restored, reader.tenants, on_comparing)
    except StoreError as error:
        # First the erasures: nobody who was erased is left behind in a store that is put aside.
        problem = _uncompared(error)
    try:
        again = await erase_again(store, [one for one in wanted if one.tenant in reader.tenants])
    except StoreError as error:
        raise _unerased(problem, error) from (error if problem is None else _both(problem, error))
    if problem is not None:
        raise problem
    return RestoreReport(
        manifest=manifest,
        restored=restored,
        compared=compared,
        erasures=again.erasures,
        residual=again.residual,
    )


async def _compare(
    store: AsyncStore,
    manifest: Manifest,
    restored: Restored,
    tenants: Collection[str],
    on_progress: Progress | None,
) -> int | None:
    """Read back what was written, and say how many rows that were; None if the store gives no snapshots.

    The hash of the rows that were handed over was compared with the manifest before the commit.

    Raises:
        Corrupt: if the store says that it wrote less, or gives something else back.
    """
    said = {name: getattr(manifest, name) for name in attrs.asdict(restored)}
    if attrs.asdict(restored) != said:
        raise Corrupt(f"the store did not write all of the backup: {_PUT_ASIDE}")
    if not claims(store.describe(), STREAM):
        return None
    tally = Tally(on_progress)
    snapshot = await stream_of(store).export(tenants)
    try:
        while rows := await snapshot.read(_CHUNK):
            for row in rows:
                tally.add(row, line(row))
    finally:
        await snapshot.close()
    if tally.document() != {**said, "multiset": manifest.multiset}:
        raise Corrupt(
            "the store does not give back what was restored into it, unless somebody else was writing to it: "
            f"{_PUT_ASIDE}"
        )
    return tally.rows


_PUT_ASIDE = "do not use it; drop its tenants, or restore into another one"


def _uncompared(error: StoreError) -> StoreError:
    """*error*, which kept the rows from being compared, as one that came when they were there."""
    if isinstance(error, Corrupt):
        error.outcome = "unknown"
        return error
    doubt = CommitUnknown(
        "all of the backup is in the store, but it could not be read back and compared: drop its tenants and restore "
        f"again, which is refused (NotEmpty) while they are there ({error})",
        idem="",
    )
    doubt.__cause__ = error
    return doubt


def _unerased(problem: StoreError | None, error: StoreError) -> CommitUnknown:
    before = "all of the backup is in the store" if problem is None else str(problem)
    return CommitUnknown(
        f"{before}; but who was erased since the backup may be there again: go on with erase_again ({error})",
        idem="",
    )


def _both(*problems: StoreError) -> ExceptionGroup[StoreError]:
    return ExceptionGroup("after all of the backup was written", problems)


def restore(
    store: Store,
    path: str | os.PathLike[str],
    *,
    erasures: Iterable[Erasure] = (),
    key: bytes | None = None,
    verified: Manifest | None = None,
    on_progress: Progress | None = None,
    on_comparing: Progress | None = None,
) -> RestoreReport:
    """`restore_backup` for synchronous code."""
    flow = restore_backup(
        lift(store),
        path,
        erasures=erasures,
        key=key,
        verified=verified,
        on_progress=on_progress,
        on_comparing=on_comparing,
    )
    return run(flow)
