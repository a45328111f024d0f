"""The optional parts of a store on PostgreSQL: snapshots, restoring, erasing, upkeep; written once for both colours.

Invariant: these keep the laws of the store itself: what is read is one moment, what is written is one transaction
under the same locks as a batch.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable

import crmcore.storage.paging as paging
import crmcore.storage.postgres_erasing as postgres_erasing
import crmcore.storage.postgres_lookup as postgres_lookup
import crmcore.storage.postgres_restore as postgres_restore
import crmcore.storage.postgres_schema as postgres_schema
from crmcore.storage.cursor import Cursors
from crmcore.storage.describe import LIMITS
from crmcore.storage.erasing import check_erasure, erasure_of
from crmcore.storage.erasure import Erasure, ErasureReport
from crmcore.storage.plan import replayable
from crmcore.storage.postgres_base import PostgresBase
from crmcore.storage.postgres_driver import DriverError, Late, Link
from crmcore.storage.postgres_errors import DROPPED, ERASED, RESTORED, translated
from crmcore.storage.postgres_export import BEGIN, HAS_SOMETHING, UNHURRIED, AsyncPostgresSnapshot
from crmcore.storage.postgres_locks import whole_tenant
from crmcore.storage.postgres_verify import verify
from crmcore.storage.protocol import Page
from crmcore.storage.stored import Stored
from crmcore.storage.stream import Restored
from crmcore.storage.upkeep import Integrity, SchemaState
from crmcore.storage.validate import check_name, check_tenants, check_timeout

_TENANTS = f"SELECT name FROM {{tenant}} AS t WHERE name > $1 AND {HAS_SOMETHING} ORDER BY name LIMIT $2"


class PostgresParts(PostgresBase):
    """What a store on PostgreSQL has beside what every store has."""

    async def export(self, tenants: Collection[str] | None = None) -> AsyncPostgresSnapshot:
        """A snapshot on a connection of its own, beside those of the pool."""
        check_tenants(tenants)
        link = await self._own_link()
        try:
            # A transaction has its moment from its first statement on, and this one reads a table.
            await link.together((BEGIN, ()), (UNHURRIED, ()), ("SELECT count(*) FROM {meta}", ()))
        except (DriverError, Late) as error:
            link.drop()
            raise translated(error) from None
        snapshot = AsyncPostgresSnapshot(link, tenants, self._timeout)
        self._snapshots.add(snapshot)
        return snapshot

    async def restore(self, rows: Iterable[Stored]) -> Restored:
        async with self._writing(self._timeout, "", RESTORED) as writing:
            await writing.begin(([], []))
            restored = await postgres_restore.restore(
                writing, self._secret, self._exclusive, rows, LIMITS, self._timeout
            )
            writing.resume(self._timeout)
            await writing.commit()
        return restored

    async def erase(self, erasure: Erasure, *, timeout: float = 30.0) -> ErasureReport:
        checked = check_erasure(erasure, LIMITS)
        tenant = checked.tenant
        async with self._writing(timeout, checked.idem, ERASED) as writing:
            who, applied = await writing.begin(
                whole_tenant(self._secret, tenant),
                postgres_lookup.who(tenant),
                postgres_lookup.applied(tenant, checked.idem),
            )
            before = await postgres_lookup.known(writing, tenant, checked.idem, who, applied)
            if before is not None:
                kept_as, found = before
                replayable(found.digest, checked.digest)
                return await postgres_erasing.erased_before(
                    writing, tenant, kept_as, found.erasure or "", found.at
                )
            owner = await postgres_lookup.tenant_for_writing(writing, tenant, who)
            return await postgres_erasing.erase(writing, self._secret, self._exclusive, owner, checked)

    async def erasures(self, tenant: str, *, after: str | None = None, limit: int = 500) -> Page[Erasure]:
        start = paging.erasures_query(self._cursors, tenant, after, limit, (0, 0, -1))
        async with self._reading() as link:
            text, parameters = postgres_erasing.erasures(tenant, start, limit)
            rows = postgres_erasing.since(await link.ask(text, parameters))
        placed = [
            (place, erasure_of(tenant, text, idem=idem, at=at, actor=actor, reason=reason))
            for place, (text, idem, at, actor, reason) in rows
        ]
        return paging.erasures_page(self._cursors, tenant, placed, limit)

    async def verify(self) -> Integrity:
        link = await self._own_link()
        link.until(float("inf"))  # it reads everything, however much that is
        try:
            return await verify(link, self._secret, self._exclusive)
        except (DriverError, Late) as error:
            raise translated(error) from None
        finally:
            link.drop()

    async def schema(self) -> SchemaState:
        async with self._reading(ready=False) as link:
            return await postgres_schema.state(link, self._names)

    async def migrate(self, *, timeout: float = 30.0) -> tuple[str, ...]:
        async with self._reading(timeout, ready=False) as link:
            taken = await postgres_schema.migrate(
                link, self._names, self._asked_exclusive, int(check_timeout(timeout) * 1000)
            )
            opened = await postgres_schema.opened(link, self._names, self._asked_exclusive)
        if self._opened is None:
            self._cursors = Cursors(opened.secret)
            self._opened = opened
        return taken

    async def tenants(self, *, after: str | None = None, limit: int = 500) -> Page[str]:
        start = paging.tenants_query(self._cursors, after, limit)
        async with self._reading() as link:
            names = [name for (name,) in await link.ask(_TENANTS, (start, limit + 1))]
        return paging.tenants_page(self._cursors, names, limit)

    async def drop_tenant(self, tenant: str, *, timeout: float = 30.0) -> ErasureReport:
        check_name(tenant, "a tenant")
        async with self._writing(timeout, "", DROPPED) as writing:
            return await postgres_erasing.drop(writing, self._secret, tenant)

    async def _own_link(self) -> Link:
        self._check(ready=True)
        return await self._pool.extra(time.monotonic() + self._timeout)
