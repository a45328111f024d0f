"""Who adds to a stream of the audit when: one at a time, and all who had to wait at once.

Invariant: within a lane one writes at a time, and everybody is told how the writing of the own entries ended. Who finds
the lane empty writes at once and never waits for another task, so without an event loop nothing suspends.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

import attrs

from crmcore.storage.wrappers.audit_chain import Note

Write = Callable[[Sequence[Note]], Awaitable[None]]


@attrs.define(eq=False)
class _Waiting:
    notes: Sequence[Note]
    told: asyncio.Future[None]


class Lane:
    """The tasks of *loop* that add to one stream by *write*, which is given up to *most* entries at once."""

    def __init__(self, loop: asyncio.AbstractEventLoop, write: Write, *, most: int) -> None:
        self.loop = loop
        self._write = write
        self._most = most
        self._busy = False
        self._waiting: deque[_Waiting] = deque()
        self._draining: asyncio.Task[None] | None = None

    async def add(self, notes: Sequence[Note]) -> None:
        """Add *notes*, in this order."""
        if self._busy:
            waiting = _Waiting(notes, self.loop.create_future())
            self._waiting.append(waiting)
            await waiting.told
            return
        self._busy = True
        try:
            await self._write(notes)
        finally:
            if self._waiting:
                # In a task of its own: nobody's entries depend on whether somebody else is cancelled.
                self._draining = self.loop.create_task(self._drain())
            else:
                self._busy = False

    async def _drain(self) -> None:
        try:
            while group := self._next():
                await self._write_together(group)
        except asyncio.CancelledError:  # the loop ends
            for waiting in self._waiting:
                waiting.told.cancel()
            raise
        finally:
            self._busy = False

    def _next(self) -> list[_Waiting]:
        group: list[_Waiting] = []
        room = self._most
        while self._waiting and (not group or len(self._waiting[0].notes) <= room):
            waiting = self._waiting.popleft()
            if not waiting.told.done():  # else it was cancelled
                group.append(waiting)
                room -= len(waiting.notes)
        return group

    async def _write_together(self, group: Sequence[_Waiting]) -> None:
        try:
            await self._write([note for waiting in group for note in waiting.notes])
        except asyncio.CancelledError:
            for waiting in group:
                waiting.told.cancel()
            raise
        except Exception as error:
            _tell(group, error)
        else:
            _tell(group, None)


def _tell(group: Sequence[_Waiting], error: Exception | None) -> None:
    for waiting in group:
        if waiting.told.done():
            continue
        if error is None:
            waiting.told.set_result(None)
        else:
            waiting.told.set_exception(error)
