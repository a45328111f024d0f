"""Reading the file of a backup.

Invariant: nothing is taken for a backup that is not, byte for byte, what was written: that is known at its end, so the
rows before are given to nobody who could not let go of them again. A chunk of rows is held at a time.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from crmcore.errors import Corrupt, Unavailable
from crmcore.storage.backup_frames import HEADER, LONGEST, MANIFEST, check_key, frames
from crmcore.storage.backup_manifest import (
    Manifest,
    Progress,
    Tally,
    check_sealed,
    manifest_of,
    opening_of,
    summary,
)
from crmcore.storage.backup_rows import row_of
from crmcore.storage.stored import Stored, StoredTenant


def verify_backup(
    path: str | os.PathLike[str], *, key: bytes | None = None, on_progress: Progress | None = None
) -> Manifest:
    """Read a backup to its end and tell what is in it.

    Raises:
        Corrupt: if it is not, byte for byte, what was written, or with a *key*, not made with it.
        WrongKey: if it is sealed with a key and none is given, or the other way round.
        Unavailable: if there is no such file.
    """
    reader = BackupReader(Path(path), key, on_progress)
    for _ in reader.rows():
        pass
    return reader.manifest


class BackupReader:
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
            raise unusable(self._path.name, error) from None

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
            if len(gathered) > LONGEST:
                raise Corrupt("a row of the backup is longer than any row is: take another one")
        if gathered or not ends:
            raise Corrupt("the backup ends within a row, or without a manifest: take another one")
        if ends != summary(self._tally):
            raise Corrupt("the backup does not hold what its manifest says: take another one")
        self.manifest = manifest_of(head, ends)

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


def unusable(name: str, error: OSError) -> Unavailable:
    reason = error.strerror or "it cannot be used"
    return Unavailable(f"the backup file {name!r} cannot be used ({reason}): check its path and its disk")
