"""One run at a time in a folder, by a lock that the system takes back from a process that is killed.

Invariant: a lock that is held is held on the file that lies at its path now.
"""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

from crmcore.errors import UnusableCheckpoint


def locked(path: Path) -> int:
    """Lock a file, which is made if it is not there.

    Raises:
        UnusableCheckpoint: if another run holds it.
        OSError: if it cannot be opened.
    """
    while True:
        held = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _take(held)
            if os.path.samestat(os.fstat(held), os.stat(path)):
                return held
        except BlockingIOError:
            os.close(held)
            raise UnusableCheckpoint(
                f"another run uses the checkpoint in {path.parent.name}: wait for it to end, or name another folder"
            ) from None
        except FileNotFoundError:
            pass
        # Whoever held it has removed it meanwhile.
        os.close(held)


def released(held: int) -> None:
    """Give up a lock."""
    with contextlib.suppress(OSError):
        os.close(held)


if sys.platform == "win32":

    def _take(held: int) -> None:
        import msvcrt

        try:
            msvcrt.locking(held, msvcrt.LK_NBLCK, 1)
        except OSError:
            raise BlockingIOError from None

else:

    def _take(held: int) -> None:
        import fcntl

        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise
        except OSError:
            # A file system without locks: two runs at once do each other no harm but lost work.
            return
