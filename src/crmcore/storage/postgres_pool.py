"""The connections of one store: made when they are needed, at most so many, given back or thrown away.

Invariant: what was taken comes back exactly once; a connection that is not idle, or that the server has closed, is
never handed out again. There is no thread and no task in the background: who needs a connection makes it, and so sees
why it cannot be made.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Generic, Protocol, TypeVar

from crmcore.errors import Contention, StoreClosed, StoreError
from crmcore.storage.postgres_driver import (
    AsyncLink,
    DriverError,
    Late,
    Link,
    Names,
    SyncLink,
    connect,
    connect_async,
)
from crmcore.storage.postgres_errors import translated

L = TypeVar("L", bound=Link)

Greet = Callable[[Link], Awaitable[None]]
"""What is done first on each new connection."""

GRACE = 0.5
"""Seconds that the client waits longer than it told the server to, since the server's own answer says more."""


class Pool(Protocol):
    """Where the flows take their connections from."""

    def link(self, deadline: float) -> AbstractAsyncContextManager[Link]:
        """A connection until the end of the block; it is waited for until *deadline*.

        Raises:
            Contention: if all are in use until the deadline.
            StoreClosed: if the store is closed.
            StoreError: if none can be made.
        """
        ...

    async def close(self) -> None: ...


class _Idle(Generic[L]):
    """The connections that nobody uses, the last given back first."""

    def __init__(self) -> None:
        self._links: list[L] = []
        self.closed = False
        self.out = 0
        """How many connections are in use."""

    def check(self) -> None:
        if self.closed:
            raise StoreClosed("this store is closed: open it again")

    def pop(self) -> L | None:
        """A connection that can be used, or None; those that cannot are dropped."""
        while self._links:
            with suppress(IndexError):  # another thread may have been faster
                link = self._links.pop()
                if link.usable():
                    return link
                link.drop()
        return None

    def put(self, link: L) -> None:
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
        self._room = threading.BoundedSemaphore(size)
        self.idle: _Idle[SyncLink] = _Idle()

    @asynccontextmanager
    async def link(self, deadline: float) -> AsyncIterator[Link]:
        self.idle.check()
        if not self._room.acquire(timeout=max(deadline - time.monotonic(), 0)):
            raise _none_free()
        try:
            self.idle.check()
            link = self.idle.pop() or await self._new(deadline)
            self.idle.out += 1
            link.deadline = deadline + GRACE
            try:
                yield link
            finally:
                self.idle.out -= 1
                self.idle.put(link)
        finally:
            self._room.release()

    async def _new(self, deadline: float) -> SyncLink:
        link: SyncLink | None = None
        try:
            link = connect(self._dsn, self._names, deadline)
            link.deadline = deadline + GRACE
            await self._greet(link)
        except (DriverError, Late) as error:
            if link is not None:
                link.drop()
            raise translated(error) from None
        return link

    async def close(self) -> None:
        self.idle.end()


class AsyncPool:
    """Connections for the tasks of an event loop."""

    def __init__(self, dsn: str, names: Names, size: int, greet: Greet) -> None:
        self._dsn, self._names, self._greet = dsn, names, greet
        self._room = asyncio.BoundedSemaphore(size)
        self.idle: _Idle[AsyncLink] = _Idle()

    @asynccontextmanager
    async def link(self, deadline: float) -> AsyncIterator[Link]:
        self.idle.check()
        try:
            async with asyncio.timeout(max(deadline - time.monotonic(), 0)):
                await self._room.acquire()
        except TimeoutError:
            raise _none_free() from None
        try:
            self.idle.check()
            link = self.idle.pop() or await self._new(deadline)
            self.idle.out += 1
            link.deadline = deadline + GRACE
            try:
                yield link
            finally:
                self.idle.out -= 1
                self.idle.put(link)
        finally:
            self._room.release()

    async def _new(self, deadline: float) -> AsyncLink:
        link: AsyncLink | None = None
        try:
            async with asyncio.timeout(max(deadline - time.monotonic(), 0) + GRACE):
                link = await connect_async(self._dsn, self._names, deadline)
                link.deadline = deadline + GRACE
                await self._greet(link)
        except (DriverError, Late, TimeoutError) as error:
            if link is not None:
                link.drop()
            raise translated(error) from None
        return link

    async def close(self) -> None:
        self.idle.end()
