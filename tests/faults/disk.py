"""A disk whose every write is written down, and the pictures of it that a power cut may leave.

SQLite is given a file system (a VFS of `apsw`) that passes everything on to the real one and logs it. A power cut at a
moment of the log keeps what was synced, and of what was not any part: nothing, all, the first so many writes, some of
them, and some 512-byte sectors of some. Names of files are made durable as on a real disk: a file that was made or
removed is so for sure when its folder was synced, which SQLite does with the first sync of a journal or a log.

What this model leaves out: writes of one file that reach the disk before an *earlier sync* of another one is done
(disks that lie about a sync), and sectors that are damaged although nobody wrote to them.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import apsw
import attrs

SECTOR = 512
_NEEDS_FOLDER = apsw.SQLITE_OPEN_MAIN_JOURNAL | apsw.SQLITE_OPEN_SUPER_JOURNAL | apsw.SQLITE_OPEN_WAL


class Write(NamedTuple):
    offset: int
    data: bytes


class Truncate(NamedTuple):
    size: int


Change = Write | Truncate


@attrs.define
class Inode:
    """A file: what a power cut cannot take, and what came after that, in its order."""

    synced: bytes = b""
    pending: list[Change] = attrs.field(factory=list)


@attrs.define
class Disk:
    """*names* are the files that are there for sure; *moved* the names that were made (with their file) or removed
    (None) since the folder was synced. Names reach the disk in their order, as the journals of file systems keep it.

    *watch* is called after each change. The syncs whose numbers are in *fail_sync* fail; *room* is how many bytes fit.
    """

    names: dict[str, Inode] = attrs.field(factory=dict)
    moved: list[tuple[str, Inode | None]] = attrs.field(factory=list)
    syncs: int = 0
    fail_sync: set[int] = attrs.field(factory=set)
    room: int | None = None
    watch: Callable[[], None] = lambda: None

    def now(self) -> dict[str, Inode]:
        names = dict(self.names)
        for name, inode in self.moved:
            if inode is None:
                names.pop(name, None)
            else:
                names[name] = inode
        return names

    def sync_folder(self) -> None:
        self.names, self.moved = self.now(), []

    def used(self) -> int:
        return sum(len(content(inode, inode.pending)) for inode in self.now().values())

    def cut(self, chance: random.Random) -> dict[str, bytes]:
        """What may be on the disk if the power goes now."""
        way = chance.choice(("synced", "all", "prefix", "some", "torn"))
        kept = {"synced": 0, "all": len(self.moved)}.get(way, chance.randint(0, len(self.moved)))
        names = dict(self.names)
        for name, inode in self.moved[:kept]:
            if inode is None:
                names.pop(name, None)
            else:
                names[name] = inode
        return {name: content(inode, survivors(inode.pending, way, chance)) for name, inode in names.items()}


def survivors(pending: list[Change], way: str, chance: random.Random) -> list[Change]:
    if way == "synced":
        return []
    if way == "all":
        return pending
    if way == "prefix":
        return pending[: chance.randint(0, len(pending))]
    some = [change for change in pending if chance.random() < 0.5]
    if way == "some":
        return some
    return [part for change in some for part in torn(change, chance)]


def torn(change: Change, chance: random.Random) -> list[Change]:
    """Some sectors of a write."""
    if isinstance(change, Truncate):
        return [change]
    parts: list[Change] = []
    at = 0
    while at < len(change.data):
        end = at + SECTOR - (change.offset + at) % SECTOR
        if chance.random() < 0.6:
            parts.append(Write(change.offset + at, change.data[at:end]))
        at = end
    return parts


def content(inode: Inode, changes: list[Change]) -> bytes:
    if not changes:
        return inode.synced
    data = bytearray(inode.synced)
    for change in changes:
        if isinstance(change, Truncate):
            del data[change.size :]
            data.extend(bytes(change.size - len(data)))
            continue
        offset, new = change
        if len(data) < offset:
            data.extend(bytes(offset - len(data)))
        data[offset : offset + len(new)] = new
    return bytes(data)


class LoggingVfs(apsw.VFS):
    """The real file system, and beside it what *disk* would hold."""

    def __init__(self, name: str, disk: Disk) -> None:
        self.disk = disk
        self.name = name
        super().__init__(name, "")

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:
        return LoggedFile(self.disk, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:
        super().xDelete(filename, syncdir)
        self.disk.moved.append((Path(filename).name, None))
        self.disk.watch()
        if syncdir:
            self.disk.sync_folder()


class LoggedFile(apsw.VFSFile):
    def __init__(self, disk: Disk, name: Any, flags: list[int]) -> None:
        self.disk = disk
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        self.name = Path(path or "a file without a name").name
        found = disk.now().get(self.name)
        if found is None:
            found = Inode()
            disk.moved.append((self.name, found))
            self.needs_folder = bool(flags[0] & _NEEDS_FOLDER)
        else:
            self.needs_folder = False
        self.inode = found
        super().__init__("", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:
        if self.disk.room is not None:
            grows = offset + len(data) - len(content(self.inode, self.inode.pending))
            if grows > 0 and self.disk.used() + grows > self.disk.room:
                raise apsw.exception_for(apsw.SQLITE_FULL)
        super().xWrite(data, offset)
        self.inode.pending.append(Write(offset, bytes(data)))
        self.disk.watch()

    def xTruncate(self, newsize: int) -> None:
        super().xTruncate(newsize)
        self.inode.pending.append(Truncate(newsize))
        self.disk.watch()

    def xSync(self, flags: int) -> None:
        self.disk.syncs += 1
        if self.disk.syncs in self.disk.fail_sync:
            raise apsw.exception_for(apsw.SQLITE_IOERR_FSYNC)
        self.inode.synced = content(self.inode, self.inode.pending)
        self.inode.pending = []
        if self.needs_folder:
            self.disk.sync_folder()
            self.needs_folder = False
        self.disk.watch()
