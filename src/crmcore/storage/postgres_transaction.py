"""One transaction that writes: its locks come first, its commit last, and its end has one meaning.

Invariant: the locks are taken in one statement before the first write, so that no transaction number is assigned
before. `CommitUnknown` is raised exactly when a COMMIT was sent and its answer says neither yes nor no; everything else
means that nothing was written.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from math import inf

from crmcore.errors import StoreError
from crmcore.storage.postgres_driver import Asked, DriverError, Late, Link
from crmcore.storage.postgres_errors import surely_undone, translated, unknown
from crmcore.storage.postgres_exchange import Row
from crmcore.storage.postgres_locks import Locks
from crmcore.storage.postgres_pool import GRACE, Pool
from crmcore.storage.validate import check_timeout

_BEGIN: Asked = ("BEGIN ISOLATION LEVEL READ COMMITTED", ())

# Local to the transaction, also behind a proxy that gives connections to many. The server gives up before the client
# does. A client that is gone lets go of its locks. What is confirmed is on disk, whatever the server's default is.
# A statement of its own: a timeout counts from the beginning of a statement, so that of the next one is this.
_SETTLE = (
    "SELECT set_config('lock_timeout', $1, true), set_config('statement_timeout', $2, true), "
    "set_config('idle_in_transaction_session_timeout', $2, true), set_config('synchronous_commit', "
    "CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END, "
    "true)"
)
_LOCK = (
    "SELECT count(CASE WHEN alone THEN pg_advisory_xact_lock(number) ELSE pg_advisory_xact_lock_shared(number) END) "
    "FROM unnest($1::bigint[], $2::boolean[]) AS asked (number, alone)"
)
_COMMIT: Asked = ("COMMIT", ())


class Transaction:
    """What a write may do; made by `transaction`."""

    def __init__(self, link: Link, deadline: float) -> None:
        self.link = link
        self._deadline = deadline
        self._left = self._rested = inf
        self.overslept = False
        self.committing = False
        self.done = False

    async def begin(self, locks: Locks, *asked: Asked) -> list[list[Row]]:
        """Take the locks, then ask: all in one round trip. Each statement sees what was committed before the locks."""
        left = max(int((self._deadline - time.monotonic()) * 1000), 1)
        self._left = left / 1000
        settle: Asked = (_SETTLE, [str(left), str(left + int(GRACE * 500))])
        return (await self.link.together(_BEGIN, settle, (_LOCK, locks), *asked))[3:]

    def rest(self) -> None:
        """What comes next is for the caller to do, while the server waits."""
        self._rested = time.monotonic()

    def resume(self, seconds: float) -> None:
        """Go on; the server has so long to answer."""
        now = time.monotonic()
        self.overslept = now - self._rested > self._left
        self.link.until(now + seconds)

    async def ask(self, text: str, *parameters: object) -> list[Row]:
        return await self.link.ask(text, parameters)

    async def commit(self, *asked: Asked) -> list[list[Row]]:
        """Run the last statements and commit, in one round trip."""
        if self.link.gone():  # nothing was sent, so this is certain; a moment later it would not be
            await self.link.ask("SELECT 1")
        self.committing = True
        answers = await self.link.together(*asked, _COMMIT)
        self.done = True
        return answers[:-1]


@asynccontextmanager
async def transaction(pool: Pool, timeout: float, idem: str, doubt: str) -> AsyncIterator[Transaction]:
    """A transaction for the block, undone at its end if the block did not commit.

    *idem* and *doubt* are for `CommitUnknown`.
    """
    deadline = time.monotonic() + check_timeout(timeout)
    link = await pool.take(deadline)
    writing = Transaction(link, deadline)
    try:
        yield writing
        if not writing.done:
            await _leave(writing)  # whatever comes of that, the block has what it wanted to know
    except StoreError:
        await _leave(writing)
        raise
    except (DriverError, Late) as error:
        meaning = _meaning(writing, error, idem, doubt)
        await _leave(writing)
        raise meaning from None
    except asyncio.CancelledError as cancelled:
        link.drop()
        if writing.committing and not writing.done:
            raise cancelled from unknown(idem, doubt)
        raise
    except BaseException:
        link.drop()
        raise
    finally:
        pool.give(link)


def _meaning(writing: Transaction, error: BaseException, idem: str, doubt: str) -> StoreError:
    if writing.done:  # only giving back the connection went wrong
        return translated(error)
    if writing.committing and not surely_undone(error, failed=writing.link.failed()):
        writing.link.drop()
        return unknown(idem, doubt)
    return translated(error, overslept=writing.overslept)


async def _leave(writing: Transaction) -> None:
    """Undo what is under way, so that the locks are free at once; a connection that cannot is dropped."""
    try:
        await writing.link.ask("ROLLBACK")
    except (DriverError, Late):
        writing.link.drop()
