"""How much memory a run may take, and whether the next stage fits.

Invariant: a stage that does not fit is refused before it begins, with how much it would take. What is counted is the
memory of the whole process as the system sees it, other objects of the caller included.
"""

from __future__ import annotations

import sys
from pathlib import Path

from crmcore.errors import InvalidValue, MemoryLimitReached
from crmcore.identity.batch.arrow import pa

_PAGE = 4096
_MARGIN = 1.15
"""Estimates are that much larger than what was measured: texts differ in length, allocators in thrift."""


class Room:
    """What is left of a *limit* in bytes; without one there is room for all."""

    def __init__(self, limit: int | None = None) -> None:
        if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or limit < 1):
            raise InvalidValue(
                "a memory limit is a number of bytes from 1: give memory_limit=2 << 30 for 2 GB"
            )
        if limit is not None and not _STATUS.exists() and sys.platform == "win32":
            raise InvalidValue(
                "how much memory is in use cannot be told on this system: leave memory_limit out"
            )
        self.limit = limit
        # What was used before this run began is not its doing.
        self._before = 0 if limit is None else _peak()
        self.need("to begin", 0)

    def need(self, stage: str, amount: float) -> None:
        """Refuse a *stage* that takes so many bytes more than are held now.

        Raises:
            MemoryLimitReached: saying how much it would take.
        """
        if self.limit is None:
            return
        self.check(stage)
        total = _held() + int(amount * _MARGIN)
        if total > self.limit:
            raise MemoryLimitReached(
                f"{stage} would take the memory in use to about {_said(total)}, and the limit is {_said(self.limit)}: "
                f"allow at least {_said(total + total // 20)}, or give fewer rows or columns"
            )

    def check(self, stage: str) -> None:
        """Refuse to go on to a *stage* where an estimate was too low and the limit was passed meanwhile.

        Raises:
            MemoryLimitReached: saying how much was taken.
        """
        if self.limit is None:
            return
        peak = _peak()
        if peak > max(self.limit, self._before):
            raise MemoryLimitReached(
                f"before {stage} the memory in use had reached {_said(peak)}, and the limit is {_said(self.limit)}: "
                f"allow at least {_said(peak + peak // 5)}, or give fewer rows or columns"
            )

    def passed(self) -> tuple[str, ...]:
        """That the limit was passed after all, as a note: a result that is there is not thrown away."""
        try:
            self.check("the end")
        except MemoryLimitReached as error:
            return (str(error),)
        return ()

    def portion(self, each: int, most: int, least: int) -> int:
        """How many things that take *each* so many bytes to work at once, from *least* to *most*."""
        if self.limit is None:
            return most
        free = max(self.limit - _held(), 0)
        return int(min(most, max(least, free / (each * _MARGIN))))


_STATUS = Path("/proc/self/status")


def _status(name: str) -> int | None:
    try:
        lines = _STATUS.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) << 10 for line in lines if line.startswith(name)), None)


def _held() -> int:
    """The resident memory of this process, once Arrow has given back what it does not use."""
    pa.default_memory_pool().release_unused()
    found = _status("VmRSS:")
    return _peak() if found is None else found


def _peak() -> int:
    """The most that this process ever held; where the system tells no more, also what it holds now."""
    found = _status("VmHWM:")
    if found is not None:
        return found
    if sys.platform == "win32":
        return 0
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most << 10


def _said(amount: int) -> str:
    """Bytes for people.

    >>> _said(50 << 20), _said(3 << 29)
    ('50 MB', '1.50 GB')
    """
    if amount < 1 << 30:
        return f"{max(amount >> 20, 1):,} MB"
    return f"{amount / (1 << 30):,.2f} GB"
