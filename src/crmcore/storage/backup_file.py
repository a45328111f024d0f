"""A whole store in one file that can be checked, and back into a store of any kind.

Invariant: a file is whole or not there: it is written under another name and renamed at the end. Nothing is restored
from a file that is not, byte for byte, what was written; and what was erased since is erased again at once.

Both ways a chunk of rows is held at a time. The file holds all that the store holds, personal data too, and is not
encrypted: keep it as you keep the store, or back up an `Encrypted` store, whose rows are.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import attrs

from crmcore.errors import Corrupt, InvalidRecord, SchemaMismatch, StoreError, Unavailable
from crmcore.storage.backup_frames import FRAME, HEADER, MANIFEST, ROWS, FrameWriter, check_key, frames
from crmcore.storage.backup_manifest import (
    Manifest,
    Tally,
    check_sealed,
    opening,
    opening_of,
    summary,
    summary_of,
)
from crmcore.storage.backup_rows import row_of
from crmcore.storage.carried_over import erase_again
from crmcore.storage.erasure import Erasure, Residual, eraser_of
from crmcore.storage.lift import lift, run
from crmcore.storage.protocol import AsyncStore, Store
from crmcore.storage.stored import Stored, StoredTenant, line
from crmcore.storage.stream import Restored, backup_of, stream_of
from crmcore.storage.validate import too_large

Progress = Callable[[int], None]
"""Is called now and then with the number of rows so far."""

_CHUNK = 1000
_LONGEST = 32 << 20
"""A row has at most so many bytes; that of a chunk of a bulk load tells all its changes."""


@attrs.frozen(kw_only=True)
class RestoreReport:
    """What `restore_backup` did: the *manifest* of the file, what was written, how many erasures were done again.

    *residual* is what the erasures left behind.
    """

    manifest: Manifest
    restored: Restored
    erasures: int
    residual: tuple[Residual, ...]


async def write_backup(
    store: AsyncStore,
    path: str | os.PathLike[str],
    *,
    at: datetime,
    tenants: Collection[str] | None = None,
    key: bytes | None = None,
    on_progress: Progress | None = None,
) -> Manifest:
    """Write a snapshot of *store*, or of some of its *tenants*, into a new file at *path*, readable by its owner only.

    With a *key*, of 32 random bytes say, a file that somebody else made is refused later, too; without one the seal
    shows accidents only. Between calls of the store the file is written, which holds up an event loop for moments.
    Until it is whole it has another name, which begins with a dot and ends with ``.part``: if the process is killed,
    that one is left, and may be removed.

    Raises:
        CapabilityMissing: if the store gives no snapshots.
        InvalidRecord: if a tenant that is named has nothing, or the key is too short.
        BatchTooLarge: if what is kept of a batch is longer than any row of a backup.
        Unavailable: if there is a file at *path* already, or none can be written there.
    """
    check_key(key)
    target = Path(path)
    _refuse_existing(target)
    snapshot = await stream_of(store).export(tenants)
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        with _created(part, target.name) as sink:
            writer = FrameWriter(sink, key)
            head = opening(store.describe(), at, sealed=key is not None)
            writer.frame(HEADER, head)
            tally = Tally(on_progress)
            missing = set(tenants or ())
            gathered = bytearray()
            while rows := await snapshot.read(_CHUNK):
                for row in rows:
                    missing.discard(row.tenant)
                    gathered += _line(row, tally)
                    while len(gathered) >= FRAME:
                        writer.frame(ROWS, bytes(gathered[:FRAME]))
                        del gathered[:FRAME]
            _refuse_missing(missing)
            writer.frame(ROWS, bytes(gathered))
            writer.frame(MANIFEST, summary(tally))
            writer.end()
            sink.flush()
            os.fsync(sink.fileno())
        _rename(part, target)
    except StoreError:
        raise  # some of them are OSErrors as well
    except OSError as error:
        raise _unusable(target.name, error) from None
    finally:
        with suppress(OSError):
            part.unlink()
        await snapshot.close()
    return _manifest(head, summary(tally))


def _line(row: Stored, tally: Tally) -> bytes:
    text = line(row)
    tally.add(row, text)
    data = text.encode() + b"\n"
    if len(data) > _LONGEST:
        raise too_large("bytes in what is kept of a batch", _LONGEST, len(data))
    return data


def _refuse_missing(tenants: Collection[str]) -> None:
    if tenants:
        raise InvalidRecord(
            f"{len(tenants)} of the tenants to back up have nothing in this store: check their names"
        )


def verify_backup(
    path: str | os.PathLike[str], *, key: bytes | None = None, on_progress: Progress | None = None
) -> Manifest:
    """Read a backup to its end and tell what is in it.

    Raises:
        Corrupt: if it is not, byte for byte, what was written, or with a *key*, not made with it.
        WrongKey: if it is sealed with a key and none is given, or the other way round.
        Unavailable: if there is no such file.
    """
    reader = _Reader(Path(path), key, on_progress)
    for _ in reader.rows():
        pass
    return reader.manifest


async def restore_backup(
    store: AsyncStore,
    path: str | os.PathLike[str],
    *,
    erasures: Iterable[Erasure] = (),
    key: bytes | None = None,
    verified: Manifest | None = None,
    on_progress: Progress | None = None,
) -> RestoreReport:
    """Write a backup into *store*, in which its tenants have nothing, and do again what was erased since.

    The file is read twice: first to its end to check it, then to restore it. *verified* is what `verify_backup` told of
    it just now, and spares the first; whatever the file holds, nothing of a damaged one stays. *erasures* are those of
    the store that the backup was taken from, all of them or since then: one that is in the backup already changes
    nothing, and those of tenants that are not in it are left out. They are done as soon as the rows are there. Should
    that be cut off, who was erased is there again, and the same backup is refused with `NotEmpty`: go on with
    `erase_again`.

    Raises:
        Corrupt: if the file is not what was written: nothing was restored. Or if the store did not write all of it.
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
    reader = _Reader(source, key, on_progress)
    restored = await part.restore(reader.rows())
    again = await erase_again(store, [one for one in wanted if one.tenant in reader.tenants])
    # The hash of the rows was compared with the manifest while they were handed over, before the commit.
    if attrs.asdict(restored) != {name: getattr(manifest, name) for name in attrs.asdict(restored)}:
        raise Corrupt(
            "the store did not write all of the backup: drop its tenants and restore them into another one"
        )
    return RestoreReport(
        manifest=manifest, restored=restored, erasures=again.erasures, residual=again.residual
    )


# --- for synchronous code -----------------------------------------------------------------------------


def backup(
    store: Store,
    path: str | os.PathLike[str],
    *,
    at: datetime,
    tenants: Collection[str] | None = None,
    key: bytes | None = None,
    on_progress: Progress | None = None,
) -> Manifest:
    """`write_backup` for synchronous code."""
    return run(write_backup(lift(store), path, at=at, tenants=tenants, key=key, on_progress=on_progress))


def restore(
    store: Store,
    path: str | os.PathLike[str],
    *,
    erasures: Iterable[Erasure] = (),
    key: bytes | None = None,
    verified: Manifest | None = None,
    on_progress: Progress | None = None,
) -> RestoreReport:
    """`restore_backup` for synchronous code."""
    flow = restore_backup(
        lift(store), path, erasures=erasures, key=key, verified=verified, on_progress=on_progress
    )
    return run(flow)


# --- within -------------------------------------------------------------------------------------------


class _Reader:
    """Reads a file to its end. Its *manifest* and *tenants* are there when all rows were taken."""

    manifest: Manifest

    def __init__(self, path: Path, key: bytes | None, on_progress: Progress | None) -> None:
        check_key(key)
        self._path = path
        self._key = key
        self._tally = Tally(on_progress)
        self.tenants: set[str] = set()

    def rows(self) -> Iterator[Stored]:
        try:
            with self._path.open("rb") as source:
                yield from self._rows(source)
        except OSError as error:
            raise _unusable(self._path.name, error) from None

    def _rows(self, source: BinaryIO) -> Iterator[Stored]:
        parts = frames(source, self._key)
        letter, head = next(parts, (b"", b""))
        if letter != HEADER:
            raise Corrupt("the backup does not begin with a header: take another one")
        opening_of(head)
        check_sealed(head, self._key)
        ends = b""
        gathered = bytearray()
        for letter, text in parts:
            if ends or letter == HEADER:
                raise Corrupt(
                    "the parts of the backup come in another order than they are written: take another one"
                )
            if letter == MANIFEST:
                ends = text
                continue
            seen = len(gathered)
            gathered += text
            yield from self._lines(gathered, seen)
            if len(gathered) > _LONGEST:
                raise Corrupt("a row of the backup is longer than any row is: take another one")
        if gathered or not ends:
            raise Corrupt("the backup ends within a row, or without a manifest: take another one")
        if ends != summary(self._tally):
            raise Corrupt("the backup does not hold what its manifest says: take another one")
        self.manifest = _manifest(head, ends)

    def _lines(self, gathered: bytearray, seen: int) -> Iterator[Stored]:
        """The rows whose lines are whole, which are taken out of *gathered*; no line ends in what was *seen* before."""
        whole = gathered.rfind(b"\n", seen) + 1
        if not whole:
            return
        lines = bytes(gathered[: whole - 1]).split(b"\n")
        del gathered[:whole]
        for data in lines:
            try:
                text = data.decode()
            except UnicodeDecodeError:
                text = ""  # no row, which the next line says in words
            row = row_of(text)
            self._tally.add(row, text)
            if isinstance(row, StoredTenant):
                self.tenants.add(row.tenant)
            yield row


def _manifest(head: bytes, ends: bytes) -> Manifest:
    engine, exclusive, at = opening_of(head)
    return summary_of(ends, engine=engine, exclusive=exclusive, at=at)


def _refuse_existing(target: Path) -> None:
    if "\0" in str(target):
        raise Unavailable("the path of a backup cannot hold the character U+0000: choose another one")
    try:
        there = target.exists()
    except OSError as error:
        raise _unusable(target.name[:100], error) from None
    if there:
        raise _exists(target)


def _exists(target: Path) -> Unavailable:
    return Unavailable(f"there is a file {target.name!r} already: name another one for the backup")


def _created(path: Path, name: str) -> BinaryIO:
    try:
        return os.fdopen(
            os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600), "wb"
        )
    except OSError as error:
        raise _unusable(name, error) from None


def _rename(part: Path, target: Path) -> None:
    """Give the whole file its name, unless a file took it meanwhile, and make sure that the name stays."""
    try:
        try:
            os.link(part, target)
        except FileExistsError:
            raise
        except OSError:  # no links on this file system: take the name first, which nobody can do twice
            os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            part.replace(target)
    except FileExistsError:
        raise _exists(target) from None
    if os.name == "posix":
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _unusable(name: str, error: OSError) -> Unavailable:
    reason = error.strerror or "it cannot be used"
    return Unavailable(f"the backup file {name!r} cannot be used ({reason}): check its path and its disk")
