"""A store whose passing troubles are waited out.

Invariant: a call is sent again only where that cannot do anything twice, and only after an error that says so: one that
is retryable and wrote nothing, or, for calls that are idempotent by their key, one whose outcome is unknown. Conflicts
and refusals go to the caller at once. Once the outcome of a call was unknown, the call ends with what it did or stays
unknown. All calls together send again a tenth of what they send at first, and a small reserve, at most.

The waits grow twofold and are drawn anew from nothing to the whole (full jitter), as in Marc Brooker, "Exponential
Backoff and Jitter", AWS Architecture Blog, 2015.
"""

from __future__ import annotations

import asyncio
import secrets
import threading
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from crmcore.errors import CommitUnknown, StoreError
from crmcore.storage.protocol import AsyncStore
from crmcore.storage.wrappers.call import Call
from crmcore.storage.wrappers.passing import Passing

T = TypeVar("T")

_LONGEST = 64
"""Doublings after which a wait grows no further, long after any ceiling."""


def _random() -> float:
    return secrets.randbits(53) / (1 << 53)


async def blocking(seconds: float) -> None:
    """The *pause* of a `Retrying` around a synchronous store: it holds up its thread."""
    time.sleep(seconds)


class Budget:
    """How often may be sent again: a share of all calls, and a reserve that a quiet time fills up again.

    >>> budget = Budget(share=0.1, reserve=1)
    >>> budget.spend(), budget.spend()
    (True, False)
    """

    def __init__(self, *, share: float, reserve: float) -> None:
        if not (0 <= share <= 1 and reserve >= 0):
            raise ValueError("the share of a budget is from 0 to 1, and its reserve is not negative")
        self._share = share
        self._reserve = reserve
        self._left = reserve
        self._lock = threading.Lock()

    def earn(self) -> None:
        """Count a call that was sent for the first time."""
        with self._lock:
            self._left = min(self._left + self._share, max(self._reserve, 1.0))

    def spend(self) -> bool:
        """Whether one more call may be sent again."""
        with self._lock:
            if self._left < 1 - 1e-9:  # ten tenths are one, whatever binary fractions make of them
                return False
            self._left -= 1
            return True


class Retrying(Passing):
    """*inner*, with calls sent again while their time lasts. A call that has no timeout has *patience*, in seconds.

    *pause* waits: `asyncio.sleep`, or `blocking` around a synchronous store. The n-th wait is drawn by *random*, which
    gives numbers from 0 to 1, from 0 to *first* * 2**(n-1), at most *longest*, in seconds.

    What remains of a timeout is what the next attempt is given. When there is no time or no budget left, the last error
    is raised; after an attempt with an unknown outcome that is its `CommitUnknown`, whatever the later ones said. A
    task that is cancelled then, in a wait or in an attempt, has it as the cause of its `CancelledError`.

    A receipt may say *replayed* though the call was made once: then an attempt that seemed to fail had succeeded.
    """

    def __init__(
        self,
        inner: AsyncStore,
        *,
        pause: Callable[[float], Awaitable[object]],
        random: Callable[[], float] = _random,
        clock: Callable[[], float] = time.monotonic,
        first: float = 0.05,
        longest: float = 2.0,
        patience: float = 30.0,
        share: float = 0.1,
        reserve: float = 10.0,
    ) -> None:
        super().__init__(inner)
        self._pause = pause
        self._random = random
        self._clock = clock
        self._first = first
        self._longest = longest
        self._patience = patience
        self._budget = Budget(share=share, reserve=reserve)

    async def around(self, call: Call[T]) -> T:
        if call.repeat == "never":
            return await call.through()
        given = self._patience if call.timeout is None else call.timeout
        end = self._clock() + given
        self._budget.earn()
        left = given
        unknown: CommitUnknown | None = None
        for attempt in range(1_000_000):  # time or budget ends it long before
            try:
                return await call.send(left)
            except StoreError as error:
                if isinstance(error, CommitUnknown):
                    unknown = unknown or error
                wait = self._wait(call, error, attempt, end)
                if wait is None:
                    if unknown is not None and unknown is not error:
                        raise unknown from None
                    raise
            except asyncio.CancelledError as cancelled:
                if unknown is None:
                    raise
                raise cancelled from unknown
            await self._rest(wait, unknown)
            left = max(end - self._clock(), 0.0)
        raise AssertionError("the loop above returns or raises")  # pragma: no cover

    def _wait(self, call: Call[T], error: StoreError, attempt: int, end: float) -> float | None:
        """How long to wait before the next attempt; None if there is none."""
        if error.outcome == "unknown":
            again = call.repeat == "always"
        else:
            again = error.retryable
        if not again:
            return None
        wait = self._random() * min(self._longest, self._first * 2.0 ** min(attempt, _LONGEST))
        if self._clock() + wait >= end or not self._budget.spend():
            return None
        return wait

    async def _rest(self, wait: float, unknown: CommitUnknown | None) -> None:
        try:
            await self._pause(wait)
        except asyncio.CancelledError as cancelled:
            if unknown is None:
                raise
            raise cancelled from unknown
