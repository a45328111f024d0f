"""A file that is read must be the same file from the first byte to the last.

Invariant: what was read while somebody wrote is refused; nothing is made of half an old and half a new list. Only a
write within the same tick of the system's clock as the one before, some milliseconds, to the same size goes unseen.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import attrs

from crmcore.errors import UnreadableFile


@attrs.frozen(kw_only=True)
class FileState:
    """Which file lies at a path and when it was last written: another file, size or time is another state.

    *changed* is when anything of the file was changed, its times included; no tool sets that back. On Windows it is
    when the file was made.
    """

    device: int
    inode: int
    size: int
    modified: int
    changed: int

    @classmethod
    def of(cls, path: Path) -> FileState:
        """The state of the file at *path*, by whatever links.

        Raises:
            OSError: if there is none.
        """
        found = os.stat(path)
        return cls(
            device=found.st_dev,
            inode=found.st_ino,
            size=found.st_size,
            modified=found.st_mtime_ns,
            changed=found.st_ctime_ns,
        )


@contextmanager
def unchanged(path: Path, since: FileState | None = None) -> Iterator[FileState]:
    """Read a file within; what is wrong with a file that changes is that it changes. It must be what it was *since*, if
    that is known.

    Raises:
        OSError: if there is no such file.
        UnreadableFile: if the file changed meanwhile, or is gone.
    """
    if since is not None and not _still(path, since):
        raise _refusal(path)
    before = since or FileState.of(path)
    try:
        yield before
    except Exception:
        if not _still(path, before):
            raise _refusal(path) from None
        raise
    if not _still(path, before):
        raise _refusal(path)


def _still(path: Path, before: FileState) -> bool:
    try:
        return FileState.of(path) == before
    except OSError:
        return False


def _refusal(path: Path) -> UnreadableFile:
    return UnreadableFile(
        f"{path.name} changed while it was read: wait until it is written, or give a copy that nobody writes to"
    )
