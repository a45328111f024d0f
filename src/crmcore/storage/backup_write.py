"""A whole store in one new file.

Invariant: a file is whole or not there: it is written under another name and renamed at the end.

A chunk of rows is held at a time. The file holds all that the store holds, personal data too, and is not encrypted:
keep it as you keep the store, or back up the store below an `Encrypted` one, whose rows are.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Collection
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from crmcore.errors import InvalidRecord, StoreError, Unavailable
from crmcore.storage.backup_frames import FRAME, HEADER, LONGEST, MANIFEST, ROWS, FrameWriter, check_key
from crmcore.storage.backup_manifest import Manifest, Progress, Tally, manifest_of, opening, summary
from crmcore.storage.backup_read import unusable
from crmcore.storage.lift import lift, run
from crmcore.storage.protocol import AsyncStore, Store
from crmcore.storage.stored import Stored, line
from crmcore.storage.stream import stream_of
from crmcore.storage.validate import too_large

_CHUNK = 1000


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
        raise unusable(target.name, error) from None
    finally:
        with suppress(OSError):
            part.unlink()
        await snapshot.close()
    return manifest_of(head, summary(tally))


def _line(row: Stored, tally: Tally) -> bytes:
    text = line(row)
    tally.add(row, text)
    data = text.encode() + b"\n"
    if len(data) > LONGEST:
        raise too_large("bytes in what is kept of a batch", LONGEST, len(data))
    return data


def _refuse_missing(tenants: Collection[str]) -> None:
    if tenants:
        raise InvalidRecord(
            f"{len(tenants)} of the tenants to back up have nothing in this store: check their names"
        )


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


# --- within ---


def _refuse_existing(target: Path) -> None:
    if "\0" in str(target):
        raise Unavailable("the path of a backup cannot hold the character U+0000: choose another one")
    try:
        there = target.exists()
    except OSError as error:
        raise unusable(target.name[:100], error) from None
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
        raise unusable(name, error) from None


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
