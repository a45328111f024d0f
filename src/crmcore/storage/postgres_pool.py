"""The connections of one store: made when they are needed, at most so many, given back or thrown away.

Invariant: what was taken comes back exactly once; a connection that is not idle, or that the server has closed, is
never handed out again. There is no thread and no task in the background: who needs a connection makes it, and so sees
why it cannot be made.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Protocol

from crmcore.errors import Contention, StoreClosed, StoreError
from crmcore.storage.postgres_driver import (
    DriverError,
    Late,
    Link,
    Names,
    connect,
    connect_async,
)
from crmcore.storage.postgres_errors import translated

Greet = Callable[[Link], Awaitable[None]]
"""What is done first on each new connection."""

GRACE = 0.5
"""Seconds that the client waits longer than it told the server to, since the server's own answer says more."""


class Pool(Protocol):
    """Where the flows take their connections from."""

    async def take(self, deadline: float) -> Link:
        """A connection that must be given back; the server is waited for until *deadline*, on the monotonic clock.

        Raises:
            Contention: if all are in use until the deadline.
            StoreClosed: if the store is closed.
            StoreError: if none can be made.
        """
        ...

    async def extra(self, deadline: float) -> Link:
        """A connection beside the pool, for who keeps it long and drops it by himself. Raises as `take`."""
        ...

    def give(self, link: Link) -> None:
        """Give back what was taken, in whatever state it is."""
        ...

    async def close(self) -> None: ...


class _Idle:
    """The connections that nobody uses, the last given back first."""

    def __init__(self) -> None:
        self._links: list[Link] = []
        self.closed = False
        self.out = 0
        """How many connections are in use."""

    def check(self) -> None:
        if self.closed:
            raise StoreClosed("this store is closed: open it again")

    def pop(self) -> Link | None:
        """A connection that can be used, or None; those that cannot are dropped."""
        while self._links:
            with suppress(IndexError):  # another thread may have been faster
                link = self._links.pop()
                if link.usable():
                    return link
                link.drop()
        return None

    def put(self, link: Link) -> None:
        self.out -= 1
        if self.closed or not link.usable():
            link.drop()
            return
        self._links.append(link)
        self._end_if_closed()

    def _end_if_closed(self) -> None:
        """The store may have been closed in this moment, by another thread."""
        if self.closed:
            self.end()

    def end(self) -> None:
        self.closed = True
        while (link := self.pop()) is not None:
            link.drop()


def _none_free() -> StoreError:
    return Contention(
        "all connections of this store were in use all the time: send the same again, or open it with a larger pool"
    )


class SyncPool:
    """Connections for threads."""

    def __init__(self, dsn: str, names: Names, size: int, greet: Greet) -> None:
        self._dsn, self._names, self._greet = dsn, names, greet
        self._room = threading.Semaphore(size)
        self.idle: _Idle = _Idle()

    async def take(self, deadline: float) -> Link:
        self.idle.check()
        if not self._room.acquire(blocking=False) and not self._room.acquire(
            timeout=max(deadline - time.monotonic(), 0)
        ):
            raise _none_free()
        try:
            self.idle.check()
            link = self.idle.pop() or await self._new(deadline)
        except BaseException:
            self._room.release()
            raise
        self.idle.out += 1
        link.until(deadline + GRACE)
        return link

    def give(self, link: Link) -> None:
        self.idle.put(link)
        self._room.release()

    async def extra(self, deadline: float) -> Link:
        self.idle.check()
        return await self._new(deadline)

    async def _new(self, deadline: float) -> Link:
        link: Link | None = None
        try:
            link = connect(self._dsn, self._names, deadline)
            link.until(deadline + GRACE)
            await self._greet(link)
        except BaseException as error:
            if link is not None:
                link.drop()
            if isinstance(error, (DriverError, Late)):
                raise translated(error) from None
            raise
        return link

    async def close(self) -> None:
        self.idle.end()


class AsyncPool:
    """Connections for the tasks of an event loop."""

    def __init__(self, dsn: str, names: Names, size: int, greet: Greet) -> None:
        self._dsn, self._names, self._greet = dsn, names, greet
        self._room = asyncio.Semaphore(size)
        self.idle: _Idle = _Idle()

    async def take(self, deadline: float) -> Link:
        self.idle.check()
        await self._enter(deadline)
        try:
            self.idle.check()
            link = self.idle.pop() or await self._new(deadline)
        except BaseException:
            self._room.release()
            raise
        self.idle.out += 1
        link.until(deadline + GRACE)
        return link

    async def _enter(self, deadline: float) -> None:
        try:
            async with asyncio.timeout(max(deadline - time.monotonic(), 0)):
                await self._room.acquire()
        except TimeoutError:
            raise _none_free() from None

    def give(self, link: Link) -> None:
        self.idle.put(link)
        self._room.release()

    async def extra(self, deadline: float) -> Link:
        self.idle.check()
        return await self._new(deadline)

    async def _new(self, deadline: float) -> Link:
        link: Link | None = None
        try:
            async with asyncio.timeout(max(deadline - time.monotonic(), 0) + GRACE):
                link = await connect_async(self._dsn, self._names, deadline)
                link.until(deadline + GRACE)
                await self._greet(link)
        except BaseException as error:
            if link is not None:
                link.drop()
            if isinstance(error, TimeoutError):
                raise translated(Late()) from None
            if isinstance(error, (DriverError, Late)):
                raise translated(error) from None
            raise
        return link

    async def close(self) -> None:
        self.idle.end()
